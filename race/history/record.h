/*
 * record.h: access records. A record says who, when and from where; a shadow cell or a set names it by
 * its id. One record stands for all accesses of one call site, in one calling context, within one
 * epoch and with one set of locks, however many granules they touched; so both stacks of any race are
 * exact at any distance, and memory grows with behaviour, not with shadow.
 *
 * A record is immutable (but for RECORD_USE) from the moment its id is in shadow memory until a collection
 * finds that nothing refers to it. Freed ids rest for one more collection before they are used again: a fast
 * path interrupted between its two loads cannot meet a new meaning of an old cell.
 */
#ifndef GORO_RACE_RECORD_H
#define GORO_RACE_RECORD_H

#include "../ctx.h"
#include "ids.h"

typedef struct Record {
	uintptr_t pc;
	StackId
	    top; /* the frames around pc; record_stack makes them one id, when a report needs it */
	uint32_t ginfo;
	uint32_t mset; /* locks held; for a free, RECORD_ALLOC | the record of the allocation */
	uint32_t size; /* bytes of the access, RECORD_VPTR or _USE */
} Record;

#define RECORD_VPTR 0x80000000u /* of an object's pointer to its table of virtual functions */
#define RECORD_USE  0x40000000u /* a goroutine's at one place: it changes (shadow/use.h) */
#define RECORD_SIZE 0x1fffffffu

/* The allocation of a heap block is a record too, of no epoch: slot 0. */
#define RECORD_ALLOC 0x80000000u

/* When, and where: apart, since a check asks for the first of every record that it meets (eight to a cache line)
 * and only a report for the second. */
typedef struct RecordChunk {
	ClockPair when[ID_CHUNK]; /* slot 0 and epoch 0: of no epoch */
	Record where[ID_CHUNK];
} RecordChunk;
extern RecordChunk *record_chunk[ID_CHUNKS] __attribute__((visibility("hidden")));
extern IdTable record_ids;

static inline ClockPair *record_when(RecId id)
{
	return &record_chunk[id >> ID_CHUNK_BITS]->when[id & (ID_CHUNK - 1)];
}

static inline Record *record_at(RecId id)
{
	return &record_chunk[id >> ID_CHUNK_BITS]->where[id & (ID_CHUNK - 1)];
}

/* A block's next id, of a record that says so; it has one. */
static inline RecId record_next(IdBlock *b, ClockPair when, const Record *r)
{
	RecId id = b->id[--b->n];
	*record_when(id) = when;
	*record_at(id) = *r;
	return id;
}

/* 0 when there are none left (lost_memory). */
RecId record_new(IdBlock *b, ClockPair when, const Record *r);

/* Collection, world stopped: the record is named. */
static inline bool record_mark(RecId id)
{
	return ids_mark(&record_ids, id);
}
/* The same for the record of a free, and of the allocation that it names. */
bool record_mark_free(RecId id);
MemoryUse record_memory(void);

#endif
