/*
 * mutex.c: pthread mutexes of all kinds, and spin locks. Unlock n is before lock m > n.
 *
 * A recursive mutex counts as one lock from its first lock to its last unlock. An unlock by somebody
 * who does not own the mutex (error-checking kinds answer EPERM) says nothing. To tell both, the owner
 * and count are read from the libc's mutex: by its owner, so they are stable, or else they can't match.
 *
 * Misuse is reported where the libc's mutex and the detector's set of locks held agree on it, and only of
 * kinds whose misuse is not answered by an error code (PTHREAD_MUTEX_DEFAULT, _NORMAL, _ADAPTIVE_NP). A
 * destroyed mutex is known by the libc's own mark. Goroutines hold locks, not their threads: one that
 * locked on another thread is no stranger.
 */
#include "core.h"

#include <errno.h>

#include "../../runtime/os/os.h"
#include "../lock/misuse.h"

/* Kinds that count or check, by the low bits of the libc's kind (robustness and priority lie above). */
static bool counts(const pthread_mutex_t *m)
{
	int kind =
	    load_rlx(&m->__data.__kind) & 3; /* relaxed: constant but for lock elision's bits */

	return kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP;
}

#define NO_ELISION 512 /* the libc's mark of a mutex that was made as PTHREAD_MUTEX_NORMAL */

/* Kinds whose misuse goes unanswered; neither robust nor with a priority nor shared nor elided. */
static bool trusts(const pthread_mutex_t *m)
{
	int kind = load_rlx(&m->__data.__kind) & ~NO_ELISION; /* relaxed: see counts */

	return kind == PTHREAD_MUTEX_TIMED_NP || kind == PTHREAD_MUTEX_ADAPTIVE_NP;
}

static bool is_dead(const pthread_mutex_t *m)
{
	return load_rlx(&m->__data.__kind) == -1; /* the libc's mark; relaxed: see counts */
}

static bool is_locked(const pthread_mutex_t *m)
{
	return load_rlx(&m->__data.__lock) != 0; /* relaxed: ours, or else a look like any other */
}

void mutex_locked(pthread_mutex_t *m, const void *pc)
{
	if (counts(m) && m->__data.__count > 1)
		return;
	took(self(), m, LOCK_WRITE, pc);
}

void mutex_tried(pthread_mutex_t *m, const void *pc)
{
	if (counts(m) && m->__data.__count > 1)
		return;
	tried(self(), m, LOCK_WRITE, pc);
}

void mutex_waits(pthread_mutex_t *m, const void *pc)
{
	RaceCtx *g = self();

	if (!g || (counts(m) && (uint32_t)load_rlx(&m->__data.__owner) == os_thread_id()))
		return; /* it answers at once */
	if (trusts(m) && is_locked(m) && lock_is_held(g, m, NULL))
		misuse_report(g, REPORT_DOUBLE_LOCK, ACCESS_LOCK, m, pc);
	else
		hook_lock_wait(g, m, LOCK_WRITE, pc);
}

void mutex_fails(pthread_mutex_t *m, int error, const void *pc)
{
	RaceCtx *g = error == EINVAL && is_dead(m) ? self() : NULL;

	if (g)
		misuse_report(g, REPORT_DEAD_MUTEX, ACCESS_LOCK, m, pc);
}

/* Before an unlock by g of a mutex that it does not hold: whose is it? True: nobody's. */
static bool unlocks_nothing(RaceCtx *g, pthread_mutex_t *m, const void *pc)
{
	if (is_dead(m)) {
		misuse_report(g, REPORT_DEAD_MUTEX, ACCESS_UNLOCK, m, pc);
		return true;
	}
	if (!trusts(m))
		return false;
	if (!is_locked(m)) {
		misuse_report(g, REPORT_BAD_UNLOCK, ACCESS_UNLOCK, m, pc);
		return true;
	}
	uint32_t owner = (uint32_t)load_rlx(&m->__data.__owner); /* relaxed: 0 while being locked */

	if (owner && owner != os_thread_id())
		misuse_report(g, REPORT_FOREIGN_UNLOCK, ACCESS_UNLOCK, m, pc);
	return false;
}

bool mutex_unlocking(pthread_mutex_t *m, const void *pc)
{
	RaceCtx *g = self();

	if (!g)
		return false;
	if (counts(m) && !is_dead(m) &&
	    ((uint32_t)load_rlx(&m->__data.__owner) != os_thread_id() || m->__data.__count > 1))
		return false;
	if (unlikely(!lock_is_held(g, m, NULL)) && unlocks_nothing(g, m, pc))
		return false;
	gives(g, m, LOCK_WRITE, pc);
	return true;
}

void mutex_destroying(pthread_mutex_t *m, const void *pc)
{
	RaceCtx *g = self();

	if (!g)
		return;
	if (is_dead(m))
		misuse_report(g, REPORT_DEAD_MUTEX, ACCESS_DESTROY, m, pc);
	else if (trusts(m) && is_locked(m))
		misuse_report(g, REPORT_DESTROY_LOCKED, ACCESS_DESTROY, m, pc);
}

