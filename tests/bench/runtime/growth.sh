#!/usr/bin/env bash
# How the cost of an operation grows with the number of goroutines: 10 to 100 000 of them, at 1, 2, 4 ... processors
# as far as there are any; goro and, where it is installed, Go. Medians of RUNS (5). Writes BUILD_DIR/bench/growth.csv
# and draws it (gnuplot) to docs/growth.svg, or to the file that GROWTH_SVG names. Usage: growth.sh BUILD_DIR [ROW...]
set -euo pipefail
build=$(cd "${1:?usage: growth.sh BUILD_DIR [ROW...]}" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
out=$build/bench
csv=$out/growth.csv
svg=${GROWTH_SVG:-$here/../../../docs/growth.svg}
rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(yield spawn pingpong mpmc select mutex parked-ns sleepers)
mkdir -p "$out"
"$build/bin/goro-cc" -O2 "$here/rt.c" -o "$out/rt-goro"
tools=(goro)
if command -v go >/dev/null; then
	(cd "$here" && GOCACHE=$out/gocache GO111MODULE=off go build -o "$out/rt-go" rt.go)
	tools+=(go)
else
	echo "go: not installed (apt-get install golang), skipped"
fi
median() { sort -g | awk '{a[NR]=$1} END {if (NR == 0) print "-"; else if (NR % 2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2}'; }

echo "row,tool,procs,goroutines,value" >"$csv"
for w in "${rows[@]}"; do
	for ((procs = 1; procs <= $(nproc) && procs <= 16; procs *= 2)); do
		for n in 10 1000 100000; do
			for t in "${tools[@]}"; do
				v=$(for ((i = 0; i < runs; i++)); do timeout 60 "$out/rt-$t" "$w" "$procs" "$n" || true; done | median)
				echo "$w,$t,$procs,$n,$v" | tee -a "$csv"
			done
		done
	done
done

command -v gnuplot >/dev/null || { echo "gnuplot: not installed (apt-get install gnuplot-nox), no picture"; exit 0; }
{
	echo "set terminal svg size 1100,$((260 * ((${#rows[@]} + 2) / 3))) background rgb 'white'"
	echo "set output '$svg'; set datafile separator ','; set datafile missing '-'"
	echo "set logscale xy; set grid; set key font ',9' top left; set format x '10^{%T}'"
	echo "set multiplot layout $(((${#rows[@]} + 2) / 3)),3"
	for w in "${rows[@]}"; do
		case $w in sleepers) what="us late" ;; *) what="ns" ;; esac
		echo "set title '$w, $what by number of goroutines'"
		sep="plot"
		for t in "${tools[@]}"; do
			for ((procs = 1; procs <= $(nproc) && procs <= 16; procs *= 2)); do
				printf "%s '<grep ^%s,%s,%s, %s' using 4:5 with linespoints title '%s, %s'" "$sep" "$w" "$t" "$procs" "$csv" "$t" "$procs"
				sep=","
			done
		done
		echo
	done
	echo "unset multiplot"
} | gnuplot
echo "drawn: $svg"
