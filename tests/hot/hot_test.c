/*
 * hot_test.c: the guard of hot code's shape (tools/check-hot.sh) passes as things are, and fails when a limit is passed.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "support/run.h"

#define GUARD "cd " GORO_SOURCE_DIR " && w=$(mktemp -d " GORO_BUILD_DIR "/hot-XXXXXX) && "
#define END   "; code=$?; rm -r $w; exit $code"

Test(hot, code_is_within_its_limits)
{
	Run r;

	run_sh(&r, 120, GUARD "tools/check-hot.sh $w" END);
	cr_assert_eq(r.code, 0, "%s%s", r.out, r.err);
	cr_assert(strstr(r.out, "check-hot: ok"), "%s", r.out);
	run_free(&r);
}

/* One instruction, one spill and one call less allowed than there are; a row too many. */
Test(hot, growth_is_told_by_function_and_amount)
{
	Run r;

	run_sh(&r, 240,
	    GUARD "tools/check-hot.sh $w --print | awk '$2 == \"goro_chan_send\" {$3--; $4--; $5--} {print} "
		  "END {print $1, \"no_such_function\", 1, 1, 1}' >$w/table && tools/check-hot.sh $w $w/table" END);
	cr_assert_eq(r.code, 1, "%s%s", r.out, r.err);
	cr_assert(strstr(r.out, " goro_chan_send: ") && strstr(r.out, " instructions, 1 more than its limit of "), "%s", r.out);
	cr_assert(strstr(r.out, " spills, 1 more than its limit of "), "%s", r.out);
	cr_assert(strstr(r.out, " calls, 1 more than its limit of "), "%s", r.out);
	cr_assert(strstr(r.out, " no_such_function: no such function"), "%s", r.out);
	cr_assert_null(strstr(r.out, "goro_chan_recv"), "%s", r.out);
	run_free(&r);
}
