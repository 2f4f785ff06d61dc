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

static uint64_t pair_key(RecId now, RecId old, Kind now_kind, Kind old_kind)
{
	const Record *a = record_at(now), *b = record_at(old);
	uint64_t key = ((uint64_t)a->top << 32 | b->top) * 0x9e3779b97f4a7c15u;
	key = (key ^ key >> 29 ^ a->pc ^ (uint64_t)b->pc << 20) * 0xd6e8feb86659fd93u;
	return key ^ ((uint64_t)now_kind * KINDS + old_kind + 1) << 3;
}

static uint64_t *pair_place(uint64_t key)
{
	return &pairs[(key >> 20) % PAIRS];
}

static bool first_time(uint64_t key)
{
	uint64_t *p = pair_place(key);
	if (load_rlx(p) == key)
		return false;
	store_rlx(p, key);
	return true;
}

/* It is not going to be told after all. */
static void not_told(uint64_t key)
{
	uint64_t *p = pair_place(key);
	if (load_rlx(p) == key)
		store_rlx(p, (uint64_t)0);
}

void finding_forget(void)
{
	memset(pairs, 0, sizeof pairs);
}

/* Where a conflict of `bytes` of the granule goes when no place is free: that of another all of whose bytes are
 * told by the rest of its granule as well, so that of each byte at least one conflict is told. One access meets
 * three granules of 8 bytes at most, and access_range begins none where half of the places are taken: so there is
 * one, or these bytes are told already. NULL: that. */
static Found *make_room(RaceSlow *s, uintptr_t granule, uint8_t bytes)
{
	uint8_t told = 0;
	for (uint32_t i = 0; i < s->nfound; i++)
		if (s->found[i].granule == granule)
			told |= s->found[i].old.mask & s->found[i].now.mask;
	if (!(bytes & (uint8_t)~told))
		return NULL;
	for (uint32_t i = 0; i < s->nfound; i++) {
		const Found *f = &s->found[i];
		uint8_t rest = f->granule == granule ? bytes : 0;
		for (uint32_t j = 0; j < s->nfound; j++)
			if (j != i && s->found[j].granule == f->granule)
				rest |= s->found[j].old.mask & s->found[j].now.mask;
		if (!(f->old.mask & f->now.mask & (uint8_t)~rest))
			return &s->found[i];
	}
	return NULL;
}

_Static_assert(
    FOUND_MAX >= 32, "make_room needs 8 places for each of 3 granules, or for half of all");

