/*
 * Goroutines that never stop by themselves, stopped every 100 us: nothing is lost, corrupted or stuck, whatever
 * they were in the middle of.
 */
#include "stress.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static goro_waitgroup all;

/* Integer and floating-point registers full of state, no call: the sums are known. */
static void compute(void *arg)
{
	for (uint64_t round = 0; !stress_over(); round++) {
		uint64_t h = (uint64_t)(intptr_t)arg, a = 1, b = 2, c = 3;
		double x = 0, y = 0;
		for (int i = 0; i < 200000; i++) {
			h = h * 6364136223846793005u + 1442695040888963407u;
			a += h & 1, b ^= a, c += b & 3;
			x += 0.5, y -= 0.25;
		}
		static uint64_t want[8][3];
		uint64_t *w = want[(intptr_t)arg];
		if (round == 0)
			w[0] = a, w[1] = b, w[2] = c;
		stress_check(x == 100000.0 && y == -50000.0);
		stress_check(w[0] == a && w[1] == b && w[2] == c);
		stress_progress();
	}
	goro_waitgroup_done(&all);
}

/* The heap's locks. */
static void allocate(void *arg)
{
	uint64_t seed = (uint64_t)(intptr_t)arg + 77;
	unsigned char *at[64] = {0};
	size_t len[64] = {0};
	while (!stress_over()) {
		for (int i = 0; i < 2000; i++) {
			uint32_t k = stress_random(&seed, 64);
			if (at[k])
				stress_check(at[k][0] == k && at[k][len[k] - 1] == k);
			free(at[k]);
			len[k] = 1 + stress_random(&seed, i % 50 ? 500 : 300000);
			at[k] = malloc(len[k]);
			stress_check(at[k]);
			at[k][0] = at[k][len[k] - 1] = (unsigned char)k;
		}
		stress_progress();
	}
	for (int k = 0; k < 64; k++)
		free(at[k]);
	goro_waitgroup_done(&all);
}

/* A FILE's lock, held over a write, and locks of the program's own held over a computation. */
static FILE *out;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static goro_mutex gmutex;
static char spin;
static uint64_t counted, gcounted, scounted;

static void print(void *arg)
{
	while (!stress_over()) {
		for (int i = 0; i < 500; i++)
			fprintf(out, "%d %f %s\n", i, i * 1.5, (char *)arg);
		stress_progress();
	}
	goro_waitgroup_done(&all);
}

static void linger(volatile uint64_t *n)
{
	uint64_t was = *n;
	for (volatile int i = 0; i < 3000; i++)
		;
	stress_check(*n == was);
	*n = was + 1;
}

static void lockers(void *arg)
{
	(void)arg;
	while (!stress_over()) {
		for (int i = 0; i < 20; i++) {
			pthread_mutex_lock(&mutex);
			linger(&counted);
			pthread_mutex_unlock(&mutex);
			goro_mutex_lock(&gmutex);
			linger(&gcounted);
			goro_mutex_unlock(&gmutex);
			while (__atomic_test_and_set(&spin, __ATOMIC_ACQUIRE))
				;
			linger(&scounted);
			__atomic_clear(&spin, __ATOMIC_RELEASE);
		}
		stress_progress();
	}
	goro_waitgroup_done(&all);
}

/* Channels: each number arrives once, in order. */
static void sends(void *c)
{
	for (uint64_t i = 1; !stress_over(); i++)
		chan_send((chan(uint64_t))c, i);
	chan_send((chan(uint64_t))c, 0);
	goro_waitgroup_done(&all);
}

static void receives(void *c)
{
	uint64_t last = 0, v;
	while ((v = chan_recv((chan(uint64_t))c)) != 0) {
		stress_check(v == last + 1);
		last = v;
		if (v % 100 == 0)
			stress_progress();
	}
	goro_waitgroup_done(&all);
}

/* Calls that no SA_RESTART restarts: the signal must not be seen. */
static void sleeps(void *arg)
{
	(void)arg;
	while (!stress_over()) {
		for (volatile int i = 0; i < 300000; i++) /* long enough to be asked to stop */
			;
		struct timespec t = {0, 200000};
		stress_check(nanosleep(&t, NULL) == 0);
		stress_check(poll(NULL, 0, 1) == 0);
		stress_progress();
	}
	goro_waitgroup_done(&all);
}

static void before(void)
{
	setenv("GODEBUG", "schedslice=100", 1);
}

static void start(void (*f)(void *), intptr_t arg)
{
	goro_waitgroup_add(&all, 1);
	goro_go(f, (void *)arg);
}

StressTest(preempt, computing_and_channels, .init = before)
{
	chan(uint64_t) a = chan_make(uint64_t), b = chan_make(uint64_t, 16);
	for (int i = 0; i < 4; i++)
		start(compute, i);
	start(sends, (intptr_t)a);
	start(receives, (intptr_t)a);
	start(sends, (intptr_t)b);
	start(receives, (intptr_t)b);
	goro_waitgroup_wait(&all);
	return 0;
}

StressTest(preempt, the_heap_and_streams, .init = before)
{
	out = fopen("/dev/null", "w");
	stress_check(out);
	for (int i = 0; i < 3; i++)
		start(allocate, i);
	start(print, (intptr_t) "one");
	start(print, (intptr_t) "two");
	start(compute, 7);
	goro_waitgroup_wait(&all);
	return 0;
}

StressTest(preempt, locks_held_by_who_was_stopped, .init = before)
{
	for (int i = 0; i < 3; i++)
		start(lockers, i);
	start(compute, 6);
	goro_waitgroup_wait(&all);
	return 0;
}

StressTest(preempt, sleeping_calls_see_no_signal, .init = before)
{
	start(sleeps, 0);
	start(sleeps, 1);
	start(compute, 5);
	start(compute, 4);
	goro_waitgroup_wait(&all);
	return 0;
}
