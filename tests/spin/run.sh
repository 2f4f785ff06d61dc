#!/bin/sh
# run.sh: the models of the scheduler's handshakes, each explored by spin through all its states.
#
#   run.sh BUILD [MODEL...]
#
# A model must hold; and with each fault that its head lists put in (-DBUG=n) it must not: a model that cannot
# fail shows nothing. States are held whole, so that "0 errors" is an exhaustive answer; a search cut off by depth
# or memory counts as a failure.
cd "$(dirname "$0")" || exit 1
here=$(pwd)
build=${1:?usage: run.sh BUILD [MODEL...]}
shift
command -v spin >/dev/null || { echo "spin: not installed (apt-get install spin)"; exit 1; }
case $build in /*) ;; *) build=$here/../../$build ;; esac
work=$build/spin
mkdir -p "$work" || exit 1
status=0

# explore MODEL BUG: leaves the answer in $work/MODEL.BUG/log
explore() {
	dir=$work/$1.$2
	rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || return 1
	spin -a "-DBUG=$2" "$here/$1.pml" >spin.log 2>&1 || { cat spin.log; return 1; }
	${CC:-cc} -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=2048 -o pan pan.c || return 1
	timeout 120 ./pan -m1000000 >log 2>&1
}

for model in ${*:-park runq lifo sleep role select solo timer}; do
	explore "$model" 0
	if grep -q 'errors: 0' "$work/$model.0/log" && ! grep -qE 'max search depth|out of memory|not completed' "$work/$model.0/log"; then
		held="holds in $(awk '/states, stored/ {print $1}' "$work/$model.0/log") states"
	else
		held=fails
		echo "spin: $model does not hold:"
		cat "$work/$model.0/log"
		(cd "$work/$model.0" && [ -f "$model.pml.trail" ] && spin -t -k "$model.pml.trail" -p -g -DBUG=0 "$here/$model.pml" | tail -60)
		status=1
	fi
	found=
	for bug in $(sed -n 's/^ \* BUG=\([0-9]\).*/\1/p' "$here/$model.pml"); do
		explore "$model" "$bug"
		if grep -qE 'errors: [1-9]' "$work/$model.$bug/log"; then
			found="$found $bug"
		else
			echo "spin: $model: BUG=$bug is not found:"
			cat "$work/$model.$bug/log"
			status=1
		fi
	done
	printf 'spin: %-7s %s; faults found:%s\n' "$model" "$held" "$found"
done
[ $status = 0 ] && echo "spin: ok"
exit $status
