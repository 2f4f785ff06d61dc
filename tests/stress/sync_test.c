/*
 * sync_test.c: the blocking primitives under load: exclusion holds, and no wake-up is lost (the
 * watchdog would say so).
 */
#include "stress.h"

#include <pthread.h>
#include <string.h>

enum { N = 8 };

static goro_mutex mu;
static goro_rwmutex rw;
static goro_waitgroup group;
static int64_t plain_count, atomic_count; /* plain: guarded by what is tested */

/* ---- mutex ---- */

static void lock_some(void *unused)
{
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	(void)unused;
	while (!stress_over()) {
		for (int i = 0; i < 100; i++) {
			if (stress_random(&rnd, 8) == 0 ? !goro_mutex_trylock(&mu)
							: (goro_mutex_lock(&mu), false))
				continue;
			int64_t v = plain_count;
			goro_atomic_add_int64(&atomic_count, 1);
			if (stress_random(&rnd, 64) == 0)
				goro_gosched();
			if (stress_random(&rnd, 1024) == 0)
				goro_sleep(GORO_MICROSECOND);
			plain_count = v + 1;
			goro_mutex_unlock(&mu);
		}
		stress_progress();
	}
}

StressTest(mutex, excludes)
{
	for (int i = 0; i < N; i++)
		goro_waitgroup_go(&group, lock_some, NULL);
	goro_waitgroup_wait(&group);
	stress_check(plain_count == atomic_count && plain_count > 0);
	return 0;
}

/* Threads of the program's own among the goroutines. */
static void *lock_some_too(void *unused)
{
	(void)unused;
	while (!stress_over()) {
		goro_mutex_lock(&mu);
		plain_count++;
		goro_atomic_add_int64(&atomic_count, 1);
		goro_mutex_unlock(&mu);
	}
	goro_waitgroup_done(&group);
	return NULL;
}

StressTest(mutex, excludes_foreign_threads)
{
	pthread_t t[2];
	goro_waitgroup_add(&group, 2);
	for (int i = 0; i < 2; i++)
		stress_check(pthread_create(&t[i], NULL, lock_some_too, NULL) == 0);
	for (int i = 0; i < N / 2; i++)
		goro_waitgroup_go(&group, lock_some, NULL);
	goro_waitgroup_wait(&group);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	stress_check(plain_count == atomic_count);
	return 0;
}

/* The last to unlock frees: the mutex's word is not touched after it is let go. */
typedef struct Counted {
	goro_mutex m;
	int refs;
} Counted;

static void drop(void *p)
{
	Counted *c = p;
	goro_mutex_lock(&c->m);
	bool last = --c->refs == 0;
	goro_mutex_unlock(&c->m);
	if (last) {
		memset(c, 0xa5, sizeof(*c));
		goro_waitgroup_done(&group);
	}
}

StressTest(mutex, freed_by_the_last_owner)
{
	static Counted c[64];
	while (!stress_over()) {
		goro_waitgroup_add(&group, 64);
		for (int i = 0; i < 64; i++) {
			c[i] = (Counted){.refs = 3};
			for (int k = 0; k < 3; k++)
				goro_go(drop, &c[i]);
		}
		goro_waitgroup_wait(&group);
		for (int i = 0; i < 64; i++)
			stress_check(c[i].m.state == 0xa5a5a5a5);
		stress_progress();
	}
	return 0;
}

/* ---- rwmutex ---- */

static int inside;

static void read_or_write(void *unused)
{
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	(void)unused;
	while (!stress_over()) {
		for (int i = 0; i < 100; i++) {
			uint32_t how = stress_random(&rnd, 16);
			if (how < 12 ? (goro_rwmutex_rlock(&rw), true)
				     : how == 12 && goro_rwmutex_tryrlock(&rw)) {
				stress_check(goro_atomic_add_int32(&inside, 1) > 0);
				if (how == 0)
					goro_gosched();
				goro_atomic_add_int32(&inside, -1);
				goro_rwmutex_runlock(&rw);
			} else if (how > 13 ? (goro_rwmutex_lock(&rw), true)
					    : how == 13 && goro_rwmutex_trylock(&rw)) {
				stress_check(goro_atomic_add_int32(&inside, -1000) == -1000);
				plain_count++;
				goro_atomic_add_int64(&atomic_count, 1);
				if (how == 15)
					goro_gosched();
				stress_check(goro_atomic_add_int32(&inside, 1000) == 0);
				goro_rwmutex_unlock(&rw);
			}
		}
		stress_progress();
	}
}

StressTest(rwmutex, readers_and_writers)
{
	for (int i = 0; i < N; i++)
		goro_waitgroup_go(&group, read_or_write, NULL);
	goro_waitgroup_wait(&group);
	stress_check(plain_count == atomic_count && plain_count > 0);
	return 0;
}

/* ---- wait groups ---- */

