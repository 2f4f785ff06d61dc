/*
 * leaving_test.c: how a program ends by faults, by pthread_exit and exit, what a forked child may do, and
 * what of the scheduler is shown from outside; plain and under -race, with one processor and with several.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/leaving.d"

static void leave(Run *r, bool race, const char *env, const char *name)
{
	run_sh(r, 60,
	    "set -e; ulimit -c 0; mkdir -p " WORK "; cd " WORK "; r=%s; "
	    "if [ ! -x leaving$r ] || [ leaving$r -ot " GORO_BUILD_DIR "/lib/libgoro$r.a ] || "
	    "[ leaving$r -ot " GORO_SOURCE_DIR "/tests/fatal/leaving.c ]; then (cd " GORO_SOURCE_DIR "/tests/fatal; "
	    GORO_BUILD_DIR "/bin/goro-cc $r -g -O1 -w -fno-inline leaving.c ../support/delay.c -o " WORK "/leaving$r.$$); "
	    "mv leaving$r.$$ leaving$r; fi; exec env %s ./leaving$r %s",
	    race ? "-race" : "", env, name);
}

/* Ends with code, says out on stdout, and what is in err (NULL: nothing) on stderr. */
static void leaves(const char *name, int code, const char *out, const char *err)
{
	static const char *const procs[] = {"GOMAXPROCS=1", "GOMAXPROCS=4"};
	for (int i = 0; i < 4; i++) {
		bool race = i & 1;
		Run r;
		leave(&r, race, procs[i / 2], name);
		cr_expect_eq(r.code, code, "%s %d: exit code %d: %s", name, i, r.code, r.err);
		cr_expect_str_eq(r.out, out, "%s %d: %s", name, i, r.out);
		cr_expect(err ? strstr(r.err, err) != NULL : !*r.err, "%s %d: %s", name, i, r.err);
		run_free(&r);
	}
}

