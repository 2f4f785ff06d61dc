/*
 * few.h: up to four accesses of a granule that no simple cell can name: bytes apart, halves from different places,
 * an atomic load beside a store, some readers.
 *
 * They are immutable. Each thread finds again the ones that it made lately, so that an array whose elements share a
 * history shares a few; other threads make their own, and nothing asks for more: cells are compared with cells
 * only to see whether a state is still what it was. (Interned in one table, as the longer lists of set.h are, each
 * cost a lock and some cache misses; most are of records that were just made, and never met before.)
 */
#ifndef GORO_RACE_FEW_H
#define GORO_RACE_FEW_H

#include "../history/ids.h"
#include "cell.h"

#define FEW 4

typedef struct RaceSlow RaceSlow;

typedef struct Few {
	Entry e
	    [FEW]; /* in descending order of (record, kind), as in set.h; from the first record 0 on: none */
} Few;

typedef struct FewChunk {
	Few few[ID_CHUNK];
} FewChunk;

extern FewChunk *few_chunk[ID_CHUNKS] __attribute__((visibility("hidden")));
extern IdTable few_ids;

static inline const Few *few_at(Cell c)
{
	uint32_t id = c & ~CELL_FEW;
	return &few_chunk[id >> ID_CHUNK_BITS]->few[id & (ID_CHUNK - 1)];
}

/* The cell of e, n of them, ordered; 0 where memory ends. */
Cell few_make(RaceSlow *s, const Entry *e, uint32_t n);

/* Collection, world stopped. */
void few_mark(Cell c);

#endif
