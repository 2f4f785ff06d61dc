/*
 * finding.c: from a conflict of two remembered accesses to a Report.
 *
 * Conflicts are noted while a block lock is held and reported when none is (finding_flush), still
 * inside the detector: the records cannot go meanwhile, and what the report runs (symbols, callbacks)
 * is not checked itself.
 *
 * The same pair of stacks is told to report.c once; the table of pairs is direct-mapped, a collision
 * costs a repetition, which report.c folds. Its words are relaxed atomics: a hint.
 */
#include "access.h"

#include <string.h>

#include "../clock/mutexset.h"
#include "../history/context.h"
#include "../options/flags.h"
#include "../pool.h"
#include "benign.h"
#include "heap.h"

#define PAIRS 8192u

static uint64_t pairs[PAIRS];
static Pool report_pool = POOL_INIT(sizeof(Report));

static bool first_time(RecId now, RecId old, Kind now_kind, Kind old_kind)
{
	const Record *a = record_at(now), *b = record_at(old);
	uint64_t key = ((uint64_t)a->top << 32 | b->top) * 0x9e3779b97f4a7c15u;
	key = (key ^ key >> 29 ^ a->pc ^ (uint64_t)b->pc << 20) * 0xd6e8feb86659fd93u;
	key ^= ((uint64_t)now_kind * KINDS + old_kind + 1) << 3;
	uint64_t *p = &pairs[(key >> 20) % PAIRS];
	if (load_rlx(p) == key)
		return false;
	store_rlx(p, key);
	return true;
}

void finding_forget(void)
{
	memset(pairs, 0, sizeof pairs);
}

void finding_add(Access *a, uintptr_t granule, Entry old, uint8_t mask)
{
	RaceSlow *s = a->t->slow;
	if (s->nfound ==
	    FOUND_MAX) { /* more old ones than one report can tell; they stay where they are */
		race_count(lost_racy);
		return;
	}
	if (benign_covers(granule, old.mask & mask))
		return;
	if (flags.suppress_equal_stacks && !first_time(a->rec, old.rec, a->kind, (Kind)old.kind))
		return;
	if (record_at(old.rec)->size & RECORD_USE) { /* as it is now, with the block locked */
		RecId copy = record_new(&s->block, *record_when(old.rec), record_at(old.rec));
		old.rec = copy ? copy : old.rec;
	}
	s->found[s->nfound++] =
	    (Found){.old = old, .now = {a->rec, (uint8_t)a->kind, mask}, .granule = granule};
}

static AccessKind access_kind(Kind k)
{
	static const AccessKind kind[KINDS] = {
	    [KIND_READ] = ACCESS_READ,
	    [KIND_AREAD] = ACCESS_ATOMIC_READ,
	    [KIND_AWRITE] = ACCESS_ATOMIC_WRITE,
	    [KIND_WRITE] = ACCESS_WRITE,
	    [KIND_FREE] = ACCESS_FREE,
	    [KIND_ALLOC] = ACCESS_WRITE, /* never one side of a conflict */
	};
	return kind[k];
}

/* An access as the report shows it. The mask of an entry may join several accesses of one record (a
 * loop over bytes): then the one that covers the first byte in question. whole: the mask is all that the
 * access has of this granule; what a granule remembers may have lost bytes to later accesses. */
static void fill(ReportAccess *out, uintptr_t granule, Entry e, uint8_t overlap, bool whole)
{
	const Record *r = record_at(e.rec);
	uint32_t size = r->size & RECORD_SIZE, bytes = (uint32_t)__builtin_popcount(e.mask);
	int32_t first = __builtin_ctz(overlap);
	if (size > GRANULE) {
		/* Part of a range: what is still together around the byte in question. */
		uint32_t up = (uint32_t)first;
		while (first > 0 && e.mask >> (first - 1) & 1)
			first--;
		while (up < GRANULE && e.mask >> up & 1)
			up++;
		size = up - (uint32_t)first;
	} else if (whole && bytes < size && e.mask == (1u << bytes) - 1) {
		first = (int32_t)bytes - (int32_t)size; /* began in the granule before */
	} else if (bytes <= size) {                     /* bytes apart are of two accesses */
		while (first > 0 && e.mask >> (first - 1) & 1)
			first--;
	} else {
		first -= first % (int32_t)size;
	}
	*out = (ReportAccess){.kind = access_kind((Kind)e.kind),
	    .addr = granule + (uintptr_t)(intptr_t)first,
	    .size = size,
	    .ginfo = r->ginfo,
	    .stack = context_push(r->top, r->pc)};
	if (e.kind != KIND_FREE)
		out->nlocks = mutexset_list(r->mset, out->locks, REPORT_MAX_LOCKS);
}

void finding_report(RaceThread *t)
{
	RaceSlow *s = t->slow;
	Report *r = pool_get(&report_pool); /* off the stack: it may be a goroutine's */
	for (uint32_t i = 0; i < s->nfound; i++) {
		Found *f = &s->found[i];
		uint8_t overlap = f->old.mask & f->now.mask;
		memset(r, 0, sizeof *r);
		uint32_t sizes = record_at(f->old.rec)->size | record_at(f->now.rec)->size;
		r->kind = f->old.kind == KIND_FREE   ? REPORT_USE_AFTER_FREE
			  : f->now.kind == KIND_FREE ? REPORT_RACE
			  : sizes & RECORD_VPTR      ? REPORT_VPTR_RACE
						     : REPORT_RACE;
		r->naccesses = 2;
		fill(&r->accesses[0], f->granule, f->now, overlap, true);
		fill(&r->accesses[1], f->granule, f->old, overlap, false);
		location_find(f->granule + (uint32_t)__builtin_ctz(overlap), &r->location);
		if (f->old.kind == KIND_FREE && r->location.kind == LOCATION_UNKNOWN) {
			r->location.kind = LOCATION_HEAP;
			location_of_free(record_at(f->old.rec), &r->location);
		}
		if (f->old.kind == KIND_FREE && r->location.start) { /* of all of the block */
			r->accesses[1].addr = r->location.start;
			r->accesses[1].size =
			    r->location.size < UINT32_MAX ? (uint32_t)r->location.size : UINT32_MAX;
		}
		report_emit(r);
	}
	s->nfound = 0;
	pool_put(&report_pool, r);
}

void finding_double_free(RaceThread *t, RaceCtx *g, uintptr_t addr, Entry old, const void *pc)
{
	Report *r = pool_get(&report_pool);
	memset(r, 0, sizeof *r);
	r->kind = REPORT_DOUBLE_FREE;
	r->naccesses = 2;
	r->accesses[0] = (ReportAccess){.kind = ACCESS_FREE,
	    .addr = addr,
	    .size = heap_freed_size(record_at(old.rec)),
	    .ginfo = g->ginfo,
	    .stack = context_here(t, g, pc)};
	r->accesses[0].nlocks = mutexset_list(g->mset, r->accesses[0].locks, REPORT_MAX_LOCKS);
	fill(&r->accesses[1], addr & ~(uintptr_t)7, old, old.mask, false);
	r->accesses[1].size = r->accesses[0].size;
	location_find(addr, &r->location);
	report_emit(r);
	pool_put(&report_pool, r);
}
