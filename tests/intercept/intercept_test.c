/*
 * intercept_test.c: libc under goro's names: which bytes, which order, which end. The programs beside
 * this file are built by each host compiler and run case by case.
 */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/intercept.d"
#define HERE GORO_SOURCE_DIR "/tests/intercept/"

static const char *const hosts[] = {"gcc", "clang"};
#define HOSTS (sizeof hosts / sizeof hosts[0])

/* Build src with the host (or its C++ name); the program's name is left in out. */
static void build_as(
    char *out, size_t room, const char *host, const char *src, const char *flags, bool race)
{
	const char *driver = strstr(src, ".cc") ? "goro-c++" : "goro-cc";
	const char *cxx = !strstr(src, ".cc") ? host : strcmp(host, "gcc") == 0 ? "g++" : "clang++";
	Run r;

	snprintf(out, room, WORK "/%s-%.*s%s", host, (int)strcspn(src, "."), src,
	    race ? "" : "-plain");
	run_sh(&r, 120,
	    "mkdir -p " WORK " && " GORO_BUILD_DIR
	    "/bin/%s --goro-cc=%s %s -D_GNU_SOURCE -g -O1 %s " HERE "%s -o %s.$$ && mv %s.$$ %s",
	    driver, cxx, race ? "-race" : "", flags, src, out, out, out);
	cr_assert_eq(r.code, 0, "%s: %s", src, r.err);
	run_free(&r);
}

static void build(char *out, size_t room, const char *host, const char *src, const char *flags)
{
	build_as(out, room, host, src, flags, true);
}

static int reports(const Run *r)
{
	int n = 0;

	for (const char *at = r->err; (at = strstr(at, "WARNING: ")) != NULL; at++)
		n++;
	return n;
}

Test(intercept, ranges_are_exact, .timeout = 240)
{
	for (size_t i = 0; i < HOSTS; i++) {
		char program[512];
		Run r;

		build(program, sizeof program, hosts[i], "ranges.c", "-fno-builtin");
		run_sh(&r, 60,
		    "GORACE='exitcode=0 log_path=/dev/null suppress_equal_addresses=0' %s",
		    program);
		cr_expect_eq(r.code, 0, "%s: %s", hosts[i], r.out);
		run_free(&r);
	}
}

static void filled(const char *src, const char *flags)
{
	for (size_t i = 0; i < HOSTS; i++) {
		char program[512];
		Run r;

		build(program, sizeof program, hosts[i], src, flags);
		run_sh(&r, 60,
		    "GORACE='exitcode=0 log_path=/dev/null suppress_equal_addresses=0 "
		    "suppress_equal_stacks=0 symbolize=0' %s",
		    program);
		cr_expect_eq(r.code, 0, "%s: %d %s", hosts[i], r.code, r.out);
		run_free(&r);
	}
}

Test(intercept, what_is_filled_is_exact, .timeout = 240)
{
	filled("fills.c", "-fno-builtin -w");
}

Test(intercept, what_is_filled_is_exact_of_wide_characters_and_formats, .timeout = 240)
{
	Run r;

	run_sh(&r, 60, "mkdir -p " WORK " && cc -shared -fPIC -O1 " HERE "isoc23.c -o " WORK "/libisoc23.so");
	cr_assert_eq(r.code, 0, "%s", r.err);
	run_free(&r);
	filled("wides.c", "-fno-builtin -w -Wl,-rpath," WORK " -Wl,--no-as-needed " WORK "/libisoc23.so");
}

/* Each case of a program of pair.h (or threads.c), in a process of its own: race_ must be reported. One
 * that the system refuses what it needs (UNTESTED in pair.h) is named in a warning, and not judged. */
static void pairs(const char *src, const char *flags, bool race)
{
	for (size_t i = 0; i < HOSTS; i++) {
		char program[512];
		Run list;

		build_as(program, sizeof program, hosts[i], src, flags, race);
		run_sh(&list, 20, "%s", program);
		cr_assert_eq(list.code, 0);
		for (char *save, *name = strtok_r(list.out, "\n", &save); name;
		     name = strtok_r(NULL, "\n", &save)) {
			int expected = strncmp(name, "race_", 5) == 0;
			Run r;

			if (expected && !race)
				continue;
			run_sh(&r, 20, "%s %s", program, name);
			if (r.code == 77) {
				cr_log_warn("%s %s: %s", hosts[i], name, r.err);
				run_free(&r);
				continue;
			}
			cr_expect_eq(r.code, expected ? 66 : 0, "%s %s ends with %d:\n%s", hosts[i],
			    name, r.code, r.err);
			cr_expect_eq(
			    reports(&r) > 0, expected, "%s %s:\n%s", hosts[i], name, r.err);
			run_free(&r);
		}
		run_free(&list);
	}
}

Test(intercept, threads_are_ordered, .timeout = 280)
{
	pairs("threads.c", "", true);
}

