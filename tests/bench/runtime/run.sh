#!/usr/bin/env bash
# The runtime's workloads in goro and, in the same run, in Go: medians of RUNS (5) runs, taken in turn so that a
# drift of the machine meets both. Usage: run.sh BUILD_DIR [WORKLOAD...]. Prints a table and writes BUILD_DIR/bench/runtime.csv.
set -euo pipefail
build=$(cd "${1:?usage: run.sh BUILD_DIR [WORKLOAD...]}" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
out=$build/bench
mkdir -p "$out"
"$build/bin/goro-cc" -O2 "$here/rt.c" -o "$out/rt-goro"
peer=""
if command -v go >/dev/null; then
	(cd "$here" && GOCACHE=$out/gocache GO111MODULE=off go build -o "$out/rt-go" rt.go)
	peer=$out/rt-go
else
	echo "go: not installed (apt-get install golang); its columns stay empty"
fi

median() { sort -g | awk '{a[NR]=$1} END {if (NR == 0) print "-"; else if (NR % 2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2}'; }

declare -A unit=([yield]=ns [spawn]=ns [pingpong]=ns [spsc]=ns [mpmc]=ns [select]=ns [sieve]=s [skynet]=s [mutex]=ns
	[parked-rss]=bytes [parked-ns]=ns [sleepers]="us late" [steal]="x ideal")
rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(yield spawn pingpong spsc mpmc select sieve skynet mutex parked-rss parked-ns sleepers steal)

echo "machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), Linux $(uname -r)"
echo "goro: $("$build/bin/goro-cc" --goro-version | head -1); peer: $([ -n "$peer" ] && go version || echo none); median of $runs"
printf '%-12s %-8s %5s %12s %12s %10s\n' workload unit procs goro go go/goro
echo "workload,unit,procs,goro,go,ratio" >"$out/runtime.csv"
for w in "${rows[@]}"; do
	for procs in 1 2; do
		: >"$out/a"
		: >"$out/b"
		for ((i = 0; i < runs; i++)); do
			timeout 120 "$out/rt-goro" "$w" "$procs" >>"$out/a" || echo "rt-goro $w $procs failed" >&2
			[ -z "$peer" ] || timeout 120 "$peer" "$w" "$procs" >>"$out/b"
		done
		a=$(median <"$out/a")
		b=$(median <"$out/b")
		r=$(awk -v a="$a" -v b="$b" 'BEGIN {if (a + 0 > 0 && b + 0 > 0) printf "%.2f", b / a; else print "-"}')
		printf '%-12s %-8s %5d %12s %12s %10s\n' "$w" "${unit[$w]:-}" "$procs" "$a" "$b" "$r"
		echo "$w,${unit[$w]:-},$procs,$a,$b,$r" >>"$out/runtime.csv"
	done
done
