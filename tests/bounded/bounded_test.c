/*
 * bounded_test.c: the detector's memory follows what lives, not what has lived. server.c does one thing over
 * and over; its resident memory at the end is what it was after a tenth of the rounds.
 * limit.c has more memory than memory_limit_mb lets the detector remember.
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

static void build(const char *program)
{
	Run r;

	run_sh(&r, 120,
	    "mkdir -p " WORK " && cd " WORK " && d=$(mktemp -d ./XXXXXX) &&"
	    "gcc -O2 -c " DIR "/../support/invisible.c -o $d/invisible.o && ar rcs $d/libinvisible.a $d/invisible.o &&"
	    GORO_BUILD_DIR "/bin/goro-cc -race -O1 -g -w " DIR "/%s.c $d/libinvisible.a -o $d/%s &&"
	    "mv $d/%s %s && rm -r $d",
	    program, program, program, program);
	cr_assert_eq(r.code, 0, "does not build:\n%s%s", r.out, r.err);
	run_free(&r);
}

static void flat(const char *mode, long rounds)
{
	const char *stress = getenv("GORO_STRESS");
	long times = stress && atol(stress) > 0 ? atol(stress) : 1, early, late;
	Run r;

	build("server");
	times = times > 10 ? 10 : times;
#ifdef GORO_HARD
	rounds /= 10; /* of which each costs ten times as much there */
#endif
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

/* ---- memory_limit_mb ---- */

enum {
	LIMIT_MIB = 32,
	BESIDES_KIB = 20000, /* goro, libc, symbols for the report */
	UNLIMITED_KIB = 95000 /* a word of shadow for two of memory */
};

static const char forgot[] = "goro: memory_limit_mb=32: history of ";

static long limited(Run *r, const char *gorace, const char *mode)
{
	build("limit");
	run_sh(r, 60, "GORACE='atexit_sleep_ms=0 %s' " WORK "/limit %s", gorace, mode);
	return atol(r->out);
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void stays_below(Run *r, const char *mode)
{
	long most = limited(r, "memory_limit_mb=32", mode);

	cr_assert_gt(most, 0, "%s: %s", mode, r->err);
	cr_assert_leq(most, LIMIT_MIB * 1024 + BESIDES_KIB, "%s: %ld KiB", mode, most);
}

Test(limit, none_keeps_everything)
{
	Run r;
	long most = limited(&r, "memory_limit_mb=0", "race");

	cr_assert_geq(most, UNLIMITED_KIB, "%ld KiB: the other tests show nothing", most);
	cr_assert_not(strstr(r.err, "memory_limit_mb"), "%s", r.err);
	run_free(&r);
}

Test(limit, a_race_on_memory_in_use_is_found_and_what_was_forgotten_said)
{
	Run r;

	stays_below(&r, "race");
	cr_assert_eq(r.code, 66, "%s", r.err);
	cr_assert_eq(count(r.err, "WARNING: "), 1, "%s", r.err);
	cr_assert(strstr(r.err, "Location is global 'hot'"), "%s", r.err);
	cr_assert_eq(count(r.err, forgot), 2, "once in the report and once at the end:\n%s", r.err);
	run_free(&r);
}

Test(limit, order_older_than_all_that_is_remembered_counts)
{
	Run r;

	stays_below(&r, "hand_over");
	cr_assert_eq(r.code, 0, "%s", r.err);
	cr_assert_eq(count(r.err, "\n"), 1, "one line: %s", r.err);
	cr_assert_eq(strncmp(r.err, forgot, strlen(forgot)), 0, "%s", r.err);
	run_free(&r);
}

Test(limit, holds_within_one_access)
{
	Run r;

	stays_below(&r, "whole");
	cr_assert_eq(r.code, 0, "%s", r.err);
	cr_assert(strstr(r.err, forgot), "%s", r.err);
	run_free(&r);
}

Test(limit, that_suffices_forgets_nothing)
{
	Run r;

	limited(&r, "memory_limit_mb=1000", "race");
	cr_assert_eq(r.code, 66, "%s", r.err);
	cr_assert_not(strstr(r.err, "memory_limit_mb"), "%s", r.err);
	run_free(&r);
}

Test(limit, smaller_than_any_detector_still_finds_what_is_near)
{
	Run r;

	limited(&r, "memory_limit_mb=1", "race");
	cr_assert_eq(r.code, 66, "%s", r.err);
	cr_assert(strstr(r.err, "Location is global 'hot'"), "%s", r.err);
	run_free(&r);
}
