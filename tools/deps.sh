#!/bin/sh
# deps.sh: bring what goro is built and tested with. Silent when all is there.
#
#   deps.sh          compilers, libraries and what the tests drive
#   deps.sh check    what `make check` needs besides
#
# On Debian and its kin missing packages are installed with apt-get (as root, or by sudo); elsewhere
# they are named, and the exit status is 1.
packages="gcc g++ make pkg-config libunwind-dev libdw-dev libjansson-dev libcriterion-dev clang lld binutils cmake meson
	ninja-build autoconf automake gdb chromium python3 python3-jsonschema python3-junitparser libxml2-utils
	parallel openssh-server openssh-client rsync procps python3-yaml"
[ "$1" = check ] && packages="clang-format cppcheck binutils spin"

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
	missing=
	for tool in gcc g++ clang pkg-config cmake meson autoconf automake gdb chromium python3 xmllint parallel rsync ssh sshd pgrep; do
		command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
	done
	for header in libunwind.h elfutils/libdw.h jansson.h criterion/criterion.h; do
		echo "#include <$header>" | ${CC:-cc} -E -x c - >/dev/null 2>&1 || missing="$missing $header"
	done
	if [ "$1" = check ]; then
		missing=
		for tool in clang-format cppcheck nm spin; do
			command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
		done
	fi
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
