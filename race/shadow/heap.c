/*
 * heap.c: fresh and freed memory.
 *
 * Freeing is a write of the whole block, and leaves KIND_FREE in every cell: any later access, ordered
 * or not, is a use after free, told once a place. The whole 64 KiB chunks of a block above FREE_MARK_MAX are
 * marked as such, not cell by cell. Allocating forgets what the memory was.
 *
 * Who allocated a block, where, and how large it was to be, is a record like those of accesses. The block's
 * last granule, which malloc.c asks for besides, names it in its cell (KIND_ALLOC): so the program cannot
 * overwrite it, and a collection finds it as it finds all others.
 *
 * heap_bits: words are atomics, relaxed. Neighbouring blocks share words, hence fetch_and / fetch_or;
 * a block's own bits are changed by who holds the block.
 */
#include "heap.h"

#include <string.h>

#include "../clock/syncvar.h"
#include "../history/context.h"
#include "../report/report.h"
#include "../thread.h"
#include "access.h"
#include "benign.h"
#include "blocks.h"
#include "set.h"

#define FREE_MARK_MAX (256u * 1024)

/* ---- who allocated it ---- */

/* The granule of a block's last bytes, which are ours: its W cell names the record of the allocation. */
static uintptr_t last_granule(uintptr_t p, size_t usable)
{
	return ((p + usable) & ~(uintptr_t)7) - GRANULE;
}

/* One record for all allocations of a goroutine at a place, of a size: of no epoch, it is no access. */
static RecId alloc_record(RaceThread *t, RaceCtx *g, size_t size, const void *pc)
{
	uint32_t told = size > RECORD_SIZE ? RECORD_SIZE : (uint32_t)size;
	StackId top = context_top(t, g);
	uint64_t h = ((uintptr_t)pc + ((uint64_t)top << 32) + told * 31u) * 0x9e3779b97f4a7c15u;
	RecCached *c = &t->slow->alloc_cache[h >> (64 - ALLOC_BITS)];
	if (c->rec && c->pc == (uintptr_t)pc && c->top == top && c->size == told &&
	    c->gen == g->ginfo)
		return c->rec;
	Record r = {.top = top, .pc = (uintptr_t)pc, .ginfo = g->ginfo, .size = told};
	RecId rec = record_new(&t->slow->block, (ClockPair){0, 0}, &r);
	*c =
	    (RecCached){.pc = (uintptr_t)pc, .top = top, .size = told, .gen = g->ginfo, .rec = rec};
	return rec;
}

static void put_alloc(uintptr_t p, size_t usable, RecId rec)
{
	uintptr_t at = last_granule(p, usable);
	if (!rec || !(shadow_mapped(at) || shadow_map(at)))
		return;
	bool lost = false;
	Entry e = {rec, KIND_ALLOC, 0xff};
	Cell w = cell_build(&e, 1, &lost);
	block_lock(at);
	shadow_touch(at);
	shadow_grow(at, w, 0);
	store_rlx(shadow_w(at), w); /* relaxed: the block is not the program's yet */
	block_unlock(at);
}

RecId heap_alloc_of(uintptr_t p, size_t usable)
{
	uintptr_t at = last_granule(p, usable);
	if (!shadow_mapped(at))
		return 0;
	CellIter it = cell_iter(load_rlx(shadow_w(at)), PLANE_W);
	for (Entry e; cell_next(&it, &e);)
		if (e.kind == KIND_ALLOC)
			return e.rec;
	return 0;
}

size_t heap_size_of(RecId alloc, size_t usable)
{
	uint32_t told = alloc ? record_at(alloc)->size : RECORD_SIZE;
	return told < RECORD_SIZE && told < usable ? told : usable - RACE_HEAP_TRAILER;
}

/* The free tells what there was room for: reading the allocation's record too, which is long out of the caches, was
 * an eighth of the time of a program that builds trees and frees them. */
