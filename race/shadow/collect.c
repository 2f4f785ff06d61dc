/*
 * collect.c: access records and sets that no cell names any more are freed, and with them, now and then, the
 * identities that only they named: calling contexts, sets of locks, goroutines, slots.
 *
 * A collection stops the detector (not the program: threads run on until they need its slow parts),
 * marks from every cell of every touched chunk, frees the rest, and gives every thread a new
 * generation: caches and filters are emptied by that. Nothing that a cell remembers is ever dropped here,
 * so no race is lost; but for memory_limit_mb, which is asked for (shed.c).
 *
 * What is named by what:
 *
 *	record    a cell; a set; a chunk freed whole; a block of the runtime; the record of a free (of its
 *	          allocation)
 *	goroutine a record; a living context; who was created by it (GINFO_CHAIN steps)
 *	stack     a record; a goroutine (its creation); a set of locks; a frame of a living context; a report
 *	          that was shown (pinned); the order of locks
 *	lock set  a record; a living context
 *	slot      a record; a sync object (its last releaser); a fence; who owns it
 *
 * When: after RACE_GC_MIN new records and sets, or half as many as live, or as many as make the walk over
 * tables and touched shadow worth it (a record costs some 100 ns to make, a cell or an id some ns to look
 * at). Seldom is not better: dead records between the living cost cache misses and memory (a map under 64
 * locks: 0.80 s of CPU and 21 MB with four times these numbers, 0.58 s and 11 MB with these). Identities,
 * when as many were made as live, and RACE_DEEP_MIN.
 */
#include "../clock/mutexset.h"
#include "../clock/slot.h"
#include "../clock/syncvar.h"
#include "../history/context.h"
#include "../history/record.h"
#include "../lock/misuse.h"
#include "../lock/order.h"
#include "access.h"
#include "blocks.h"
#include "set.h"
#include "shed.h"

#include <string.h>

#ifdef GORO_HARD /* a collection now and then, however little there is to gain */
#define RACE_GC_MIN   1000u
#define RACE_DEEP_MIN 300u
#define GC_FACTOR     0
#else
#define RACE_GC_MIN   16384u
#define RACE_DEEP_MIN 16384u
#define GC_FACTOR     1
#endif
#define CELLS_PER_RECORD 32
#define TOP_PER_RECORD   16 /* ids walked over for a new one */

uint32_t collect_threshold = RACE_GC_MIN;
uint32_t collect_deep = RACE_DEEP_MIN;

static inline bool none_of_8(const Cell *c)
{
	uint64_t v[4];
	memcpy(v, c, sizeof v);
	return !(v[0] | v[1] | v[2] | v[3]);
}

/* What the chunk holds: its Chunk.touched. */
static uint8_t mark_chunk(uintptr_t addr)
{
	Cell *w = shadow_w(addr), *r = shadow_r_of(w), last;
	uint8_t any = 0;
	for (uint32_t plane = 0; plane < 2; plane++) {
		const Cell *c = plane ? r : w;
		last = 0;
		for (uint32_t i = 0; i < CHUNK_BYTES / GRANULE; i++) {
			while (i % 8 == 0 && i < CHUNK_BYTES / GRANULE && none_of_8(&c[i]))
				i += 8; /* most chunks hold little */
			if (i == CHUNK_BYTES / GRANULE)
				break;
			if (c[i] == 0 || c[i] == last) /* world stopped */
				continue;
			last = c[i];
			any |= 1u | (plane ? TOUCHED_R : TOUCHED_W);
			if (cell_is_few(last))
				few_mark(last);
			else if (cell_is_set(last))
				set_mark(last & ~CELL_SET);
			else if (cell_kind(last, plane ? PLANE_R : PLANE_W) == KIND_FREE)
				record_mark_free(cell_rec(last));
			else
				record_mark(cell_rec(last));
		}
	}
	return any ? any | shadow_both : 0;
}

static void mark_named(RecId id)
{
	const Record *r = record_at(id);
	context_mark(r->top);
	race_ginfo_mark(r->ginfo);
	slot_mark(record_when(id)->slot);
	if (!(r->mset & RECORD_ALLOC))
		mutexset_mark(r->mset);
}

/* The records are swept: the identities. */
static void collect_identities(void)
{
	ids_each(&record_ids, mark_named);
	ctx_mark_all();
	sync_mark();
	order_each(context_mark, race_ginfo_mark);
	misuse_mark();
	uint64_t live = slot_mark_end();
	live += mutexset_mark_end();
	live += race_ginfo_mark_end();
	live += context_mark_end();
	finding_forget();
	store_rlx(&race_made, 0u);
	store_rlx(
	    &collect_deep, live < RACE_DEEP_MIN || !GC_FACTOR ? RACE_DEEP_MIN : (uint32_t)live);
}

void collect(RaceThread *me)
{
	if (!race_stop_world(me))
		return; /* somebody else has done it */
	bool low = race_is_low();
	if (low)
		shed_low();
	ids_mark_begin(&record_ids);
	ids_mark_begin(&few_ids);
	set_mark_begin();
	uint64_t cells = 0;
	for (Region *r = load_acq(&shadow_regions); r; r = r->next) {
		for (uint32_t i = shadow_next(r, 0); i < REGION_CHUNKS; i = shadow_next(r, i + 1)) {
			if (r->chunk[i].freed)
				record_mark_free(r->chunk[i].freed);
			if (!r->chunk[i].touched)
				continue;
			uintptr_t at = (uintptr_t)r->index << REGION_BITS | (uintptr_t)i
										<< CHUNK_BITS;
			uint8_t now = mark_chunk(at);
			shed_chunk(at, r->chunk[i].touched, now);
			r->chunk[i].touched = now;
			cells += 2 * CHUNK_BYTES / GRANULE;
		}
	}
	block_mark_all();
	uint64_t live = set_mark_end();
	live += ids_mark_end(&few_ids);
	live += ids_mark_end(&record_ids);
	for (RaceThread *t = race_thread_each(NULL); t; t = race_thread_each(t)) {
		t->slow->block.n = t->slow->fews.n =
		    0; /* unused ids in its hand are free by now: no cell names them */
		race_bump(t);
		memset(t->slow->alloc_cache, 0, sizeof t->slow->alloc_cache);
		memset(t->slow->few_cache, 0, sizeof t->slow->few_cache);
	}
	if (low || load_rlx(&race_made) >= load_rlx(&collect_deep))
		collect_identities();
	uint32_t most = shed();
	shadow_now++;
	uint64_t next = GC_FACTOR * live / 2;
	if (GC_FACTOR && next < cells / CELLS_PER_RECORD)
		next = cells / CELLS_PER_RECORD;
	uint64_t top = (uint64_t)record_ids.top + few_ids.top + set_top();
	if (GC_FACTOR && next < top / TOP_PER_RECORD)
		next = top / TOP_PER_RECORD;
	if (next < RACE_GC_MIN)
		next = RACE_GC_MIN;
	next = next < most ? next : most;
	store_rlx(&collect_threshold, next > 1u << 30 ? 1u << 30 : (uint32_t)next);
	race_count(gc_runs);
	race_start_world();
}
