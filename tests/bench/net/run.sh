#!/usr/bin/env bash
# The web server of docs/examples under wrk on 127.0.0.1, and in the same run Go's net/http with the same answers: medians
# of RUNS (5) runs of SECONDS (3) each, taken in turn so that a drift of the machine meets both. Usage: run.sh BUILD_DIR
# [WORKLOAD...]. Prints a table and writes BUILD_DIR/bench/net.csv:
#
#   req/s      what wrk got answered      p50, p99   of an answer, in us, as wrk saw it
#   cpu        of the server, user and system, per request, in us
#   go/goro    of cpu and p99, goro/go of req/s: above 1 goro is ahead. wrk has one thread, which on two processors
#              competes with the server: cpu is the figure that carries over.
#
# Workloads: small (keep-alive, an answer of 23 bytes), many (the same on 800 connections), close (a connection for each
# request), sleep (each answer waits for a timer of 1 ms). A request that fails makes the row fail.
set -euo pipefail
build=$(cd "${1:?usage: run.sh BUILD_DIR [WORKLOAD...]}" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5}
seconds=${SECONDS_EACH:-3}
out=$build/bench
mkdir -p "$out"
if ! command -v wrk >/dev/null; then
	echo "net: wrk is not installed (apt-get install wrk), skipped"
	exit 0
fi
"$build/bin/goro-cc" -O2 "$here/../../../docs/examples/httpd.c" -o "$out/httpd-goro"
servers=(goro)
if command -v go >/dev/null; then
	(cd "$here" && GOCACHE=$out/gocache GO111MODULE=off go build -o "$out/httpd-go" httpd.go)
	servers+=(go)
else
	echo "go: not installed (apt-get install golang), skipped"
fi

median() { sort -g | awk '{a[NR]=$1} END {if (NR == 0) print "-"; else if (NR % 2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (a + 0 > 0 && b + 0 > 0) printf "%.2f", a / b; else print "-"}'; }
# Processor time of process $1 so far, in ticks: fields 14 and 15, counted behind the name.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{print $12 + $13}'; }
hz=$(getconf CLK_TCK)

declare -A conns=([small]=64 [many]=800 [close]=32 [sleep]=256) path=([small]=/ [many]=/ [close]=/ [sleep]="/sleep?1")

# One run: "req/s p50 p99 cpu", or nothing where a request failed.
measure() { # SERVER WORKLOAD PROCS
	local said=$out/net.said pid port before after header=()
	[ "$2" = close ] && header=(-H "Connection: close")
	: >"$said" # before the server may: else the port below is the last one's
	GOMAXPROCS=$3 "$out/httpd-$1" 127.0.0.1:0 >>"$said" &
	pid=$!
	for ((t = 0; t < 500; t++)); do
		port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$said")
		[ -n "$port" ] && break
		sleep 0.01
	done
	before=$(ticks $pid)
	timeout $((seconds + 30)) wrk -t1 -c"${conns[$2]}" -d"${seconds}s" --latency "${header[@]}" \
		"http://127.0.0.1:$port${path[$2]}" >"$out/net.wrk" || true
	after=$(ticks $pid)
	kill -TERM $pid
	wait $pid || true
	awk -v ticks=$((after - before)) -v hz="$hz" '
		function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
		$1 == "50%" { p50 = us($2) }
		$1 == "99%" { p99 = us($2) }
		/requests in/ { n = $1 }
		/^Requests\/sec:/ { rate = $2 }
		/Socket errors|Non-2xx/ { print > "/dev/stderr"; failed = 1 }
		END { if (!failed && n > 0) print rate, p50, p99, ticks / hz * 1e6 / n }' "$out/net.wrk"
}

rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(small many close sleep)
echo "machine: $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), Linux $(uname -r)"
echo "$("$build/bin/goro-cc" --goro-version | head -1); $(go version 2>/dev/null || echo no go); $(wrk -v 2>&1 | awk '{print $1, $2; exit}'); median of $runs"
printf '%-6s %5s %5s' work procs conns
for s in "${servers[@]}"; do printf '  %10s %7s %7s %6s' "$s req/s" p50 p99 cpu; done
printf '  %8s %8s %8s\n' req/s p99 cpu
(IFS=, && echo "workload,procs,conns,server,requests_per_s,p50_us,p99_us,cpu_us_per_request") >"$out/net.csv"
for w in "${rows[@]}"; do
	[ -n "${conns[$w]:-}" ] || { echo "net: no workload $w" >&2; exit 2; }
	for procs in 1 2; do
		for s in "${servers[@]}"; do : >"$out/net.$s"; done
		for ((i = 0; i < runs; i++)); do
			for s in "${servers[@]}"; do measure "$s" "$w" "$procs" >>"$out/net.$s"; done
		done
		line=$(printf '%-6s %5s %5s' "$w" "$procs" "${conns[$w]}")
		declare -A got=()
		for s in "${servers[@]}"; do
			for f in 1 2 3 4; do got[$s$f]=$(awk -v f=$f '{print $f}' "$out/net.$s" | median); done
			line+=$(printf '  %10s %7s %7s %6s' "${got[${s}1]}" "${got[${s}2]}" "${got[${s}3]}" "${got[${s}4]}")
			echo "$w,$procs,${conns[$w]},$s,${got[${s}1]},${got[${s}2]},${got[${s}3]},${got[${s}4]}" >>"$out/net.csv"
		done
		printf '%s  %8s %8s %8s\n' "$line" "$(ratio "${got[goro1]}" "${got[go1]:--}")" \
			"$(ratio "${got[go3]:--}" "${got[goro3]}")" "$(ratio "${got[go4]:--}" "${got[goro4]}")"
	done
done