static void touch(void *p)
{
	goro_atomic_add_int64(p, 1);
}

static void wait_too(void *p)
{
	goro_waitgroup **w = p;
	goro_waitgroup_wait(w[0]);
	goro_waitgroup_done(w[1]);
}

StressTest(waitgroup, rounds)
{
	uint64_t rnd = 99;
	while (!stress_over()) {
		goro_waitgroup wg = {0}, others = {0}, *both[] = {&wg, &others};
		for (int round = 0; round < 20; round++) {
			int n = 1 + (int)stress_random(&rnd, 20),
			    waiters = (int)stress_random(&rnd, 4);
			int64_t done = 0;
			goro_waitgroup_add(&others, waiters);
			for (int i = 0; i < n; i++)
				goro_waitgroup_go(&wg, touch, &done);
			for (int i = 0; i < waiters; i++)
				goro_go(wait_too, both);
			goro_waitgroup_wait(&wg);
			stress_check(done == n);
			goro_waitgroup_wait(&others);
			stress_progress();
		}
	}
	return 0;
}

/* ---- conditions: a bounded queue, with signal and with broadcast ---- */

static goro_cond not_full, not_empty;
static int items;
static bool over;

static void produce(void *unused)
{
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	(void)unused;
	while (!stress_over()) {
		goro_mutex_lock(&mu);
		while (items == 3)
			goro_cond_wait(&not_full);
		items++;
		plain_count++;
		if (stress_random(&rnd, 32) == 0) {
			goro_cond_broadcast(&not_empty);
			goro_mutex_unlock(&mu);
		} else if (stress_random(&rnd, 2)) {
			goro_cond_signal(&not_empty);
			goro_mutex_unlock(&mu);
		} else {
			goro_mutex_unlock(&mu);
			goro_cond_signal(&not_empty);
		}
		stress_progress();
	}
}

static void consume(void *unused)
{
	(void)unused;
	for (;;) {
		goro_mutex_lock(&mu);
		while (items == 0 && !over)
			goro_cond_wait(&not_empty);
		bool end = items == 0;
		if (!end) {
			stress_check(items > 0 && items <= 3);
			items--;
			atomic_count++;
		}
		goro_mutex_unlock(&mu);
		if (end)
			return;
		goro_cond_signal(&not_full);
	}
}

StressTest(cond, bounded_queue)
{
	goro_waitgroup consumers = {0};
	goro_cond_init(&not_full, &mu);
	goro_cond_init(&not_empty, &mu);
	for (int i = 0; i < 4; i++) {
		goro_waitgroup_go(&group, produce, NULL);
		goro_waitgroup_go(&consumers, consume, NULL);
	}
	goro_waitgroup_wait(&group);
	goro_mutex_lock(&mu);
	over = true;
	goro_cond_broadcast(&not_empty);
	goro_mutex_unlock(&mu);
	goro_waitgroup_wait(&consumers);
	stress_check(plain_count == atomic_count && items == 0);
	return 0;
}

/* ---- once ---- */

static goro_once once;

static void initialise(void *p)
{
	goro_gosched();
	*(int64_t *)p += 1;
}

static void use(void *p)
{
	goro_once_do(&once, initialise, p);
	stress_check(*(int64_t *)p == 1);
}

StressTest(once, done_before_every_return)
{
	while (!stress_over()) {
		int64_t v = 0;
		once = (goro_once){0};
		for (int i = 0; i < 20; i++)
			goro_waitgroup_go(&group, use, &v);
		goro_waitgroup_wait(&group);
		stress_progress();
	}
	return 0;
}

/* ---- timers ---- */

static void doze(void *unused)
{
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	(void)unused;
	while (!stress_over()) {
		int64_t d = stress_random(&rnd, 300) * GORO_MICROSECOND, t = goro_now();
		if (stress_random(&rnd, 2)) {
			goro_sleep(d);
			stress_check(goro_now() - t >= d);
		} else {
			goro_chan *a = goro_after_chan(d), *b = goro_after_chan(d / 2);
			goro_case cs[] = {
			    {a, false, NULL, false, NULL}, {b, false, NULL, false, NULL}};
			stress_check(goro_select(cs, 2, true) >= 0);
			stress_check(goro_now() - t >= d / 2);
			goro_chan_free(a);
			goro_chan_free(b);
		}
		stress_progress();
	}
}

StressTest(time, sleeping_and_selecting_and_resizing)
{
	for (int i = 0; i < 100; i++)
		goro_waitgroup_go(&group, doze, NULL);
	int procs = goro_gomaxprocs(0);
	while (!stress_over()) {
		goro_sleep(20 * GORO_MILLISECOND);
		goro_gomaxprocs(1);
		goro_sleep(2 * GORO_MILLISECOND);
		goro_gomaxprocs(procs);
	}
	goro_waitgroup_wait(&group);
	return 0;
}
