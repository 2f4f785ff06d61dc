#!/bin/sh
# deps.sh: bring what goro is built, tested and checked with. Silent when all is there.
#
#   deps.sh build    compilers and libraries: enough for make, make demo, make install
#   deps.sh test     these, and what the tests drive
#   deps.sh check    what `make check` needs
#
# On Debian and its kin missing packages are installed with apt-get (as root, or by sudo); elsewhere
# they are named, and the exit status is 1.
build="gcc g++ make pkg-config libunwind-dev libdw-dev libjansson-dev clang lld binutils"
drive="libcriterion-dev libclang-rt-14-dev cmake meson ninja-build autoconf automake gdb chromium python3 python3-jsonschema
	python3-junitparser python3-yaml libxml2-utils parallel openssh-server openssh-client rsync procps"
tools="gcc g++ clang pkg-config"
headers="libunwind.h elfutils/libdw.h jansson.h"
case ${1:-build} in
build) packages=$build ;;
test)
	packages="$build $drive"
	tools="$tools cmake meson autoconf automake gdb chromium python3 xmllint parallel rsync ssh sshd pgrep"
	headers="$headers criterion/criterion.h"
	;;
check)
	packages="clang-format cppcheck binutils spin"
	tools="clang-format cppcheck nm spin"
	headers=
	;;
*)
	echo "usage: deps.sh [build|test|check]" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
	missing=
	for tool in $tools; do
		command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
	done
	for header in $headers; do
		echo "#include <$header>" | ${CC:-cc} -E -x c - >/dev/null 2>&1 || missing="$missing $header"
	done
	[ -z "$missing" ] && exit 0
	echo "goro needs, and this system has not:$missing" >&2
	echo "Under Debian's names, install:" $packages >&2
	exit 1
fi

missing=
for p in $packages; do
	case $(dpkg-query -W -f '${Status} ' "$p" 2>/dev/null) in
	*"install ok installed"*) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -z "$missing" ] && exit 0

root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "goro needs these packages; as root: apt-get install$missing" >&2
		exit 1
	fi
	root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
install() {
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/tmp/goro-deps.$$ 2>&1
}
install || { $root apt-get update -q >/dev/null 2>&1 && install; } || {
	cat /tmp/goro-deps.$$ >&2
	rm -f /tmp/goro-deps.$$
	echo "goro: could not install:$missing" >&2
	exit 1
}
rm -f /tmp/goro-deps.$$
