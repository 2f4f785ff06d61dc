/*
 * rwlock.c: pthread read-write locks. A writer's unlock is before every later lock; a reader's unlock
 * is before later writers' locks, and orders no reader. Hence two identities: the lock's address
 * carries the last writer's clock, the next byte the join of the readers since then.
 *
 * Whether an unlock is a writer's is read from the libc's lock: we hold it, so the writer it names is
 * us or nobody.
 *
 * The libc does not mark a destroyed lock; we do, in a word that it keeps empty. Misuse: see mutex.c.
 */
#include "core.h"

#include <errno.h>

#include "../../runtime/os/os.h"
#include "../lock/misuse.h"

#define DESTROYED 0x646f6e65646f6e65u /* in __pad2 */

/* The libc's bits of __readers: a writer has it; three bits up, how many readers do. */
#define WRITE_LOCKED 2u
#define READER_SHIFT 3

static bool is_dead(const pthread_rwlock_t *l)
{
	return load_rlx(&l->__data.__pad2) == DESTROYED; /* relaxed: written once, in destroy */
}

static bool is_locked(const pthread_rwlock_t *l)
{
	unsigned r = load_rlx(&l->__data.__readers); /* relaxed: ours, or a look like any other */

	return r >> READER_SHIFT || r & WRITE_LOCKED;
}

/* Made so that readers wait while a writer does. (The libc's default lets them pass.) */
static bool is_fair(const pthread_rwlock_t *l)
{
	return l->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP; /* constant */
}

/* Before a lock that may wait. */
static void before(pthread_rwlock_t *l, LockMode mode, const void *pc)
{
	RaceCtx *g = self();
	AccessKind what = mode == LOCK_READ ? ACCESS_READ_LOCK : ACCESS_LOCK;
	LockMode held;

	if (!g)
		return;
	if (is_dead(l))
		misuse_report(g, REPORT_DEAD_MUTEX, what, l, pc);
	if (!g->mset) {
		if (mode == LOCK_WRITE && is_fair(l))
			hook_lock_writer(g, l, pc);
		return;
	}
	if (!is_locked(l) || !lock_is_held(g, l, &held)) {
		if (mode == LOCK_WRITE && is_fair(l))
			hook_lock_writer(g, l, pc);
		else
			hook_lock_wait(g, l, mode, pc);
	} else if (mode == LOCK_READ && held == LOCK_READ) {
		hook_lock_wait(g, l, mode, pc);
	} else if (mode == LOCK_WRITE)
		misuse_report(g, REPORT_DOUBLE_LOCK, what, l, pc);
	else if (held == LOCK_WRITE)
		misuse_report(g, REPORT_BAD_READ_LOCK, what, l, pc);
}

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

static int read_tried(int r, pthread_rwlock_t *l, const void *pc)
{
	if (r == 0)
		tried(self(), l, LOCK_READ, pc);
	return r;
}

static int write_tried(int r, pthread_rwlock_t *l, const void *pc)
{
	RaceCtx *g = self();

	if (r == 0 && g) {
		tried(g, l, LOCK_WRITE, pc);
		hook_acquire(g, readers(l));
	}
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
	RaceCtx *g = self();
	int r;

	if (g && (is_dead(l) || is_locked(l)))
		misuse_report(g, is_dead(l) ? REPORT_DEAD_MUTEX : REPORT_DESTROY_LOCKED,
		    ACCESS_DESTROY, l, CALLER);
	r = goro_real_pthread_rwlock_destroy(l);
	if (r == 0 && g) {
		writes(g, l, sizeof *l, CALLER);
		forget(l);
		misuse_destroyed(g, l, CALLER);
		store_rlx(&l->__data.__pad2, DESTROYED);
	}
	return r;
}

INTERCEPT int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	int r;

	before(l, LOCK_READ, CALLER);
	r = goro_real_pthread_rwlock_tryrdlock(l);
	return read_locked(r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_rdlock(l)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	return read_tried(goro_real_pthread_rwlock_tryrdlock(l), l, CALLER);
}

INTERCEPT int pthread_rwlock_timedrdlock(
    pthread_rwlock_t *restrict l, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_tryrdlock(l);

	return read_tried(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_timedrdlock(l, until)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_clockrdlock(
    pthread_rwlock_t *restrict l, clockid_t clock, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_tryrdlock(l);

	return read_tried(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_clockrdlock(l, clock, until)) : r, l,
	    CALLER);
}

INTERCEPT int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	int r;

	before(l, LOCK_WRITE, CALLER);
	r = goro_real_pthread_rwlock_trywrlock(l);
	return write_locked(r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_wrlock(l)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	return write_tried(goro_real_pthread_rwlock_trywrlock(l), l, CALLER);
}

INTERCEPT int pthread_rwlock_timedwrlock(
    pthread_rwlock_t *restrict l, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_trywrlock(l);

	return write_tried(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_timedwrlock(l, until)) : r, l, CALLER);
}

INTERCEPT int pthread_rwlock_clockwrlock(
    pthread_rwlock_t *restrict l, clockid_t clock, const struct timespec *restrict until)
{
	int r = goro_real_pthread_rwlock_trywrlock(l);

	return write_tried(
	    r == EBUSY ? BLOCKS(goro_real_pthread_rwlock_clockwrlock(l, clock, until)) : r, l,
	    CALLER);
}

/* g unlocks what it does not hold. True: nobody does. */
static bool unlocks_nothing(RaceCtx *g, pthread_rwlock_t *l, const void *pc)
{
	uint32_t writer = (uint32_t)load_rlx(&l->__data.__cur_writer); /* relaxed: a look */

	if (is_dead(l))
		misuse_report(g, REPORT_DEAD_MUTEX, ACCESS_UNLOCK, l, pc);
	else if (!is_locked(l))
		misuse_report(g, REPORT_BAD_UNLOCK, ACCESS_UNLOCK, l, pc);
	else if (writer && writer != os_thread_id())
		misuse_report(g, REPORT_FOREIGN_UNLOCK, ACCESS_UNLOCK, l, pc);
	return !is_locked(l);
}

INTERCEPT int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	RaceCtx *g = self();

	if (g && unlikely(!lock_is_held(g, l, NULL)) && unlocks_nothing(g, l, CALLER)) {
		/* there is nothing to give */
	} else if (g && load_rlx(&l->__data.__cur_writer)) { /* relaxed: our own, see the head */
		gives(g, l, LOCK_WRITE, CALLER);
		hook_forget(readers(l)); /* they are in the writer's clock */
	} else if (g) {
		hook_unlock(g, l, LOCK_READ, CALLER);
		hook_release_merge(g, readers(l));
	}
	return goro_real_pthread_rwlock_unlock(l);
}
