/*
 * mutex.c: pthread mutexes of all kinds, and spin locks. Unlock n is before lock m > n.
 *
 * A recursive mutex counts as one lock from its first lock to its last unlock. An unlock by somebody
 * who does not own the mutex (error-checking kinds answer EPERM) says nothing. To tell both, the owner
 * and count are read from the libc's mutex: by its owner, so they are stable, or else they can't match.
 */
#include "core.h"

#include <errno.h>

#include "../../runtime/os/os.h"

/* Kinds that count or check, by the low bits of the libc's kind (robustness and priority lie above). */
static bool counts(const pthread_mutex_t *m)
{
	int kind =
	    load_rlx(&m->__data.__kind) & 3; /* relaxed: constant but for lock elision's bits */

	return kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP;
}

void mutex_locked(pthread_mutex_t *m, const void *pc)
{
	if (counts(m) && m->__data.__count > 1)
		return;
	took(self(), m, LOCK_WRITE, pc);
}

bool mutex_unlocking(pthread_mutex_t *m, const void *pc)
{
	RaceCtx *g = self();

	if (!g)
		return false;
	if (counts(m) &&
	    ((uint32_t)load_rlx(&m->__data.__owner) != os_thread_id() || m->__data.__count > 1))
		return false;
	gives(g, m, LOCK_WRITE, pc);
	return true;
}

static int locked(int r, pthread_mutex_t *m, const void *pc)
{
	if (r == 0 || r == EOWNERDEAD)
		mutex_locked(m, pc);
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
	int r = goro_real_pthread_mutex_destroy(m);
	RaceCtx *g = self();

	if (r == 0 && g) {
		writes(g, m, sizeof *m, CALLER);
		hook_forget(m);
	}
	return r;
}

INTERCEPT int pthread_mutex_lock(pthread_mutex_t *m)
{
	int r = goro_real_pthread_mutex_trylock(m);

	return locked(r == EBUSY ? BLOCKS(goro_real_pthread_mutex_lock(m)) : r, m, CALLER);
}

INTERCEPT int pthread_mutex_trylock(pthread_mutex_t *m)
{
	return locked(goro_real_pthread_mutex_trylock(m), m, CALLER);
}

INTERCEPT int pthread_mutex_timedlock(
    pthread_mutex_t *restrict m, const struct timespec *restrict until)
{
	int r = goro_real_pthread_mutex_trylock(m);

	return locked(
	    r == EBUSY ? BLOCKS(goro_real_pthread_mutex_timedlock(m, until)) : r, m, CALLER);
}

INTERCEPT int pthread_mutex_clocklock(
    pthread_mutex_t *restrict m, clockid_t clock, const struct timespec *restrict until)
{
	int r = goro_real_pthread_mutex_trylock(m);

	return locked(
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
	int r = goro_real_pthread_spin_trylock(s);

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
		took(self(), (const void *)s, LOCK_WRITE, CALLER);
	return r;
}

INTERCEPT int pthread_spin_unlock(pthread_spinlock_t *s)
{
	gives(self(), (const void *)s, LOCK_WRITE, CALLER);
	return goro_real_pthread_spin_unlock(s);
}
