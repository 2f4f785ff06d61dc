/*
 * syncvar.h: the sync object at an address: a clock that releases write and acquires read.
 *
 * Found through the META plane of the shadow: one cell per granule holds the id of a chain of SyncVars
 * with that granule's addresses. Looking up takes no lock. SyncVars are type-stable: after locking one,
 * sync_find checks that it is still the address's (a forgotten one has addr 0).
 *
 * Locks: a META insertion lock (hashed by address), then the SyncVar's own spin lock, then a block lock.
 */
#ifndef GORO_RACE_SYNCVAR_H
#define GORO_RACE_SYNCVAR_H

#include "../ctx.h"

#define SYNC_HEADS 4

typedef struct SyncVar {
	uintptr_t addr; /* exact; 0: free. Constant while in a chain; atomic */
	/* ClockPair: the last releaser's, where the clock is exactly what it knew when it published that epoch, else
	 * 0. Atomic: read without the lock too (sync_is_known) */
	uint64_t own;
	uint32_t next;  /* chain of the granule, and the free list; atomic */
	uint32_t id;    /* constant */
	uint32_t lock;  /* spin; guards the rest */
	uint32_t order; /* lock/order.h: its node in the order of locks */
	bool full;      /* there is a clock at all */
	uint32_t
	    nheads; /* who released to the clock since it was overwritten; more than SYNC_HEADS: many */
	uint32_t heads[SYNC_HEADS]; /* their GInfos */
	Clock clock;
} SyncVar;

/* The SyncVar of addr, locked; NULL when there is none. */
SyncVar *sync_find(uintptr_t addr);
/* The same, one made where there is none; NULL without memory. */
SyncVar *sync_get(uintptr_t addr);
void sync_unlock(SyncVar *s);
/* Whether ctx knows all that was released to addr, as far as can be told at once and without a lock. */
bool sync_is_known(const RaceCtx *ctx, uintptr_t addr);
/* Hold off insertions at addr's granule while it has no SyncVar (relaxed atomics). True: it has none,
 * call sync_hold_end afterwards; false: nothing is held. */
bool sync_hold(uintptr_t addr);
void sync_hold_end(uintptr_t addr);
/* Forget the one at addr; all in [lo, hi). */
void sync_forget(uintptr_t addr);
void sync_forget_range(uintptr_t lo, uintptr_t hi);
/* Those in [lo, hi) lie `by` further on from now on, where there were none; both are used by nobody meanwhile. */
void sync_move_range(uintptr_t lo, uintptr_t hi, uintptr_t by);
/* [lo, hi) is a stack, dead or fresh: the same, before shadow_clear_stack forgets how deep it went. */
void sync_forget_stack(uintptr_t lo, uintptr_t hi);

/* s->own; epoch 0: the clock is of several. */
static inline ClockPair sync_own(const SyncVar *s)
{
	uint64_t own = load_acq(&s->own); /* pairs with store_rel in sync_own_set */
	return (ClockPair){(uint32_t)(own >> 32), (uint32_t)own};
}
static inline void sync_own_set(SyncVar *s, ClockPair p)
{
	store_rel(&s->own, (uint64_t)p.slot << 32 | p.epoch);
}

/* The edges, s locked. They change ctx->clock; ctx is the caller's or parked. */
void sync_acquire(RaceCtx *ctx, SyncVar *s);
void sync_release(RaceCtx *ctx, SyncVar *s);         /* overwrite */
void sync_release_merge(RaceCtx *ctx, SyncVar *s);   /* join */
void sync_release_acquire(RaceCtx *ctx, SyncVar *s); /* both become the join */
/* The clock is to be of several: the last releaser goes into it. */
void sync_mix(SyncVar *s);
void sync_clear(SyncVar *s);
/* The clock holds a release of ctx's, as far as is remembered: true where it may. */
bool sync_has_head(const SyncVar *s, const RaceCtx *ctx);
/* ctx has released to the clock; alone: the others' releases count no more. */
void sync_head(SyncVar *s, const RaceCtx *ctx, bool alone);

/* Collection, world stopped: mark the slots of those who released last. */
void sync_mark(void);
/* With the cells that lead to them. live: those at an address. */
MemoryUse sync_memory(void);

/* ctx knows all that was known to the owner of the slot in that epoch. */
bool ctx_knows(const RaceCtx *ctx, ClockPair p);
/* What ctx knows: acquire from a published pair and clock. */
void ctx_learn(RaceCtx *ctx, ClockPair own, const Clock *clock);

#endif
