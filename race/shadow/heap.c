/*
 * heap.c: fresh and freed memory, and whose block an address lies in.
 *
 * Freeing is a write of the whole block, and leaves KIND_FREE in every cell: any later access, ordered
 * or not, is a use after free, told once a place. Blocks above FREE_MARK_MAX are checked and then
 * forgotten: the allocator gives such memory back to the system, and marking it would cost half its
 * size in shadow. Allocating forgets what the memory was.
 *
 * heap_bits: words are atomics, relaxed. Neighbouring blocks share words, hence fetch_and / fetch_or;
 * a block's own bits are changed by who holds the block.
 */
#include "heap.h"

#include <malloc.h>
#include <string.h>

#include "../clock/syncvar.h"
#include "../history/context.h"
#include "../report/report.h"
#include "../thread.h"
#include "access.h"
#include "benign.h"
#include "set.h"

#define FREE_MARK_MAX (256u * 1024)
#define SCAN_MAX      ((uintptr_t)64 << 20) /* how far back a block's start is looked for, in a report */

typedef struct Trailer {
	StackId stack;
	uint32_t ginfo;
	uint32_t slack; /* usable size less the requested one */
} Trailer;

_Static_assert(sizeof(Trailer) == RACE_HEAP_TRAILER, "malloc.c makes room for this");

