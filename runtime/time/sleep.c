/*
 * sleep.c: goro_sleep and goro_now. The timer lies on the sleeper's stack and is armed on the other
 * side of the switch: armed before, it could fire on another M while the sleeper still runs here.
 * Sleeping orders nothing.
 */
#include "time.h"

typedef struct Sleep {
	Timer timer;
	int64_t when;
} Sleep;

static void wake(void *arg, int64_t now)
{
	(void)now;
	ready_tail(arg);
}

static void arm(G *g, void *arg)
{
	Sleep *s = arg;
	(void)g;
	timer_arm(&s->timer, s->when); /* its last touch of s */
}

void goro_sleep(int64_t ns)
{
	sched_point(POINT_SLEEP, NULL);
	if (ns <= 0)
		return;
	Sleep s = {
	    .timer = {.fn = wake, .arg = g_current(), .fixed = true}, .when = time_after(ns)};
	park_fn(arm, &s, WAIT_SLEEP, NULL);
}

int64_t goro_now(void)
{
	sched_point(POINT_CLOCK, NULL);
	return sched_now();
}
