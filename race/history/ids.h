/*
 * ids.h: a table of small immutable things that shadow memory names by number, and which numbers are free.
 *
 * Things lie in chunks of 65536 that never move, so a number leads to its thing by two loads and no lock. A
 * thread takes free numbers by the block and uses them up by itself. What is in use is found by a collection:
 * begin, mark all that is named, end. Freed numbers rest for one more collection before they are used again: a fast
 * path interrupted between its two loads cannot meet a new meaning of an old cell.
 */
#ifndef GORO_RACE_IDS_H
#define GORO_RACE_IDS_H

#include "../race.h"

#define ID_CHUNK_BITS 16
#define ID_CHUNK      (1u << ID_CHUNK_BITS)
#define ID_CHUNKS     32768u
#define ID_BLOCK      64 /* a thread takes at a time */
#define ID_WORDS      (ID_CHUNK / 64)

/* Three bits a number: used (handed out, perhaps still in a thread's hand), marked (by the collection under way),
 * resting (freed by the last one). So a collection touches no dead thing, and numbers come out in ascending order,
 * which caches like. */
typedef struct IdBits {
	uint64_t used[ID_WORDS], marked[ID_WORDS], resting[ID_WORDS];
} IdBits;

typedef struct IdTable {
	Lock lock;          /* once per block */
	size_t chunk_bytes; /* constant */
	void **chunk;       /* the owner's, ID_CHUNKS: where the things lie */
	uint32_t chunks;    /* there are */
	uint32_t cursor;    /* word from which on numbers may be free, counted through all chunks */
	uint32_t top;       /* numbers below were handed out at some time; a multiple of 64 */
	uint32_t made;      /* handed out since the last collection; relaxed atomic */
	IdBits *bits[ID_CHUNKS];
} IdTable;

/* rank: of base/lock.h */
#define ID_TABLE(rank, chunk_, chunk_type)                                                         \
	{                                                                                          \
		.lock = LOCK_INIT(rank), .chunk_bytes = sizeof(chunk_type),                        \
		.chunk = (void **)(chunk_)                                                         \
	}

/* Unused numbers in a thread's hand. */
typedef struct IdBlock {
	uint32_t n;
	uint32_t id[ID_BLOCK]; /* taken from the end */
} IdBlock;

/* More numbers for an empty block; false when there are none left. 0 is never among them. */
bool ids_refill(IdTable *t, IdBlock *b);
/* A thread goes away: its numbers to the others. */
void ids_give_back(IdTable *t, IdBlock *b);

/* Collection, world stopped: begin, mark what is in use, end (frees the rest; how many live). */
void ids_mark_begin(IdTable *t);
uint32_t ids_mark_end(IdTable *t);
/* Whether it was unmarked before. */
static inline bool ids_mark(IdTable *t, uint32_t id)
{
	uint64_t *w = &t->bits[id >> ID_CHUNK_BITS]->marked[id / 64 % ID_WORDS];
	uint64_t bit = (uint64_t)1 << (id & 63);
	if (*w & bit)
		return false;
	*w |= bit;
	return true;
}
/* After that: fn for each that lives. */
void ids_each(IdTable *t, void (*fn)(uint32_t id));
MemoryUse ids_memory(IdTable *t);

#endif
