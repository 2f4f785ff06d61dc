/*
 * fatal_test.c: text and exit code of every fatal error and panic, plain and under -race. Lines and offsets
 * are masked (":N +0x*"): symbol_test.c holds those.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/fatal.d"

/* Mask "subject.c:12 +0x3f" as "subject.c:N +0x*"; leave out the line "waits on ..." (leaving_test.c). In place. */
static void mask(char *s)
{
	char *to = s;
	while (*s) {
		if (!strncmp(s, "waits on 0x", 11)) {
			s += strcspn(s, "\n");
			s += *s == '\n';
		} else if (!strncmp(s, "subject.c:", 10) && isdigit((unsigned char)s[10])) {
			for (s += 10; isdigit((unsigned char)*s);)
				s++;
			memcpy(to, "subject.c:N", 11);
			to += 11;
		} else if (!strncmp(s, " +0x", 4) && isxdigit((unsigned char)s[4])) {
			for (s += 4; isxdigit((unsigned char)*s);)
				s++;
			memcpy(to, " +0x*", 5);
			to += 5;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

static void die(Run *r, bool race, const char *env, const char *name)
{
	run_sh(r, 60,
	    "set -e; mkdir -p " WORK "; cd " WORK "; r=%s; "
	    "if [ ! -x subject$r ] || [ subject$r -ot " GORO_BUILD_DIR "/lib/libgoro$r.a ] || "
	    "[ subject$r -ot " GORO_SOURCE_DIR "/tests/fatal/subject.c ]; then (cd " GORO_SOURCE_DIR "/tests/fatal; "
	    GORO_BUILD_DIR "/bin/goro-cc $r -g -O1 -w -fno-inline subject.c -o " WORK "/subject$r.$$); mv subject$r.$$ subject$r; fi; "
	    "exec env %s ./subject$r %s",
	    race ? "-race" : "", env, name);
	mask(r->err);
	mask(r->out);
}

/* What must be printed, nothing more, and exit code 2; in both builds. */
static void dies(const char *env, const char *name, const char *want)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		die(&r, race, env, name);
		cr_assert_str_eq(r.err, want, "%s%s:\n%s", name, race ? " -race" : "", r.err);
		cr_assert_eq(r.code, 2, "%s%s: exit code %d", name, race ? " -race" : "", r.code);
		run_free(&r);
	}
}

#define FRAME(f) f "(...)\n\tsubject.c:N +0x*\n"
#define IN_MAIN(f) "\ngoroutine 1 [running]:\n" FRAME(f) FRAME("main")
#define BY(f) "created by " f " in goroutine 1\n\tsubject.c:N +0x*\n"
#define MAIN_TEST(case_, text) Test(fatal, case_) { dies("", #case_, text "\n" IN_MAIN(#case_)); }

MAIN_TEST(send_on_closed, "panic: send on closed channel")
MAIN_TEST(close_of_closed, "panic: close of closed channel")
MAIN_TEST(close_of_nil, "panic: close of nil channel")
MAIN_TEST(makechan, "panic: makechan: size out of range")
MAIN_TEST(select_negative, "panic: select: negative number of cases")
MAIN_TEST(unlock_unlocked, "fatal error: sync: unlock of unlocked mutex")
MAIN_TEST(runlock_unlocked, "fatal error: sync: RUnlock of unlocked RWMutex")
MAIN_TEST(rwunlock_unlocked, "fatal error: sync: Unlock of unlocked RWMutex")
MAIN_TEST(waitgroup_negative, "panic: sync: negative WaitGroup counter")
MAIN_TEST(free_waited_for, "fatal error: free of channel with waiting goroutines")
MAIN_TEST(panics, "panic: value 42 of mine")

Test(fatal, name_and_creator_are_shown)
{
	dies("GOMAXPROCS=1", "other_goroutine",
	    "panic: close of nil channel\n\ngoroutine 2 [running] \"breaker\":\n" FRAME("in_goroutine") BY("other_goroutine"));
}

Test(fatal, locked_to_thread_is_said)
{
	dies("", "locked", "panic: locked\n\ngoroutine 1 [running, locked to thread]:\n" FRAME("locked") FRAME("main"));
}

Test(fatal, inlined_frames_are_shown)
{
	dies("", "inlined_frames",
	    "panic: close of nil channel\n\ngoroutine 1 [running]:\n" FRAME("inlined") FRAME("inlined_frames") FRAME("main"));
}

#define DEADLOCK                                                                                   \
	"fatal error: all goroutines are asleep - deadlock!\n"                                     \
	"\ngoroutine 1 [chan receive]:\n" FRAME("deadlock") FRAME("main")                          \
	"\ngoroutine 2 [select]:\n" FRAME("waits_select") BY("deadlock")                           \
	"\ngoroutine 3 [select (no cases)]:\n" FRAME("waits_nothing") BY("deadlock")               \
	"\ngoroutine 4 [chan receive (nil chan)]:\n" FRAME("waits_nil") BY("deadlock")             \
	"\ngoroutine 5 [chan send] \"sender\":\n" FRAME("sends") BY("deadlock")                    \
	"\ngoroutine 6 [sync.Mutex.Lock]:\n" FRAME("waits_mutex") BY("deadlock")                   \
	"\ngoroutine 7 [sync.RWMutex.RLock]:\n" FRAME("waits_rlock") BY("deadlock")                \
	"\ngoroutine 8 [sync.WaitGroup.Wait]:\n" FRAME("waits_wg") BY("deadlock")

Test(fatal, deadlock_shows_all)
{
	dies("GOMAXPROCS=1", "deadlock", DEADLOCK);
}

/* With more processors ids may be any, and so may the order of the goroutines. */
Test(fatal, deadlock_shows_all_on_many_processors)
{
	static const char *const waits[] = {FRAME("waits_select"), FRAME("waits_nothing"), FRAME("waits_nil"),
	    FRAME("sends"), FRAME("waits_mutex"), FRAME("waits_rlock"), FRAME("waits_wg"), FRAME("deadlock") FRAME("main")};
	for (int race = 0; race < 2; race++) {
		Run r;
		die(&r, race, "GOMAXPROCS=4", "deadlock");
		cr_assert(!strncmp(r.err, DEADLOCK, strcspn(DEADLOCK, "\n") + 1), "%s", r.err);
		for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
			cr_assert(strstr(r.err, waits[i]), "%s: no %s", r.err, waits[i]);
		cr_assert_eq(r.code, 2);
		run_free(&r);
	}
}

Test(fatal, nobody_left_after_goexit_of_main)
{
	dies("", "main_goexit", "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
}

Test(fatal, deadlock_of_the_others_after_goexit_of_main)
{
	dies("GOMAXPROCS=1", "main_goexit_others",
	    "fatal error: all goroutines are asleep - deadlock!\n"
	    "\ngoroutine 2 [chan receive (nil chan)]:\n" FRAME("waits_nil") BY("main_goexit_others"));
}

Test(fatal, traceback_none_leaves_the_words)
{
	dies("GOTRACEBACK=none", "panics", "panic: value 42 of mine\n");
	dies("GOTRACEBACK=none", "deadlock", "fatal error: all goroutines are asleep - deadlock!\n");
}

Test(fatal, traceback_all_shows_the_others)
{
	dies("GOMAXPROCS=1 GOTRACEBACK=all", "free_waited_for",
	    "fatal error: free of channel with waiting goroutines\n" IN_MAIN("free_waited_for")
	    "\ngoroutine 2 [chan receive]:\n" FRAME("waits") BY("free_waited_for"));
}

Test(fatal, traceback_system_shows_goro_itself)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		die(&r, race, "GOTRACEBACK=system", "close_of_nil");
		cr_assert(strstr(r.err, "goro_chan_close(...)\n\truntime/chan/chan.c:"), "%s", r.err);
		cr_assert(strstr(r.err, " sp=0x") && strstr(r.err, " pc=0x"), "%s", r.err);
		cr_assert_eq(r.code, 2);
		run_free(&r);
	}
}

