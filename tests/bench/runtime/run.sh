#!/usr/bin/env bash
# The runtime's workloads in goro and, in the same run, in its peers (Go, Boost.Fiber, plain threads): medians of RUNS
# (5) runs, taken in turn so that a drift of the machine meets all. Usage: run.sh BUILD_DIR [WORKLOAD...]. Prints a
# table (ratios above 1: goro is ahead; the goal and how far from it last) and writes BUILD_DIR/bench/runtime.csv.
# A peer that is not installed is said and skipped; "-": it has no such workload, or did not end in 60 s.
set -euo pipefail
build=$(cd "${1:?usage: run.sh BUILD_DIR [WORKLOAD...]}" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
out=$build/bench
mkdir -p "$out"
"$build/bin/goro-cc" -O2 "$here/rt.c" -o "$out/rt-goro"
gcc -O2 "$here/echo_client.c" -o "$out/echo-client"
export ECHO_CLIENT=$out/echo-client
peers=()
if command -v go >/dev/null; then
	(cd "$here" && GOCACHE=$out/gocache GO111MODULE=off go build -o "$out/rt-go" rt.go)
	peers+=(go)
else
	echo "go: not installed (apt-get install golang), skipped"
fi
if g++ -O2 "$here/rt_boost.cc" -o "$out/rt-boost" -lboost_fiber -lboost_context -pthread 2>/dev/null; then
	peers+=(boost)
else
	echo "Boost.Fiber: not installed (apt-get install libboost-fiber-dev), skipped"
fi
gcc -O2 -pthread "$here/rt_pthread.c" -o "$out/rt-pthread"
peers+=(pthread)

median() { sort -g | awk '{a[NR]=$1} END {if (NR == 0) print "-"; else if (NR % 2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (a + 0 > 0 && b + 0 > 0) printf "%.2f", b / a; else print "-"}'; }

declare -A unit=([yield]=ns [spawn]=ns [pingpong]=ns [spsc]=ns [mpmc]=ns [select]=ns [sieve]=s [skynet]=s [mutex]=ns
	[parked-rss]=bytes [parked-ns]=ns [million-rss]=bytes [million-ns]=ns [sleep-wall]=s [sleep-cpu]=s [sleepers]="us late"
	[echo]="us cpu" [steal]="x ideal" [blocking]="x ideal")
# What it is to cost at 1 and at 2 processors.
declare -A goal=([yield]="10 10" [spawn]="80 80" [pingpong]="60 70" [spsc]="15 30" [mpmc]="30 30" [select]="80 80"
	[sieve]="0.15 0.15" [skynet]="0.15 0.1" [mutex]="10 10" [parked-rss]="4300 4300" [parked-ns]="3500 3500"
	[million-rss]="4300 4300" [million-ns]="3500 3500" [sleep-wall]="1.05 1.05" [sleep-cpu]="0.25 0.25"
	[sleepers]="200 200" [echo]="9 9" [steal]="1.02 1.02" [blocking]="1.03 1.03")
rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(yield spawn pingpong spsc mpmc select sieve skynet mutex parked-rss parked-ns million-rss
	million-ns sleep-wall sleep-cpu sleepers echo steal blocking)

echo "machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), Linux $(uname -r)"
echo "$("$build/bin/goro-cc" --goro-version | head -1); $(go version 2>/dev/null || echo no go); median of $runs"
printf '%-12s %-8s %5s %10s' workload unit procs goro
printf ' %10s' "${peers[@]}"
printf ' %8s %10s %8s %8s\n' go/goro best/goro goal of-goal
(IFS=, && echo "workload,unit,procs,goro,${peers[*]},go_ratio,best_ratio,goal") >"$out/runtime.csv"
for w in "${rows[@]}"; do
	args=()
	name=$w
	case $w in million-*) name=parked-${w#million-} args=(1000000) ;; esac
	i=0
	for procs in 1 2; do
		target=$(set -- ${goal[$w]:-- -} && eval "echo \$$procs")
		for p in goro "${peers[@]}"; do : >"$out/m.$p"; done
		for ((i = 0; i < runs; i++)); do
			timeout 60 "$out/rt-goro" "$name" "$procs" "${args[@]}" >>"$out/m.goro" || echo "rt-goro $w $procs failed" >&2
			for p in "${peers[@]}"; do
				[ -e "$out/m.$p.none" ] && continue
				timeout 60 "$out/rt-$p" "$name" "$procs" "${args[@]}" >>"$out/m.$p" 2>/dev/null || : >"$out/m.$p.none"
			done
		done
		a=$(median <"$out/m.goro")
		line=$(printf '%-12s %-8s %5s %10s' "$w" "${unit[$w]:-}" "$procs" "$a")
		csv=$w,${unit[$w]:-},$procs,$a
		best=- go=-
		for p in "${peers[@]}"; do
			b=$(median <"$out/m.$p")
			rm -f "$out/m.$p.none"
			[ "$p" = go ] && go=$b
			best=$(awk -v a="$best" -v b="$b" 'BEGIN {print (a == "-" || (b != "-" && b + 0 < a + 0)) ? b : a}')
			line+=$(printf ' %10s' "$b")
			csv+=,$b
		done
		printf '%s %8s %10s %8s %8s\n' "$line" "$(ratio "$a" "$go")" "$(ratio "$a" "$best")" "$target" "$(ratio "$target" "$a")"
		echo "$csv,$(ratio "$a" "$go"),$(ratio "$a" "$best"),$target" >>"$out/runtime.csv"
	done
done
rm -f "$out"/m.*