void finding_add(Access *a, uintptr_t granule, Entry old, uint8_t mask)
{
	RaceSlow *s = a->t->slow;
	Found *at = &s->found[s->nfound];
	if (benign_covers(granule, old.mask & mask))
		return;
	if (s->nfound == FOUND_MAX) { /* more old ones than are told; they stay where they are */
		race_count(lost_racy);
		at = make_room(s, granule, old.mask & mask);
		if (!at)
			return;
	}
	if (flags.suppress_equal_stacks) {
		if (!first_time(pair_key(a->rec, old.rec, a->kind, (Kind)old.kind)))
			return;
		if (s->nfound == FOUND_MAX)
			not_told(pair_key(
			    at->now.rec, at->old.rec, (Kind)at->now.kind, (Kind)at->old.kind));
	}
	if (record_at(old.rec)->size & RECORD_USE) { /* as it is now, with the block locked */
		RecId copy = record_new(&s->block, *record_when(old.rec), record_at(old.rec));
		old.rec = copy ? copy : old.rec;
	}
	s->nfound += s->nfound < FOUND_MAX;
	*at = (Found){.old = old, .now = {a->rec, (uint8_t)a->kind, mask}, .granule = granule};
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

/* The first byte of an access of `size` <= GRANULE bytes which has the byte `at`, where all that is known is
 * the mask, which may join several accesses of one record (a loop over bytes): of those that the mask has
 * wholly, the one that begins there, if the last one told ends there; else the aligned one if there is one. Where
 * it has none, bytes were lost to later accesses, or the access goes on in the next granule: then what is still
 * together before that byte. */
static int32_t first_byte(uint8_t mask, uint32_t size, int32_t at, int32_t end)
{
	const uint32_t all = (1u << size) - 1;
	if (at == end && (mask >> at & all) == all)
		return at;
	const int32_t aligned = at - at % (int32_t)size;
	int32_t first = -1;
	for (int32_t i = at; i >= 0 && i > at - (int32_t)size; i--)
		if ((mask >> i & all) == all && (first < 0 || i == aligned))
			first = i;
	if (first >= 0)
		return first;
	while (at > 0 && mask >> (at - 1) & 1)
		at--;
	return at;
}

/* An access as the report shows it: the one that has the byte `at` of the granule. whole: the mask is all that
 * the access has of this granule; what a granule remembers may have lost bytes to later accesses. end: where
 * the last one of this mask that was told ends; -1: none was. */
static void fill(ReportAccess *out, uintptr_t granule, Entry e, int32_t at, bool whole, int32_t end)
{
	const Record *r = record_at(e.rec);
	uint32_t size = r->size & RECORD_SIZE, bytes = (uint32_t)__builtin_popcount(e.mask);
	int32_t first = at;
	if (size > GRANULE) {
		/* Part of a range: what is still together around the byte in question. */
		uint32_t up = (uint32_t)at;
		while (first > 0 && e.mask >> (first - 1) & 1)
			first--;
		while (up < GRANULE && e.mask >> up & 1)
			up++;
		size = up - (uint32_t)first;
	} else if (whole && bytes < size && e.mask == (1u << bytes) - 1) {
		first = (int32_t)bytes - (int32_t)size; /* began in the granule before */
	} else {
		first = first_byte(e.mask, size ? size : 1, at, end);
	}
	*out = (ReportAccess){.kind = access_kind((Kind)e.kind),
	    .addr = granule + (uintptr_t)(intptr_t)first,
	    .size = size,
	    .ginfo = r->ginfo,
	    .stack = context_push(r->top, r->pc)};
	if (e.kind != KIND_FREE)
		out->nlocks = mutexset_list(r->mset, out->locks, REPORT_MAX_LOCKS);
}

/* The bytes of the granule that a shown access has. */
static uint8_t shown(const ReportAccess *a, uintptr_t granule)
{
	uint8_t mask = 0;
	for (uint32_t i = 0; i < GRANULE; i++)
		if (granule + i - a->addr < a->size)
			mask |= (uint8_t)(1u << i);
	return mask;
}

/* Of a conflict, the two accesses that have the byte `at`. The bytes that they share. *end: as fill's, of the
 * previous access. */
static uint8_t report_byte(Report *r, const Found *f, int32_t at, int32_t *end)
{
	uint32_t sizes = record_at(f->old.rec)->size | record_at(f->now.rec)->size;
	memset(r, 0, sizeof *r);
	r->kind = f->old.kind == KIND_FREE   ? REPORT_USE_AFTER_FREE
		  : f->now.kind == KIND_FREE ? REPORT_RACE
		  : sizes & RECORD_VPTR      ? REPORT_VPTR_RACE
					     : REPORT_RACE;
	r->naccesses = 2;
	fill(&r->accesses[0], f->granule, f->now, at, true, -1);
	fill(&r->accesses[1], f->granule, f->old, at, false, *end);
	*end = (int32_t)(r->accesses[1].addr + r->accesses[1].size - f->granule);
	uint8_t told = shown(&r->accesses[0], f->granule) & shown(&r->accesses[1], f->granule);
	location_find(f->granule + (uint32_t)at, &r->location);
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
	return told;
}

/* A conflict is one report where equal stacks are told once. Where not, each of its bytes is told: the mask of
 * what is remembered may be of several accesses, which a line made side by side, and one report shows one. */
void finding_report(RaceThread *t)
{
	RaceSlow *s = t->slow;
	Report *r = pool_get(&report_pool); /* off the stack: it may be a goroutine's */
	for (uint32_t i = 0; i < s->nfound; i++) {
		const Found *f = &s->found[i];
		int32_t end = -1;
		for (uint32_t left = f->old.mask & f->now.mask; left;) {
			int32_t at = __builtin_ctz(left);
			left &= left - 1;
			left &= ~(uint32_t)report_byte(r, f, at, &end);
			if (flags.suppress_equal_stacks)
				break;
		}
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
	fill(&r->accesses[1], addr & ~(uintptr_t)7, old, __builtin_ctz(old.mask), false, -1);
	r->accesses[1].size = r->accesses[0].size;
	location_find(addr, &r->location);
	report_emit(r);
	pool_put(&report_pool, r);
}