/* What stands at the end of a block: nothing (zero) where the program wrote over it. */
static Trailer trailer_at(uintptr_t p, size_t usable)
{
	Trailer tr;
	memcpy(&tr, (char *)p + usable - sizeof tr, sizeof tr);
	if (tr.slack < sizeof tr || tr.slack > usable || !context_known(tr.stack) ||
	    tr.ginfo >= race_ginfo_end())
		tr = (Trailer){.slack = sizeof tr};
	return tr;
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

/* ---- blocks of the runtime ---- */

typedef struct Block {
	uintptr_t addr; /* 0: free */
	size_t size;
	StackId stack;
	uint32_t ginfo;
} Block;

/* Open addressing, at most half full; deleted entries keep their place until the table grows. */
static struct {
	Lock lock;
	Block *at;
	uint32_t mask, used;
} blocks;

static uint32_t block_hash(uintptr_t addr)
{
	return (uint32_t)((addr >> 4) * 0x9e3779b97f4a7c15u >> 32);
}

/* Lock held. */
static Block *block_slot(uintptr_t addr)
{
	uint32_t i = block_hash(addr) & blocks.mask;
	while (blocks.at[i].addr && blocks.at[i].addr != addr)
		i = (i + 1) & blocks.mask;
	return &blocks.at[i];
}

static void block_put(Block b)
{
	lock(&blocks.lock);
	if (2 * blocks.used >= blocks.mask) {
		Block *old = blocks.at;
		uint32_t n = old ? blocks.mask + 1 : 0, cap = n ? 2 * n : 256;
		blocks.at = race_alloc(cap * sizeof *old);
		blocks.mask = cap - 1;
		for (uint32_t i = 0; i < n; i++)
			if (old[i].addr)
				*block_slot(old[i].addr) = old[i];
	}
	Block *slot = block_slot(b.addr);
	blocks.used += !slot->addr;
	*slot = b;
	unlock(&blocks.lock);
}

static bool block_get(uintptr_t addr, Block *out)
{
	bool found = false;
	lock(&blocks.lock);
	if (blocks.at) {
		*out = *block_slot(addr);
		found = out->addr != 0;
	}
	unlock(&blocks.lock);
	return found;
}

/* ---- alloc and free ---- */

static void fresh(uintptr_t lo, uintptr_t hi)
{
	shadow_clear(lo, hi);
	sync_forget_range(lo, hi);
	benign_forget(lo, hi);
}

/* told: the size that the record tells, of the whole block. */
static void freed(
    RaceThread *t, RaceCtx *g, uintptr_t p, size_t size, size_t told, StackId stack, const void *pc)
{
	Access a = {.t = t,
	    .ctx = g,
	    .pc = pc,
	    .size = told > RECORD_SIZE ? RECORD_SIZE : (uint32_t)told,
	    .kind = KIND_FREE,
	    .alloc_stack = stack};
	if (size <= FREE_MARK_MAX) {
		access_range(&a, p, size);
	} else {
		a.kind = KIND_WRITE; /* only where something is remembered */
		for (uintptr_t at = p; at < p + size;) {
			uintptr_t end = (at | (CHUNK_BYTES - 1)) + 1;
			end = end < p + size ? end : p + size;
			if (shadow_mapped(at) && load_rlx(&shadow_chunk(at)->touched))
				access_range(&a, at, end - at);
			at = end;
		}
		shadow_clear(p, p + size);
		clear_starts(p, p + size);
	}
	sync_forget_range(p, p + size);
}

void race_heap_alloc(RaceCtx *g, void *p, size_t size, size_t usable, const void *pc)
{
	RaceThread *t = &race_thread;
	uintptr_t at = (uintptr_t)p;
	if (!p || usable < RACE_HEAP_TRAILER)
		return;
	Trailer tr = {.slack = usable - size > UINT32_MAX ? UINT32_MAX : (uint32_t)(usable - size)};
	if (race_enter(t)) {
		race_register(t);
		if (shadow_mapped(at) || shadow_map(at)) {
			fresh(at, at + usable);
			mark_start(at, at + usable);
		}
		if (g) {
			tr.stack = context_here(t, g, pc);
			tr.ginfo = g->ginfo;
		}
		race_leave(t);
	} else if (shadow_mapped(
		       at)) { /* inside the detector: a block without a past, not known later */
		and_ar(bits_at(at), ~bit_of(at)); /* the order is not needed */
	}
	memcpy((char *)p + usable - sizeof tr, &tr, sizeof tr);
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
	CellIter it = cell_iter(load_rlx(shadow_w(at)), PLANE_W);
	Entry e;
	if (cell_next(&it, &e) && e.kind == KIND_FREE) {
		finding_double_free(t, g, at, e, pc);
		ok = false;
	} else {
		Trailer tr = trailer_at(at, usable);
		freed(t, g, at, usable, usable - tr.slack, tr.stack, pc);
		finding_flush(t);
	}
	race_leave(t);
	return ok;
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
		block_put((Block){at, size, g ? context_here(t, g, pc) : 0, g ? g->ginfo : 0});
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
	block_get((uintptr_t)addr, &b);
	freed(t, g, (uintptr_t)addr, size, size, b.stack, pc);
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

void race_forget_sync(const void *addr, size_t size)
{
	RaceThread *t = &race_thread;
	if (!size || !race_enter(t))
		return;
	sync_forget_range((uintptr_t)addr, (uintptr_t)addr + size);
	race_leave(t);
}

/* ---- whose is it ---- */

static bool find_start(uintptr_t addr, uintptr_t *start)
{
	uintptr_t at = addr & ~(uintptr_t)15;
	for (uintptr_t low = at > SCAN_MAX ? at - SCAN_MAX : 0; at > low && shadow_mapped(at);) {
		if (!load_rlx(&shadow_chunk(at)->has_block)) {
			at = (at & ~(uintptr_t)(CHUNK_BYTES - 1)) - 16;
			continue;
		}
		uint64_t w = load_rlx(bits_at(at)) & (bit_of(at) | (bit_of(at) - 1));
		if (w) {
			*start =
			    (at & ~(uintptr_t)1023) + 16 * (63 - (uintptr_t)__builtin_clzll(w));
			return true;
		}
		at = (at & ~(uintptr_t)1023) - 16;
	}
	return false;
}

static bool find_heap(uintptr_t addr, ReportLocation *out)
{
	uintptr_t start;
	if (!find_start(addr, &start))
		return false;
	Block b;
	if (block_get(start, &b)) {
		if (addr - start >= b.size)
			return false;
		*out = (ReportLocation){LOCATION_HEAP, start, b.size, b.ginfo, b.stack};
		return true;
	}
	/* Freed? Then its memory may be another's by now. The access in question may have unmarked one
	 * granule; no block is smaller than two. */
	for (uintptr_t at = start; at < start + 16; at += 8) {
		CellIter it = cell_iter(load_rlx(shadow_w(at)), PLANE_W);
		Entry e;
		if (cell_next(&it, &e) && e.kind == KIND_FREE) {
			const Record *r = record_at(e.rec);
			if (addr - start >= r->size)
				return false;
			*out = (ReportLocation){LOCATION_HEAP, start, r->size, 0, r->mset};
			return true;
		}
	}
	size_t usable = malloc_usable_size((void *)start);
	if (usable < RACE_HEAP_TRAILER || addr - start >= usable)
		return false;
	Trailer tr = trailer_at(start, usable);
	*out = (ReportLocation){LOCATION_HEAP, start, usable - tr.slack, tr.ginfo, tr.stack};
	return true;
}

static bool is_freed(uintptr_t start)
{
	for (uintptr_t at = start; at < start + 16; at += 8) {
		CellIter it = cell_iter(load_rlx(shadow_w(at)), PLANE_W);
		Entry e;
		if (cell_next(&it, &e) && e.kind == KIND_FREE)
			return true;
	}
	return false;
}

bool race_heap_live(uintptr_t addr, uintptr_t *start, size_t *size)
{
	if (!find_start(addr, start) || is_freed(*start))
		return false;
	/* The runtime's blocks are malloc's too. The last word is the next one's head as well, to which malloc's
	 * own lists point. */
	*size = malloc_usable_size((void *)*start) - sizeof(size_t);
	return addr - *start < *size;
}

typedef struct FindStack {
	uintptr_t addr;
	ReportLocation *out;
} FindStack;

static bool on_stack(RaceCtx *c, void *arg)
{
	FindStack *f = arg;
	if (f->addr < c->stack_lo || f->addr >= c->stack_hi)
		return false;
	*f->out =
	    (ReportLocation){LOCATION_STACK, c->stack_lo, c->stack_hi - c->stack_lo, c->ginfo, 0};
	return true;
}

void location_find(uintptr_t addr, ReportLocation *out)
{
	*out = (ReportLocation){.kind = LOCATION_UNKNOWN};
	FindStack f = {addr, out};
	ctx_each(on_stack, &f);
	if (out->kind == LOCATION_UNKNOWN)
		find_heap(addr, out);
}
