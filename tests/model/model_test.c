/*
 * model_test.c: build the interpreter for each host and level, and hold the detector against the exact
 * reference on random programs (model.c); many who check the same memory at once (crowd.c); and which bytes
 * of a conflict are told (bytes.c).
 *
 * MODEL_PROGRAMS (default 45 for each variant) and MODEL_SEED (default 1) choose how many and which;
 * GORO_STRESS multiplies. A failing seed is printed with the commands that show it again.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/run.h"

#define DIR  GORO_SOURCE_DIR "/tests/model"
#define WORK GORO_BUILD_DIR "/tests/model.d"

static long setting(const char *name, long otherwise)
{
	const char *s = getenv(name);

	return s && *s ? atol(s) : otherwise;
}

static void agree(const char *host, const char *opt)
{
	long stress = setting("GORO_STRESS", 1);
	long count = setting("MODEL_PROGRAMS", 45) * stress;
	Run r;

	run_sh(&r, 120,
	    "w=" WORK "/%s%s; mkdir -p $w && cd $w &&"
	    "for f in " DIR "/program.c " DIR "/program_waits.c " DIR "/interp.c " DIR "/interp_waits.c " DIR "/../support/invisible.c; do"
	    " gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -c -I" GORO_SOURCE_DIR "/runtime $f -o $(basename $f .c).o || exit 1; done &&"
	    "rm -f libinterp.a && ar rcs libinterp.a program.o program_waits.o interp.o interp_waits.o invisible.o &&"
	    "gcc -std=gnu11 -D_GNU_SOURCE -O2 -g " DIR "/model.c " DIR "/reference.c program.o program_waits.o " DIR
	    "/../support/run.c " DIR "/../support/report.c -o model &&"
	    "GORO_CC=%s " GORO_BUILD_DIR "/bin/goro-cc -race %s -g -w " DIR "/sites.c libinterp.a -o interp &&"
	    "strip -o interp.bare interp",
	    host, opt, host, opt);
	cr_assert_eq(r.code, 0, "does not build:\n%s%s", r.out, r.err);
	run_free(&r);
	/* A program that hangs is found by model, after 30 s: here a limit for a machine that does much else, too. */
	run_sh(&r, (int)(120 + 4 * count), "cd " WORK "/%s%s && ./model ./interp %ld %ld", host, opt,
	    setting("MODEL_SEED", 1), count);
	cr_assert_eq(r.code, 0, "with %s %s the detector differs from the reference:\n%s%s", host, opt, r.out,
	    r.err);
	run_free(&r);
}

Test(model, detector_is_the_reference_gcc_O0) { agree("gcc", "-O0"); }
Test(model, detector_is_the_reference_gcc_O1) { agree("gcc", "-O1"); }
Test(model, detector_is_the_reference_gcc_O2) { agree("gcc", "-O2"); }
Test(model, detector_is_the_reference_clang_O0) { agree("clang", "-O0"); }
Test(model, detector_is_the_reference_clang_O1) { agree("clang", "-O1"); }
Test(model, detector_is_the_reference_clang_O2) { agree("clang", "-O2"); }

static void crowd(const char *host, const char *whom, long rounds)
{
	long stress = setting("GORO_STRESS", 1);
	Run r;

	run_sh(&r, (int)(60 + 60 * stress),
	    "mkdir -p " WORK " && cd " WORK " && GORO_CC=%s " GORO_BUILD_DIR
	    "/bin/goro-cc -race -O2 -g -w -I" GORO_SOURCE_DIR "/runtime " DIR
	    "/crowd.c -o crowd_%s_%s -pthread && ./crowd_%s_%s %s %ld",
	    host, host, whom, host, whom, whom, rounds * stress);
	cr_assert_eq(r.code, 0, "%s by %s, all at once: not every race, or more:\n%.2000s%.500s", whom, host,
	    r.out, r.err);
	run_free(&r);
}

Test(model, threads_at_once_lose_nothing_gcc) { crowd("gcc", "threads", 4); }
Test(model, threads_at_once_lose_nothing_clang) { crowd("clang", "threads", 4); }
Test(model, goroutines_at_once_lose_nothing_gcc) { crowd("gcc", "goroutines", 4); }
Test(model, goroutines_at_once_lose_nothing_clang) { crowd("clang", "goroutines", 4); }

static void bytes(const char *host, const char *opt)
{
	Run r;

	run_sh(&r, 120,
	    "mkdir -p " WORK " && cd " WORK " && gcc -O2 -c " DIR "/../support/invisible.c -o bytes_%s%s.o && rm -f libbytes_%s%s.a && ar rcs libbytes_%s%s.a bytes_%s%s.o &&"
	    "GORO_CC=%s " GORO_BUILD_DIR "/bin/goro-cc -race %s -g -w -I" GORO_SOURCE_DIR "/runtime " DIR
	    "/bytes.c libbytes_%s%s.a -o bytes_%s%s && ./bytes_%s%s",
	    host, opt, host, opt, host, opt, host, opt, host, opt, host, opt, host, opt, host, opt);
	cr_assert_eq(r.code, 0, "%s %s: other bytes are told:\n%.2000s%.500s", host, opt, r.out, r.err);
	run_free(&r);
}

Test(model, each_byte_of_a_conflict_is_told_gcc_O0) { bytes("gcc", "-O0"); }
Test(model, each_byte_of_a_conflict_is_told_gcc_O2) { bytes("gcc", "-O2"); }
Test(model, each_byte_of_a_conflict_is_told_clang_O2) { bytes("clang", "-O2"); }
