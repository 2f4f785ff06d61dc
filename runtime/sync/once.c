/*
 * once.c: goro_once. `done` is set once f has returned; the mutex makes others wait for it
 * meanwhile. When f ends its goroutine by goro_goexit, Do counts as done, as in Go.
 *
 * Edges: release(o) after f and before done is set; every Do acquires it after seeing done.
 */
#include "sema.h"

static void finish(void *arg)
{
	goro_once *o = arg;
	hook_release(race_self(), o);
	store_rel(&o->done, 1); /* pairs with load_acq in goro_once_do */
	mutex_unlock_quiet(&o->m);
}

static CALLS_PROGRAM void once_slow(goro_once *o, void (*f)(void *), void *arg)
{
	mutex_lock_quiet(&o->m, WAIT_ONCE, o);
	if (load_rlx(&o->done)) { /* under the mutex that its setter held */
		mutex_unlock_quiet(&o->m);
		hook_acquire(race_self(), o);
		return;
	}
	G *g = g_current();
	AtExit end = {.next = g->at_exit, .fn = finish, .arg = o};
	g->at_exit = &end; /* go_exit runs it */
	f(arg);
	g->at_exit = end.next;
	finish(o);
}

CALLS_PROGRAM void goro_once_do(goro_once *o, void (*f)(void *), void *arg)
{
	sched_point(POINT_ONCE, o);
	if (unlikely(!o || !f))
		panic("sync: Once.Do of NULL");
	if (likely(load_acq(&o->done))) /* pairs with store_rel in finish */
		hook_acquire(race_self(), o);
	else
		once_slow(o, f, arg);
}
