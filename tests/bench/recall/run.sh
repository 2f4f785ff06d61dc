#!/usr/bin/env bash
# What each detector finds: small programs with one mistake or none (recall.c on pthreads and on goroutines,
# vptr.cc, recall.go), under goro, clang-19's ThreadSanitizer and go -race, each RUNS (5) times.
# Usage: run.sh BUILD_DIR [PROGRAM...]. Writes BUILD_DIR/bench/recall/. Tools that are not installed are said and
# skipped. All run with their defaults, but for the wait at exit: every access has been made by then.
#
#   found 5/5           reported with what is expected, in so many runs
#   no older stack 5/5  a race, reported without the stack of the older access
#   lost                never reported
#   silent              no report, no failure
#   false alarm 5/5     reported, where nothing is wrong
#   hung, failed        neither ended in time nor reported; ended otherwise than by itself or by a report
#   -                   the tool is not installed, or its language or library has no such thing
set -euo pipefail
build=${1:?usage: run.sh BUILD_DIR [PROGRAM...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
limit=${RECALL_TIMEOUT:-60}
out=$build/bench/recall
mkdir -p "$out"
cd "$out"
rm -f threads goroutines tsan vptr-threads vptr-tsan go

gcc -O2 -c "$here/../../support/invisible.c" -o invisible.o && ar rcs invisible.a invisible.o # an archive: goro-cc takes no object made without -race
"$build/bin/goro-cc" --goro-cc=gcc -race -O1 -g -pthread "$here/recall.c" invisible.a -o threads
"$build/bin/goro-cc" --goro-cc=gcc -race -O1 -g -DGOROUTINES "$here/recall.c" invisible.a -o goroutines
"$build/bin/goro-c++" --goro-cc=g++ -race -O1 -g -pthread "$here/vptr.cc" invisible.a -o vptr-threads
if command -v clang-19 >/dev/null; then
	clang-19 -fsanitize=thread -O1 -g -pthread "$here/recall.c" invisible.a -o tsan &&
		clang++-19 -fsanitize=thread -O1 -g -pthread "$here/vptr.cc" invisible.a -o vptr-tsan ||
		echo "clang-19's TSan: not installed, skipped (apt-get install libclang-rt-19-dev)"
else
	echo "clang-19: not installed, skipped (apt-get install clang-19 libclang-rt-19-dev)"
fi
if command -v go >/dev/null; then
	GO111MODULE=off GOFLAGS= GOCACHE="$out/gocache" go build -race -o go "$here/recall.go" ||
		echo "go -race: does not build here, skipped"
else
	echo "go: not installed, skipped (apt-get install golang)"
fi

for bin in threads goroutines tsan vptr-threads vptr-tsan go; do
	[ ! -x $bin ] || ./$bin --list >$bin.list
done

# program | what a report's title has to say, in any case; several: so many reports; silent: nothing
programs='near|data race
accesses_1e5|data race
accesses_1e7|data race
calls_1e7|data race
locks_4e6|data race
come_and_gone_300|data race
come_and_gone_1000|data race
alive_1000|data race
readers_16|data race
readers_500|data race
readers_500_ordered|silent
eight_bytes|data race
eight_bytes_apart|silent
two_in_a_word|2 data race
relaxed|data race
release_acquire|silent
fences|silent
release_sequence|silent
release_sequence_broken|data race
failed_exchange|data race
atomic_and_plain|data race
one_lock|silent
datagram|silent
datagram_of_another|data race
close_and_send|data race
message|silent
order_of_3|lock.order.inversion
read_lock_again|recursive read lock
double_lock|double lock
unlock_of_unlocked|unlock of an unlocked
destroy_locked|destroy of a locked
use_after_free|use.after.free
large_use_after_free|use.after.free
thread_leak|thread leak
malloc_in_handler|signal.unsafe
errno_in_handler|errno
vptr|data race on vptr'

# both_stacks OUTPUT: each older access in it has a frame ("  f()", "    #0 f ...").
both_stacks() {
	awk '/^ *Previous / {n++; getline; if ($0 ~ /^ +(#0 )?[A-Za-z_]/) ok++} END {exit !(n > 0 && ok == n)}' "$1"
}

# verdict BINARY PROGRAM EXPECTED
verdict() {
	local bin=$1 name=$2 title=$3 need=1 found=0 stackless=0 alarms=0 hung=0 failed=0 i rc n
	case $title in [0-9]*) need=${title%% *} title=${title#* } ;; esac
	if [ ! -x "$bin" ] || ! grep -qx "$name" "$bin.list"; then
		echo "-"
		return
	fi
	for ((i = 1; i <= runs; i++)); do
		rc=0
		GORACE=atexit_sleep_ms=0 TSAN_OPTIONS=atexit_sleep_ms=0 \
			timeout -k 5 "$limit" "./$bin" "$name" "$i" >"$bin.$name.$i" 2>&1 || rc=$?
		if [ "$title" = silent ]; then
			n=$(grep -c '^WARNING: ' "$bin.$name.$i" || true)
			if [ "$n" -gt 0 ]; then alarms=$((alarms + 1))
			elif [ $rc = 124 ] || [ $rc = 137 ]; then hung=$((hung + 1))
			elif [ $rc != 0 ]; then failed=$((failed + 1)); fi
			continue
		fi
		n=$(grep -ciE "^WARNING: .*$title" "$bin.$name.$i" || true)
		if [ "$n" -ge "$need" ]; then
			case $title in
			*race*) both_stacks "$bin.$name.$i" && found=$((found + 1)) || stackless=$((stackless + 1)) ;;
			*) found=$((found + 1)) ;;
			esac
		elif [ $rc = 124 ] || [ $rc = 137 ]; then hung=$((hung + 1))
		elif [ $rc != 0 ] && [ $rc != 66 ] && [ $rc != 142 ]; then failed=$((failed + 1)); fi # 142: double_lock's alarm
	done
	local s=""
	[ $found = 0 ] || s+=", found $found/$runs"
	[ $stackless = 0 ] || s+=", no older stack $stackless/$runs"
	[ $alarms = 0 ] || s+=", false alarm $alarms/$runs"
	[ $hung = 0 ] || s+=", hung $hung/$runs"
	[ $failed = 0 ] || s+=", failed $failed/$runs"
	if [ -z "$s" ]; then
		[ "$title" = silent ] && s=", silent" || s=", lost"
	fi
	echo "${s#, }"
}

printf '%-24s %-22s %-14s %-16s %-22s %s\n' program expected "goro, threads" "goro, goroutines" "clang-19 tsan" "go -race"
while IFS='|' read -r name title; do
	if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
	v=""
	[ "$name" = vptr ] && v="vptr-"
	printf '%-24s %-22s %-14s %-16s %-22s %s\n' "$name" "$(echo "$title" | tr . ' ')" "$(verdict ${v}threads "$name" "$title")" \
		"$(verdict ${v}goroutines "$name" "$title")" "$(verdict ${v}tsan "$name" "$title")" "$(verdict ${v}go "$name" "$title")"
done <<<"$programs"
