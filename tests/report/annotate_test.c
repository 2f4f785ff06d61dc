/*
 * annotate_test.c: what programs tell the detector and ask it: goro_race.h, and programs written for
 * ThreadSanitizer (tests/report/tsan), compiled unchanged.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/scratch.h"

#define FROM "$S/tests/report/tsan/"

static void enter(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
}

TestSuite(tsan, .init = enter, .timeout = 240);
TestSuite(header, .init = enter, .timeout = 240);

static const char *const hosts[] = {"gcc", "clang", "clang-19"};
#define FOR_EACH_HOST(h)                                                                           \
	for (size_t i_ = 0; i_ < sizeof hosts / sizeof *hosts; i_++)                               \
		for (const char *h = hosts[i_]; h && have(h); h = NULL)

/* Run every case that ./p lists: race_ must report, norace_ must not, and none prints anything. */
static void all_cases(const char *host, bool race_build)
{
	char list[4096], *save = NULL;
	int n = 0;
	cr_assert(sh_is(0, "./p"));
	snprintf(list, sizeof list, "%s", last_run()->out);
	for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save), n++) {
		bool race = race_build && !strncmp(name, "race_", 5);
		cr_expect(sh_is(race ? 66 : 0, "./p %s", name), "%s %s", host, name);
		cr_expect_eq(strstr(last_run()->err, "WARNING: DATA RACE") != NULL, race, "%s %s", host, name);
		cr_expect_str_eq(last_run()->out, "", "%s %s", host, name);
	}
	cr_expect_gt(n, 8);
}

Test(tsan, annotated_programs)
{
	FOR_EACH_HOST(host)
	{
		if (!sh_is(0, "$CC --goro-cc=%s -race -g -O1 " FROM "annotated.c -o p -pthread", host))
			cr_assert_fail();
		all_cases(host, true);
	}
}

Test(tsan, a_callback_takes_reports_apart)
{
	static const char report[] = "current: 1\n"
				     "data: 1 data-race stacks 0 mops 2 locs 1 mutexes 1 threads 2\n"
				     "mop: 8 write global 1 block 0 trace 1\n"
				     "mop: 8 write global 1 block 0 trace 1\n"
				     "loc: global global 1 block 0 size 8 trace 0\n"
				     "mutex: ours 1 destroyed 0\n"
				     "thread: mop 10\n"
				     "thread: mop 01\n"
				     "child of the other, created at: trace 1\n"
				     "current: 1\n"
				     "data: 1 data-race stacks 0 mops 2 locs 1 mutexes 0 threads 2\n"
				     "mop: 8 write global 0 block 1 trace 1\n"
				     "mop: 8 write global 0 block 1 trace 1\n"
				     "loc: heap global 0 block 1 size 24 trace 1\n";
	FOR_EACH_HOST(host)
	{
		cr_assert(sh_is(0, "$CC --goro-cc=%s -race -g -O1 " FROM "callback.c -o p -pthread", host));
		cr_assert(sh_is(66, "./p"));
		cr_assert(out_has("my_global is global 'my_global' start 1 size 8\n"
				  "block is heap '' start 1 size 24\n"
				  "local is stack '' start 0 size 0\n"
				  "alloc stack: 1\n"),
		    "%s", host);
		cr_assert(out_has(report), "%s", host);
	}
}

/* halt_on_error ends the process, but not before the callback has had its report. */
Test(tsan, a_callback_comes_before_the_halt)
{
	cr_assert(sh_is(0, "$CC -race -g -O1 " FROM "callback.c -o p -pthread"));
	cr_assert(sh_is(66, "GORACE=halt_on_error=1 ./p | grep -c '^current: 1'; exit 66"));
	cr_assert(out_has("1\n"));
}

Test(tsan, the_program_is_told_of_begin_and_end_and_has_the_last_word)
{
	cr_assert(sh_is(0, "$CC -race -g -O1 " FROM "lifetime.c -o p -pthread"));
	cr_assert(sh_is(50, "./p 1"));
	cr_assert_str_eq(last_run()->out, "initialize\nfinalize 1\n");
	cr_assert(sh_is(7, "./p 0"));
	cr_assert_str_eq(last_run()->out, "initialize\nfinalize 1\n");
	cr_assert(sh_is(7, "./p 0 suppressed"));
	cr_assert_str_eq(last_run()->out, "initialize\nfinalize 0\n");
	cr_assert(sh_is(50, "./p 1 suppressed"));
}

