/*
 * pair.h: one or two accesses of a granule that no simple cell can name: a mask that is no node of the tree over
 * the granule, halves from different places, an atomic load beside a store.
 *
 * Pairs are immutable. Each thread finds again the ones that it made lately, so that an array whose elements share a
 * history shares a few; other threads make their own, and nothing asks for more: cells are compared with cells
 * only to see whether a state is still what it was. (Interned in one table, as the longer lists of set.h are, a pair
 * cost a lock and two cache misses; most pairs are of records that were just made, and never met before.)
 */
#ifndef GORO_RACE_PAIR_H
#define GORO_RACE_PAIR_H

#include "../history/ids.h"
#include "cell.h"

typedef struct RaceSlow RaceSlow;

typedef struct Pair {
	Entry e[2]; /* in descending order of (record, kind), as in set.h; e[1].rec 0: none */
} Pair;

typedef struct PairChunk {
	Pair pair[ID_CHUNK];
} PairChunk;

extern PairChunk *pair_chunk[ID_CHUNKS] __attribute__((visibility("hidden")));
extern IdTable pair_ids;

static inline const Pair *pair_at(Cell c)
{
	uint32_t id = c & ~CELL_PAIR;
	return &pair_chunk[id >> ID_CHUNK_BITS]->pair[id & (ID_CHUNK - 1)];
}

/* The cell of a and b (NULL: of a alone), a the greater; 0 where memory ends. */
Cell pair_make(RaceSlow *s, Entry a, const Entry *b);

/* Collection, world stopped. */
void pair_mark(Cell c);

#endif
