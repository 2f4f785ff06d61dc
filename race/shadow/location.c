/*
 * location.c: whose an address is: a block of the heap, living or freed, a stack, or a thread's own variables. For
 * reports.
 */
#include <malloc.h>

#include "../history/context.h"
#include "../history/record.h"
#include "../report/report.h"
#include "../tls.h"
#include "blocks.h"
#include "heap.h"
#include "set.h"
#include "shadow.h"

#define SCAN_MAX ((uintptr_t)64 << 20) /* how far back a block's start is looked for */

void location_of_alloc(RecId alloc, ReportLocation *out)
{
	if (alloc) {
		const Record *r = record_at(alloc);
		out->ginfo = r->ginfo;
		out->allocated_at = context_push(r->top, r->pc);
	}
}

void location_of_free(const Record *r, ReportLocation *out)
{
	location_of_alloc(r->mset & ~RECORD_ALLOC, out);
	uint32_t size = heap_freed_size(r);
	if (!out->start && size < RECORD_SIZE) /* its start may be another's by now */
		out->size = size;
}

static bool find_start(uintptr_t addr, uintptr_t *start)
{
	uintptr_t at = addr & ~(uintptr_t)15;
	for (uintptr_t low = at > SCAN_MAX ? at - SCAN_MAX : 0; at > low && shadow_mapped(at);) {
		if (!load_rlx(&shadow_chunk(at)->has_block)) {
			at = (at & ~(uintptr_t)(CHUNK_BYTES - 1)) - 16;
			continue;
		}
		uint64_t w = heap_starts(at);
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
		*out = (ReportLocation){.kind = LOCATION_HEAP, .start = start, .size = b.size};
		location_of_alloc(b.alloc, out);
		return true;
	}
	/* Freed? Then its memory may be another's by now. The access in question may have unmarked one
	 * granule; no block is smaller than two. */
	for (uintptr_t at = start; at < start + 16; at += 8) {
		CellIter it = cell_iter(heap_cell(at), PLANE_W);
		Entry e;
		if (cell_next(&it, &e) && e.kind == KIND_FREE) {
			const Record *r = record_at(e.rec);
			uint32_t size = heap_freed_size(r);
			if (addr - start >= size)
				return false;
			*out =
			    (ReportLocation){.kind = LOCATION_HEAP, .start = start, .size = size};
			location_of_free(r, out);
			return true;
		}
	}
	size_t usable = malloc_usable_size((void *)start);
	if (usable < RACE_HEAP_TRAILER || addr - start >= usable)
		return false;
	RecId alloc = heap_alloc_of(start, usable);
	*out = (ReportLocation){
	    .kind = LOCATION_HEAP, .start = start, .size = heap_size_of(alloc, usable)};
	location_of_alloc(alloc, out);
	return true;
}

static bool is_freed(uintptr_t start)
{
	for (uintptr_t at = start; at < start + 16; at += 8) {
		CellIter it = cell_iter(heap_cell(at), PLANE_W);
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
	*f->out = (ReportLocation){.kind = LOCATION_STACK,
	    .start = c->stack_lo,
	    .size = c->stack_hi - c->stack_lo,
	    .ginfo = c->ginfo};
	return true;
}

void location_find(uintptr_t addr, ReportLocation *out)
{
	*out = (ReportLocation){.kind = LOCATION_UNKNOWN};
	if (race_tls_find(addr, out)) /* before stacks: a thread's has them at its end */
		return;
	FindStack f = {addr, out};
	ctx_each(on_stack, &f);
	if (out->kind == LOCATION_UNKNOWN)
		find_heap(addr, out);
}
