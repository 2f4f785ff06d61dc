/*
 * No goroutine on a run queue waits for ever: beside pairs that hand off to each other without end, each of which
 * is the next to run by right, a third has its turns.
 */
#include "help.h"

#include <unistd.h>

#define TURNS 500

static int over;         /* atomic: the third had its turns */
static uint64_t handoffs; /* atomic */
static goro_waitgroup all;

typedef struct Pair {
	chan(int) there;
	chan(int) back;
} Pair;

static void ping(void *arg)
{
	Pair *p = arg;
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		chan_send(p->there, 1);
		(void)chan_recv(p->back);
		__atomic_add_fetch(&handoffs, 1, __ATOMIC_RELAXED);
	}
	chan_close(p->there);
	goro_waitgroup_done(&all);
}

static void pong(void *arg)
{
	Pair *p = arg;
	int v;
	while (chan_recv_ok(p->there, &v))
		chan_send(p->back, v);
	goro_waitgroup_done(&all);
}

static int pairs;

static void start_pairs(void)
{
	static Pair pair[16];
	goro_waitgroup_add(&all, 2 * pairs);
	for (int i = 0; i < pairs; i++) {
		pair[i] = (Pair){chan_make(int), chan_make(int)};
		goro_go(ping, &pair[i]);
		goro_go(pong, &pair[i]);
	}
}

/* One that yields is on the local queue: at most so many handoffs between two of its turns. */
static int beside_one_that_yields(void *unused)
{
	(void)unused;
	uint64_t most = 0;
	start_pairs();
	for (int i = 0; i < TURNS; i++) {
		uint64_t before = __atomic_load_n(&handoffs, __ATOMIC_RELAXED);
		goro_gosched();
		uint64_t n = __atomic_load_n(&handoffs, __ATOMIC_RELAXED) - before;
		if (n > most)
			most = n;
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	goro_waitgroup_wait(&all);
	/* 64 picks in a row are the next one's by right, then each pair has its turn before ours comes. */
	if (goro_gomaxprocs(0) == 1) {
		cr_assert_leq(most, (uint64_t)(64 * (pairs + 1)), "%llu", (unsigned long long)most);
		cr_assert_gt(most, 0, "the pairs never ran");
	}
	return 0;
}

/* One that comes back from a blocking call is on the global queue; one that sleeps waits for a timer. */
static int beside_one_that_blocks(void *unused)
{
	(void)unused;
	start_pairs();
	for (int i = 0; i < 20; i++) {
		goro_enter_syscall();
		usleep(200);
		goro_exit_syscall();
		goro_sleep(GORO_MICROSECOND * 200);
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	goro_waitgroup_wait(&all);
	cr_assert_gt(handoffs, 0);
	return 0;
}

#define Fair(procs, n)                                                                             \
	Test(fair, p##procs##_one_that_yields_beside_##n##_pairs)                                  \
	{                                                                                          \
		pairs = n;                                                                         \
		in_goro(procs, beside_one_that_yields);                                            \
	}                                                                                          \
	Test(fair, p##procs##_one_that_blocks_beside_##n##_pairs)                                  \
	{                                                                                          \
		pairs = n;                                                                         \
		in_goro(procs, beside_one_that_blocks);                                            \
	}

Fair(1, 1)
Fair(1, 8)
Fair(2, 1)
Fair(2, 8)
