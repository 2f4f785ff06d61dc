/*
 * threads_test.c: the threads that blocked calls keep: others compute meanwhile, and they are used again.
 */
#include "help.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef CRITERION_TSAN_H /* which has read and threads of its own */

enum { CALLS = 50 };

static int fds[CALLS][2];
static int32_t inside, over, computed;
static int64_t sums[2];

static void reads(void *p)
{
	char c;
	goro_atomic_add_int32(&inside, 1);
	cr_assert_eq(read(*(int *)p, &c, 1), 1);
	goro_atomic_add_int32(&over, 1);
}

/* Without a call of goro's in between. */
static void computes(void *p)
{
	int64_t x = 1;
	for (int i = 0; i < 3000000; i++)
		x = x * 3 + i;
	*(volatile int64_t *)p = x;
	goro_atomic_add_int32(&computed, 1);
}

static void all_read(void)
{
	inside = over = 0;
	for (int i = 0; i < CALLS; i++)
		cr_assert_eq(goro_go(reads, &fds[i][0]), 0);
	while (goro_atomic_load_int32(&inside) < CALLS)
		goro_gosched();
}

static void let_all_go(void)
{
	for (int i = 0; i < CALLS; i++)
		cr_assert_eq(write(fds[i][1], "x", 1), 1);
	while (goro_atomic_load_int32(&over) < CALLS)
		goro_gosched();
}

static void open_pipes(void)
{
	for (int i = 0; i < CALLS; i++)
		cr_assert_eq(pipe(fds[i]), 0);
}

static int beside_fifty(void *unused)
{
	(void)unused;
	open_pipes();
	all_read();
	cr_assert_eq(goro_go(computes, &sums[0]), 0);
	cr_assert_eq(goro_go(computes, &sums[1]), 0);
	while (goro_atomic_load_int32(&computed) < 2)
		goro_gosched();
	cr_assert_eq(goro_atomic_load_int32(&over), 0); /* to the end, while all fifty block */
	cr_assert_eq(sums[0], sums[1]);
	let_all_go();
	return 0;
}
Test(threads, p1_two_compute_beside_fifty_blocked_reads) { in_goro(1, beside_fifty); }

/* The numbers of this process's threads. */
static int threads(int *tid, int max)
{
	int n = 0;
	DIR *d = opendir("/proc/self/task");
	cr_assert(d);
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.' && n < max)
			tid[n++] = atoi(e->d_name);
	closedir(d);
	return n;
}

static int rounds(void *unused)
{
	enum { MAX = 1000, ROUNDS = 5, MORE = 8 }; /* for Ps that stood in, and thread pools not ours */
	static int first[MAX], later[MAX];
	(void)unused;
	open_pipes();
	all_read();
	let_all_go();
	int n = threads(first, MAX);
	cr_assert_geq(n, CALLS);
	for (int i = 0; i < ROUNDS; i++) {
		all_read();
		let_all_go();
	}
	int m = threads(later, MAX), kept = 0;
	for (int i = 0; i < m; i++)
		for (int k = 0; k < n; k++)
			kept += later[i] == first[k];
	cr_assert_eq(kept, n, "%d of %d are left", kept, n);
	cr_assert_leq(m, n + MORE, "%d after %d calls, %d after %d", n, CALLS, m, CALLS * (ROUNDS + 1));
	return 0;
}
Test(threads, p1_are_kept_and_used_again) { in_goro(1, rounds); }

#endif
