/*
 * context_test.c: timers, contexts, semaphores, groups, pools and signal channels under load, each pulled
 * at from all sides at once: nothing leaks, nothing comes twice, no wake-up is lost.
 */
#include "stress.h"

#include <signal.h>
#include <stdlib.h>

enum { N = 6, UNITS = 3 };

static goro_waitgroup all;

static void run_all(int n, void (*f)(void *), void *arg)
{
	for (int i = 0; i < n; i++)
		goro_waitgroup_go(&all, f, arg);
	goro_waitgroup_wait(&all);
}

static uint64_t seed(void)
{
	return goro_id() * 0x9E3779B97F4A7C15 + 1;
}

/* ---- timers ---- */

static int32_t ran, armed, taken_back;

static void count_run(void *unused)
{
	(void)unused;
	goro_atomic_add_int32(&ran, 1);
}

/* Each arming either runs once, or is taken back by the stop or reset that said so. */
static void rearm(void *p)
{
	uint64_t rnd = seed();
	while (!stress_over()) {
		for (int i = 0; i < 50; i++) {
			bool was;
			if (stress_random(&rnd, 3) == 0) {
				was = goro_timer_stop(p);
			} else {
				goro_atomic_add_int32(&armed, 1);
				was = goro_timer_reset(p, stress_random(&rnd, 50) * GORO_MICROSECOND);
			}
			goro_atomic_add_int32(&taken_back, was);
			if (stress_random(&rnd, 8) == 0)
				goro_sleep(stress_random(&rnd, 60) * GORO_MICROSECOND);
		}
		stress_progress();
	}
}

StressTest(timer, each_arming_runs_or_is_taken_back)
{
	goro_timer *t = goro_after_func(GORO_HOUR, count_run, NULL);
	armed = 1;
	run_all(N, rearm, t);
	taken_back += goro_timer_stop(t);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	stress_check(goro_atomic_load_int32(&ran) + taken_back == armed);
	goro_timer_free(t);
	return 0;
}

static int32_t received;

static void take_values(void *p)
{
	goro_timer *t = p;
	int64_t v;
	while (!stress_over()) {
		if (chan_try_recv(t->c, &v))
			goro_atomic_add_int32(&received, 1);
		else
			goro_sleep(5 * GORO_MICROSECOND);
		stress_progress();
	}
}

StressTest(timer, each_value_is_received_or_taken_back)
{
	goro_timer *t = goro_timer_new(GORO_HOUR);
	armed = 1;
	goro_waitgroup_go(&all, take_values, t);
	run_all(N, rearm, t);
	taken_back += goro_timer_stop(t);
	stress_check(received + taken_back == armed);
	goro_timer_free(t);
	return 0;
}

/* ---- contexts ---- */

static void grow_and_cut(void *root)
{
	uint64_t rnd = seed();
	while (!stress_over()) {
		goro_context *c[8];
		for (int i = 0; i < 8; i++) {
			goro_context *up = i ? c[stress_random(&rnd, (uint32_t)i)] : root;
			c[i] = stress_random(&rnd, 2) ? goro_with_cancel(up)
						      : goro_with_timeout(up, stress_random(&rnd, 100) *
										  GORO_MICROSECOND);
		}
		goro_cancel(c[stress_random(&rnd, 8)]);
		if (stress_random(&rnd, 4) == 0) {
			goro_cancel(c[0]);
			(void)chan_recv(goro_context_done(c[7]));
			stress_check(goro_context_err(c[7]) != 0);
		}
		for (uint32_t i = 0, first = stress_random(&rnd, 8); i < 8; i++)
			goro_context_free(c[(first + i) % 8]);
		stress_progress();
	}
}

StressTest(context, trees)
{
	goro_context *root = goro_with_cancel(goro_background());
	run_all(N, grow_and_cut, root);
	stress_check(goro_context_err(root) == 0);
	goro_context_free(root);
	return 0;
}

/* ---- semaphore ---- */

static goro_semaphore sema;
static int32_t used;

