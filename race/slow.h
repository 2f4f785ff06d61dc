/*
 * slow.h: the part of a thread's state that only slow paths need, kept out of thread-local storage
 * (which comes out of every thread's stack). Private to its thread; a collection may change it while
 * the world is stopped.
 *
 * Both caches are keyed with the generation, so that a new epoch, another goroutine or a collection
 * empties them in one step.
 */
#ifndef GORO_RACE_SLOW_H
#define GORO_RACE_SLOW_H

#include "history/context.h"
#include "history/record.h"
#include "shadow/few.h"

#define REC_BITS    8
#define REC_CACHE   (1u << REC_BITS)
#define TRANS_BITS  8
#define TRANS_CACHE (1u << TRANS_BITS)
#define FOUND_MAX   96 /* 32 for each granule that an access of 16 bytes may touch */
#define FEW_BITS    9
#define ALLOC_BITS  6
#define USE_BITS    8

/* The record of an access at pc in this generation. */
typedef struct RecCached {
	uintptr_t pc;
	uint32_t gen;
	StackId top;
	uint32_t mset, size;
	RecId rec;
} RecCached;

static inline uint32_t record_index(uintptr_t pc, StackId top)
{
	return (uint32_t)((pc + ((uint64_t)top << 32)) * 0x9e3779b97f4a7c15u >> (64 - REC_BITS));
}

/* A transition without a race: the state {w, r} and an access make {w2, r2}. It stays right while the
 * generation lasts, because the goroutine's clock only grows. The access is named by what its record is
 * made of, so that a hit reads neither that nor those in the cells. */
typedef struct Trans {
	Cell w, r;
	uint32_t hi; /* generation and code */
	StackId top;
	uintptr_t pc;
	uint32_t mset, size;
	Cell w2, r2;
} Trans;

static inline uint32_t trans_index(Cell w, Cell r, uint32_t hi, uintptr_t pc)
{
	uint64_t h = ((uint64_t)w << 32 | r) ^ ((uint64_t)hi << 13 ^ pc);
	return (uint32_t)(h * 0x9e3779b97f4a7c15u >> (64 - TRANS_BITS));
}

/* The id of the innermost frame, where one was asked for; else 0. */
static inline StackId known_top(const RaceThread *t)
{
	return t->top == t->base ? CONTEXT_ROOT : t->top[-1].id;
}

/* Equal accesses in equal states: pc, context, locks and size make the record (of this generation). */
static inline bool trans_is(const Trans *c, StackId top, uint32_t mset, uintptr_t pc, uint32_t size,
    uint32_t hi, Cell w, Cell r)
{
	return c->w == w && c->r == r && c->hi == hi && c->pc == pc && c->top == top &&
	       c->mset == mset && c->size == size;
}

/* A goroutine's own record at a place, and a state {w, r} in which r names it and nothing conflicts with its next use:
 * shadow/use.h. */
typedef struct UseCached {
	uintptr_t addr;
	uint32_t ginfo, now; /* shadow_now: no id in it has another meaning since */
	Cell w, r;
	RecId rec; /* 0: none yet */
	uint8_t kind, mask;
	uint16_t misses;
} UseCached;

/* One conflict found; reported when no lock is held. */
typedef struct Found {
	Entry old;
	Entry now;
	uintptr_t granule;
} Found;

struct RaceSlow {
	RaceThread *thread;
	RaceSlow *next, *prev; /* registry; its lock */
	IdBlock block;         /* ids of records */
	IdBlock fews;
	Cell few_cache[1u << FEW_BITS]; /* shadow/few.c; a collection empties it */
	Entry *scratch;                 /* grown on demand */
	uint32_t scratch_cap;
	uint32_t nfound;
	uint32_t size_flag; /* RECORD_VPTR during such an access */
	Found found[FOUND_MAX];
	RecCached rec_cache[REC_CACHE];
	Trans trans[TRANS_CACHE];
	UseCached use_cache[1u << USE_BITS];
	RecCached alloc_cache
	    [1u << ALLOC_BITS]; /* shadow/heap.c; gen: the ginfo; a collection empties it */
};

#endif
