/*
 * pair.h: the frame of threads.c for more programs: cases of two threads each, `race_` ones that must be
 * reported and `norace_` ones that must not. A program defines CASES(C) of rows C(name, first, second...)
 * and prepare(), which runs before the threads are made, and includes pair_main.h at its end.
 *
 * step and after force the order of things without the detector's knowledge: plain code, no atomics.
 */
#ifndef TESTS_INTERCEPT_PAIR_H
#define TESTS_INTERCEPT_PAIR_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNSEEN __attribute__((no_sanitize("thread"), noinline))

static int now;
static pthread_t first_thread, second_thread;

UNSEEN static void after(int n)
{
	while (*(volatile int *)&now < n)
		usleep(20);
}

UNSEEN static void step(int n)
{
	*(volatile int *)&now = n;
}

static void must_(int ok, int line)
{
	if (!ok) {
		fprintf(stderr, "line %d: not so (errno %d)\n", line, errno);
		syscall(SYS_exit_group, 2); /* _exit would tell of races, and end with 66 */
	}
}
#define must(ok) must_(!!(ok), __LINE__)

/* The system refuses what the case needs: it ends as untested, and says so. */
#define UNTESTED 77
__attribute__((unused)) static void may_not(const char *what)
{
	fprintf(stderr, "untested: may not %s\n", what);
	syscall(SYS_exit_group, UNTESTED);
}

static int v;
static volatile int sink;

__attribute__((noinline, unused)) static void put(void)
{
	v = 1;
}

__attribute__((noinline, unused)) static void see(void)
{
	sink = v;
}

#endif
