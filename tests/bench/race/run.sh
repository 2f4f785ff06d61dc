#!/usr/bin/env bash
# The cost of race detection: the eleven kinds of work native, under goro -race and under its peers, in one run.
# CPU time (user + system) and peak RSS, medians of RUNS (5), as ratios over the same compiler's native build.
# Usage: run.sh BUILD_DIR [KIND...]. Writes BUILD_DIR/bench/race.csv. Peers that are not installed are said and skipped.
set -euo pipefail
build=${1:?usage: run.sh BUILD_DIR [KIND...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
out=$build/bench/race
mkdir -p "$out"
cc="$build/bin/goro-cc"
src="$here/main.c $here/numeric.c $here/data.c $here/sync.c"
kinds=("$@")
[ ${#kinds[@]} -gt 0 ] || kinds=(matmul stencil shmap msort pcq wc bintree readsh bytes graph lockfree)

tools=(gcc goro-gcc libtsan)
gcc -O2 -g -pthread $src -o "$out/gcc"
"$cc" --goro-cc=gcc -race -O2 -g -pthread $src -o "$out/goro-gcc"
gcc -O2 -g -fsanitize=thread -pthread $src -o "$out/libtsan" 2>/dev/null || { echo "libtsan: not installed, skipped"; rm -f "$out/libtsan"; }
for clang in clang-19 clang; do
	if command -v $clang >/dev/null; then
		$clang -O2 -g -pthread $src -o "$out/clang"
		"$cc" --goro-cc=$clang -race -O2 -g -pthread $src -o "$out/goro-clang"
		$clang -O2 -g -fsanitize=thread -pthread $src -o "$out/clang-tsan" 2>/dev/null || { echo "$clang's TSan: not installed, skipped"; rm -f "$out/clang-tsan"; }
		tools+=(clang goro-clang clang-tsan)
		break
	fi
done
command -v clang-19 >/dev/null || echo "clang-19: not installed (apt-get install clang-19 libclang-rt-19-dev)"

median() { sort -g | awk '{a[NR]=$1} END {if (NR == 0) print "-"; else if (NR % 2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2}'; }
native_of() { case $1 in gcc | goro-gcc | libtsan) echo gcc ;; *) echo clang ;; esac; }

echo "machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), Linux $(uname -r); median of $runs"
echo "kind,tool,cpu_s,peak_kib,cpu_ratio,rss_ratio" >"$build/bench/race.csv"
printf '%-10s %-12s %9s %10s %8s %8s\n' kind tool cpu/s peak/KiB cpu-x rss-x
declare -A cpu rss
for k in "${kinds[@]}"; do
	pin=""
	[ "$k" = lockfree ] && pin="taskset -c 0" # unpinned it is bimodal
	for t in "${tools[@]}"; do : >"$out/$t.cpu"; : >"$out/$t.rss"; done
	for ((i = 0; i < runs; i++)); do
		for t in "${tools[@]}"; do
			[ -x "$out/$t" ] || continue
			LC_ALL=C /usr/bin/time -o "$out/t" -f '%U %S %M' timeout 300 $pin "$out/$t" "$k" >/dev/null 2>"$out/$t.err" || { echo "$t $k failed:" >&2; head -5 "$out/$t.err" >&2; continue; }
			awk 'END {print $1 + $2}' "$out/t" >>"$out/$t.cpu"
			awk 'END {print $3}' "$out/t" >>"$out/$t.rss"
		done
	done
	for t in "${tools[@]}"; do
		[ -x "$out/$t" ] || continue
		cpu[$t]=$(median <"$out/$t.cpu")
		rss[$t]=$(median <"$out/$t.rss")
		n=$(native_of "$t")
		read -r cx rx < <(awk -v a="${cpu[$t]}" -v b="${cpu[$n]}" -v c="${rss[$t]}" -v d="${rss[$n]}" 'BEGIN {printf "%.2f %.2f\n", (b > 0 ? a / b : 0), (d > 0 ? c / d : 0)}')
		printf '%-10s %-12s %9s %10s %8s %8s\n' "$k" "$t" "${cpu[$t]}" "${rss[$t]}" "$cx" "$rx"
		echo "$k,$t,${cpu[$t]},${rss[$t]},$cx,$rx" >>"$build/bench/race.csv"
	done
done
echo "geometric means:"
awk -F, 'NR > 1 && $5 > 0 {c[$2] += log($5); r[$2] += log($6); n[$2]++} END {for (t in c) printf "  %-12s cpu %.2f  rss %.2f\n", t, exp(c[t]/n[t]), exp(r[t]/n[t])}' "$build/bench/race.csv" | sort
