#!/usr/bin/env bash
# How the cost of an operation grows with the number of goroutines: 10 to 100 000 of them, at 1, 2, 4 ... processors
# as far as there are any; goro and, where it is installed, Go. The least of RUNS (5), as what else the machine does only
# adds to it. Writes docs/growth.csv, or the file that GROWTH_CSV names, and draws it (gnuplot) beside that, to
# docs/growth.svg. Usage: growth.sh BUILD_DIR [ROW...];
# growth.sh --draw draws what docs/growth.csv holds and runs nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
csv=${GROWTH_CSV:-$(cd "$here/../../../docs" && pwd)/growth.csv}
svg=${csv%.csv}.svg

# One picture for each row of the table, three beside each other, and one for the key; goro drawn, Go dashed; a colour for
# each number of processors.
draw() {
	command -v gnuplot >/dev/null || { echo "gnuplot: not installed (apt-get install gnuplot-nox), no picture"; return; }
	local rows tools procs w t p sep what dash colour key
	mapfile -t rows < <(awk -F, 'NR > 1 && !seen[$1]++ {print $1}' "$csv")
	mapfile -t tools < <(awk -F, 'NR > 1 && !seen[$2]++ {print $2}' "$csv")
	mapfile -t procs < <(awk -F, 'NR > 1 && !seen[$3]++ {print $3}' "$csv")
	{
		echo "set terminal svg size 900,$((220 * ((${#rows[@]} + 3) / 3))) fontscale 0.8 background rgb 'white'"
		echo "set output '$svg'; set datafile separator ','; set datafile missing '-'"
		echo "set logscale xy; set grid; unset mxtics; unset mytics; set key off; set format x '10^{%T}'; set xtics (10, 1000, 100000)"
		echo "set xrange [7:150000]; set multiplot layout $(((${#rows[@]} + 3) / 3)),3"
		for w in "${rows[@]}"; do
			case $w in sleepers) what="us late" ;; *) what=ns ;; esac
			echo "set title '$w: $what by goroutines'"
			sep=plot
			key=
			for t in "${tools[@]}"; do
				dash=1
				[ "$t" = goro ] || dash=2
				for p in "${procs[@]}"; do
					colour=$(awk -v p="$p" 'BEGIN {print p == 1 ? 3 : p == 2 ? 7 : 1 + int(log(p) / log(2))}')
					printf "%s '<grep ^%s,%s,%s, %s' using 4:5 with linespoints dt %s lc %s pt %s ps 0.5 title '%s, %s'" \
						"$sep" "$w" "$t" "$p" "$csv" "$dash" "$colour" "$dash" "$t" "$p"
					key+="$sep NaN with linespoints dt $dash lc $colour pt $dash ps 0.5 title '$t, GOMAXPROCS=$p'"
					sep=","
				done
			done
			echo
		done
		echo "unset title; unset border; unset tics; unset grid; unset logscale; set key center; set yrange [0:1]"
		echo "$key"
		echo "unset multiplot"
	} | gnuplot
	sed -i -E 's/([0-9]+\.[0-9])[0-9]+/\1/g' "$svg" # a tenth of a pixel is enough
	echo "drawn: $svg"
}

if [ "${1:-}" = --draw ]; then
	draw
	exit
fi
build=$(cd "${1:?usage: growth.sh BUILD_DIR [ROW...]}" && pwd)
shift
runs=${RUNS:-5}
out=$build/bench
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

echo "row,tool,procs,goroutines,value" >"$csv"
for w in "${rows[@]}"; do
	for ((procs = 1; procs <= $(nproc) && procs <= 16; procs *= 2)); do
		for n in 10 1000 100000; do
			for t in "${tools[@]}"; do
				v=$(for ((i = 0; i < runs; i++)); do timeout 60 "$out/rt-$t" "$w" "$procs" "$n" || true; done | sort -g | head -1)
				echo "$w,$t,$procs,$n,${v:--}" | tee -a "$csv"
			done
		done
	done
done

draw
