/*
 * set.h: what does not fit a cell or a few: an interned list of accesses of one granule.
 *
 * Sets are immutable and hash-consed: the same list is the same id, so an array whose elements share a
 * history shares one set. Lists of up to SET_SORTED entries are kept in descending order of (record,
 * kind); longer ones grow at the head, and are thinned when they have doubled since the last time, so
 * that adding the n-th unordered reader costs O(1) and nothing is ever dropped that still counts.
 */
#ifndef GORO_RACE_SET_H
#define GORO_RACE_SET_H

#include "few.h"

#define SET_SORTED 16

typedef struct SetNode {
	RecId rec;
	uint32_t next; /* set id; 0: end */
	uint8_t kind, mask;
	uint8_t kinds; /* of it and all behind it, a bit per Kind */
	bool marked;   /* collection */
	uint32_t len;
	uint32_t thinned; /* len when last thinned; a hint, not part of the identity */
	uint32_t hash_next;
} SetNode;

#define SET_CHUNK_BITS 14
#define SET_CHUNK      (1u << SET_CHUNK_BITS)
#define SET_CHUNKS     (1u << (30 - SET_CHUNK_BITS))

extern SetNode *set_chunk[SET_CHUNKS];
extern uint32_t set_made; /* since the last collection; relaxed atomic */

static inline SetNode *set_at(uint32_t id)
{
	return &set_chunk[id >> SET_CHUNK_BITS][id & (SET_CHUNK - 1)];
}

/* The entries of a cell, one by one. */
typedef struct CellIter {
	Cell simple;
	uint32_t set;
	Plane plane;
	const Few *few;
	uint32_t at; /* of few */
} CellIter;

static inline CellIter cell_iter(Cell c, Plane p)
{
	if (cell_is_simple(c))
		return (CellIter){.simple = c, .plane = p};
	if (cell_is_few(c))
		return (CellIter){.few = few_at(c), .plane = p};
	return (CellIter){.set = c & ~CELL_SET, .plane = p};
}

static inline bool cell_next(CellIter *it, Entry *e)
{
	if (it->simple) {
		*e = (Entry){cell_rec(it->simple), (uint8_t)cell_kind(it->simple, it->plane),
		    cell_mask(it->simple)};
		it->simple = 0;
		return true;
	}
	if (it->few) {
		if (it->at == FEW || !it->few->e[it->at].rec)
			return false;
		*e = it->few->e[it->at++];
		return true;
	}
	if (!it->set)
		return false;
	const SetNode *n = set_at(it->set);
	*e = (Entry){n->rec, n->kind, n->mask};
	it->set = n->next;
	return true;
}

static inline uint32_t cell_len(Cell c)
{
	if (cell_is_few(c)) {
		uint32_t n = 1;
		while (n < FEW && few_at(c)->e[n].rec)
			n++;
		return n;
	}
	return c == 0 ? 0 : cell_is_simple(c) ? 1 : set_at(c & ~CELL_SET)->len;
}

/* Whether a cell of the R plane remembers atomic accesses: their records may change (use.h). */
static inline bool cell_has_atomics(Cell r)
{
	if (cell_is_set(r))
		return set_at(r & ~CELL_SET)->kinds & (1u << KIND_AREAD | 1u << KIND_AWRITE);
	CellIter it = cell_iter(r, PLANE_R);
	for (Entry e; cell_next(&it, &e);)
		if (e.kind != KIND_READ)
			return true;
	return false;
}

/* The cell of these entries, newest last; sorts and merges e in place. 0 and *lost where memory ends. By a thread
 * that is registered. */
Cell cell_build(Entry *e, uint32_t n, bool *lost);
/* The long list c with one more at its head. */
Cell cell_cons(Cell c, Entry e, bool *lost);

/* Collection, world stopped. */
void set_mark_begin(void);
void set_mark(uint32_t id);
uint32_t set_mark_end(void);
MemoryUse set_memory(void); /* and of few.h */
/* Ids ever used. */
uint32_t set_top(void);

#endif
