/*
 * cancel.c: requests to cancel a thread. See cancel.h.
 */
#include "cancel.h"

#include "clock/syncvar.h"
#include "pool.h"
#include "thread.h"

struct Cancel {
	Cancel *next; /* constant once pushed */
	Clock clock;  /* all that its maker knew */
};

static Pool cancels = POOL_INIT(sizeof(Cancel));

static void drop(Cancel *k)
{
	clock_clear(&k->clock);
	pool_put(&cancels, k);
}

/* The list, which is the caller's from here on. */
static Cancel *take(RaceCtx *c)
{
	return swap_ar(&c->cancels, (Cancel *)NULL); /* pairs with cas_ar in push */
}

/* Out of line: hardly ever. */
__attribute__((noinline)) bool cancel_take_all(RaceCtx *c)
{
	if (c->uncancellable)
		return false;
	Cancel *k = take(c);
	bool any = k != NULL;
	while (k) {
		Cancel *next = k->next;
		ctx_learn(c, (ClockPair){0, 0}, &k->clock);
		drop(k);
		k = next;
	}
	return any;
}

void cancel_drop(RaceCtx *c)
{
	for (Cancel *next, *k = take(c); k; k = next) {
		next = k->next;
		drop(k);
	}
}

typedef struct Request {
	uintptr_t handle;
	Cancel *k; /* NULL once pushed */
} Request;

/* Under the contexts' lock: c stays. A few may push at once, and its owner take. */
static bool push(RaceCtx *c, void *arg)
{
	Request *r = arg;
	if (load_rlx(&c->handle) != r->handle) /* relaxed: see race_thread_handle */
		return false;
	do
		r->k->next = load_rlx(&c->cancels);     /* relaxed: nothing is read through it */
	while (!cas_ar(&c->cancels, r->k->next, r->k)); /* pairs with swap_ar in take */
	r->k = NULL;
	return true;
}

void race_thread_cancel(RaceCtx *me, uintptr_t handle)
{
	RaceThread *t = &race_thread;
	if (!me || me->ignore_sync || !race_enter(t))
		return;
	Request r = {handle, pool_get(&cancels)};
	ClockPair p = race_publish(me);
	clock_copy(&r.k->clock, &me->clock);
	clock_raise(&r.k->clock, p.slot, p.epoch);
	ctx_each(
	    push, &r); /* the newest first: a child of fork has its parent's dead beside its own */
	if (r.k)
		drop(r.k);
	race_leave(t);
}

void race_thread_handle(RaceCtx *child, uintptr_t handle)
{
	if (child) /* relaxed: whoever has the handle learnt it from who stored it here */
		store_rlx(&child->handle, handle);
}

void race_thread_cancellable(RaceCtx *me, bool enabled)
{
	RaceThread *t = &race_thread;
	if (!me || !race_enter(t))
		return;
	if (!enabled)
		cancel_take(me); /* one of a cleanup handler's may be why it runs */
	me->uncancellable = !enabled;
	race_leave(t);
}
