/*
 * leak_test.c: GORACE=leaks=1 tells of goroutines that wait for ever, and of no other.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/leak.d"
#define HERE GORO_SOURCE_DIR "/tests/leak"

static Run r;

static void go_run(const char *gorace, const char *name)
{
	static const char line[] =
	    "set -e; mkdir -p " WORK "; cd " WORK "; "
	    "if [ ! -x subject ] || [ subject -ot " GORO_BUILD_DIR "/lib/libgoro-race.a ] || [ subject -ot " HERE
	    "/subject.c ]; then " GORO_BUILD_DIR "/bin/goro-cc -race -g -O1 -fno-inline " HERE
	    "/subject.c -o subject.$$; mv subject.$$ subject; fi >&2; "
	    "[ -p silent ] || mkfifo silent 2>&- || true; "
	    "GORACE=\"leaks=1 atexit_sleep_ms=10 %s\" exec ./subject %s <>silent"; /* nobody writes there */
	run_free(&r);
	run_sh(&r, 60, line, gorace, name);
	cr_assert_neq(r.code, RUN_TIMEOUT, "%s hangs", name);
}

static void leaks(const char *name, const char *how)
{
	static const char *const gorace[] = {"", "seed=3"};
	for (int i = 0; i < 2; i++) {
		go_run(gorace[i], name);
		cr_assert_eq(r.code, 66, "%s under '%s':\n%s", name, gorace[i], r.err);
		cr_assert(strstr(r.err, "WARNING: GOROUTINE LEAK\nWait for ever ("), "%s", r.err);
		cr_assert(strstr(r.err, how), "%s: no '%s' in\n%s", name, how, r.err);
	}
}

Test(leak, told_with_what_it_waits_for)
{
	leaks("leak_recv", "Wait for ever (chan receive on 0x");
	cr_assert(strstr(r.err, ":\n  waits()\n      "), "%s", r.err);
	cr_assert(strstr(r.err, "\nLocation is heap block of size "), "%s", r.err);
	cr_assert(strstr(r.err, " allocated by main goroutine:\n  play()\n"), "%s", r.err);
	cr_assert(strstr(r.err, "created at:\n  leak_recv()\n"), "%s", r.err);
	cr_assert(strstr(r.err, "\nAnd 3 more that wait there.\n"), "%s", r.err);
	leaks("leak_send", "Wait for ever (chan send on 0x");
	leaks("leak_select", "Wait for ever (select) by goroutine ");
	leaks("leak_nil", "Wait for ever (chan receive (nil chan)) by goroutine ");
	leaks("leak_ring", "  sends_when_received()\n");
	leaks("leak_context", "  waits_for_done()\n");
}

Test(leak, not_told_while_somebody_could_help)
{
	static const char *const held[] = {"held_global", "held_list", "held_by_sleeper", "held_in_a_chain",
	    "held_by_timer", "held_by_deadline", "held_mutex", "held_in_a_pool"};
	for (size_t i = 0; i < sizeof held / sizeof *held; i++)
		for (int seeded = 0; seeded < 2; seeded++) {
			go_run(seeded ? "seed=5" : "", held[i]);
			cr_assert_eq(r.code, 0, "%s:\n%s", held[i], r.err);
			cr_assert_str_eq(r.err, "");
		}
}

Test(leak, a_system_call_may_return)
{
	go_run("", "held_by_system_call");
	cr_assert_eq(r.code, 0, "%s", r.err);
	cr_assert_str_eq(r.err, "");
}

Test(leak, main_that_calls_exit_still_has_its_variables)
{
	go_run("", "held_by_main");
	cr_assert_eq(r.code, 5, "%s", r.err);
}

Test(leak, off_unless_asked_for)
{
	go_run("leaks=0", "leak_recv");
	cr_assert_eq(r.code, 0, "%s", r.err);
}

Test(leak, json)
{
	go_run("format=json", "leak_recv");
	cr_assert_eq(r.code, 66);
	cr_assert(strstr(r.err, "{\"kind\":\"goroutine-leak\",") && strstr(r.err, "{\"kind\":\"wait\","), "%s", r.err);
}
