/*
 * bounded_test.c: the detector's memory follows what lives, not what has lived. server.c does one thing over
 * and over; its resident memory at the end is what it was after a tenth of the rounds.
 *
 * GORO_STRESS (make stress) multiplies the rounds, by ten at most.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define DIR  GORO_SOURCE_DIR "/tests/bounded"
#define WORK GORO_BUILD_DIR "/tests/bounded.d"

enum { SLACK_KIB = 3000 };

static void build(void)
{
	Run r;

	run_sh(&r, 120,
	    "mkdir -p " WORK " && cd " WORK " && d=$(mktemp -d ./XXXXXX) &&"
	    "gcc -O2 -c " DIR "/../support/invisible.c -o $d/invisible.o && ar rcs $d/libinvisible.a $d/invisible.o &&"
	    GORO_BUILD_DIR "/bin/goro-cc -race -O1 -g -w " DIR "/server.c $d/libinvisible.a -o $d/server &&"
	    "mv $d/server server && rm -r $d");
	cr_assert_eq(r.code, 0, "does not build:\n%s%s", r.out, r.err);
	run_free(&r);
}

static void flat(const char *mode, long rounds)
{
	const char *stress = getenv("GORO_STRESS");
	long times = stress && atol(stress) > 0 ? atol(stress) : 1, early, late;
	Run r;

	build();
	times = times > 10 ? 10 : times;
	run_sh(&r, (int)(60 * times), "GORACE=atexit_sleep_ms=0 " WORK "/server %s %ld", mode, rounds * times);
	cr_assert_eq(r.code, 0, "%s: exit code %d\n%s", mode, r.code, r.err);
	cr_assert_str_eq(r.err, "", "%s: not silent: %s", mode, r.err);
	cr_assert_eq(sscanf(r.out, "%ld %ld", &early, &late), 2, "%s", r.out);
	cr_assert_leq(late, early + SLACK_KIB, "%s: %ld KiB after a tenth of the rounds, %ld at the end", mode, early,
	    late);
	run_free(&r);
}

Test(bounded, a_million_goroutines_and_their_locks) { flat("goroutines", 1000000); }
Test(bounded, a_million_goroutines_each_started_by_the_last) { flat("relays", 1000000); }
Test(bounded, threads) { flat("threads", 30000); }
Test(bounded, calling_contexts_that_never_come_again) { flat("paths", 300000); }
Test(bounded, sets_of_locks_that_never_come_again) { flat("locks", 300000); }
Test(bounded, channels) { flat("channels", 300000); }
