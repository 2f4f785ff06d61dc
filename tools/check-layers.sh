#!/bin/sh
# check-layers.sh: who may include whom. Reads every #include "..." of runtime/, race/ and tools/, resolves
# it against the file's folder, and holds it against the table below.
#
#   runtime -> hooks.h <- race; both rest on runtime/base, runtime/os and runtime/symbol.
#   Inside runtime the arrows point down: net, time -> chan, sync -> sched -> base, os.
#   Inside race: report knows no shadow or clock; options and report are known by what uses them.
#   tools/ includes nothing of either.
cd "$(dirname "$0")/.." || exit 1

# room of the file (a folder) : what it may include (folders or files), besides its own folder
table='
runtime/base    : runtime/os/os.h
runtime/os      : runtime/base
runtime/symbol  : runtime/base runtime/os
runtime/sched   : runtime/base runtime/os runtime/hooks.h runtime/goro.h runtime/debug/debug.h
runtime/debug   : runtime/base runtime/os runtime/symbol runtime/sched runtime/hooks.h runtime/goro.h
runtime/trace   : runtime/base runtime/os runtime/symbol runtime/debug/debug.h runtime/sched runtime/hooks.h runtime/goro.h
runtime/chan    : runtime/base runtime/os runtime/hooks.h runtime/goro.h runtime/sched
runtime/sync    : runtime/base runtime/os runtime/hooks.h runtime/goro.h runtime/sched runtime/chan
runtime/time    : runtime/base runtime/os runtime/hooks.h runtime/goro.h runtime/sched runtime/chan runtime/sync
runtime/net     : runtime/base runtime/os runtime/hooks.h runtime/goro.h runtime/sched runtime/chan runtime/sync runtime/time
runtime         : runtime/base runtime/os
race/report     : race/race.h race/memory.h race/sample.h race/options runtime/base runtime/os runtime/symbol runtime/hooks.h
race/options    : race/race.h race/report/report.h runtime/base runtime/os
race            : race runtime/base runtime/os runtime/symbol runtime/hooks.h
tools           : tools
'

find runtime race tools -name '*.[chS]' | while read -r file; do
	sed -n 's/^[ 	]*#[ 	]*include[ 	]*"\([^"]*\)".*/\1/p' "$file" | while read -r inc; do
		echo "$file $inc"
	done
done | awk -v table="$table" '
function normal(path,   n, part, out, i, m) {
	n = split(path, part, "/"); m = 0
	for (i = 1; i <= n; i++) {
		if (part[i] == "..") m--
		else if (part[i] != "." && part[i] != "") out[++m] = part[i]
	}
	path = out[1]
	for (i = 2; i <= m; i++) path = path "/" out[i]
	return path
}
function under(path, folder) { return path == folder || index(path, folder "/") == 1 }
BEGIN {
	n = split(table, lines, "\n")
	for (i = 1; i <= n; i++) {
		if (split(lines[i], half, ":") < 2) continue
		gsub(/[ \t]/, "", half[1])
		may[half[1]] = half[2]
	}
}
{
	file = $1; folder = file; sub(/\/[^\/]*$/, "", folder)
	target = normal(folder "/" $2)
	# the folder-relative one first, then -Iruntime and the root, as the compiler is told
	if (system("test -e " target)) {
		target = ""
		if (!system("test -e runtime/" $2)) target = "runtime/" $2
		else if (!system("test -e " $2)) target = $2
	}
	if (target == "") { print file ": \"" $2 "\" is nowhere"; bad = 1; next }
	if (under(target, folder)) next
	room = folder
	while (!(room in may) && sub(/\/[^\/]*$/, "", room)) ;
	ok = 0
	k = split(may[room], allowed, " ")
	for (i = 1; i <= k; i++) if (under(target, allowed[i])) ok = 1
	if (!ok) { print file ": " room " must not include " target; bad = 1 }
}
END { if (bad) { print "check-layers: arrows against the table in tools/check-layers.sh"; exit 1 } }
' && echo "check-layers: ok"
