#!/usr/bin/env bash
# The cost of race detection, in one run: eleven kinds of work on pthreads and five on goroutines and channels, native,
# under goro -race and under its peers (gcc's and clang's TSan; Go and go -race, work.go); then each synchronisation by
# itself, start-up, and parked goroutines. CPU time (user + system) and peak RSS, medians of RUNS (5), taken in turn so
# that a drift of the machine meets all; ratios over the same compiler's native build; goals of the ABI build.
# Usage: run.sh BUILD_DIR [KIND|ROW...]. Writes BUILD_DIR/bench/race.csv and race-sync.csv. A peer that is not installed
# is said and skipped. What fails is said, and stands as "-".
set -euo pipefail
export LC_ALL=C
build=$(cd "${1:?usage: run.sh BUILD_DIR [KIND|ROW...]}" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
out=$build/bench/race
mkdir -p "$out"
cc="$build/bin/goro-cc"
src="$here/main.c $here/numeric.c $here/data.c $here/sync.c"
threads=(matmul stencil shmap msort pcq wc bintree readsh bytes graph lockfree)
goroutines=(gshmap gpipe gfan gpool gsieve)
sync=(lock pthread-lock add spawn pingpong pipeline)
all=("${threads[@]}" "${goroutines[@]}" "${sync[@]}" startup parked)
want=("$@")
[ ${#want[@]} -gt 0 ] || want=("${all[@]}")
for k in "${want[@]}"; do
	[[ " ${all[*]} " == *" $k "* ]] || { echo "no such kind or row: $k (there are: ${all[*]})" >&2; exit 1; }
done
wanted() { [[ " ${want[*]} " == *" $1 "* ]]; }

# What design and measurement of the peers ask of the build that calls the detector: CPU over native; in sync rows
# nanoseconds, or times plain ("x"). Peak RSS: 2.0 x native + 2 MiB everywhere.
declare -A goal=([matmul]=12 [stencil]=8 [shmap]=1.8 [msort]=1.9 [pcq]=3 [wc]=2.2 [bintree]=2.2 [readsh]=2.8 [bytes]=5
	[graph]=3 [lockfree]=5 [gshmap]=1.8 [gpipe]=2 [gfan]=5 [gpool]=2 [gsieve]=2
	[lock]=40 [pthread-lock]=40 [add]=25 [spawn]=1000 [pingpong]=2x [pipeline]=2x)

# ---- build: NAME-threads runs the kinds on pthreads, NAME-goroutines the others ----
tools=()
have() { tools+=("$1"); }
try() { # NAME ROOM COMMAND...
	local name=$1 room=$2
	shift 2
	if "$@" -o "$out/$name-$room" 2>"$out/err"; then
		[[ " ${tools[*]} " == *" $name "* ]] || have "$name"
	else
		rm -f "$out/$name-$room"
		echo "$name ($room): cannot be built here, skipped: $(head -1 "$out/err")"
	fi
}
rm -f "$out"/*-threads "$out"/*-goroutines
flags=(-O2 -g -pthread)
for c in gcc clang-19; do
	command -v $c >/dev/null || { c=${c%-19}; command -v $c >/dev/null || continue; }
	n=${c%-19}
	try $n threads $c "${flags[@]}" $src
	try $n goroutines "$cc" --goro-cc=$c "${flags[@]}" "$here/goroutines.c"
	try goro-$n threads "$cc" --goro-cc=$c -race "${flags[@]}" $src
	try goro-$n goroutines "$cc" --goro-cc=$c -race "${flags[@]}" "$here/goroutines.c"
	try $n-tsan threads $c -fsanitize=thread "${flags[@]}" $src
done
command -v clang-19 >/dev/null || echo "clang-19: not installed (apt-get install clang-19 libclang-rt-19-dev)"
if command -v go >/dev/null; then
	export GOCACHE=$out/gocache GO111MODULE=off
	go_build() { go build "$@" "$here/work.go"; }
	try go threads go_build
	try go-race threads go_build -race
	for g in go go-race; do [ ! -e "$out/$g-threads" ] || cp "$out/$g-threads" "$out/$g-goroutines"; done
else
	echo "go: not installed (apt-get install golang), skipped"
fi
native_of() { case $1 in goro-* | *-tsan) n=${1#goro-}; echo "${n%-tsan}" ;; *) echo "${1%-race}" ;; esac; }

# ---- measure ----
median() { sort -g | awk '{a[NR]=$1} END {if (NR == 0) print "-"; else if (NR % 2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (a + 0 > 0 && b + 0 > 0) printf "%.2f", a / b; else print "-"}'; }
# run KIND ROOM: every tool's medians into cpu[], rss[] and, of what it printed, row[].
declare -A cpu rss row
run() {
	local k=$1 room=$2 pin="" i t
	[ "$k" = lockfree ] && pin="taskset -c 0" # unpinned it is bimodal
	for t in "${tools[@]}"; do : >"$out/$t.cpu"; : >"$out/$t.rss"; : >"$out/$t.row"; done
	for ((i = 0; i < runs; i++)); do
		for t in "${tools[@]}"; do
			[ -x "$out/$t-$room" ] || continue
			[ "$k" = pthread-lock ] && [[ $t == go || $t == go-race ]] && continue
			if ! /usr/bin/time -o "$out/t" -f '%U %S %M' timeout 300 $pin "$out/$t-$room" "$k" >"$out/$t.out" 2>"$out/$t.err"; then
				echo "$t $k failed: $(head -5 "$out/$t.err")" >&2
				continue
			fi
			awk 'END {print $1 + $2}' "$out/t" >>"$out/$t.cpu"
			awk 'END {print $3}' "$out/t" >>"$out/$t.rss"
			awk '{print $NF}' "$out/$t.out" >>"$out/$t.row"
		done
	done
	for t in "${tools[@]}"; do
		cpu[$t]=$(median <"$out/$t.cpu")
		rss[$t]=$(median <"$out/$t.rss")
		row[$t]=$(median <"$out/$t.row")
	done
}

echo "machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), Linux $(uname -r); median of $runs"
echo "kind,tool,cpu_s,peak_kib,cpu_ratio,rss_ratio,goal" >"$build/bench/race.csv"
first=1
for k in "${threads[@]}" "${goroutines[@]}"; do
	wanted "$k" || continue
	room=threads
	[[ " ${goroutines[*]} " == *" $k "* ]] && room=goroutines
	[ -z "$first" ] || printf '%-10s %-12s %9s %10s %8s %8s %6s %s\n' kind tool cpu/s peak/KiB cpu-x rss-x goal 'rss<=2x+2MiB'
	first=
	run "$k" $room
	for t in "${tools[@]}"; do
		[ -x "$out/$t-$room" ] || continue
		n=$(native_of "$t")
		cx=$(ratio "${cpu[$t]}" "${cpu[$n]}") rx=$(ratio "${rss[$t]}" "${rss[$n]}")
		target=- room_ok=-
		if [[ $t == goro-* ]]; then
			target=${goal[$k]}
			room_ok=$(awk -v a="${rss[$t]}" -v b="${rss[$n]}" 'BEGIN {print a <= 2 * b + 2048 ? "yes" : "no"}')
		fi
		printf '%-10s %-12s %9s %10s %8s %8s %6s %s\n' "$k" "$t" "${cpu[$t]}" "${rss[$t]}" "$cx" "$rx" "$target" "$room_ok"
		echo "$k,$t,${cpu[$t]},${rss[$t]},$cx,$rx,$target" >>"$build/bench/race.csv"
	done
done
if [ -z "$first" ]; then
	for group in "threads:${threads[*]}" "goroutines:${goroutines[*]}"; do
		awk -F, -v kinds=" ${group#*:} " 'NR > 1 && index(kinds, " " $1 " ") && $5 > 0 {c[$2] += log($5); r[$2] += log($6); n[$2]++}
			END {for (t in c) printf "  %-12s cpu %.2f  rss %.2f  (%d kinds)\n", t, exp(c[t]/n[t]), exp(r[t]/n[t]), n[t]}' \
			"$build/bench/race.csv" | sort >"$out/means"
		[ ! -s "$out/means" ] || { echo "geometric means, ${group%%:*}:"; cat "$out/means"; }
	done
fi

# ---- rows: CPU nanoseconds an operation, plain and under -race ----
echo "row,unit,tool,plain,race,ratio,goal" >"$build/bench/race-sync.csv"
first=1
sync_line() { # ROW UNIT TOOL PLAIN RACE GOAL
	[ -z "$first" ] || printf '%-14s %-12s %-10s %10s %10s %8s %8s\n' row unit tool plain -race ratio goal
	first=
	printf '%-14s %-12s %-10s %10s %10s %8s %8s\n' "$1" "$2" "$3" "$4" "$5" "$(ratio "$5" "$4")" "$6"
	echo "$1,$2,$3,$4,$5,$(ratio "$5" "$4"),$6" >>"$build/bench/race-sync.csv"
}
for k in "${sync[@]}"; do
	wanted "$k" || continue
	run "$k" goroutines
	for n in gcc clang; do
		[ ! -x "$out/goro-$n-goroutines" ] || sync_line "$k" ns "goro-$n" "${row[$n]}" "${row[goro-$n]}" "${goal[$k]}"
	done
	[ "$k" = pthread-lock ] || [ ! -x "$out/go-race-goroutines" ] || sync_line "$k" ns go "${row[go]}" "${row[go-race]}" -
done
# An empty program, 50 times: CPU milliseconds each, and its peak.
if wanted startup; then
	for n in gcc clang go; do
		r=goro-$n
		[ $n = go ] && r=go-race
		[ -x "$out/$r-goroutines" ] || continue
		for t in $n $r; do
			: >"$out/$t.cpu"
			: >"$out/$t.rss"
			for ((i = 0; i < runs; i++)); do
				/usr/bin/time -o "$out/t" -f '%U %S' bash -c "for i in {1..50}; do '$out/$t-goroutines' empty; done" >/dev/null
				awk 'END {print ($1 + $2) * 20}' "$out/t" >>"$out/$t.cpu"
				/usr/bin/time -o "$out/t" -f '%M' "$out/$t-goroutines" empty >/dev/null
				tail -1 "$out/t" >>"$out/$t.rss"
			done
			cpu[$t]=$(median <"$out/$t.cpu")
			rss[$t]=$(median <"$out/$t.rss")
		done
		sync_line startup "ms cpu" "$r" "${cpu[$n]}" "${cpu[$r]}" "5 ms"
		sync_line startup "KiB" "$r" "${rss[$n]}" "${rss[$r]}" "+3072"
	done
fi
# 100 000 parked: bytes each above an empty program's.
if wanted parked; then
	declare -A none
	run empty goroutines
	for t in "${tools[@]}"; do none[$t]=${rss[$t]}; done
	run parked goroutines
	for n in gcc clang go; do
		r=goro-$n
		[ $n = go ] && r=go-race
		[ -x "$out/$r-goroutines" ] || continue
		each() { awk -v a="${rss[$1]}" -v b="${none[$1]}" 'BEGIN {printf "%.0f", (a - b) * 1024 / 100000}'; }
		sync_line parked "bytes each" "$r" "$(each $n)" "$(each $r)" "+1024"
		sync_line parked "ns each" "$r" "${row[$n]}" "${row[$r]}" -
	done
fi
