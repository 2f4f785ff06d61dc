/*
 * time_test.c: sleeping and channels that fire. Bounds are generous upwards: the machine may be
 * busy.
 */
#include "help.h"

#include "support/delay.h"

GoTest(time, sleep_takes_its_time)
{
	int64_t t = goro_now();
	goro_sleep(5 * GORO_MILLISECOND);
	cr_assert(goro_now() - t >= 5 * GORO_MILLISECOND);
	t = goro_now();
	goro_sleep(0);
	goro_sleep(-1);
	goro_sleep(INT64_MIN);
	cr_assert(goro_now() - t < GORO_SECOND);
	return 0;
}

static goro_chan *out;

static void sleeper(void *p)
{
	int ms = (int)(intptr_t)p;
	goro_sleep(ms * GORO_MILLISECOND);
	goro_chan_send(out, &ms);
}

GoTest(time, sleepers_wake_in_order)
{
	static const int ms[] = {90, 30, 60, 0};
	bool ordered = true;
	int64_t delay = run_delay(0);
	out = goro_chan_make(sizeof(int), 0);
	for (int i = 0; i < 4; i++)
		goro_go(sleeper, (void *)(intptr_t)ms[i]);
	for (int want = 0; want <= 90; want += 30) {
		int got;
		goro_chan_recv(out, &got);
		ordered &= got == want;
	}
	delay = run_delay(0) - delay;
	/* 30 ms lie between two: only who had no processor for so long comes behind the next. */
	cr_assert(ordered || delay >= 25 * GORO_MILLISECOND, "%lld us waited", (long long)delay / 1000);
	goro_chan_free(out);
	return 0;
}

static void many(void *p)
{
	for (int i = 0; i < 3; i++) {
		int64_t d =
		    (int64_t)((goro_id() * 7919 + (unsigned)i * 104729) % 20) * GORO_MILLISECOND;
		int64_t t = goro_now();
		goro_sleep(d);
		cr_assert(goro_now() - t >= d);
	}
	goro_waitgroup_done(p);
}

GoTest(time, ten_thousand_sleepers)
{
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, 10000);
	for (int i = 0; i < 10000; i++)
		goro_go(many, &wg);
	goro_waitgroup_wait(&wg);
	return 0;
}

GoTest(time, after_fires_once)
{
	int64_t t = goro_now(), at;
	chan(int64_t) c = goro_after(3 * GORO_MILLISECOND);
	cr_assert_eq(chan_len(c), 0);
	at = chan_recv(c);
	cr_assert(at - t >= 3 * GORO_MILLISECOND);
	cr_assert(at <= goro_now());
	goro_sleep(3 * GORO_MILLISECOND);
	cr_assert_not(chan_try_recv(c, &at));
	chan_free(c);
	return 0;
}

GoTest(time, after_of_nothing_fires_at_once)
{
	chan(int64_t) c = goro_after(0), d = goro_after(-5);
	chan_recv(c);
	chan_recv(d);
	chan_free(c);
	chan_free(d);
	return 0;
}

GoTest(time, freed_after_is_disarmed)
{
	for (int i = 0; i < 20000; i++) { /* some fire while they are freed */
		chan(int64_t) c = goro_after(i % 40 * GORO_MICROSECOND);
		if (i % 3 == 0)
			goro_gosched();
		chan_free(c);
	}
	chan_free(goro_after(GORO_HOUR));
	chan_free(goro_after(INT64_MAX));
	goro_sleep(GORO_MILLISECOND);
	return 0;
}

GoTest(time, select_with_timeout)
{
	chan(int) never = chan_make(int);
	for (int i = 0; i < 20; i++) {
		chan(int64_t) t = goro_after(GORO_MILLISECOND);
		int v;
		int64_t at;
		cr_assert_eq(chan_select(on_recv(never, &v), on_recv(t, &at)), 1);
		chan_free(t);
	}
	chan_free(never);
	return 0;
}

static int stop;

static void spin(void *unused)
{
	(void)unused;
	while (!goro_atomic_load_int32(&stop))
		goro_gosched();
}

/* A timer fires although goroutines keep the only P busy, switching among themselves. */
GoTest(time, fires_on_a_busy_processor)
{
	goro_gomaxprocs(1);
	goro_go(spin, NULL);
	goro_go(spin, NULL);
	int64_t t = goro_now();
	goro_sleep(10 * GORO_MILLISECOND);
	cr_assert(goro_now() - t < 2 * GORO_SECOND);
	goro_atomic_store_int32(&stop, 1);
	return 0;
}

/* Timers survive the P where they were armed. */
GoTest(time, timers_move_when_processors_go)
{
	out = goro_chan_make(sizeof(int), 0);
	goro_gomaxprocs(8);
	for (int i = 0; i < 100; i++)
		goro_go(sleeper, (void *)(intptr_t)(10 + i % 7));
	for (int i = 0; i < 1000; i++)
		goro_gosched();
	goro_gomaxprocs(1);
	for (int i = 0; i < 100; i++)
		goro_chan_recv(out, NULL);
	goro_chan_free(out);
	return 0;
}

GoTest(time, now_never_goes_back)
{
	int64_t last = goro_now();
	for (int i = 0; i < 10000; i++) {
		int64_t t = goro_now();
		cr_assert(t >= last);
		last = t;
	}
	return 0;
}
