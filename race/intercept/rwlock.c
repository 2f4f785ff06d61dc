/*
 * rwlock.c: pthread read-write locks. A writer's unlock is before every later lock; a reader's unlock
 * is before later writers' locks, and orders no reader. Hence two identities: the lock's address
 * carries the last writer's clock, the next byte the join of the readers since then.
 *
 * Whether an unlock is a writer's is read from the libc's lock: we hold it, so the writer it names is
 * us or nobody.
 */
#include "core.h"

#include <errno.h>

static const void *readers(const pthread_rwlock_t *l)
{
	return (const char *)l + 1;
}

static void forget(const pthread_rwlock_t *l)
{
	hook_forget(l);
	hook_forget(readers(l));
}

static int read_locked(int r, pthread_rwlock_t *l, const void *pc)
{
	if (r == 0)
		took(self(), l, LOCK_READ, pc);
	return r;
}

static int write_locked(int r, pthread_rwlock_t *l, const void *pc)
{
	RaceCtx *g = self();

	if (r == 0 && g) {
		took(g, l, LOCK_WRITE, pc);
		hook_acquire(g, readers(l));
	}
	return r;
}

INTERCEPT int pthread_rwlock_init(
    pthread_rwlock_t *restrict l, const pthread_rwlockattr_t *restrict attr)
{
	RaceCtx *g = self();

	if (g) {
		forget(l);
		writes(g, l, sizeof *l, CALLER);
	}
	return goro_real_pthread_rwlock_init(l, attr);
}

INTERCEPT int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
	int r = goro_real_pthread_rwlock_destroy(l);
	RaceCtx *g = self();

	if (r == 0 && g) {
		writes(g, l, sizeof *l, CALLER);
		forget(l);
	}
	return r;
}

INTERCEPT int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	int r = goro_real_pthread_rwlock_tryrdlock(l);

	return read_locked(r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_rdlock(l)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	return read_locked(goro_real_pthread_rwlock_tryrdlock(l), l, CALLER);
}

INTERCEPT int pthread_rwlock_timedrdlock(
    pthread_rwlock_t *restrict l, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_tryrdlock(l);

	return read_locked(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_timedrdlock(l, until)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_clockrdlock(
    pthread_rwlock_t *restrict l, clockid_t clock, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_tryrdlock(l);

	return read_locked(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_clockrdlock(l, clock, until)) : r, l,
	    CALLER);
}

INTERCEPT int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	int r = goro_real_pthread_rwlock_trywrlock(l);

	return write_locked(r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_wrlock(l)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	return write_locked(goro_real_pthread_rwlock_trywrlock(l), l, CALLER);
}

INTERCEPT int pthread_rwlock_timedwrlock(
    pthread_rwlock_t *restrict l, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_trywrlock(l);

	return write_locked(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_timedwrlock(l, until)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_clockwrlock(
    pthread_rwlock_t *restrict l, clockid_t clock, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_trywrlock(l);

	return write_locked(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_clockwrlock(l, clock, until)) : r, l,
	    CALLER);
}

INTERCEPT int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	RaceCtx *g = self();

	if (g && load_rlx(&l->__data.__cur_writer)) { /* relaxed: our own store, see the head */
		gives(g, l, LOCK_WRITE, CALLER);
		hook_forget(readers(l)); /* they are in the writer's clock */
	} else if (g) {
		hook_unlock(g, l, LOCK_READ, CALLER);
		hook_release_merge(g, readers(l));
	}
	return goro_real_pthread_rwlock_unlock(l);
}