static void compete(void *unused)
{
	uint64_t rnd = seed();
	(void)unused;
	while (!stress_over()) {
		goro_context *ctx = stress_random(&rnd, 2)
		    ? goro_with_timeout(goro_background(), stress_random(&rnd, 80) * GORO_MICROSECOND)
		    : NULL;
		int n = (int)stress_random(&rnd, UNITS) + 1;
		if (goro_semaphore_acquire(&sema, ctx, n) == 0) {
			stress_check(goro_atomic_add_int32(&used, n) <= UNITS);
			if (stress_random(&rnd, 2))
				goro_sleep(20 * GORO_MICROSECOND);
			goro_atomic_add_int32(&used, -n);
			goro_semaphore_release(&sema, n);
		}
		if (ctx)
			goro_context_free(ctx);
		stress_progress();
	}
}

StressTest(semaphore, no_unit_is_lost)
{
	goro_semaphore_init(&sema, UNITS);
	run_all(N, compete, NULL);
	stress_check(goro_semaphore_try_acquire(&sema, UNITS));
	return 0;
}

/* ---- group ---- */

static int32_t busy;

static int member(void *p)
{
	stress_check(goro_atomic_add_int32(&busy, 1) <= UNITS);
	goro_gosched();
	goro_atomic_add_int32(&busy, -1);
	return *(int *)p;
}

StressTest(group, rounds)
{
	static int good = 0, bad = -5;
	uint64_t rnd = seed();
	while (!stress_over()) {
		goro_group g = {0};
		goro_group_set_limit(&g, UNITS);
		goro_context *ctx = goro_group_with_context(&g, goro_background());
		uint32_t which = stress_random(&rnd, 20);
		for (uint32_t i = 0; i < 20; i++)
			stress_check(goro_group_go(&g, member, i == which ? &bad : &good) == 0);
		stress_check(goro_group_wait(&g) == bad);
		stress_check(goro_context_cause(ctx) == bad);
		goro_context_free(ctx);
		stress_progress();
	}
	return 0;
}

/* ---- pool ---- */

static int32_t made, dropped;

static void *make_one(void)
{
	goro_atomic_add_int32(&made, 1);
	return calloc(1, sizeof(int32_t));
}

static void drop_one(void *x)
{
	dropped++;
	free(x);
}

static goro_pool pool = {.make = make_one};

static void borrow(void *unused)
{
	uint64_t rnd = seed();
	(void)unused;
	while (!stress_over()) {
		int32_t *x[5];
		uint32_t n = stress_random(&rnd, 5) + 1;
		for (uint32_t i = 0; i < n; i++) {
			x[i] = goro_pool_get(&pool);
			stress_check(goro_atomic_add_int32(x[i], 1) == 1);
		}
		if (stress_random(&rnd, 16) == 0)
			goro_gosched();
		for (uint32_t i = 0; i < n; i++) {
			goro_atomic_add_int32(x[i], -1);
			goro_pool_put(&pool, x[i]);
		}
		stress_progress();
	}
}

StressTest(pool, each_thing_to_one)
{
	run_all(N, borrow, NULL);
	goro_pool_drain(&pool, drop_one);
	stress_check(made == dropped);
	return 0;
}

/* ---- signals ---- */

static void nothing(int sig)
{
	(void)sig;
}

static int32_t listeners;

static void raise_some(void *unused)
{
	(void)unused;
	while (goro_atomic_load_int32(&listeners)) { /* the last of them waits for one more */
		raise(SIGUSR1);
		goro_sleep(10 * GORO_MICROSECOND);
	}
}

static void listen(void *unused)
{
	(void)unused;
	while (!stress_over()) {
		chan(int) c = chan_make(int, 1);
		stress_check(goro_signal_notify(c, SIGUSR1, 0) == 0);
		stress_check(chan_recv(c) == SIGUSR1);
		goro_signal_stop(c);
		chan_close(c); /* a send after stop would be a panic */
		chan_free(c);
		stress_progress();
	}
	goro_atomic_add_int32(&listeners, -1);
}

StressTest(signal, listeners_come_and_go)
{
	signal(SIGUSR1, nothing);
	listeners = 3;
	goro_waitgroup_go(&all, raise_some, NULL);
	run_all(3, listen, NULL);
	return 0;
}
