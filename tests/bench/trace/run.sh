#!/usr/bin/env bash
# What tracing costs a pipeline: processor time (user and system) of a block at a stage, without and with
# GODEBUG=tracebuf, RUNS (5) pairs in turn, medians, and the median of the pairs' ratios; the goal is 5 % at most in the
# first rows. Usage: run.sh BUILD_DIR. Writes BUILD_DIR/bench/trace.csv.
set -euo pipefail
build=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
out=$build/bench
mkdir -p "$out"
"$build/bin/goro-cc" -O2 "$here/pipeline.c" -o "$out/trace-pipeline"

median() { sort -g | awk '{a[NR]=$1} END {if (NR % 2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2}'; }

echo "machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), Linux $(uname -r); median of $runs"
printf '%5s %9s %6s %10s %10s %8s\n' procs capacity bytes "off ns" "on ns" cost
echo "procs,capacity,bytes,off_ns,on_ns,cost_percent" >"$out/trace.csv"
for row in "1 16 2048" "2 16 2048" "1 0 2048" "2 0 2048" "1 16 0" "1 0 0"; do
	# shellcheck disable=SC2086
	set -- $row
	: >"$out/t.off"
	: >"$out/t.on"
	for ((i = 0; i < runs; i++)); do
		env -u GODEBUG "$out/trace-pipeline" "$@" >>"$out/t.off"
		GODEBUG=tracebuf=2m "$out/trace-pipeline" "$@" >>"$out/t.on"
	done
	off=$(median <"$out/t.off") on=$(median <"$out/t.on")
	cost=$(paste "$out/t.off" "$out/t.on" | awk '{print 100 * ($2 / $1 - 1)}' | median)
	printf '%5s %9s %6s %10s %10s %6.1f %%\n' "$@" "$off" "$on" "$cost"
	echo "$1,$2,$3,$off,$on,$cost" >>"$out/trace.csv"
done
rm -f "$out/t.off" "$out/t.on"