Test(fatal, traceback_crash_ends_by_abort)
{
	Run r;
	die(&r, false, "GOTRACEBACK=crash", "panics");
	cr_assert_eq(r.code, 128 + 6, "%d", r.code);
	cr_assert(strstr(r.err, "panic: value 42 of mine\n"));
	run_free(&r);
}

Test(fatal, long_stacks_are_elided)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		die(&r, race, "", "elided");
		int frames = 0;
		for (const char *s = r.err; (s = strstr(s, "deep(...)\n")); s++)
			frames++;
		cr_assert_eq(frames, 98, "%s", r.err); /* 201 calls of deep, then elided and main */
		cr_assert(strstr(r.err, "\n...103 frames elided...\n"), "%s", r.err);
		cr_assert(strstr(r.err, FRAME("elided") FRAME("main")));
		cr_assert_eq(r.code, 2);
		run_free(&r);
	}
}

Test(fatal, stack_overflow_names_goroutine_and_limit)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		die(&r, race, "GOMAXPROCS=1", "stack_overflow");
		cr_assert(strstr(r.err, "runtime: goroutine stack exceeds 262144-byte limit\n"), "%s", r.err);
		cr_assert(strstr(r.err, "fatal error: stack overflow\n\ngoroutine 2 [running]:\n" FRAME("recursion")), "%s", r.err);
		cr_assert(strstr(r.err, FRAME("overflows") BY("stack_overflow")), "%s", r.err);
		cr_assert_eq(r.code, 2);
		run_free(&r);
	}
}

/* Those that run or sit in a system call are shown too: their threads are asked. */
Test(fatal, sigquit_shows_all)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		die(&r, race, "", "quit");
		cr_assert(!strncmp(r.err, "SIGQUIT: quit\nPC=0x", 19), "%s", r.err);
		cr_assert(strstr(r.err, " [chan receive (nil chan)]:\n" FRAME("waits_nil") BY("quit")), "%s", r.err);
		cr_assert(strstr(r.err, " [running] \"busy\":\n" FRAME("computes") BY("quit")), "%s", r.err);
		const char *blocked = strstr(r.err, " [syscall]:\n");
		cr_assert(blocked && strstr(blocked, FRAME("blocks") BY("quit")), "%s", r.err);
		cr_assert_eq(r.code, 2, "%d: %s", r.code, r.err);
		run_free(&r);
	}
}

