/*
 * record.h: access records. A record says who, when and from where; a shadow cell or a set names it by
 * its id. One record stands for all accesses of one call site, in one calling context, within one
 * epoch and with one set of locks, however many granules they touched; so both stacks of any race are
 * exact at any distance, and memory grows with behaviour, not with shadow.
 *
 * A record is immutable (but for RECORD_USE) from the moment its id is in shadow memory until a collection
 * finds that nothing refers to it; but for the epoch of one that a single granule names (RECORD_SINGLE), which
 * its goroutine may carry on under the granule's block lock (shadow/access.c). Freed ids rest for one more
 * collection before they are used again: a fast path
 * interrupted between its two loads cannot meet a new meaning of an old cell.
 */
#ifndef GORO_RACE_RECORD_H
#define GORO_RACE_RECORD_H

#include "../ctx.h"

typedef struct Record {
	uint32_t slot;
	uint32_t epoch;
	StackId
	    top; /* the frames around pc; record_stack makes them one id, when a report needs it */
	uint32_t ginfo;
	uintptr_t pc;
	uint32_t mset; /* locks held; for a free, RECORD_ALLOC | the record of the allocation */
	uint32_t
	    size; /* bytes of the access, RECORD_VPTR or _USE, and RECORD_SINGLE: relaxed atomic */
} Record;

#define RECORD_VPTR 0x80000000u /* of an object's pointer to its table of virtual functions */
#define RECORD_USE  0x40000000u /* a goroutine's at one object: it changes (shadow/use.c) */
/* One entry of one granule's state names it, no other will; only its goroutine asks, and takes it back. */
#define RECORD_SINGLE 0x20000000u
#define RECORD_SIZE   0x1fffffffu

/* The allocation of a heap block is a record too, of no epoch: slot 0. */
#define RECORD_ALLOC 0x80000000u

_Static_assert(sizeof(Record) == 32, "two records to a cache line, none across two");

#define RECORD_CHUNK_BITS 16
#define RECORD_CHUNK      (1u << RECORD_CHUNK_BITS)
#define RECORD_CHUNKS     32768u
#define RECORD_BLOCK      32 /* ids a thread takes at a time */

extern Record *record_chunk[RECORD_CHUNKS];

static inline Record *record_at(RecId id)
{
	return &record_chunk[id >> RECORD_CHUNK_BITS][id & (RECORD_CHUNK - 1)];
}

/* Unused ids in a thread's hand. */
typedef struct RecordBlock {
	uint32_t n;
	RecId id[RECORD_BLOCK];
} RecordBlock;

/* 0 when there are none left (lost_memory). */
RecId record_new(RecordBlock *b, const Record *r);
/* A thread goes away: its ids to the others. */
void record_give_back(RecordBlock *b);
extern uint32_t record_made; /* since the last collection; relaxed atomic */

/* Collection, world stopped: begin, mark what is in use, end (frees the rest; how many live). */
void record_mark_begin(void);
bool record_mark(RecId id);
/* The same for the record of a free, and of the allocation that it names. */
bool record_mark_free(RecId id);
uint32_t record_mark_end(void);
/* After that: fn for each that lives. */
void record_each(void (*fn)(const Record *));
MemoryUse record_memory(void);
/* Ids ever used: what a walk over all of them costs. */
uint32_t record_top(void);

#endif
