/*
 * mutex.c: goro_mutex, one word. Barging, as Go's normal mode: who comes while it is free gets it,
 * woken waiters compete. Starvation-free, as Go's starvation mode: a waiter of more than STARVE_NS
 * is handed the lock. Unlike Go's, the word is not touched after the store that frees it (as in
 * WebKit's and parking_lot's locks), since C frees the memory of a mutex as soon as nobody needs
 * it.
 *
 *   LOCKED   somebody owns it
 *   WAITERS  there are waiters in the bucket of its address; changed under the bucket's lock
 *   WOKEN    one was taken off to compete and has not yet succeeded or queued again: one at a time
 *            is enough, further unlocks need not wake more
 *
 * No wake-up is lost: a waiter queues itself only while it sees LOCKED, setting WAITERS in the same
 * cas. So an owner comes after it, whose unlock finds WAITERS. It wakes one, unless WOKEN says that
 * one is on its way: that one becomes an owner itself (see above), or queues again because it saw
 * LOCKED, clearing WOKEN in the same cas, so that this owner's unlock, still to come, wakes.
 * While an owner holds the bucket's lock too, nobody else changes the word: lockers need it
 * unlocked, queuers and other unlocks need the bucket.
 *
 * Edges: unlock release(m) before the word says so, lock acquire(m) after. Owners follow one
 * another, so overwriting is exact.
 */
#include "../sched/solo.h"
#include "sema.h"

enum { LOCKED = 1, WAITERS = 2, WOKEN = 4 };
enum { COMPETE, HANDED }; /* Waiter.ticket: what the waker did */

#define STARVE_NS 1000000 /* Go's */
#define SPINS     4       /* Go's: rounds of PAUSES */
#define PAUSES    30

static inline bool try_lock(goro_mutex *m, uint32_t clear)
{
	for (uint32_t s = load_rlx(&m->state); !(s & LOCKED); s = load_rlx(&m->state))
		/* Pairs with cas_rel in unlock_once. */
		if (cas_acq(&m->state, s, (s | LOCKED) & ~clear))
			return true;
	return false;
}

/*
 * The fast paths: one locked instruction, also while others wait; none while the caller's P runs alone (sched/solo.h).
 * Every operation begins with one of them, and so, on a thread without a P, with solo_no_p: the cas of the slow paths
 * meet no section.
 */
static inline bool lock_once(goro_mutex *m)
{
	P *alone = solo_enter_self();
	uint32_t s = load_rlx(&m->state);
	if (alone) {
		if (!(s & LOCKED))
			store_rlx(&m->state, s | LOCKED);
		solo_leave(alone);
		return !(s & LOCKED);
	}
	return !(s & LOCKED) &&
	       cas_acq(&m->state, s, s | LOCKED); /* pairs with cas_rel in unlock_once */
}

static inline bool unlock_once(goro_mutex *m)
{
	P *alone = solo_enter_self();
	uint32_t s = load_rlx(&m->state);
	bool plain = (s & LOCKED) && (s & (WAITERS | WOKEN)) != WAITERS;
	if (alone) {
		if (plain)
			store_rel(&m->state, s & ~(uint32_t)LOCKED);
		solo_leave(alone);
		return plain;
	}
	/* pairs with cas_acq in lock_once, try_lock */
	return plain && cas_rel(&m->state, s, s & ~(uint32_t)LOCKED);
}

/* Worth it only while another M runs, perhaps the owner; no more than a moment. */
static bool spin(goro_mutex *m, uint32_t clear)
{
	if (load_rlx(&sched.procs) < 2 || load_rlx(&sched.nidle_p) + 1 >= load_rlx(&sched.procs))
		return false;
	for (int i = 0; i < SPINS; i++) {
		for (int j = 0; j < PAUSES; j++)
			cpu_relax();
		if (try_lock(m, clear))
			return true;
	}
	return false;
}

