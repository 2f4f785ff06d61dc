#!/bin/sh
# demo.sh BUILD EXAMPLES: the race that everyone knows, found; then its three cures, silent.
#
# Every expectation is checked: a report of one race on `counter` by two goroutines in inc_counter, exit
# status 66; totals of 4 and silence from the cures. Exits 1 when anything differs.
build=$1
examples=$2
cc=$build/bin/goro-cc
work=$build/demo
mkdir -p "$work" || exit 1
status=0

# A race needs both goroutines to run; none needs more than a moment.
run() {
	timeout 60 "$@"
}
expect() {
	if ! eval "$2"; then
		echo "demo: UNEXPECTED: $1 does not hold" >&2
		status=1
	fi
}
rule() {
	printf '\n---- %s ----\n' "$1"
}

rule "$examples/counter.c"
cat "$examples/counter.c"

rule "built with -race, and run"
echo "\$ goro-cc -race counter.c -o counter && ./counter"
"$cc" -race "$examples/counter.c" -o "$work/counter" || exit 1
run "$work/counter" >"$work/out" 2>&1
rc=$?
cat "$work/out"
echo "exit status $rc"
expect "exit status 66" "[ $rc = 66 ]"
expect "a data race report" "grep -q '^WARNING: DATA RACE$' '$work/out'"
expect "the location, counter" "grep -q \"global 'counter'\" '$work/out'"
expect "both stacks in inc_counter" "[ \$(grep -c '^  inc_counter()' '$work/out') -ge 2 ]"
expect "a line Found N data race(s)" "grep -q '^Found [1-9][0-9]* data race(s)\$' '$work/out'"

for cure in atomic mutex chan; do
	rule "counter_$cure.c"
	sed -n '/^static void inc_counter/,/^}/p' "$examples/counter_$cure.c"
	echo "\$ goro-cc -race counter_$cure.c -o counter_$cure && ./counter_$cure"
	"$cc" -race "$examples/counter_$cure.c" -o "$work/counter_$cure" || exit 1
	run "$work/counter_$cure" >"$work/out" 2>&1
	rc=$?
	cat "$work/out"
	echo "exit status $rc"
	expect "exit status 0 of counter_$cure" "[ $rc = 0 ]"
	expect "counter_$cure says its total of 4 and nothing else" \
		"[ \"\$(cat '$work/out')\" = 'Final Counter: 4' ]"
done

echo
if [ $status = 0 ]; then
	echo "demo: one race found, three cures silent: as expected"
else
	echo "demo: FAILED"
fi
exit $status