uint32_t heap_freed_size(const Record *free_rec)
{
	uint32_t room = free_rec->size & RECORD_SIZE, alloc = free_rec->mset & ~RECORD_ALLOC;
	uint32_t told = alloc ? record_at(alloc)->size : RECORD_SIZE;
	return told < room ? told : room;
}

Cell heap_cell(uintptr_t at)
{
	Cell w = load_rlx(shadow_w(at));
	return w || load_rlx(shadow_r_of(shadow_w(at))) ? w : shadow_freed(at);
}

/* ---- start bits ---- */

static uint64_t *bits_at(uintptr_t addr)
{
	return &shadow_region[addr >> REGION_BITS]->heap_bits[(uint32_t)addr / 16 / 64];
}

static uint64_t bit_of(uintptr_t addr)
{
	return (uint64_t)1 << (addr / 16 % 64);
}

static bool start_bit(uintptr_t addr)
{
	return shadow_mapped(addr) && (load_rlx(bits_at(addr)) & bit_of(addr));
}

/* Clear the start bits of [lo, hi), where any were set in its 64 KiB. */
static void clear_starts(uintptr_t lo, uintptr_t hi)
{
	while (lo < hi) {
		if (!shadow_mapped(lo))
			return;
		uintptr_t chunk_end = (lo | (CHUNK_BYTES - 1)) + 1;
		if (!load_rlx(&shadow_chunk(lo)->has_block)) {
			lo = chunk_end;
			continue;
		}
		for (; lo < hi && lo < chunk_end; lo = (lo | 1023) + 1) {
			uintptr_t base = lo & ~(uintptr_t)1023;
			uintptr_t n = hi - base < 1024 ? (hi - base + 15) / 16 : 64;
			uint64_t mask =
			    (n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1) & ~(bit_of(lo) - 1);
			if (load_rlx(bits_at(lo)) & mask)
				and_ar(bits_at(lo), ~mask); /* the order is not needed */
		}
	}
}

/* A block starts at addr, and none within (addr, end). The region is mapped. */
static void mark_start(uintptr_t addr, uintptr_t end)
{
	clear_starts(addr, end);
	store_rlx(&shadow_chunk(addr)->has_block, (uint8_t)1);
	or_rlx(bits_at(addr), bit_of(addr));
}

/* ---- alloc and free ---- */

static void fresh(uintptr_t lo, uintptr_t hi)
{
	shadow_clear(lo, hi);
	sync_forget_range(lo, hi);
	benign_forget(lo, hi);
}

/* Whole chunks of a large block get their mark as chunks (shadow.h): cells would cost half its size. */
static void freed_large(Access *a, uintptr_t p, size_t size)
{
	uintptr_t end = p + size, first = (p + CHUNK_BYTES - 1) & ~(uintptr_t)(CHUNK_BYTES - 1),
		  last = end & ~(uintptr_t)(CHUNK_BYTES - 1);
	access_range(a, p, first - p);
	for (uintptr_t at = first; at < last; at += CHUNK_BYTES) /* where something is remembered */
		if (shadow_mapped(at) && load_rlx(&shadow_chunk(at)->touched))
			access_range(a, at, CHUNK_BYTES);
	access_range(a, last, end - last);
	shadow_clear(first, last);
	shadow_set_freed(first, last, access_record(a));
}

/* told: the size that the record tells, of the whole block, or more than that (heap_freed_size). */
static void freed(
    RaceThread *t, RaceCtx *g, uintptr_t p, size_t size, size_t told, RecId alloc, const void *pc)
{
	Access a = {.t = t,
	    .ctx = g,
	    .pc = pc,
	    .size = told > RECORD_SIZE ? RECORD_SIZE : (uint32_t)told,
	    .kind = KIND_FREE,
	    .alloc = alloc};
	if (size <= FREE_MARK_MAX)
		access_range(&a, p, size);
	else
		freed_large(&a, p, size);
	sync_forget_range(p, p + size);
}