Test(intercept, more_of_threads_is_ordered, .timeout = 280)
{
	pairs("more.c", "", true);
}

Test(intercept, signals_are_ordered_and_come, .timeout = 280)
{
	pairs("signals.c", "", true);
}

Test(intercept, descriptors_are_ordered, .timeout = 280)
{
	pairs("sockets.c", "", true);
}

Test(intercept, datagrams_are_ordered_by_where_they_go, .timeout = 280)
{
	pairs("datagrams.c", "", true);
}

Test(intercept, cxx20_is_ordered, .timeout = 280)
{
	pairs("cxx20.cc", "-std=c++20", true);
}

/* Nothing of goro's takes a signal that the program's threads block. */
Test(intercept, signals_come_in_a_plain_build, .timeout = 280)
{
	pairs("signals.c", "", false);
}

typedef struct End {
	const char *how;
	int code, reports;
	const char *out;
} End;

Test(intercept, every_end_tells, .timeout = 120)
{
	static const End ends[] = {
	    {"return", 5, 0, "start\nhandler\ndestructor\n"},
	    {"exit", 7, 0, "start\nhandler\ndestructor\n"},
	    {"race-return", 66, 1, "start\nhandler\ndestructor\n"},
	    {"race-exit", 66, 1, "start\nhandler\ndestructor\n"},
	    {"race-_exit", 66, 1, ""},
	    {"race-_Exit", 66, 1, ""},
	    {"race-quick_exit", 66, 1, ""},
	    {"race-abort", 128 + 6, 1, ""},
	    {"race-vfork", 66, 1, "start\nchild 4\nhandler\ndestructor\n"},
	    {"fork-race", 0, 1,
		"start\nhandler\ndestructor\nstart\nchild 66\nhandler\ndestructor\n"},
	};
	char program[512];

	build(program, sizeof program, "gcc", "ends.c", "");
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const End *e = &ends[i];
		Run r;

		run_sh(&r, 20, "%s %s", program, e->how);
		cr_expect_eq(r.code, e->code, "%s: %d", e->how, r.code);
		cr_expect_eq(reports(&r), e->reports, "%s: %s", e->how, r.err);
		cr_expect_eq(strstr(r.err, "Found 1 data race(s)\n") != NULL, e->reports == 1,
		    "%s: %s", e->how, r.err);
		cr_expect_str_eq(r.out, e->out, "%s: %s", e->how, r.out);
		run_free(&r);
	}
}

Test(intercept, the_last_destructor_counts, .timeout = 120)
{
	char program[512];
	Run r;

	build(program, sizeof program, "gcc", "ends.c", "");
	run_sh(&r, 20, "LATE=1 %s return", program);
	cr_expect_eq(r.code, 66);
	cr_expect_eq(reports(&r), 1, "%s", r.err);
	run_free(&r);
}

Test(intercept, heap_keeps_its_word, .timeout = 240)
{
	static const char *const errors[][2] = {
	    {"race", "WARNING: DATA RACE"},
	    {"use-after-free", "WARNING: HEAP USE AFTER FREE"},
	    {"double-free", "WARNING: DOUBLE FREE"},
	};

	for (size_t i = 0; i < HOSTS; i++) {
		char program[512];
		Run r;

		build(program, sizeof program, hosts[i], "heap.cc", "-std=c++17 -fno-builtin");
		run_sh(&r, 60, "%s", program);
		cr_expect_eq(r.code, 0, "%s: %d %s%s", hosts[i], r.code, r.out, r.err);
		run_free(&r);
		for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++) {
			run_sh(&r, 60, "%s %s", program, errors[k][0]);
			cr_expect_eq(r.code, 66, "%s: %d", errors[k][0], r.code);
			cr_expect(strstr(r.err, errors[k][1]) != NULL, "%s", r.err);
			cr_expect(strstr(r.err, "heap.cc:") != NULL, "%s", r.err);
			run_free(&r);
		}
	}
}

Test(intercept, operators_can_be_replaced, .timeout = 120)
{
	for (size_t i = 0; i < HOSTS; i++) {
		char program[512];
		Run r;

		build(program, sizeof program, hosts[i], "replaced.cc", "-O0");
		run_sh(&r, 60, "%s", program);
		cr_expect_eq(r.code, 0, "%s: %d %s%s", hosts[i], r.code, r.out, r.err);
		run_free(&r);
	}
}

/* The list that goro's objects are renamed by is the list that there are thunks for. */
Test(intercept, renamed_is_what_is_real)
{
	Run r;

	run_sh(&r, 20,
	    "cd " GORO_SOURCE_DIR "; sed -nE 's/^[RXD]\\(([A-Za-z0-9_]+).*/\\1 goro_real_\\1/p' "
	    "race/intercept/real.def | LC_ALL=C sort | diff - tools/real.syms");
	cr_expect_eq(r.code, 0, "%s", r.out);
	run_free(&r);
}
