/*
 * timer_test.c: goro_timer, goro_ticker, goro_after_func through goro.h: that they fire, no earlier than
 * asked, and that nothing of before a stop or reset arrives after it (Go 1.23).
 */
#include "help.h"

#define MS GORO_MILLISECOND

GoTest(timer, fires_once_and_not_early)
{
	int64_t start = goro_now();
	goro_timer *t = goro_timer_new(5 * MS);
	int64_t v = chan_recv(t->c);
	cr_assert_geq(v, start + 5 * MS);
	cr_assert_geq(goro_now(), v);
	goro_sleep(2 * MS);
	cr_assert_eq(chan_len(t->c), 0);
	cr_assert_not(goro_timer_stop(t));
	goro_timer_free(t);
	return 0;
}

GoTest(timer, past_fires_at_once)
{
	goro_timer *t = goro_timer_new(-1), *z = goro_timer_new(0);
	(void)chan_recv(t->c);
	(void)chan_recv(z->c);
	goro_timer_free(t);
	goro_timer_free(z);
	return 0;
}

GoTest(timer, far_future_does_not_overflow)
{
	goro_timer *t = goro_timer_new(INT64_MAX);
	goro_sleep(MS);
	cr_assert(goro_timer_stop(t));
	cr_assert_not(goro_timer_stop(t));
	goro_timer_free(t);
	return 0;
}

GoTest(timer, stop_takes_back_a_value_not_received)
{
	goro_timer *t = goro_timer_new(0);
	while (chan_len(t->c) == 0)
		goro_gosched();
	cr_assert(goro_timer_stop(t), "the value was still there");
	cr_assert_eq(chan_len(t->c), 0);
	cr_assert_not(goro_timer_stop(t));
	goro_timer_free(t);
	return 0;
}

GoTest(timer, reset_leaves_nothing_stale)
{
	goro_timer *t = goro_timer_new(0);
	for (int i = 0; i < 50; i++) {
		while (chan_len(t->c) == 0)
			goro_gosched();
		int64_t now = goro_now();
		cr_assert(goro_timer_reset(t, MS / 10));
		cr_assert_geq(chan_recv(t->c), now + MS / 10);
		cr_assert_not(goro_timer_reset(t, 0));
	}
	goro_timer_free(t);
	return 0;
}

GoTest(timer, in_a_select)
{
	chan(int) never = chan_make(int);
	goro_timer *t = goro_timer_new(2 * MS);
	int64_t when = 0;
	int v = 0;
	cr_assert_eq(chan_select(on_recv(never, &v), on_recv(t->c, &when)), 1);
	cr_assert_gt(when, 0);
	goro_timer_free(t);
	chan_free(never);
	return 0;
}

static void resetter(void *p)
{
	goro_timer *t = p;
	for (int i = 0; i < 2000; i++) {
		if (i % 3 == 0)
			goro_timer_stop(t);
		else
			goro_timer_reset(t, i % 5 == 0 ? 0 : GORO_MICROSECOND * (i % 50));
		if (i % 64 == 0)
			goro_sleep(GORO_MICROSECOND);
	}
}

GoTest(timer, many_may_stop_and_reset)
{
	goro_timer *t = goro_timer_new(MS);
	goro_waitgroup wg = {0};
	for (int i = 0; i < 4; i++)
		goro_waitgroup_go(&wg, resetter, t);
	goro_waitgroup_wait(&wg);
	goro_timer_stop(t);
	cr_assert_eq(chan_len(t->c), 0);
	goro_timer_reset(t, 0);
	(void)chan_recv(t->c);
	goro_timer_free(t);
	return 0;
}

/* ---- after_func ---- */

static void count_up(void *p)
{
	goro_atomic_add_int32(p, 1);
}

static void id_to(void *p)
{
	chan(uint64_t) c = (chan(uint64_t))p;
	chan_send(c, goro_id());
}

GoTest(after_func, runs_in_its_own_goroutine)
{
	chan(uint64_t) c = chan_make(uint64_t);
	goro_timer *t = goro_after_func(MS, id_to, (void *)c);
	cr_assert_null(t->c);
	cr_assert_neq(chan_recv(c), goro_id());
	cr_assert_not(goro_timer_stop(t));
	cr_assert_not(goro_timer_reset(t, MS));
	cr_assert_gt(chan_recv(c), 0);
	goro_timer_free(t);
	chan_free(c);
	return 0;
}

