/*
 * use.h: the record that a goroutine has of its own at one place (RECORD_USE), for what it does there again and again in
 * new epochs: operations on channels, atomic accesses. Later uses change it in place: epoch, stack, locks. (A new
 * record, a new list and a new cell for each, and collections after them, made a pipeline of channels take 60 times
 * its time; and between two processors that share an atomic each of them travels.)
 *
 * Why that loses and invents nothing. A later access by the same goroutine, of the same kind and bytes, stands for
 * the earlier one (access.c). The record is named by one granule's cells alone, in plane R, and read and changed under
 * the granule's block lock only: by other accesses there, which decide under it whether they are ordered; findings
 * take a copy. What is decided without reading records goes by states, and no state changes its meaning with the
 * record but in this, when the use was. So:
 *
 *	filter        says that a state includes an access of its own goroutine's present epoch; if that is a use, it is
 *	              changed in a later epoch only, when the filter has forgotten it
 *	CODE_OLD      of plane W
 *	transitions   (Trans) say that what a state remembers is before this goroutine: not kept where plane R has
 *	              atomics. Identity bytes of the runtime's objects are touched by ranges of part of a granule and by
 *	              frees besides, which keep none (range.c)
 *	UseCached     below
 *
 * Collections stop the world.
 *
 * UseCached, each thread's: in the state {w, r} of this place, r names this goroutine's record, and nothing there
 * conflicts with its next use. That stays so for as long as w and r are the place's cells and no collection was: w, and
 * of r what conflicts, are not uses, so they do not change, and what was before the goroutine once is before all that
 * it does later. So a use that finds its state as it was reads nobody else's record.
 */
#ifndef GORO_RACE_USE_H
#define GORO_RACE_USE_H

#include "brief.h"

/* Others' uses stay beside one's own even where they are ordered, up to this many in all: they would be back at their
 * next one. Beyond that the rule of access.c thins them. */
#define USE_KEEP 8

static inline UseCached *use_cached(RaceSlow *s, uint32_t ginfo, uintptr_t addr, Kind kind)
{
	uint64_t h = (addr ^ (uint64_t)ginfo << 40 ^ (uint64_t)kind << 3) * 0x9e3779b97f4a7c15u;
	return &s->use_cache[h >> (64 - USE_BITS)];
}

/* Whether c is of this place; else it is to be made so. */
static inline bool use_is(
    const UseCached *c, uint32_t ginfo, uintptr_t addr, Kind kind, uint8_t mask)
{
	return c->addr == addr && c->ginfo == ginfo && c->kind == kind && c->mask == mask &&
	       c->now == shadow_now;
}

/* The record is of g's use at pc from now on; its block is locked. Within an epoch the first one counts. */
static inline void use_again(RecId rec, RaceCtx *g, StackId top, const void *pc)
{
	ClockPair *when = record_when(rec);
	if (mine(g, *when))
		return;
	*when = (ClockPair){g->slot, g->epoch};
	Record *r = record_at(rec);
	r->top = top;
	r->pc = (uintptr_t)pc;
	r->mset = g->mset;
	g->used = true;
}

/* The goroutine's own record in r; 0: none. Its block is locked. */
RecId use_find(Cell r, uint32_t ginfo, Kind kind, uint8_t mask);

/* An atomic access by who runs on t, of the bytes `mask` of a granule in the state {w, r}, whose block is locked. *r2:
 * its cell of plane R afterwards. False: nothing was done. */
bool use_atomic(RaceThread *t, RaceCtx *ctx, uintptr_t addr, Kind kind, uint8_t mask,
    const void *pc, uint32_t size, Cell w, Cell r, Cell *r2);

#endif
