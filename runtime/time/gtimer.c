/*
 * gtimer.c: goro_timer and goro_after_func, and what tickers share with them: arm, stop, reset, free.
 *
 * Go 1.23's promise: once stop or reset has returned, nothing of before arrives. A firing puts its value
 * into the channel from the scheduler (chan_post), so stopping is: timer_stop, after which no firing is
 * under way, then empty the channel. Both under t->lock, so that no other arming lies between. Go gets
 * there by keeping channel timers out of the heap while nobody receives; here they stay in it, and cost
 * a heap entry while armed.
 *
 * Edges: arming -> what it fires.
 *   channel   arming merges its clock into the channel's one slot, which the receive acquires (chan.c).
 *             It merges: what the last receive left in the slot is before the next value, as with any
 *             channel. Taking a value back orders nothing, so the slot stays as it is.
 *   function  each arming has an identity of its own, the Shot: arming releases to it, the goroutine
 *             that runs f acquires it. So f never learns of a reset that came after its firing.
 * The handle is program memory: made by alloc, read by every operation, so that a use after free is a report.
 */
#include "gtimer.h"

#include <stdlib.h>

#include "time.h"

/* One run of f: from the arming to the goroutine, which frees it. */
struct Shot {
	void (*f)(void *);
	void *arg;
};

static CALLS_PROGRAM void run_shot(void *p)
{
	Shot s = *(Shot *)p;
	if (GORO_RACE) {
		hook_acquire(race_self(), p);
		hook_forget(p);
	}
	free(p);
	s.f(s.arg);
}

/* On the scheduler. */
static void fire_func(void *arg, int64_t now)
{
	GTimer *t = arg;
	Shot *s = t->shot; /* ours: stop waits for us before it looks */
	(void)now;
	t->shot = NULL;
	G *g = go_new(run_shot, s, 0, t->pc);
	if (!g)
		fatal("out of memory: cannot start a timer's goroutine");
	go_start(g);
}

static void fire_chan(void *arg, int64_t now)
{
	chan_post(arg, &now); /* full: a tick that nobody took */
}

GTimer *gtimer_new(void (*f)(void *), void *arg, const void *pc)
{
	(void)g_current(); /* the runtime runs from here on, on a foreign thread too */
	GTimer *t = malloc(sizeof(*t));
	if (!t)
		fatal("out of memory: cannot make a timer");
	*t = (GTimer){.lock = LOCK_INIT(OUTER), .f = f, .arg = arg, .pc = pc};
	if (f) {
		t->timer = (Timer){.fn = fire_func, .arg = t};
	} else {
		t->c = chan_new(sizeof(int64_t), 1, pc);
		t->pub.timer.c = (GORO_CHAN(int64_t))(uintptr_t)t->c;
		t->timer = (Timer){.fn = fire_chan, .arg = t->c};
	}
	if (GORO_RACE)
		hook_alloc(race_self(), t, sizeof(*t), pc);
	return t;
}

/* Take the value back that nobody received. Without a trace for the detector: it orders nothing. */
static bool empty(goro_chan *c)
{
	P *alone = chan_lock(c);
	bool was = c->count > 0;
	if (was)
		store_rlx(&c->count, 0); /* of one slot: the indices stay */
	chan_unlock(c, alone);
	return was;
}

/* t->lock held. */
static bool disarm(GTimer *t)
{
	bool was = timer_stop(&t->timer);
	if (t->c && empty(t->c))
		was = true;
	return was;
}

bool gtimer_stop(GTimer *t, const void *pc)
{
	if (GORO_RACE)
		hook_read(race_self(), t, 1, pc);
	lock(&t->lock);
	bool was = disarm(t);
	unlock(&t->lock);
	return was;
}

bool gtimer_reset(GTimer *t, int64_t when, int64_t period, const void *pc)
{
	RaceCtx *me = race_self();
	hook_read(me, t, 1, pc);
	lock(&t->lock);
	bool was = disarm(t);
	if (t->c) {
		hook_release_merge(me, chan_first_slot(t->c));
	} else {
		if (!t->shot && !(t->shot = malloc(sizeof(Shot))))
			fatal("out of memory: cannot arm a timer");
		*t->shot = (Shot){.f = t->f, .arg = t->arg};
		hook_release(me, t->shot);
	}
	t->timer.period = period;
	timer_arm(&t->timer, when);
	unlock(&t->lock);
	return was;
}

void gtimer_free(GTimer *t, const void *pc)
{
	(void)gtimer_stop(t, pc);
	if (GORO_RACE) {
		if (t->shot)
			hook_forget(t->shot);
		hook_free(race_self(), t, sizeof(*t), pc);
	}
	free(t->shot);
	goro_chan_free(t->c);
	free(t);
}

/* ---- the public ones ---- */

static GTimer *check(goro_timer *t)
{
	if (unlikely(!t))
		panic("time: use of a NULL timer");
	return (GTimer *)t;
}

goro_timer *goro_timer_new(int64_t ns)
{
	const void *pc = __builtin_return_address(0);
	GTimer *t = gtimer_new(NULL, NULL, pc);
	(void)gtimer_reset(t, time_after(ns), 0, pc);
	return &t->pub.timer;
}

goro_timer *goro_after_func(int64_t ns, void (*f)(void *), void *arg)
{
	const void *pc = __builtin_return_address(0);
	if (!f)
		panic("time: AfterFunc of a NULL function");
	GTimer *t = gtimer_new(f, arg, pc);
	(void)gtimer_reset(t, time_after(ns), 0, pc);
	return &t->pub.timer;
}

bool goro_timer_stop(goro_timer *t)
{
	sched_point(POINT_TIMER, t);
	return gtimer_stop(check(t), __builtin_return_address(0));
}

bool goro_timer_reset(goro_timer *t, int64_t ns)
{
	sched_point(POINT_TIMER, t);
	return gtimer_reset(check(t), time_after(ns), 0, __builtin_return_address(0));
}

void goro_timer_free(goro_timer *t)
{
	if (t)
		gtimer_free((GTimer *)t, __builtin_return_address(0));
}
