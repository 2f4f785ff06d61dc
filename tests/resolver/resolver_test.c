/*
 * resolver_test.c: a name server that does not answer keeps nobody but who asked, and not longer than it would wait:
 * plain and with -race. No network is used: hang.c stands in for the resolver.
 */
#include <criterion/criterion.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/resolver.d"
#define HERE GORO_SOURCE_DIR "/tests/resolver"

static void hangs(const char *flags)
{
	Run r;
	run_sh(&r, 100,
	    "set -e; mkdir -p " WORK "; cd " WORK "; f=%s; cc -shared -fPIC " HERE "/hang.c -o hang$f.so -ldl; "
	    GORO_BUILD_DIR "/bin/goro-cc $f -g -O1 -Wall -Wextra -Werror " HERE "/subject.c -o subject$f; "
	    "LD_PRELOAD=./hang$f.so GOMAXPROCS=1 exec timeout 40 ./subject$f", flags);
	cr_assert(r.code == 0 && !*r.err, "%d: %s", r.code, r.err);
	cr_assert_str_eq(r.out, "well\n");
	run_free(&r);
}

Test(resolver, that_hangs_keeps_nobody_else, .timeout = 110) { hangs(""); }
Test(resolver, that_hangs_keeps_nobody_else_race, .timeout = 110) { hangs("-race"); }
