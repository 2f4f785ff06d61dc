/*
 * rwmutex.c: goro_rwmutex, Go's algorithm. `readers` counts the readers, those that wait included;
 * a writer subtracts READERS_MAX from it, so that later readers see a negative number and wait. It
 * then waits for the readers that were there first: reader_wait counts those still to leave.
 *
 *   rw->w            held by the writer, from before it announces itself until after it has left
 *   reader_sema      one unit for each reader that the leaving writer lets in
 *   writer_sema      one unit, from the last reader that a writer waited for
 *
 * Edges. The two semaphores' addresses serve as identities:
 *   Unlock -> RLock, Lock    release(reader_sema); acquire(reader_sema). The writer acquired it
 *                            when it locked, so overwriting is exact.
 *   RUnlock -> Lock          release_merge(writer_sema), as readers leave in any order;
 *                            acquire(writer_sema). What it holds from before an earlier Lock was
 *                            ordered by that Lock already. Readers acquire only reader_sema: they
 *                            do not order each other.
 */
#include "sema.h"

#define READERS_MAX (1 << 30)

static void check(const goro_rwmutex *rw)
{
	if (unlikely(!rw))
		panic("sync: nil RWMutex");
}

static void acquire_reader(RaceCtx *me, goro_rwmutex *rw)
{
	hook_acquire(me, &rw->reader_sema);
}

static void acquire_writer(RaceCtx *me, goro_rwmutex *rw)
{
	hook_acquire(me, &rw->reader_sema);
	hook_acquire(me, &rw->writer_sema);
}

void goro_rwmutex_rlock(goro_rwmutex *rw)
{
	const void *pc = __builtin_return_address(0);
	sched_point(POINT_RLOCK, rw);
	check(rw);
	if ((int32_t)add_ar(&rw->readers, 1) + 1 <
	    0) { /* pairs with add_ar in goro_rwmutex_unlock */
		hook_lock_wait(race_self(), rw, LOCK_READ, pc);
		sema_acquire(&rw->reader_sema, WAIT_RWMUTEX_R, rw);
	}
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		acquire_reader(me, rw);
		hook_lock(me, rw, LOCK_READ, pc);
	}
}

bool goro_rwmutex_tryrlock(goro_rwmutex *rw)
{
	sched_point(POINT_RLOCK, rw);
	check(rw);
	for (int32_t r = load_rlx(&rw->readers); r >= 0; r = load_rlx(&rw->readers)) {
		if (!cas_acq(&rw->readers, r, r + 1)) /* pairs with add_ar in goro_rwmutex_unlock */
			continue;
		if (GORO_RACE) {
			RaceCtx *me = race_self();
			acquire_reader(me, rw);
			hook_trylock(me, rw, LOCK_READ, __builtin_return_address(0));
		}
		return true;
	}
	return false;
}

static __attribute__((noinline)) void runlock_slow(goro_rwmutex *rw, int32_t r)
{
	if (r + 1 == 0 || r + 1 == -READERS_MAX)
		fatal("sync: RUnlock of unlocked RWMutex");
	if (add_ar(&rw->reader_wait, -1) == 1) /* the last one the writer waits for */
		sema_release(&rw->writer_sema);
}

void goro_rwmutex_runlock(goro_rwmutex *rw)
{
	sched_point(POINT_RUNLOCK, rw);
	check(rw);
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		hook_unlock(me, rw, LOCK_READ, __builtin_return_address(0));
		hook_release_merge(me, &rw->writer_sema);
	}
	int32_t r = add_ar(&rw->readers, -1) - 1; /* pairs with add_ar in goro_rwmutex_lock */
	if (unlikely(r < 0))
		runlock_slow(rw, r);
}

void goro_rwmutex_lock(goro_rwmutex *rw)
{
	const void *pc = __builtin_return_address(0);
	sched_point(POINT_LOCK, rw);
	check(rw);
	hook_lock_writer(race_self(), rw, pc);
	mutex_lock_quiet(&rw->w, WAIT_RWMUTEX_W, rw); /* other writers */
	/* Pairs with add_ar in goro_rwmutex_runlock. */
	int32_t r = add_ar(&rw->readers, -READERS_MAX);
	/* Readers may have left since; each that saw the writer has taken one off reader_wait already. */
	if (r != 0 && add_ar(&rw->reader_wait, r) + r != 0)
		sema_acquire(&rw->writer_sema, WAIT_RWMUTEX_W, rw);
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		acquire_writer(me, rw);
		hook_lock(me, rw, LOCK_WRITE, pc);
	}
}

bool goro_rwmutex_trylock(goro_rwmutex *rw)
{
	sched_point(POINT_LOCK, rw);
	check(rw);
	if (!mutex_trylock_quiet(&rw->w))
		return false;
	if (!cas_ar(&rw->readers, 0, -READERS_MAX)) {
		mutex_unlock_quiet(&rw->w);
		return false;
	}
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		acquire_writer(me, rw);
		hook_trylock(me, rw, LOCK_WRITE, __builtin_return_address(0));
	}
	return true;
}

void goro_rwmutex_unlock(goro_rwmutex *rw)
{
	sched_point(POINT_UNLOCK, rw);
	check(rw);
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		hook_unlock(me, rw, LOCK_WRITE, __builtin_return_address(0));
		if (load_rlx(&rw->readers) >= 0) /* before release spoils the clock */
			fatal("sync: Unlock of unlocked RWMutex");
		hook_release(me, &rw->reader_sema);
	}
	/* Pairs with add_ar in goro_rwmutex_rlock. */
	int32_t r = add_ar(&rw->readers, READERS_MAX) + READERS_MAX;
	if (r >= READERS_MAX)
		fatal("sync: Unlock of unlocked RWMutex");
	for (int32_t i = 0; i < r; i++) /* those that waited for us */
		sema_release(&rw->reader_sema);
	mutex_unlock_quiet(&rw->w);
}
