/*
 * lock.h: the lock under everything: three states on a futex, spinning shortly first.
 *
 * A Lock works when zeroed, never allocates, and may be released by another thread than the one
 * that took it (a parking goroutine's lock is released after the switch). Not recursive.
 *
 * LOCK_RANKS is the one table of locks, in order: take left before right. Channels share a rank
 * (select locks them by address). OUTER is held around whole operations of the others (a timer's
 * handle, the list of signal channels). Detector locks are leaves, below the symbolizer's PRINT too:
 * it runs libdw, whose libc calls the detector meets. Builds with GORO_DEBUG check the rank.
 */
#ifndef GORO_BASE_LOCK_H
#define GORO_BASE_LOCK_H

#include "atomic.h"

#define LOCK_RANKS(R)                                                                              \
	R(NONE)                                                                                    \
	R(OUTER)                                                                                   \
	R(NETPOLL)                                                                                 \
	R(CHAN)                                                                                    \
	R(SEMA)                                                                                    \
	R(TIMERS)                                                                                  \
	R(SCHED)                                                                                   \
	R(STACK)                                                                                   \
	R(RACE_REPORT)                                                                             \
	R(PRINT)                                                                                   \
	R(RACE_ORDER)                                                                              \
	R(RACE_SHADOW)                                                                             \
	R(RACE_SYNC)                                                                               \
	R(RACE_CLOCK)                                                                              \
	R(RACE_CONTEXT)

typedef enum LockRank {
#define RANK_(name) RANK_##name,
	LOCK_RANKS(RANK_)
#undef RANK_
	    RANK_COUNT
} LockRank;

typedef struct Lock {
	uint32_t state; /* 0 free, 1 held, 2 held and perhaps waited for */
	uint32_t rank;  /* LockRank; constant; 0 (NONE) is not checked */
} Lock;

#define LOCK_INIT(r)                                                                               \
	{                                                                                          \
		.state = 0, .rank = RANK_##r                                                       \
	}

void lock_slow(Lock *l);
void lock_wake(Lock *l);
#ifdef GORO_DEBUG
void lock_rank_check(const Lock *l); /* throws when a held lock of this thread ranks higher */
void lock_rank_push(const Lock *l);
void lock_rank_pop(
    const Lock *l); /* the holder's thread, which for a parked lock is the releasing one */
#else
#define lock_rank_check(l) ((void)0)
#define lock_rank_push(l)  ((void)0)
#define lock_rank_pop(l)   ((void)0)
#endif

static inline void lock(Lock *l)
{
	lock_rank_check(l);
	if (unlikely(!cas_acq(&l->state, 0, 1)))
		lock_slow(l);
	lock_rank_push(l);
}

static inline bool lock_try(Lock *l)
{
	if (!cas_acq(&l->state, 0, 1))
		return false;
	lock_rank_push(l);
	return true;
}

static inline void unlock(Lock *l)
{
	lock_rank_pop(l);
	/* No locked instruction: lock.c says why that is enough. */
	bool sleeper = load_rlx(&l->state) == 2;
	store_rel(&l->state, 0); /* pairs with cas_acq in lock */
	if (unlikely(sleeper))
		lock_wake(l);
}

#endif
