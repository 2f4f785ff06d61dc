#!/usr/bin/env bash
# The shape of hot code: instructions, spills and calls of the functions that programs wait for, as gcc and clang compile
# them, against the limits of tools/hot-code.txt. A compiler of another version than the table's is said and left out.
# Usage: check-hot.sh BUILD_DIR [TABLE]; check-hot.sh BUILD_DIR --print: the table as it is now.
#
# instructions: all of the function, with what the compiler split off as .part, without .cold, which nobody waits for, and
# padding. spills: pushes, and stores to the stack. calls: calls; a jump to another function at the end is none.
set -euo pipefail
build=${1:?usage: check-hot.sh BUILD_DIR [TABLE | --print]}
table=${2:-tools/hot-code.txt}
cd "$(dirname "$0")/.."
out=$build/hot
mkdir -p "$out"

# FILE FLAGS: functions.
files=(
	"race/abi/access.c|-DGORO_RACE=1 -mcx16 -fomit-frame-pointer|__tsan_read1 __tsan_read4 __tsan_read8 __tsan_read16 __tsan_write1 __tsan_write4 __tsan_write8 __tsan_write16"
	"race/shadow/leaf.c|-DGORO_RACE=1 -fomit-frame-pointer|access_slow_r1 access_slow_r8 access_slow_r16 access_slow_w1 access_slow_w8 access_slow_w16"
	"race/abi/func.c|-DGORO_RACE=1 -mcx16 -fomit-frame-pointer|__tsan_func_entry __tsan_func_exit"
	"runtime/chan/chan.c||goro_chan_send goro_chan_recv"
	"runtime/sched/proc.c||goro_gosched yield ready make_ready"
	"runtime/sync/mutex.c||goro_mutex_lock goro_mutex_unlock"
)
flags="-std=gnu11 -O2 -g -fPIC -ftls-model=initial-exec -fvisibility=hidden -fno-omit-frame-pointer -fstack-clash-protection -D_GNU_SOURCE"

# One line for each function: compiler name instructions spills calls.
shape() { # COMPILER OBJECT FUNCTION...
	local cc=$1 o=$2
	shift 2
	objdump -d --no-show-raw-insn "$o" | awk -v cc="$cc" -v names=" $* " '
		/^[0-9a-f]+ <.*>:$/ {name = $2; gsub(/[<>:]/, "", name); sub(/\.part\.[0-9]+$/, "", name); want = index(names, " " name " ")
			if (want) {n[name] += 0; s[name] += 0; c[name] += 0}; next}
		!want || !/^ *[0-9a-f]+:\t/ {next}
		{sub(/^ *[0-9a-f]+:\t/, "")}
		/nop|^xchg +%ax,%ax|^data16|^cs / {next}
		{n[name]++}
		/^push/ || /^mov[a-z]* .*,-?(0x[0-9a-f]+)?\(%r[sb]p\)/ {s[name]++}
		/^call/ {c[name]++}
		END {for (f in n) print cc, f, n[f], s[f], c[f]}' | sort
}
now=""
for cc in gcc clang; do
	command -v $cc >/dev/null || { echo "check-hot: no $cc here, left out"; continue; }
	version=$cc-$($cc -dumpversion | cut -d. -f1)
	if [ "$table" != --print ] && ! grep -q "^$version " "$table"; then
		echo "check-hot: the table is not of $version, left out"
		continue
	fi
	for f in "${files[@]}"; do
		IFS='|' read -r src more names <<<"$f"
		o=$out/$cc-$(basename "$src" .c).o
		$cc $flags $more -c "$src" -o "$o"
		now+=$(shape "$version" "$o" $names)$'\n'
	done
done
if [ "$table" = --print ]; then
	echo "$now" | sed '/^$/d'
	exit 0
fi
echo "$now" | awk '
	NR == FNR {if (!/^#/ && NF == 5) {li[$1 " " $2] = $3; ls[$1 " " $2] = $4; lc[$1 " " $2] = $5}; next}
	NF != 5 {next}
	{k = $1 " " $2; seen[k] = 1; here[$1] = 1}
	function over(what, is, limit) {
		if (is > limit) {printf "check-hot: %s: %d %s, %d more than its limit of %d\n", k, is, what, is - limit, limit; bad = 1}
	}
	!(k in li) {print "check-hot: " k ": not in the table"; bad = 1; next}
	{over("instructions", $3, li[k]); over("spills", $4, ls[k]); over("calls", $5, lc[k])}
	END {
		for (k in li) {split(k, p, " "); if (here[p[1]] && !(k in seen)) {print "check-hot: " k ": no such function"; bad = 1}}
		if (bad) print "check-hot: make it small again; or say why in tools/hot-code.txt (tools/check-hot.sh BUILD --print)"
		exit bad
	}' "$table" -
echo "check-hot: ok"
