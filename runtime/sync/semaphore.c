/*
 * semaphore.c: goro_semaphore: units taken and given back in lots, first come first served, as x/sync's.
 *
 * s->lock (rank SEMA) guards all of it. Waiters lie on their own stacks in a queue; whoever gives units
 * back, or leaves the head of the queue, grants what now fits from the head on and readies those after
 * unlocking. A waiter is granted, or cancelled by its context (whose watch takes it off the queue), never
 * both: its state changes under the lock. Nobody is granted while one before it waits, so a large
 * request does not starve.
 *
 * A request for more than there is is never queued (it would block the queue for ever): it waits for its
 * context alone.
 *
 * Edges: release merges its clock into the semaphore, whoever takes units acquires the sum: releases are
 * before the acquires that follow them, as those of a counting semaphore in C++20. Taking orders nothing
 * for others, nor does a failure; cancel -> the acquire that fails because of it, by goro_context_err.
 */
#include <errno.h>

#include "context.h"
#include "sema.h"

typedef enum SemState { SEM_NEW, SEM_WAITING, SEM_GRANTED, SEM_CANCELLED } SemState;

typedef struct SemWaiter SemWaiter;
struct SemWaiter {
	SemWaiter *next, *prev; /* queue; once granted: the list of who is to be readied */
	goro_semaphore *s;
	G *g;
	int64_t n;
	SemState state;
	ContextWatch watch;
};

_Static_assert(sizeof(Lock) == sizeof(((goro_semaphore *)0)->lock), "goro.h has room for a Lock");

static inline Lock *lock_of(goro_semaphore *s)
{
	return (Lock *)s->lock;
}

static void check(const goro_semaphore *s, int64_t n)
{
	if (unlikely(!s))
		panic("semaphore: use of a NULL semaphore");
	if (unlikely(n < 0))
		panic("semaphore: negative number of units");
}

static void queue(goro_semaphore *s, SemWaiter *w)
{
	w->next = NULL;
	w->prev = s->tail;
	if (w->prev)
		w->prev->next = w;
	else
		s->head = w;
	s->tail = w;
}

static void unqueue(goro_semaphore *s, SemWaiter *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		s->head = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		s->tail = w->prev;
}

/* Locked. Grant what fits from the head on; those to be readied, by next. */
static SemWaiter *grant(goro_semaphore *s)
{
	SemWaiter *granted = NULL, **end = &granted, *w;
	while ((w = s->head) && s->size - s->used >= w->n) {
		s->used += w->n;
		unqueue(s, w);
		w->state = SEM_GRANTED;
		*end = w;
		end = &w->next;
	}
	*end = NULL;
	return granted;
}

/* Unlocked. */
static void ready_all(SemWaiter *w)
{
	for (SemWaiter *next; w; w = next) {
		next = w->next; /* before: a woken goroutine's waiter is gone */
		ready_tail(w->g);
	}
}

/* Locked. */
static bool try_take(goro_semaphore *s, int64_t n)
{
	if (s->head || s->size - s->used < n)
		return false;
	s->used += n;
	return true;
}

static void give_back(goro_semaphore *s, int64_t n)
{
	lock(lock_of(s));
	if (s->used < n) {
		unlock(lock_of(s));
		panic("semaphore: released more than held");
	}
	s->used -= n;
	SemWaiter *granted = grant(s);
	unlock(lock_of(s));
	ready_all(granted);
}

/* The context is cancelled. */
static void cancelled(ContextWatch *watch)
{
	SemWaiter *w = list_entry(watch, SemWaiter, watch), *granted = NULL;
	goro_semaphore *s = w->s;
	G *wake = NULL;
	lock(lock_of(s));
	if (w->state == SEM_WAITING) {
		if (w->n <= s->size) { /* else it was never queued */
			unqueue(s, w);
			granted = grant(s); /* it may have been the one that held the others up */
		}
		wake = w->g;
	}
	if (w->state != SEM_GRANTED)
		w->state = SEM_CANCELLED;
	unlock(lock_of(s));
	if (wake)
		ready_tail(wake);
	ready_all(granted);
}

static __attribute__((noinline)) int acquire_slow(goro_semaphore *s, goro_context *ctx, int64_t n)
{
	SemWaiter w = {.s = s, .g = g_current(), .n = n, .watch.fn = cancelled};
	int err = ctx ? context_watch(ctx, &w.watch) : 0;
	if (err)
		return err;
	lock(lock_of(s));
	if (w.state == SEM_NEW && try_take(s, n)) {
		w.state = SEM_GRANTED;
		unlock(lock_of(s));
	} else if (w.state == SEM_NEW) {
		w.state = SEM_WAITING;
		if (n <= s->size)
			queue(s, &w);
		park(lock_of(s), WAIT_SEMACQUIRE, s);
	} else {
		unlock(lock_of(s));
	}
	if (!ctx)
		return 0;
	context_unwatch(ctx, &w.watch);
	err = goro_context_err(ctx);
	if (err && w.state == SEM_GRANTED) /* both came: as in x/sync, the context wins */
		give_back(s, n);
	return err;
}

void goro_semaphore_init(goro_semaphore *s, int64_t n)
{
	check(s, n);
	*s = (goro_semaphore){.size = n};
	*lock_of(s) = (Lock)LOCK_INIT(SEMA);
}

int goro_semaphore_acquire(goro_semaphore *s, goro_context *ctx, int64_t n)
{
	sched_point(POINT_ACQUIRE, s);
	int err;
	check(s, n);
	if (ctx && (err = goro_context_err(ctx)))
		return err;
	lock(lock_of(s));
	bool taken = try_take(s, n), never = n > s->size;
	unlock(lock_of(s));
	if (!taken) {
		if (never && !context_can_end(ctx))
			return -EINVAL;
		if ((err = acquire_slow(s, ctx, n)))
			return err;
	}
	hook_acquire(race_self(), s);
	return 0;
}

bool goro_semaphore_try_acquire(goro_semaphore *s, int64_t n)
{
	sched_point(POINT_ACQUIRE, s);
	check(s, n);
	lock(lock_of(s));
	bool taken = try_take(s, n);
	unlock(lock_of(s));
	if (taken)
		hook_acquire(race_self(), s);
	return taken;
}

void goro_semaphore_release(goro_semaphore *s, int64_t n)
{
	sched_point(POINT_RELEASE, s);
	check(s, n);
	hook_release_merge(race_self(), s);
	give_back(s, n);
}
