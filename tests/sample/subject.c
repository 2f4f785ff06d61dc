/*
 * subject.c: what sampled runs are tried on. Usage: subject MODE [SECONDS].
 *
 *	race    two goroutines on one processor that give way after each unordered increment, until SECONDS are over
 *	once    one write and one read without order, once
 *	ordered 8 goroutines under a mutex, a channel and an atomic flag, blocks handed over and freed, for SECONDS
 *	order   two mutexes, taken in both orders
 */
#include <goro.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/invisible.h"

static int64_t until;
static int counter;
static bool over(void)
{
	return goro_now() > until;
}

static void increments(goro_waitgroup *wg)
{
	while (!over()) {
		counter++;
		goro_gosched();
	}
	goro_waitgroup_done(wg);
}
static void race(void)
{
	goro_waitgroup wg = {0};
	goro_gomaxprocs(1);
	goro_waitgroup_add(&wg, 2);
	go(increments, &wg);
	go(increments, &wg);
	goro_waitgroup_wait(&wg);
}

static void writes_once(void)
{
	counter = 1;
	step(1);
}
static void once(void)
{
	go(writes_once);
	after(1);
	counter++;
}

static goro_mutex lock;
static atomic_bool closed;
static uint64_t shared[64];
static void consumer(chan(uint64_t *) c, goro_waitgroup *wg)
{
	uint64_t *block;
	while (chan_recv_ok(c, &block)) {
		block[3]++;
		free(block);
		goro_mutex_lock(&lock);
		for (int i = 0; i < 64; i++)
			shared[i]++;
		goro_mutex_unlock(&lock);
	}
	if (!atomic_load(&closed))
		abort();
	goro_waitgroup_done(wg);
}
static void ordered(void)
{
	chan(uint64_t *) c = chan_make(uint64_t *, 16);
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go(consumer, c, &wg);
	while (!over()) {
		uint64_t *block = malloc(64);
		memset(block, 1, 64);
		chan_send(c, block);
	}
	atomic_store(&closed, true);
	chan_close(c);
	goro_waitgroup_wait(&wg);
	printf("%d\n", shared[0] == shared[63]);
}

static void order(void)
{
	static goro_mutex a, b;
	goro_mutex_lock(&a);
	goro_mutex_lock(&b);
	goro_mutex_unlock(&b);
	goro_mutex_unlock(&a);
	goro_mutex_lock(&b);
	goro_mutex_lock(&a);
	goro_mutex_unlock(&a);
	goro_mutex_unlock(&b);
}

int main(int argc, char **argv)
{
	until = goro_now() + (argc > 2 ? (int64_t)(atof(argv[2]) * 1e9) : 0);
	const char *mode = argc > 1 ? argv[1] : "";
	if (strcmp(mode, "race") == 0)
		race();
	else if (strcmp(mode, "once") == 0)
		once();
	else if (strcmp(mode, "ordered") == 0)
		ordered();
	else if (strcmp(mode, "order") == 0)
		order();
	else
		return 3;
	return 0;
}
