/*
 * brief.h: what the short ways of an access share: leaf.c, then brief.c, then access.c.
 */
#ifndef GORO_RACE_BRIEF_H
#define GORO_RACE_BRIEF_H

#include "access.h"

/* What the program's accesses need besides to be done briefly, apart from being attached. */
static inline bool brief_may(const RaceCtx *ctx)
{
	return likely(!race_seed) && likely(!shadow_limited) && likely(!ctx_ignores(ctx));
}

/* The cell of rec's plain access of the bytes `mask`, in either plane: its kind is the first there. */
static inline Cell brief_cell(RecId rec, uint8_t mask)
{
	return code_of_mask(mask) << CELL_MASK_AT | rec;
}
_Static_assert(KIND_READ == 0 && KIND_WRITE == 3, "plain kinds are 0 in their planes' cells");

/* A hint, by a cell that is perhaps stale a moment later: the cache misses of two records and the lock overlap. */
static inline void brief_prefetch(Cell c)
{
	if (c && cell_is_simple(c))
		__builtin_prefetch(record_when(cell_rec(c)));
}

/* In its present epoch. */
static inline bool mine(const RaceCtx *ctx, ClockPair p)
{
	return p.slot == ctx->slot && p.epoch == ctx->epoch;
}

/* Before what ctx does now, as far as is known without asking for cancellations. */
static inline bool before(const RaceCtx *ctx, ClockPair p)
{
	return p.slot == ctx->slot || clock_get(&ctx->clock, p.slot) >= p.epoch;
}

/* What leaf.c leaves to brief.c: an access of any size and kind that the compiler calls for; two of 8 bytes. */
void access_slow(uintptr_t addr, unsigned code, const void *pc);
void access_slow16(uintptr_t addr, unsigned code, const void *pc);

#endif