void mutex_destroyed(pthread_mutex_t *m, const void *pc)
{
	RaceCtx *g = self();

	if (g) {
		writes(g, m, sizeof *m, pc);
		hook_forget(m);
		misuse_destroyed(g, m, pc);
	}
}

static int locked(int r, pthread_mutex_t *m, const void *pc)
{
	if (r == 0 || r == EOWNERDEAD)
		mutex_locked(m, pc);
	else
		mutex_fails(m, r, pc);
	return r;
}

static int tried_lock(int r, pthread_mutex_t *m, const void *pc)
{
	if (r == 0 || r == EOWNERDEAD)
		mutex_tried(m, pc);
	else
		mutex_fails(m, r, pc);
	return r;
}

INTERCEPT int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
	RaceCtx *g = self();

	if (g) {
		hook_forget(m);
		writes(g, m, sizeof *m, CALLER);
	}
	return goro_real_pthread_mutex_init(m, attr);
}

INTERCEPT int pthread_mutex_destroy(pthread_mutex_t *m)
{
	int r;

	mutex_destroying(m, CALLER);
	r = goro_real_pthread_mutex_destroy(m);
	if (r == 0)
		mutex_destroyed(m, CALLER);
	return r;
}

INTERCEPT int pthread_mutex_lock(pthread_mutex_t *m)
{
	int r = goro_real_pthread_mutex_trylock(m);

	if (r == EBUSY) {
		mutex_waits(m, CALLER);
		r = BLOCKS(goro_real_pthread_mutex_lock(m));
	}
	return locked(r, m, CALLER);
}

INTERCEPT int pthread_mutex_trylock(pthread_mutex_t *m)
{
	return tried_lock(goro_real_pthread_mutex_trylock(m), m, CALLER);
}

INTERCEPT int pthread_mutex_timedlock(
    pthread_mutex_t *restrict m, const struct timespec *restrict until)
{
	int r = goro_real_pthread_mutex_trylock(m);

	return tried_lock(
	    r == EBUSY ? BLOCKS(goro_real_pthread_mutex_timedlock(m, until)) : r, m, CALLER);
}

INTERCEPT int pthread_mutex_clocklock(
    pthread_mutex_t *restrict m, clockid_t clock, const struct timespec *restrict until)
{
	int r = goro_real_pthread_mutex_trylock(m);

	return tried_lock(
	    r == EBUSY ? BLOCKS(goro_real_pthread_mutex_clocklock(m, clock, until)) : r, m, CALLER);
}

INTERCEPT int pthread_mutex_unlock(pthread_mutex_t *m)
{
	mutex_unlocking(m, CALLER);
	return goro_real_pthread_mutex_unlock(m);
}

/* ---- spin locks ---- */

INTERCEPT int pthread_spin_init(pthread_spinlock_t *s, int shared)
{
	hook_forget((const void *)s);
	return goro_real_pthread_spin_init(s, shared);
}

INTERCEPT int pthread_spin_destroy(pthread_spinlock_t *s)
{
	hook_forget((const void *)s);
	return goro_real_pthread_spin_destroy(s);
}

INTERCEPT int pthread_spin_lock(pthread_spinlock_t *s)
{
	RaceCtx *g = self();
	int r = goro_real_pthread_spin_trylock(s);

	if (r == EBUSY && g && lock_is_held(g, (const void *)s, NULL))
		misuse_report(g, REPORT_DOUBLE_LOCK, ACCESS_LOCK, (const void *)s, CALLER);
	else if (r == EBUSY && g)
		hook_lock_wait(g, (const void *)s, LOCK_WRITE, CALLER);
	if (r == EBUSY)
		r = BLOCKS(goro_real_pthread_spin_lock(s));
	if (r == 0)
		took(self(), (const void *)s, LOCK_WRITE, CALLER);
	return r;
}

INTERCEPT int pthread_spin_trylock(pthread_spinlock_t *s)
{
	int r = goro_real_pthread_spin_trylock(s);

	if (r == 0)
		tried(self(), (const void *)s, LOCK_WRITE, CALLER);
	return r;
}

INTERCEPT int pthread_spin_unlock(pthread_spinlock_t *s)
{
	RaceCtx *g = self();

	/* Who can take it finds it free. It is ours for a moment then, and given up below as asked for. */
	if (g && !lock_is_held(g, (const void *)s, NULL) && goro_real_pthread_spin_trylock(s) == 0)
		misuse_report(g, REPORT_BAD_UNLOCK, ACCESS_UNLOCK, (const void *)s, CALLER);
	else
		gives(g, (const void *)s, LOCK_WRITE, CALLER);
	return goro_real_pthread_spin_unlock(s);
}
