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

#include "history/record.h"
#include "shadow/cell.h"

#define REC_CACHE   256u
#define TRANS_CACHE 256u
#define FOUND_MAX   32

/* The record of an access at pc in this generation. */
typedef struct RecCached {
	uintptr_t pc;
	uint32_t gen;
	StackId top;
	uint32_t mset, size;
	RecId rec;
} RecCached;

/* A transition without a race: the state {w, r} and an access make {w2, r2}. It stays right while the
 * generation lasts, because the goroutine's clock only grows. */
typedef struct Trans {
	Cell w, r;
	uint32_t hi; /* generation and code */
	RecId rec;
	Cell w2, r2;
} Trans;

/* One conflict found; reported when no lock is held. */
typedef struct Found {
	Entry old;
	Entry now;
	uintptr_t granule;
} Found;

struct RaceSlow {
	RaceThread *thread;
	RaceSlow *next, *prev; /* registry; its lock */
	RecordBlock block;
	Entry *scratch; /* grown on demand */
	uint32_t scratch_cap;
	uint32_t nfound;
	Found found[FOUND_MAX];
	RecCached rec_cache[REC_CACHE];
	Trans trans[TRANS_CACHE];
};

#endif
