/*
 * tool.h: what the tests of goro-race have in common: the subject's build, and a folder to be in.
 *
 * In shell lines: $R is goro-race, $P the subject, a race build; $PLAIN the same without -race.
 */
#ifndef TESTS_GORO_RACE_TOOL_H
#define TESTS_GORO_RACE_TOOL_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support/scratch.h"

/* Followed by files: are they JUnit as docs/junit.xsd says? */
#define JUNIT_HOLDS "xmllint --nonet --noout --schema $S/docs/junit.xsd "

static inline void enter(void)
{
	static const char build[] =
	    "set -e; D=$B/tests/goro-race.d; mkdir -p $D; "
	    "for n in race plain; do P=$D/subject-$n; L=$B/lib/libgoro-race.a; F=-race; "
	    "[ $n = plain ] && { L=$B/lib/libgoro.a; F=; }; "
	    "if [ ! -x $P ] || [ $P -ot $L ] || [ $P -ot $S/tests/goro-race/subject.c ]; then "
	    "gcc -O2 -c $S/tests/support/invisible.c -o i.o; ar rcs libi.a i.o; "
	    "(W=$PWD; cd $S/tests/goro-race; $CC $F -g -O1 -fno-inline -w -I../support subject.c $W/libi.a -o $P.$$); "
	    "rm i.o libi.a; mv $P.$$ $P; fi; done";

	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	setenv("R", GORO_BUILD_DIR "/bin/goro-race", 1);
	setenv("P", GORO_BUILD_DIR "/tests/goro-race.d/subject-race", 1);
	setenv("PLAIN", GORO_BUILD_DIR "/tests/goro-race.d/subject-plain", 1);
	cr_assert(sh_is(0, "%s", build));
}

#endif
