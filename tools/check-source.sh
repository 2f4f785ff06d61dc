#!/bin/sh
# check-source.sh: form and plain mistakes.
#
#   clang-format   runtime/, race/ and tools/ lie as .clang-format says (tests are tables, laid by hand)
#   cppcheck       its warnings, with what is known to be no mistake left out and said why
#   shape          tabs for indent, no blanks at a line's end, no file past 900 lines
cd "$(dirname "$0")/.." || exit 1
status=0
files=$(find runtime race tools tests docs/examples -name '*.c' -o -name '*.h' -o -name '*.cc' | sort)

# goro.h is one macro under another, laid by hand.
for f in $files; do
	case $f in runtime/goro.h | tests/* | docs/*) continue ;; esac
	clang-format --dry-run -Werror "$f" >/dev/null 2>&1 || {
		echo "check-source: $f: not as clang-format lays it (make format)"
		status=1
	}
done

# shellcheck disable=SC2086
out=$(grep -nE '[ 	]+$' $files /dev/null | head -20)
[ -z "$out" ] || { echo "$out"; echo "check-source: blanks at the end of a line"; status=1; }
# shellcheck disable=SC2086
out=$(wc -l $files | awk '$2 != "total" && $1 > 900')
[ -z "$out" ] || { echo "$out"; echo "check-source: more than one idea in a file?"; status=1; }

# Left out: what reads as a mistake where the trick is the point (addresses of locals kept across a
# switch, pointers compared across objects), headers it has no way to see, and __VA_OPT__.
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
	--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=comparePointers \
	--suppress=autoVariables --suppress=compareBoolExpressionWithInt --suppress=nullPointerArithmetic --suppress=preprocessorErrorDirective --suppress=syntaxError:race/abi/annotate.c \
	-DGORO_RACE=1 -D__x86_64__=1 -D__GNUC__=12 -D__linux__=1 '-D_Noreturn=__attribute__((noreturn))' -j 2 \
	runtime race tools || status=1

[ $status = 0 ] && echo "check-source: ok"
exit $status