Test(fatal, main_returning_does_not_hide_it)
{
	Run r;
	for (int race = 0; race < 2; race++) {
		die(&r, race, "", "main_returns_meanwhile");
		/* main may have been through exit before the goroutine got that far: then nobody waits */
		bool whole = strstr(r.err, "created by main_returns_meanwhile") != NULL;
		cr_assert(r.code == 2 ? whole : r.code == 0 && !whole, "%d: %s", r.code, r.err);
		run_free(&r);
	}
}

Test(fatal, traceback_goes_on)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		die(&r, race, "GOMAXPROCS=1", "traceback");
		static const char one[] = "goroutine 1 [running]:\n" FRAME("traceback") FRAME("main");
		static const char two[] = "goroutine 2 [chan send] \"sender\":\n" FRAME("sends") BY("traceback");
		char want[1024];
		snprintf(want, sizeof want, "%s--\n%s\n%s", one, one, two);
		cr_assert_str_eq(r.out, want, "%s", r.out);
		cr_assert_eq(r.code, 0);
		run_free(&r);
	}
}

/* The state and the whole stack of each, as SIGQUIT shows it. */
Test(fatal, traceback_shows_those_that_run_or_sit_in_system_calls)
{
	/* No ids: each processor takes them sixteen at a time, and main may be moved between two of its goroutines. */
	static const char *const want[] = {
	    " [running] \"busy\":\n" FRAME("computes") BY("traceback_live"),
	    " [syscall]:\n" FRAME("blocks") BY("traceback_live"),
	    " [syscall]:\n" FRAME("reads") BY("traceback_live"),
	    " [syscall]:\n" FRAME("calls_out") BY("traceback_live"),
	};
	static const char *const envs[] = {"", "GODEBUG=asyncpreemptoff=1"};
	for (int i = 0; i < 4; i++) {
		Run r;
		die(&r, i & 1, envs[i / 2], "traceback_live");
		for (size_t k = 0; k < sizeof want / sizeof *want; k++)
			cr_assert(strstr(r.out, want[k]), "%s: not as in %s", r.out, want[k]);
		cr_assert_eq(r.code, 0, "%d: %s", r.code, r.err);
		run_free(&r);
	}
}

/* Unmasked: the lines "waits on". */
static void die_plainly(Run *r, bool race, const char *name)
{
	run_sh(r, 60, "cd " WORK "; exec ./subject%s %s", race ? "-race" : "", name);
}

Test(fatal, a_selects_channels_are_named)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		void *a, *b;
		char want[200];
		die(&r, race, "", "panics"); /* builds it */
		run_free(&r);

		die_plainly(&r, race, "traceback_select");
		cr_assert_eq(sscanf(r.err, "%p\n", &a), 1, "%s", r.err);
		snprintf(want, sizeof want, "\nwaits on %p (case 0, receive)\nwaits on %p (case 1, send)\ncreated by ", a, a);
		cr_assert(strstr(r.err, "\ngoroutine 2 [select]:\nwaits_select(...)\n"), "%s", r.err);
		cr_assert(strstr(r.err, want), "no %s in %s", want, r.err);
		/* In the deadlock's report: the nil channel has no line. */
		const char *end = strstr(r.err, "\n--\n");
		cr_assert(end && sscanf(end, "\n--\n%p %p\n", &a, &b) == 2, "%s", r.err);
		snprintf(want, sizeof want, "\nwaits on %p (case 0, send)\nwaits on %p (case 2, receive)\n", b, a);
		cr_assert(strstr(end, "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select]:\n"), "%s", r.err);
		cr_assert(strstr(end, want), "no %s in %s", want, end);
		cr_assert_eq(r.code, 2);
		run_free(&r);

		die_plainly(&r, race, "traceback_select_many");
		cr_assert_eq(sscanf(r.err, "%p %p\n", &a, &b), 2, "%s", r.err);
		snprintf(want, sizeof want, "\nwaits on %p (case 0, receive)\n", a);
		cr_assert(strstr(r.err, want), "no %s in %s", want, r.err);
		snprintf(want, sizeof want, "\nwaits on %p (case 63, send)\n...36 cases elided...\n", b);
		cr_assert(strstr(r.err, want), "no %s in %s", want, r.err);
		cr_assert_eq(r.code, 2);
		run_free(&r);
	}
}

/* As on a kernel before 6.13, where each guard takes mappings. */
Test(fatal, guards_that_run_out_are_told_of_once)
{
	Run r;
	static const char said[] = "goro: warning: no room for more guard pages";
	die(&r, false, "GORO_NO_MADV_GUARD=1", "many_guards");
	const char *first = strstr(r.err, said);
	cr_assert(first == r.err, "%s", r.err);
	cr_assert(!strstr(first + 1, said), "%s", r.err);
	cr_assert_eq(r.code, 0, "%d", r.code);
	run_free(&r);
}