static __attribute__((noinline)) void lock_contended(goro_mutex *m, WaitReason why, const void *on)
{
	/* Mostly it is free: others wait, or one was woken, so that the word was not 0. */
	if (try_lock(m, 0) || spin(m, 0))
		return;
	Waiter w = {.g = g_current(), .index = -1, .since = sched_now()};
	uint32_t clear = 0; /* WOKEN, from the first wake-up on: we are the one it stands for */
	while (!try_lock(m, clear)) {
		Bucket *b = bucket_lock(m);
		uint32_t s = load_rlx(&m->state);
		if (!(s & LOCKED) || !cas_rlx(&m->state, s, (s | WAITERS) & ~clear)) {
			bucket_unlock(b);
			continue;
		}
		w.ticket = COMPETE;
		bucket_push(b, m, &w, clear != 0);
		park(&b->lock, why, on);
		if (w.ticket == HANDED)
			return;
		clear = WOKEN;
		if (try_lock(m, clear) || spin(m, clear))
			return;
	}
}

static __attribute__((noinline)) void unlock_contended(goro_mutex *m)
{
	for (;;) {
		uint32_t s = load_rlx(&m->state);
		if (!(s & LOCKED))
			fatal("sync: unlock of unlocked mutex");
		if ((s & WAITERS) && !(s & WOKEN))
			break;
		if (unlock_once(m))
			return;
	}
	int64_t now = sched_now();
	bool more;
	Bucket *b = bucket_lock(m);
	Waiter *w = bucket_pop(b, m, &more);
	if (!w) /* another unlock, which owns it as little as we, was faster */
		fatal("sync: unlock of unlocked mutex");
	uint32_t rest = more ? WAITERS : 0;
	bool hand = now - w->since > STARVE_NS;
	if (hand) {
		/* Its park returns the owner; bucket and ready publish what we did. */
		w->ticket = HANDED;
		store_rel(&m->state, rest | LOCKED);
	} else {
		store_rel(&m->state, rest | WOKEN); /* pairs with cas_acq in try_lock */
	}
	bucket_unlock(b);
	ready(w->g);
	G *me = g_self();
	if (hand &&
	    me) /* Go's rule too: while the new owner waits for its turn, nobody has the lock */
		store_rlx(&me->preempt, 1);
}

void mutex_lock_quiet(goro_mutex *m, WaitReason why, const void *on)
{
	if (unlikely(!lock_once(m)))
		lock_contended(m, why, on);
}

void mutex_unlock_quiet(goro_mutex *m)
{
	if (unlikely(!unlock_once(m)))
		unlock_contended(m);
}

bool mutex_trylock_quiet(goro_mutex *m)
{
	return lock_once(m) || try_lock(m, 0);
}

void mutex_lock_at(goro_mutex *m, const void *pc)
{
	if (!GORO_RACE) {
		mutex_lock_quiet(m, WAIT_MUTEX, m);
		return;
	}
	if (unlikely(!lock_once(m))) {
		hook_lock_wait(race_self(), m, LOCK_WRITE, pc);
		lock_contended(m, WAIT_MUTEX, m);
	}
	RaceCtx *me = race_self();
	hook_acquire(me, m);
	hook_lock(me, m, LOCK_WRITE, pc);
}

void mutex_unlock_at(goro_mutex *m, const void *pc)
{
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		if (!(load_rlx(&m->state) & LOCKED)) /* before release spoils the mutex's clock */
			fatal("sync: unlock of unlocked mutex");
		hook_unlock(me, m, LOCK_WRITE, pc);
		hook_release(me, m);
	}
	mutex_unlock_quiet(m);
}

void goro_mutex_lock(goro_mutex *m)
{
	sched_point(POINT_LOCK, m);
	if (unlikely(!m))
		panic("sync: lock of nil mutex");
	if (GORO_RACE)
		mutex_lock_at(m, __builtin_return_address(0));
	else if (unlikely(!lock_once(m)))
		lock_contended(m, WAIT_MUTEX, m);
}

bool goro_mutex_trylock(goro_mutex *m)
{
	sched_point(POINT_LOCK, m);
	if (unlikely(!m))
		panic("sync: lock of nil mutex");
	if (!mutex_trylock_quiet(m))
		return false;
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		hook_acquire(me, m);
		hook_trylock(me, m, LOCK_WRITE, __builtin_return_address(0));
	}
	return true;
}

void goro_mutex_unlock(goro_mutex *m)
{
	sched_point(POINT_UNLOCK, m);
	if (unlikely(!m))
		panic("sync: unlock of nil mutex");
	if (GORO_RACE)
		mutex_unlock_at(m, __builtin_return_address(0));
	else if (unlikely(!unlock_once(m)))
		unlock_contended(m);
	preempt_check();
}
