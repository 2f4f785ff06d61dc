/*
 * sample_test.c: GORACE=sample=P: what happens often is found, what is ordered stays silent, and 1 is all.
 * (Which values are taken: unit/flags_test.c.)
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define DIR  GORO_SOURCE_DIR "/tests/sample"
#define WORK GORO_BUILD_DIR "/tests/sample.d"

static void subject(Run *r, const char *options, const char *args)
{
	run_sh(r, 120,
	    "mkdir -p " WORK " && cd " WORK " && d=$(mktemp -d ./XXXXXX) &&"
	    "gcc -O2 -c " DIR "/../support/invisible.c -o $d/invisible.o && ar rcs $d/libinvisible.a $d/invisible.o &&"
	    GORO_BUILD_DIR "/bin/goro-cc -race -O2 -g " DIR "/subject.c $d/libinvisible.a -o $d/subject &&"
	    "{ GORACE='atexit_sleep_ms=0 %s' $d/subject %s; code=$?; rm -r $d; exit $code; }",
	    options, args);
}

/* It ends at the first report, and would go on for 30 s: some 300 windows. */
Test(sample, finds_at_a_hundredth_what_happens_again_and_again)
{
	Run r;

	subject(&r, "sample=0.01 halt_on_error=1", "race 30");
	cr_assert_eq(r.code, 66, "%s", r.err);
	cr_assert(strstr(r.err, "WARNING: DATA RACE"), "%s", r.err);
	cr_assert(strstr(r.err, "Location is global 'counter'"), "%s", r.err);
	run_free(&r);
}

Test(sample, at_one_is_exact)
{
	Run r;

	subject(&r, "sample=1", "once");
	cr_assert_eq(r.code, 66, "%s", r.err);
	run_free(&r);
}

Test(sample, invents_nothing)
{
	static const char *const share[] = {"0.01", "0.2", "0.9"};

	for (size_t i = 0; i < sizeof share / sizeof *share; i++) {
		char options[64];
		Run r;

		snprintf(options, sizeof options, "sample=%s", share[i]);
		subject(&r, options, "ordered 0.5");
		cr_assert_eq(r.code, 0, "%s: %s", share[i], r.err);
		cr_assert_str_eq(r.err, "", "%s: %s", share[i], r.err);
		cr_assert_str_eq(r.out, "1\n");
		run_free(&r);
	}
}

/* An address may be another lock each time: the writes that would tell are not all seen. */
Test(sample, leaves_lock_orders_alone)
{
	Run r;

	subject(&r, "", "order");
	cr_assert_eq(r.code, 66, "the test shows nothing: %s", r.err);
	run_free(&r);
	subject(&r, "sample=0.5", "order");
	cr_assert_eq(r.code, 0, "%s", r.err);
	run_free(&r);
}

/* Threads wake late at times, which is given back: 2.5 s are some 250 windows' time at 0.1. */
Test(sample, share_is_told_and_kept)
{
	long on = 0, of = 0;
	Run r;

	subject(&r, "sample=0.1 stats=1", "ordered 2.5");
	cr_assert_eq(r.code, 0, "%s", r.err);
	const char *line = strstr(r.err, "goro: stats: sample: ");
	cr_assert_not_null(line, "%s", r.err);
	cr_assert_eq(sscanf(line, "goro: stats: sample: share=0.100000 on_ms=%ld of_ms=%ld", &on, &of), 2, "%s", line);
	cr_assert(on > 0 && on < of / 2, "on for %ld of %ld ms", on, of);
	run_free(&r);
	subject(&r, "stats=1", "once");
	cr_assert_null(strstr(r.err, "stats: sample"), "%s", r.err);
	run_free(&r);
}
