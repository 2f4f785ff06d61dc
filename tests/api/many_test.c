/*
 * many_test.c: very many goroutines at once, with guards and where guards cost mappings, and the memory of a burst given back.
 * GORO_STRESS set (make stress): a million of them in place of a hundred thousand; what they took stands in the log.
 */
#include "help.h"

#ifndef CRITERION_TSAN_H /* has room for 8000 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static chan(int) gate;
static goro_waitgroup wg;
static int64_t here;

static void waits(void *p)
{
	(void)p;
	__atomic_add_fetch(&here, 1, __ATOMIC_RELAXED);
	(void)chan_recv(gate);
	goro_waitgroup_done(&wg);
}

/* KiB of memory. */
static long resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	cr_assert(f && fscanf(f, "%*d %ld", &pages) == 1);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int many(void *p)
{
	bool million = getenv("GORO_STRESS") && !getenv("GORO_NO_MADV_GUARD") && !goro_race_enabled();
	int n = million ? 1000000 : goro_race_enabled() ? 10000 : 100000;
	int64_t begun = goro_now();
	(void)p;
	alarm(million ? 550 : 110);
	gate = chan_make(int);
	for (int i = 0; i < n; i++) {
		goro_waitgroup_add(&wg, 1);
		if (goro_go(waits, NULL) != 0)
			return 1;
	}
	while (__atomic_load_n(&here, __ATOMIC_RELAXED) < n)
		goro_gosched();
	fprintf(stderr, "%d are there\n", goro_num_goroutine() - 1 == n ? n : -1);
	int64_t there = goro_now();
	long mib = resident() / 1024;
	chan_close(gate);
	goro_waitgroup_wait(&wg);
	if (million) {
		printf("many: %d parked take %ld MiB; %.1f s to start, %.1f s to end\n", n, mib,
		    (double)(there - begun) / 1e9, (double)(goro_now() - there) / 1e9);
		fflush(stdout); /* _exit comes */
	}
	return 0;
}

Test(many, goroutines_at_once, .timeout = 600)
{
	dies(0, many, "00 are there\n", NULL);
}

/* As on a kernel before 6.13: guards are mappings, of which there are too few; it is said, and it goes on. */
Test(many, goroutines_without_guard_markers, .timeout = 120)
{
	setenv("GORO_NO_MADV_GUARD", "1", 1);
	if (goro_race_enabled())
		dies(0, many, "00 are there\n", NULL);
	else
		dies(0, many, "goro: warning: no room for more guard pages", "00 are there\n", NULL);
}

/* ---- a burst ---- */

#ifdef __SANITIZE_ADDRESS__
#define KEPT 66 /* of a hundred: ASan's shadow of the stacks, 32 KiB for each, stays */
#else
#define KEPT 50
#endif
enum { BURST = 4000, TOUCHED = 64 << 10 };

static void touches(void *p)
{
	volatile char room[TOUCHED];
	(void)p;
	for (int i = 0; i < TOUCHED; i += 4096)
		room[i] = (char)(room[i] + 1);
	__atomic_add_fetch(&here, 1, __ATOMIC_RELAXED);
	(void)chan_recv(gate);
	goro_waitgroup_done(&wg);
}

static int burst(void *p)
{
	(void)p;
	long before = resident();
	gate = chan_make(int);
	for (int i = 0; i < BURST; i++) {
		goro_waitgroup_add(&wg, 1);
		if (goro_go(touches, NULL) != 0)
			return 1;
	}
	while (__atomic_load_n(&here, __ATOMIC_RELAXED) < BURST)
		goro_gosched();
	long most = resident();
	if (most < BURST * (TOUCHED / 1024))
		return 2;
	chan_close(gate);
	goro_waitgroup_wait(&wg);
	/* sysmon gives back what is more than a thousand stacks, a few hundred at a time. */
	for (int64_t end = goro_now() + 15 * GORO_SECOND; resident() - before > (most - before) * KEPT / 100;
	     goro_sleep(20 * GORO_MILLISECOND))
		if (goro_now() > end)
			return 3;
	return 0;
}

Test(many, memory_of_a_burst_is_given_back, .timeout = 60)
{
	if (!goro_race_enabled()) /* there the shadow is most of it */
		in_goro(2, burst);
}

#endif
