/*
 * collect.c: access records and sets that no cell names any more are freed.
 *
 * A collection stops the detector (not the program: threads run on until they need its slow parts),
 * marks from every cell of every touched chunk, frees the rest, and gives every thread a new
 * generation. Roots are the cells alone: caches and filters are emptied by the generation. Nothing that
 * a cell remembers is ever dropped here, so no race is lost.
 *
 * When: after RACE_GC_MIN new records and sets, or half as many as live, or as many as make the walk over
 * tables and touched shadow worth it (a record costs some 100 ns to make, a cell or an id some ns to look
 * at). Seldom is not better: dead records between the living cost cache misses and memory (a map under 64
 * locks: 0.80 s of CPU and 21 MB with four times these numbers, 0.58 s and 11 MB with these).
 */
#include "../history/record.h"
#include "access.h"
#include "set.h"

#ifdef GORO_HARD /* a collection now and then, however little there is to gain */
#define RACE_GC_MIN 1000u
#define GC_FACTOR   0
#else
#define RACE_GC_MIN 16384u
#define GC_FACTOR   1
#endif
#define CELLS_PER_RECORD 32
#define TOP_PER_RECORD   16 /* ids walked over for a new one */

uint32_t collect_threshold = RACE_GC_MIN;

/* Whether the chunk holds anything. */
static bool mark_chunk(uintptr_t addr)
{
	Cell *w = shadow_w(addr), *r = shadow_r_of(w), last = 0;
	bool any = false;
	for (uint32_t plane = 0; plane < 2; plane++) {
		const Cell *c = plane ? r : w;
		for (uint32_t i = 0; i < CHUNK_BYTES / GRANULE; i++) {
			if (c[i] == 0 || c[i] == last) /* world stopped */
				continue;
			last = c[i];
			any = true;
			if (cell_is_set(last))
				set_mark(last & ~CELL_SET);
			else
				record_mark(cell_rec(last));
		}
	}
	return any;
}

void collect(RaceThread *me)
{
	if (!race_stop_world(me))
		return; /* somebody else has done it */
	record_mark_begin();
	set_mark_begin();
	uint64_t cells = 0;
	for (Region *r = load_acq(&shadow_regions); r; r = r->next) {
		for (uint32_t i = 0; i < REGION_CHUNKS; i++) {
			if (!r->chunk[i].touched)
				continue;
			r->chunk[i].touched = mark_chunk(
			    (uintptr_t)r->index << REGION_BITS | (uintptr_t)i << CHUNK_BITS);
			cells += 2 * CHUNK_BYTES / GRANULE;
		}
	}
	uint64_t live = set_mark_end();
	live += record_mark_end();
	for (RaceThread *t = race_thread_each(NULL); t; t = race_thread_each(t)) {
		t->slow->block.n =
		    0; /* unused ids in its hand are free by now: no cell names them */
		race_bump(t);
	}
	uint64_t next = GC_FACTOR * live / 2;
	if (GC_FACTOR && next < cells / CELLS_PER_RECORD)
		next = cells / CELLS_PER_RECORD;
	uint64_t top = (uint64_t)record_top() + set_top();
	if (GC_FACTOR && next < top / TOP_PER_RECORD)
		next = top / TOP_PER_RECORD;
	if (next < RACE_GC_MIN)
		next = RACE_GC_MIN;
	store_rlx(&collect_threshold, next > 1u << 30 ? 1u << 30 : (uint32_t)next);
	race_count(gc_runs);
	race_start_world();
}