/* What clang's headers declare and its library for ThreadSanitizer has: the linker finds it here, too. */
Test(tsan, all_that_the_headers_offer_is_there)
{
	static const char script[] =
	    "D=$(clang -print-resource-dir) && cd $D/include/sanitizer && "
	    "grep -ohE '\\b(__tsan|__sanitizer)_[a-z0-9_]+ *\\(' tsan_interface.h tsan_interface_atomic.h common_interface_defs.h | "
	    "tr -d ' (' | sort -u >/tmp/asked.$$ && "
	    "nm --defined-only $D/lib/linux/libclang_rt.tsan-x86_64.a 2>/dev/null | awk '$2 ~ /[TW]/ {print $3}' | sort -u | "
	    "comm -12 - /tmp/asked.$$ >/tmp/there.$$; wc -l </tmp/there.$$; "
	    "nm --defined-only $B/lib/libgoro-race.a 2>/dev/null | awk '$2 ~ /[TW]/ {print $3}' | sort -u | "
	    "comm -13 - /tmp/there.$$ | grep -vE '^__tsan_(default_options|default_suppressions|on_finalize|on_initialize)$|"
	    "^__sanitizer_(report_error_summary$|weak_hook_)'; rm -f /tmp/asked.$$ /tmp/there.$$; true";

	cr_assert(sh_is(0, "%s", script));
	cr_expect_gt(atoi(last_run()->out), 60, "%s", last_run()->out);
	cr_expect_null(strchr(last_run()->out, '_'), "missing: %s", last_run()->out);
}

Test(tsan, the_common_interface_of_sanitizers)
{
	static const char *const silent[] = {"norace_unaligned", "norace_no_lock_held", "norace_symbols", "norace_heap",
	    "norace_with_a_death_callback"};
	FOR_EACH_HOST(host)
	{
		cr_assert(sh_is(0, "$CC --goro-cc=%s -race -g -O1 " FROM "interface.c -o p -pthread", host));
		for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
			cr_expect(sh_is(0, "./p %s", silent[i]), "%s", host);
			cr_expect_str_eq(last_run()->out, "", "%s %s: %s", host, silent[i], last_run()->out);
			cr_expect_str_eq(last_run()->err, "", "%s %s: %s", host, silent[i], last_run()->err);
		}
		cr_expect(sh_is(66, "./p race_unaligned"));
		cr_expect(err_has("Read of size 4 at ") && err_has("Previous write of size 4 at "));
		cr_expect(sh_is(66, "./p race_lock_held"));
		cr_expect(err_has("WARNING: MUTEX HELD IN THE WRONG CONTEXT\nCheck that no mutex is held by main goroutine (holding mutex 0x"));
		cr_expect(err_has("Previous lock of mutex 'second' at ") && err_has("Previous lock of mutex 'first' at "));
		cr_expect(sh_is(0, "GORACE=report_mutex_bugs=0 ./p race_lock_held"));
		cr_expect(sh_is(0, "./p prints_its_stack"));
		cr_expect(err_has("    #0 0x") && err_has(" in prints_its_stack ") && err_has(" in main "));
	}
	cr_expect(sh_is(66, "./p race_into_a_file"));
	cr_expect_str_eq(last_run()->out, "0");
	cr_expect_str_eq(last_run()->err, "");
	cr_expect(sh_is(0, "grep -c 'WARNING: DATA RACE' moved.*"));
	cr_expect(sh_is(66, "./p race_into_a_descriptor"));
	cr_expect(out_has("WARNING: DATA RACE"));
	cr_expect_str_eq(last_run()->err, "");
	cr_expect(sh_is(66, "./p race_with_a_death_callback"));
	cr_expect_str_eq(last_run()->out, "dies\n");
	cr_expect(sh_is(66, "GORACE=halt_on_error=1 ./p race_with_a_death_callback"));
	cr_expect_str_eq(last_run()->out, "dies\n");
	cr_expect(sh_is(0, "GORACE=exitcode=0 ./p race_with_a_death_callback"));
	cr_expect_str_eq(last_run()->out, "");
	cr_assert(sh_is(0, "$CC -race -g -O1 -DDEFINES " FROM "interface.c -o p -pthread"));
	cr_expect(sh_is(66, "./p race_unaligned"));
	cr_expect(out_has("[printed: 1]\n[SUMMARY: goro: data-race ") && out_has("interface.c:") && out_has(" in loads]\n[printed: 0]\n"));
}

Test(header, works_in_race_builds)
{
	FOR_EACH_HOST(host)
	{
		cr_assert(sh_is(0, "$CC --goro-cc=%s -race -g -O1 -Wall -Wextra -Werror " FROM "header.c -o p -pthread", host));
		all_cases(host, true);
	}
	cr_assert(sh_is(66, "./p race_named"));
	cr_assert(err_has("\"first one\":"));
	cr_assert(sh_is(66, "./p race_readers"));
	cr_assert(err_has(" read-locked at "));
}

Test(header, is_nothing_in_plain_builds)
{
	FOR_EACH_HOST(host)
	{
		cr_assert(sh_is(0, "%s -I$B/include -O2 -Wall -Wextra -Werror " FROM "header.c -o p -pthread", host));
		cr_assert(sh_is(0, "nm -u p | grep -i -E 'tsan|annotate|goro'; true"));
		cr_assert_str_eq(last_run()->out, "");
		all_cases(host, false);
	}
}

Test(header, is_clean_cxx)
{
	cr_assert(sh_is(0, "$CXX -x c++ -race -g -O1 -std=c++17 -Wall -Wextra -Werror " FROM "header.c -o p -pthread"));
	all_cases("g++", true);
	cr_assert(sh_is(0, "clang++ -x c++ -I$B/include -O2 -Wall -Wextra -Werror " FROM "header.c -o p -pthread"));
	all_cases("clang++", false);
}
