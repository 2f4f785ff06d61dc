/*
 * cond.c: goro_cond. Waiters lie in the bucket of its address in order of arrival. A waiter queues
 * before it unlocks the mutex, so no signal sent after that is lost, and parks afterwards, unless
 * it was signalled in between. After the mutex is unlocked Wait touches only its own waiter and the
 * bucket.
 *
 * Edges: Signal, Broadcast -> return of the Waits that they wake, and no other: the waiter's own
 * address is the identity, as it may still be on its way to park, when its context is not the
 * signaller's to touch. The mutex makes its own.
 */
#include "sema.h"

enum { QUEUED, PARKED, SIGNALLED }; /* Waiter.ticket; the bucket's lock */

void goro_cond_init(goro_cond *c, goro_mutex *m)
{
	if (!c || !m)
		panic("sync: Cond of NULL");
	*c = (goro_cond){.m = m};
}

static void check(const goro_cond *c)
{
	if (unlikely(!c || !c->m))
		panic("sync: Cond without a mutex: goro_cond_init first");
}

void goro_cond_wait(goro_cond *c)
{
	sched_point(POINT_COND_WAIT, c);
	const void *pc = __builtin_return_address(0);
	check(c);
	goro_mutex *m = c->m;
	Waiter w = {.g = g_current(), .index = -1, .ticket = QUEUED};
	Bucket *b = bucket_lock(c);
	store_rlx(&c->waiters, c->waiters + 1); /* the mutex, which we hold, publishes it */
	bucket_push(b, c, &w, false);
	bucket_unlock(b);
	mutex_unlock_at(m, pc);

	bucket_lock(c);
	if (w.ticket == QUEUED) {
		w.ticket = PARKED;
		park(&b->lock, WAIT_COND, c);
	} else {
		bucket_unlock(b);
	}
	if (GORO_RACE) {
		hook_acquire(race_self(), &w);
		hook_forget(&w);
	}
	mutex_lock_at(m, pc);
}

/* w is off the queue, bucket locked. The goroutine to ready afterwards, if it parked already. */
static G *signal_one(Waiter *w)
{
	G *g = w->ticket == PARKED ? w->g : NULL;
	hook_release(race_self(), w);
	w->ticket = SIGNALLED;
	return g;
}

void goro_cond_signal(goro_cond *c)
{
	sched_point(POINT_SIGNAL, c);
	bool more;
	check(c);
	/* A waiter that counts has unlocked the mutex since; a caller who knows of it has seen that. */
	if (load_acq(&c->waiters) == 0)
		return;
	Bucket *b = bucket_lock(c);
	Waiter *w = bucket_pop(b, c, &more);
	G *g = NULL;
	if (w) {
		store_rlx(&c->waiters, c->waiters - 1);
		g = signal_one(w);
	}
	bucket_unlock(b);
	if (g)
		ready(g);
}

void goro_cond_broadcast(goro_cond *c)
{
	sched_point(POINT_BROADCAST, c);
	check(c);
	if (load_acq(&c->waiters) == 0) /* as in goro_cond_signal */
		return;
	Bucket *b = bucket_lock(c);
	Waiter *w = bucket_pop_all(b, c), *next, *parked = NULL, **end = &parked;
	store_rlx(&c->waiters, 0);
	for (; w; w = next) {
		next = w->link;
		if (signal_one(w)) {
			*end = w;
			end = &w->link;
		}
	}
	*end = NULL;
	bucket_unlock(b);
	for (; parked; parked = next) {
		next = parked->link;
		ready_tail(parked->g);
	}
}
