/*
 * server.c: what a server does all its life, for bounded_test.c: goroutines and threads that come and go, locks
 * that are made and freed, calls along ever new paths. Says how many KiB of memory it had after a tenth of its
 * rounds, and after all.
 *
 *	server MODE ROUNDS
 */
#include <goro.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/invisible.h"

enum { BATCH = 100 };

static goro_mutex global;
static long shared[64];
static int arrivals;

static long resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		exit(9);
	fclose(f);
	return pages * 4;
}

/* A request: a lock of its own, a block, a change of what all share. Nobody joins it: main never learns that it
 * has ended, and knows nothing of what it did. */
static void request(int n)
{
	goro_mutex *own = malloc(sizeof *own + 100);

	memset(own, 0, sizeof *own + 100);
	goro_mutex_lock(own);
	goro_mutex_lock(&global);
	shared[n % 64]++;
	goro_mutex_unlock(&global);
	goro_mutex_unlock(own);
	free(own);
	arrive();
}
static void goroutines(void)
{
	for (int i = 0; i < BATCH; i++)
		go(request, i);
	arrived(arrivals += BATCH);
}

/* Each starts the next and ends: everyone has as many ancestors as there were. */
static void relay(int left)
{
	goro_mutex_lock(&global);
	shared[left % 64]++;
	goro_mutex_unlock(&global);
	if (left > 1)
		go(relay, left - 1);
	arrive();
}
static void relays(void)
{
	go(relay, BATCH);
	arrived(arrivals += BATCH);
}

static pthread_mutex_t global_lock = PTHREAD_MUTEX_INITIALIZER;
static void *thread(void *arg)
{
	pthread_mutex_t *own = malloc(sizeof *own);

	pthread_mutex_init(own, NULL);
	pthread_mutex_lock(own);
	pthread_mutex_lock(&global_lock);
	shared[(long)arg % 64]++;
	pthread_mutex_unlock(&global_lock);
	pthread_mutex_unlock(own);
	pthread_mutex_destroy(own);
	free(own);
	return NULL;
}
static void threads(void)
{
	for (long i = 0; i < BATCH; i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, thread, (void *)i) != 0)
			exit(9);
		pthread_join(t, NULL);
	}
}

/* A tree is walked down a path at random: of 2^40 paths none comes twice. */
static unsigned long long seed = 88172645463325252ull;
static void block(size_t size)
{
	void *p = malloc(size);

	__asm__ volatile("" : "+r"(p));
	free(p);
}
static void __attribute__((noinline)) right(int depth);
static void __attribute__((noinline)) left(int depth)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	if (depth == 0) {
		shared[seed % 64]++;
		block(24);
	} else if (seed & 64) {
		left(depth - 1);
	} else {
		right(depth - 1);
	}
	__asm__ volatile("");
}
static void __attribute__((noinline)) right(int depth)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	if (depth == 0) {
		shared[seed % 64] += 2;
		block(40);
	} else if (seed & 64) {
		right(depth - 1);
	} else {
		left(depth - 1);
	}
	__asm__ volatile("");
}
static void paths(void)
{
	for (int i = 0; i < BATCH; i++)
		left(40);
}

/* Ever other pairs of locks held, made and freed. */
static void locks(void)
{
	static goro_mutex *many[1024];

	for (int i = 0; i < BATCH; i++) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		goro_mutex **a = &many[seed % 512], **b = &many[512 + (seed >> 20) % 512];
		if (!*a)
			*a = calloc(1, sizeof **a);
		if (!*b)
			*b = calloc(1, sizeof **b + seed % 1000);
		goro_mutex_lock(*a);
		goro_mutex_lock(*b);
		shared[seed % 64]++;
		goro_mutex_unlock(*b);
		goro_mutex_unlock(*a);
		free(*b);
		*b = NULL;
	}
}

static void channels(void)
{
	for (int i = 0; i < BATCH; i++) {
		chan(int) c = chan_make(int, 1);
		chan_send(c, i);
		shared[0] += chan_recv(c);
		chan_free(c);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*round)(void);
	} modes[] = {{"goroutines", goroutines}, {"relays", relays}, {"threads", threads}, {"paths", paths},
	    {"locks", locks}, {"channels", channels}};

	for (size_t m = 0; argc > 2 && m < sizeof modes / sizeof modes[0]; m++) {
		if (strcmp(argv[1], modes[m].name) != 0)
			continue;
		long rounds = atol(argv[2]) / BATCH, early = 0;
		for (long i = 0; i < rounds; i++) {
			modes[m].round();
			if (i == rounds / 10)
				early = resident();
		}
		printf("%ld %ld\n", early, resident());
		return 0;
	}
	return 8;
}