#define FAULT(case_, number, text)                                                                 \
	Test(fault, case_)                                                                         \
	{                                                                                          \
		leaves(#case_, 128 + (number), "", "fatal error: " text);                          \
		leaves(#case_, 128 + (number), "", "]\n\ngoroutine 1 [running]:\n");               \
		leaves(#case_, 128 + (number), "", "\n" #case_ "(...)\n\tleaving.c:");             \
		leaves(#case_, 128 + (number), "", "\nmain(...)\n\tleaving.c:");                   \
	}

#define NIL "invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x"
FAULT(segv, 11, NIL)
FAULT(calls_null, 11, NIL "0]\n")
FAULT(bus, 7, "unexpected fault address\n[signal SIGBUS: bus error code=0x2 addr=0x")
FAULT(fpe, 8, "integer divide error\n[signal SIGFPE: floating-point exception code=0x1 addr=0x")
FAULT(ill, 4, "illegal instruction\n[signal SIGILL: illegal instruction code=0x2 addr=0x")
FAULT(aborts, 6, "abort\n[signal SIGABRT: abort code=0x")

Test(fault, malloc_aborts_with_its_lock_held)
{
	Run r;
	leave(&r, false, "", "heap_broken");
	cr_assert_eq(r.code, 128 + 6, "%d: %s", r.code, r.err);
	cr_assert(strstr(r.err, "fatal error: abort\n[signal SIGABRT: abort code=0x"), "%s", r.err);
	run_free(&r);
}

Test(fault, names_the_goroutine)
{
	leaves("in_goroutine", 139, "", " [running]:\nstores(...)\n\tleaving.c:");
	leaves("in_goroutine", 139, "", "created by in_goroutine in goroutine 1\n");
}

Test(fault, the_programs_handler_comes_first)
{
	leaves("handled", 7, "", NULL);
}

Test(leaving, pthread_exit_of_main_waits_for_goroutines)
{
	leaves("main_pthread_exit", 0, "goroutine 20\ngoroutine 60\nexit handler\n", NULL);
	leaves("main_pthread_exit_alone", 0, "", NULL);
}

Test(leaving, pthread_exit_of_main_waits_for_threads)
{
	leaves("main_pthread_exit_threads", 0, "thread\n", NULL);
}

Test(leaving, pthread_exit_of_main_may_deadlock)
{
	leaves("main_pthread_exit_deadlock", 2, "",
	    "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [pthread_exit]:\n");
}

Test(leaving, pthread_exit_ends_a_goroutine)
{
	leaves("goroutine_pthread_exit", 0, "main goes on\n", NULL);
}

/* Under -race the end waits for late races, and meanwhile somebody else takes the P for good. */
Test(leaving, a_busy_goroutine_holds_nobody_back)
{
	leaves("exit_beside_spin", 3, "", NULL);
	leaves("fast_exit_beside_spin", 4, "", NULL);
	leaves("return_beside_spin", 0, "", NULL);
}

Test(fork, children_of_all_kinds)
{
	leaves("children", 0, "exec 5\nexit 6\nspawn 5\nsystem 8\npopen nine\npclose 0\n", NULL);
}

Test(fork, system_blocks_nobody)
{
	leaves("system_blocks", 0, "ticked\nslept\n", NULL);
}

Test(fork, what_needs_other_threads_is_fatal)
{
	static const char text[] = "fatal error: goro: fork without exec: ";
	leaves("fork_sleeps", 2, "", text);
	leaves("fork_goes", 2, "", text);
	leaves("fork_ends", 2, "", text);
}

Test(fork, findings_are_the_parents)
{
	Run r;
	leave(&r, true, "", "fork_after_race");
	cr_assert_eq(r.code, 66, "%d: %s", r.code, r.err);
	cr_assert_str_eq(r.out, "child 0\n");
	const char *first = strstr(r.err, "Found 1 data race(s)");
	cr_assert(first && !strstr(first + 1, "Found 1"), "%s", r.err);
	run_free(&r);
}

Test(schedtrace, lines)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		int n = 0, waited, procs, idle, threads, spinning, idlethreads, queue, q1, q2;
		long ms, before = -1;
		leave(&r, race, "GOMAXPROCS=2 GODEBUG=schedtrace=50", "traced");
		cr_assert_eq(r.code, 0, "%d: %s", r.code, r.err);
		for (const char *s = r.err; *s; s = strchr(s, '\n') + 1, n++) {
			int got = sscanf(s,
			    "SCHED %ldms: gomaxprocs=%d idleprocs=%d threads=%d spinningthreads=%d "
			    "idlethreads=%d runqueue=%d [%d %d]\n",
			    &ms, &procs, &idle, &threads, &spinning, &idlethreads, &queue, &q1, &q2);
			cr_assert(got == 9 && procs == 2 && ms > before, "%s", s);
			before = ms;
		}
		/* In 250 ms, each at most a tick of sysmon's late and what its threads waited for a processor. */
		cr_assert_eq(sscanf(r.out, "waited %d ms\n", &waited), 1, "%s", r.out);
		cr_assert((n >= 3 || n * 60 + waited >= 240) && n <= 40, "%d lines, %d ms waited", n, waited);
		run_free(&r);
	}
}

Test(schedtrace, detail)
{
	Run r;
	leave(&r, false, "GOMAXPROCS=2 GODEBUG=schedtrace=100,scheddetail=1", "traced");
	cr_assert_eq(r.code, 0, "%d: %s", r.code, r.err);
	static const char *const want[] = {" gcwaiting=0 nmidlelocked=0 stopwait=0 sysmonwait=", "\n  P0: status=",
	    " schedtick=", " syscalltick=", " runqsize=0 gfreecnt=", " timerslen=", "\n  P1: status=", "\n  M0: p=",
	    " curg=", " spinning=", " blocked=", " lockedg=-1\n", "\n  G1: status=4(sleep) m=-1 lockedm=-1\n",
	    "\n  G2: status=4(chan receive) m=-1 lockedm=-1\n"};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		cr_assert(strstr(r.err, want[i]), "no \"%s\" in %s", want[i], r.err);
	run_free(&r);
}

Test(traceback, what_is_waited_for_has_its_address)
{
	for (int i = 0; i < 4; i++) {
		Run r;
		char line[100];
		leave(&r, i & 1, i & 2 ? "GOTRACEBACK=system" : "", "waits");
		r.out[strcspn(r.out, "\n")] = 0;
		snprintf(line, sizeof line, "\nwaits on %s\n", r.out);
		cr_assert(strstr(r.err, "\ngoroutine 1 [chan receive]:\n"), "%s", r.err);
		cr_assert(strstr(r.err, line), "no %s in %s", line, r.err);
		run_free(&r);
	}
}

Test(traceback, what_is_waited_for_has_its_name)
{
	for (int race = 0; race < 2; race++) {
		Run r;
		leave(&r, race, "", "waits_for_a_variable");
		const char *line = strstr(r.err, "\nwaits on 0x");
		cr_assert(line, "%s", r.err);
		line += strcspn(line + 1, " ") + 1;
		cr_assert(strstr(line, ", 'jobs_lock' of leaving.c:"), "%s", r.err);
		run_free(&r);
	}
}