GoTest(after_func, stopped_never_runs)
{
	int32_t n = 0;
	goro_timer *t = goro_after_func(5 * MS, count_up, &n);
	cr_assert(goro_timer_stop(t));
	goro_sleep(10 * MS);
	cr_assert_eq(goro_atomic_load_int32(&n), 0);
	goro_timer_free(t);
	t = goro_after_func(5 * MS, count_up, &n);
	goro_timer_free(t);
	goro_sleep(10 * MS);
	cr_assert_eq(goro_atomic_load_int32(&n), 0);
	return 0;
}

GoTest(after_func, stop_answers_whether_it_ran)
{
	enum { N = 300 };
	int32_t ran = 0;
	int stopped = 0;
	goro_timer *t[N];
	for (int i = 0; i < N; i++)
		t[i] = goro_after_func(i * 10 * GORO_MICROSECOND, count_up, &ran);
	goro_sleep(MS);
	for (int i = 0; i < N; i++)
		stopped += goro_timer_stop(t[i]);
	while (goro_atomic_load_int32(&ran) + stopped < N)
		goro_gosched();
	goro_sleep(5 * MS);
	cr_assert_eq(goro_atomic_load_int32(&ran) + stopped, N);
	for (int i = 0; i < N; i++)
		goro_timer_free(t[i]);
	return 0;
}

typedef struct Self {
	chan(goro_timer *) self;
	chan(int) done;
} Self;

static void free_self(void *p)
{
	Self *s = p;
	goro_timer_free(chan_recv(s->self));
	chan_send(s->done, 1);
}

GoTest(after_func, may_free_itself)
{
	Self s = {chan_make(goro_timer *, 1), chan_make(int)};
	chan_send(s.self, goro_after_func(0, free_self, &s));
	cr_assert_eq(chan_recv(s.done), 1);
	chan_free(s.self);
	chan_free(s.done);
	return 0;
}

/* ---- ticker ---- */

GoTest(ticker, keeps_the_beat)
{
	int64_t start = goro_now(), last = 0;
	goro_ticker *t = goro_ticker_new(2 * MS);
	for (int i = 1; i <= 5; i++) {
		int64_t v = chan_recv(t->c);
		cr_assert_gt(v, last);
		cr_assert_geq(v, start + i * 2 * MS);
		last = v;
	}
	goro_ticker_free(t);
	return 0;
}

GoTest(ticker, drops_for_the_slow)
{
	goro_ticker *t = goro_ticker_new(MS);
	goro_sleep(20 * MS);
	cr_assert_eq(chan_len(t->c), 1);
	int64_t first = chan_recv(t->c), second = chan_recv(t->c);
	cr_assert_geq(second - first, 2 * MS, "those in between were dropped");
	goro_ticker_free(t);
	return 0;
}

GoTest(ticker, stop_is_final_and_reset_starts_anew)
{
	goro_ticker *t = goro_ticker_new(MS);
	goro_sleep(3 * MS);
	goro_ticker_stop(t);
	cr_assert_eq(chan_len(t->c), 0);
	goro_sleep(5 * MS);
	cr_assert_eq(chan_len(t->c), 0);
	int64_t now = goro_now();
	goro_ticker_reset(t, 3 * MS);
	cr_assert_geq(chan_recv(t->c), now + 3 * MS);
	goro_ticker_free(t);
	return 0;
}

DieTest(ticker, non_positive_interval, "panic: non-positive interval for NewTicker")
{
	(void)goro_ticker_new(0);
	return 0;
}

DieTest(ticker, non_positive_reset, "panic: non-positive interval for Ticker.Reset")
{
	goro_ticker *t = goro_ticker_new(1);
	goro_ticker_reset(t, -5);
	return 0;
}

DieTest(after_func, null_function, "AfterFunc of a NULL function")
{
	(void)goro_after_func(1, NULL, NULL);
	return 0;
}
