#!/bin/sh
# run-tests.sh: run Criterion binaries one after the other and add up what they say.
#
#   run-tests.sh ROOT ARGS BINARY...    ROOT is cut from the names shown; ARGS go to every binary
#
# A binary must end by itself, say its Synthesis line and exit as it says; one that hangs (TEST_TIMEOUT
# seconds), dies or says nothing counts as one failing and crashing test under its name. Output goes to
# ROOT/<name>.log as well; what failed is said once more before the last lines, so that they suffice to know why.
# Exits 1 when anything failed, or when there was nothing to run.
root=$1
args=$2
shift 2
limit=${TEST_TIMEOUT:-300}
tested=0 passing=0 failing=0 crashing=0
broken=

for bin in "$@"; do
	name=${bin#"$root"/}
	log=$bin.log
	printf '%-32s ' "$name"
	# shellcheck disable=SC2086
	timeout -k 5 "$limit" "$bin" $args >"$log" 2>&1
	rc=$?
	line=$(grep -a '^\[====\] Synthesis:' "$log" | tail -n 1)
	if [ -z "$line" ] || [ $rc -ge 124 ]; then
		case $rc in
		124 | 137) why="hangs: killed after $limit s" ;;
		*) why="no result, exit status $rc" ;;
		esac
		line="[====] Synthesis: Tested: 1 | Passing: 0 | Failing: 1 | Crashing: 1 ($why)"
		broken="$broken $name"
		tail -n 30 "$log"
	elif [ $rc -ne 0 ]; then
		broken="$broken $name"
		grep -av '^\[====\]' "$log"
		case $line in
		*"Failing: 0 "*) line="$line(exit status $rc)" ;;
		esac
	fi
	echo "$line"
	# shellcheck disable=SC2046
	set_=$(echo "$line" | sed 's/.*Tested: \([0-9]*\) | Passing: \([0-9]*\) | Failing: \([0-9]*\) | Crashing: \([0-9]*\).*/\1 \2 \3 \4/')
	read -r t p f c <<-END
		$set_
	END
	tested=$((tested + t)) passing=$((passing + p)) failing=$((failing + f)) crashing=$((crashing + c))
done

for name in $broken; do
	echo "-- $name"
	{
		grep -aE -B 16 '^\[(FAIL|CRASH|----)\]|Assertion Failed' "$root/$name.log" || tail -n 20 "$root/$name.log"
	} | cut -c 1-400 | head -n 60
done
[ -n "$broken" ] && echo "failed in:$broken"
echo "[====] Synthesis: Tested: $tested | Passing: $passing | Failing: $failing | Crashing: $crashing"
echo "$passing passed, $failing failed"
[ $# -gt 0 ] || echo "run-tests: no test binary" >&2
[ $# -gt 0 ] && [ -z "$broken" ] && [ "$failing" -eq 0 ]