void race_heap_alloc(RaceCtx *g, void *p, size_t size, size_t usable, const void *pc)
{
	RaceThread *t = &race_thread;
	uintptr_t at = (uintptr_t)p;
	if (!p || usable < RACE_HEAP_TRAILER)
		return;
	if (race_enter(t)) {
		race_register(t);
		if (shadow_mapped(at) || shadow_map(at)) {
			fresh(at, at + usable);
			mark_start(at, at + usable);
			if (g)
				put_alloc(at, usable, alloc_record(t, g, size, pc));
		}
		race_leave(t);
	} else if (shadow_mapped(
		       at)) { /* inside the detector: a block without a past, not known later */
		and_ar(bits_at(at), ~bit_of(at)); /* the order is not needed */
	}
}

bool race_heap_free(RaceCtx *g, void *p, size_t usable, const void *pc)
{
	RaceThread *t = &race_thread;
	uintptr_t at = (uintptr_t)p;
	bool ok = true;
	if (!p || !g || usable < RACE_HEAP_TRAILER || !start_bit(at) || !race_enter(t))
		return true;
	race_register(t);
	collect_if_due(t);
	CellIter it = cell_iter(heap_cell(at), PLANE_W);
	Entry e;
	if (cell_next(&it, &e) && e.kind == KIND_FREE) {
		finding_double_free(t, g, at, e, pc);
		ok = false;
	} else {
		RecId alloc = heap_alloc_of(at, usable);
		freed(t, g, at, usable, usable - RACE_HEAP_TRAILER, alloc, pc);
		finding_flush(t);
	}
	race_leave(t);
	return ok;
}

uint64_t heap_starts(uintptr_t at)
{
	return load_rlx(bits_at(at)) & (bit_of(at) | (bit_of(at) - 1));
}

bool race_heap_known(const void *p)
{
	return start_bit((uintptr_t)p);
}

void hook_alloc(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	RaceThread *t = &race_thread;
	uintptr_t at = (uintptr_t)addr;
	if (!addr || !size || !race_enter(t))
		return;
	race_register(t);
	if (shadow_mapped(at) || shadow_map(at)) {
		fresh(at, at + size);
		mark_start(at, at + size);
		block_put((Block){at, size, g ? alloc_record(t, g, size, pc) : 0});
	}
	race_leave(t);
}

void hook_free(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!addr || !size || !g || !race_enter(t))
		return;
	race_register(t);
	collect_if_due(t);
	Block b = {0};
	block_take((uintptr_t)addr, &b);
	freed(t, g, (uintptr_t)addr, size, size, b.alloc, pc);
	finding_flush(t);
	race_leave(t);
}

void race_fresh(const void *addr, size_t size)
{
	RaceThread *t = &race_thread;
	uintptr_t lo = (uintptr_t)addr, hi = lo + size;
	if (!size || hi < lo || !race_enter(t))
		return;
	fresh(lo, hi);
	clear_starts(lo, hi);
	race_leave(t);
}

void race_move(const void *from, const void *to, size_t size)
{
	RaceThread *t = &race_thread;
	uintptr_t lo = (uintptr_t)from, hi = lo + size, by = (uintptr_t)to - lo;
	if (!size || hi < lo || !race_enter(t))
		return;
	fresh(lo + by, hi + by);
	clear_starts(lo + by, hi + by);
	if (!shadow_move(lo, hi, by))
		race_count(lost_memory);
	sync_move_range(lo, hi, by);
	fresh(lo, hi);
	clear_starts(lo, hi);
	race_leave(t);
}

void race_forget_sync(const void *addr, size_t size)
{
	RaceThread *t = &race_thread;
	if (!size || !race_enter(t))
		return;
	sync_forget_range((uintptr_t)addr, (uintptr_t)addr + size);
	race_leave(t);
}
