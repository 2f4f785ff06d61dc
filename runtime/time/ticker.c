/*
 * ticker.c: goro_ticker: a timer (gtimer.c) that is armed again by each firing. A tick finds the channel's
 * one place free, or is dropped: a slow receiver gets the oldest tick it has not taken, and then goes on
 * with the beat.
 */
#include "gtimer.h"
#include "time.h"

static GTimer *check(goro_ticker *t)
{
	if (unlikely(!t))
		panic("time: use of a NULL ticker");
	return (GTimer *)t;
}

goro_ticker *goro_ticker_new(int64_t ns)
{
	const void *pc = __builtin_return_address(0);
	if (ns <= 0)
		panic("non-positive interval for NewTicker");
	GTimer *t = gtimer_new(NULL, NULL, pc);
	(void)gtimer_reset(t, time_after(ns), ns, pc);
	return &t->pub.ticker;
}

void goro_ticker_stop(goro_ticker *t)
{
	sched_point(POINT_TIMER, t);
	(void)gtimer_stop(check(t), __builtin_return_address(0));
}

void goro_ticker_reset(goro_ticker *t, int64_t ns)
{
	sched_point(POINT_TIMER, t);
	GTimer *g = check(t);
	if (ns <= 0)
		panic("non-positive interval for Ticker.Reset");
	(void)gtimer_reset(g, time_after(ns), ns, __builtin_return_address(0));
}

void goro_ticker_free(goro_ticker *t)
{
	if (t)
		gtimer_free((GTimer *)t, __builtin_return_address(0));
}
