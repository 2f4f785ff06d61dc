/*
 * shadow.c: regions of shadow memory, mapped when first needed; block locks; forgetting.
 *
 * Mapping a region: shadow.map_lock (a leaf). shadow_base is published last, by store_rel.
 */
#include "shadow.h"

#include "access.h"
#include "set.h"

#include "../../runtime/os/os.h"

#define RELEASE_BYTES                                                                              \
	(64u * 1024) /* of shadow: below, storing zeros is cheaper than a system call */

uintptr_t shadow_base[REGIONS];
uint32_t shadow_now, shadow_grown;
uint32_t shadow_room = UINT32_MAX;
uint8_t shadow_both;
bool shadow_limited;
Region *shadow_region[REGIONS];
Region *shadow_regions;

static Lock map_lock = LOCK_INIT(RACE_SHADOW);
BlockLock block_locks[1u << BLOCK_LOCK_BITS];

#define BITS_BYTES (((uintptr_t)1 << REGION_BITS) / 16 / 8)

bool shadow_map(uintptr_t addr)
{
	static bool said;
	if (!shadow_valid(addr))
		return false;
	uint32_t i = (uint32_t)(addr >> REGION_BITS);
	if (load_acq(&shadow_base[i]))
		return true;
	lock(&map_lock);
	if (!shadow_base[i]) {
		char *planes = os_map(3 * PLANE_BYTES);
		Chunk *chunk = os_map(REGION_CHUNKS * sizeof *chunk);
		uint64_t *bits = os_map(BITS_BYTES);
		if (planes && chunk && bits) {
			Region *r = race_alloc(sizeof *r);
			*r = (Region){
			    .chunk = chunk, .heap_bits = bits, .index = i, .next = shadow_regions};
			shadow_region[i] = r;
			store_rel(&shadow_regions, r);
			store_rel(&shadow_base[i],
			    (uintptr_t)planes + PLANE_BYTES); /* pairs with load_acq above */
		} else {
			if (planes)
				os_unmap(planes, 3 * PLANE_BYTES);
			if (chunk)
				os_unmap(chunk, REGION_CHUNKS * sizeof *chunk);
			if (bits)
				os_unmap(bits, BITS_BYTES);
			static const char text[] =
			    "goro: race: cannot reserve 6 GiB of address space for shadow "
			    "memory (ulimit -v, vm.overcommit_memory=2?); races are missed\n";
			if (!said)
				os_write(2, text, sizeof text - 1);
			said = true;
		}
	}
	bool ok = shadow_base[i] != 0;
	unlock(&map_lock);
	if (!ok)
		race_count(lost_memory);
	return ok;
}

void shadow_grow_slow(uintptr_t addr, Cell w, Cell r)
{
	Chunk *c = shadow_chunk(addr);
	uint8_t planes = (uint8_t)((w ? TOUCHED_W : 0u) | (r ? TOUCHED_R : 0u) | shadow_both);
	if (load_rlx(&c->warm) != shadow_now)
		store_rlx(&c->warm, shadow_now);
	if ((load_rlx(&c->touched) & planes) == planes)
		return;
	uint32_t more = planes & ~or_rlx(&c->touched, (uint8_t)(planes | 1u));
	more = (uint32_t)__builtin_popcount(more);
	if (add_rlx(&shadow_grown, more) + more >= load_rlx(&shadow_room))
		store_rlx(&collect_threshold, 0u); /* relaxed: a hint */
}

static void use_group(uintptr_t addr)
{
	/* relaxed: see Chunk */
	store_rlx(
	    &shadow_region[addr >> REGION_BITS]->group[(uint32_t)addr >> CHUNK_BITS >> GROUP_BITS],
	    (uint8_t)1);
}

void shadow_touch_first(Chunk *c, uintptr_t addr)
{
	use_group(addr);
	store_rlx(&c->touched, (uint8_t)1);
}

void shadow_touch_stack(Chunk *c, uintptr_t addr)
{
	uint32_t depth = CHUNK_BYTES - ((uint32_t)addr & (CHUNK_BYTES - 1) & ~7u);
	uint32_t old = load_rlx(&c->depth);
	while (old < depth && !cas_rlx(&c->depth, old, depth)) /* relaxed: see Chunk */
		old = load_rlx(&c->depth);
}

static void zero(Cell *lo, Cell *hi)
{
	uintptr_t page = os_page_size();
	if ((uintptr_t)hi - (uintptr_t)lo >= RELEASE_BYTES) {
		Cell *first = (Cell *)(((uintptr_t)lo + page - 1) & ~(page - 1));
		Cell *last = (Cell *)((uintptr_t)hi & ~(page - 1));
		if (os_release(first, (uintptr_t)last - (uintptr_t)first) == 0) {
			zero(lo, first);
			zero(last, hi);
			return;
		}
	}
	for (Cell *c = lo; c < hi; c++)
		if (load_rlx(c)) /* reading an untouched page does not make one */
			store_rlx(c, 0u);
}

/* ---- large freed blocks ---- */

static Lock freed_lock = LOCK_INIT(RACE_SHADOW);

Cell shadow_freed_cell(uint32_t rec)
{
	bool lost = false;
	Entry e = {rec, KIND_FREE, 0xff};
	return cell_build(&e, 1, &lost);
}

void shadow_set_freed(uintptr_t lo, uintptr_t hi, uint32_t rec)
{
	for (; lo < hi; lo += CHUNK_BYTES)
		if (shadow_mapped(lo) || shadow_map(lo)) {
			use_group(lo);
			store_rel(&shadow_chunk(lo)->freed, rec);
		}
}

/* [lo, hi) of the chunk is in use again: what is not is told by its cells from now on. Two allocations in
 * one chunk come one after the other: the second clears what the first has stored in its place. */
static __attribute__((noinline)) void unfree(Chunk *c, uintptr_t lo, uintptr_t hi)
{
	uintptr_t start = lo & ~(uintptr_t)(CHUNK_BYTES - 1);
	lock(&freed_lock);
	uint32_t rec = c->freed;
	Cell cell = rec && hi - lo < CHUNK_BYTES ? shadow_freed_cell(rec) : 0;
	for (uintptr_t a = start; cell && a < start + CHUNK_BYTES; a += GRANULE) {
		if (a >= lo && a < hi)
			continue;
		Cell *w = shadow_w(a);
		block_lock(a);
		if (!load_rlx(w) && !load_rlx(shadow_r_of(w))) {
			shadow_touch(a);
			shadow_grow(a, cell, 0);
			store_rlx(w, cell); /* relaxed: as in access.c */
		}
		block_unlock(a);
	}
	store_rel(&c->freed, 0u); /* pairs with load_acq in shadow_clear */
	unlock(&freed_lock);
}

/* ---- forgetting ---- */

void shadow_clear(uintptr_t lo, uintptr_t hi)
{
	lo &= ~(uintptr_t)7;
	while (lo < hi) {
		uintptr_t end = (lo | (CHUNK_BYTES - 1)) + 1;
		if (!shadow_mapped(lo)) {
			lo = (lo | (((uintptr_t)1 << REGION_BITS) - 1)) + 1;
			if (!shadow_valid(lo))
				return;
			continue;
		}
		Chunk *c = shadow_chunk(lo);
		if (unlikely(load_acq(&c->freed))) /* pairs with store_rel in unfree */
			unfree(c, lo, end < hi ? end : (hi + 7) & ~(uintptr_t)7);
		if (!load_rlx(&c->touched)) {
			lo = end;
			continue;
		}
		/* chunks side by side in one go, so that big blocks go back in one call */
		while (end < hi && (end >> REGION_BITS) == (lo >> REGION_BITS) &&
		       load_rlx(&shadow_chunk(end)->touched) &&
		       !load_acq(&shadow_chunk(end)->freed))
			end += CHUNK_BYTES;
		end = end < hi ? end : (hi + 7) & ~(uintptr_t)7;
		Cell *w = shadow_w(lo);
		size_t n = (end - lo) / GRANULE;
		zero(w, w + n);
		zero(shadow_r_of(w), shadow_r_of(w) + n);
		lo = end;
	}
}

void shadow_release(uintptr_t chunk, Plane p)
{
	Cell *c = shadow_w(chunk);
	c = p == PLANE_W ? c : shadow_r_of(c);
	size_t bytes = CHUNK_BYTES / GRANULE * sizeof *c;
	if (bytes % os_page_size() || os_release(c, bytes) != 0)
		zero(c, c + CHUNK_BYTES / GRANULE);
}

/* A chunk becomes part of a stack late: look where its lowest cell is. */
static void find_depth(Chunk *c, uintptr_t start)
{
	for (uintptr_t a = start; a < start + CHUNK_BYTES; a += GRANULE) {
		Cell *w = shadow_w(a);
		if (load_rlx(w) || load_rlx(shadow_r_of(w))) {
			shadow_touch_stack(c, a);
			return;
		}
	}
}

void shadow_clear_stack(uintptr_t lo, uintptr_t hi)
{
	for (uintptr_t at = lo; at < hi; at = (at | (CHUNK_BYTES - 1)) + 1) {
		if (!shadow_mapped(at) && !shadow_map(at))
			return;
		Chunk *c = shadow_chunk(at);
		uintptr_t start = at & ~(uintptr_t)(CHUNK_BYTES - 1), end = start + CHUNK_BYTES;
		end = end < hi ? end : hi;
		if (unlikely(load_acq(&c->freed)))
			unfree(c, at, end);
		if (!load_rlx(&c->is_stack)) {
			store_rlx(&c->is_stack, (uint8_t)1);
			if (load_rlx(&c->touched)) { /* memory of another kind so far */
				shadow_clear(at, end);
				find_depth(c, start);
			}
		}
		uint32_t depth = load_rlx(&c->depth);
		uintptr_t low = start + CHUNK_BYTES - depth;
		shadow_clear(low > at ? low : at, end);
		/* Clean from at to end; below at unknown where low < at, above end unknown always. Whoever
		 * shares the chunk and went deeper meanwhile keeps its mark: the exchange fails. */
		if (low >= at && low < end)
			(void)cas_rlx(&c->depth, depth, (uint32_t)(start + CHUNK_BYTES - end));
	}
}

/* ---- moving ---- */

bool shadow_move(uintptr_t lo, uintptr_t hi, uintptr_t by)
{
	bool all = true;
	shadow_clear(lo + by, hi + by);
	for (uintptr_t at = lo; at < hi; at += GRANULE) {
		if (!shadow_mapped(at) || !load_rlx(&shadow_chunk(at)->touched)) {
			at |= CHUNK_BYTES - GRANULE; /* the chunk's last granule */
			continue;
		}
		Cell *from = shadow_w(at);
		Cell w = load_rlx(from),
		     r = load_rlx(shadow_r_of(from)); /* relaxed: nobody else's */
		if (!(w | r))
			continue;
		if (!shadow_mapped(at + by) && !shadow_map(at + by)) {
			all = false;
			break;
		}
		shadow_touch(at + by);
		shadow_grow(at + by, w, r);
		Cell *to = shadow_w(at + by);
		store_rlx(to, w);
		store_rlx(shadow_r_of(to), r);
	}
	shadow_clear(lo, hi);
	return all;
}

/* ---- what it takes ---- */

static bool any_cell(const Cell *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (load_rlx(&c[i])) /* relaxed: a figure of a moment */
			return true;
	return false;
}

/* The W cell of the first granule of chunk i. */
static Cell *chunk_w(const Region *r, uint32_t i)
{
	return shadow_w((uintptr_t)r->index << REGION_BITS | (uintptr_t)i << CHUNK_BITS);
}

MemoryUse shadow_memory(void)
{
	MemoryUse use = {0};
	const size_t n = CHUNK_BYTES / GRANULE;
	for (Region *r = load_acq(&shadow_regions); r; r = r->next) {
		for (uint32_t i = shadow_next(r, 0); i < REGION_CHUNKS; i = shadow_next(r, i + 1)) {
			if (!load_rlx(&r->chunk[i].touched))
				continue;
			const Cell *w = chunk_w(r, i), *rd = shadow_r_of((Cell *)w);
			bool in_w = any_cell(w, n), in_r = any_cell(rd, n);
			use.live += in_w || in_r;
			if (shadow_both)
				in_w = in_r = true;
			use.bytes += ((uint64_t)in_w + in_r) * n * sizeof *w;
		}
	}
	return use;
}

MemoryUse shadow_heap_memory(void)
{
	MemoryUse use = {0};
	const uint32_t per_page = (uint32_t)os_page_size() / (CHUNK_BYTES / 16 / 8);
	for (Region *r = load_acq(&shadow_regions); r; r = r->next) {
		uint32_t last = UINT32_MAX; /* page counted */
		for (uint32_t i = 0; i < REGION_CHUNKS; i++) {
			if (!load_rlx(&r->chunk[i].has_block))
				continue;
			use.live++;
			use.bytes += i / per_page != last ? os_page_size() : 0;
			last = i / per_page;
		}
	}
	return use;
}

uint64_t shadow_meta_bytes(void)
{
	uint64_t bytes = 0;
	const size_t n = os_page_size() / sizeof(Cell), all = CHUNK_BYTES / GRANULE;
	for (Region *r = load_acq(&shadow_regions); r; r = r->next)
		for (uint32_t i = 0; i < REGION_CHUNKS; i++)
			for (size_t at = 0; load_rlx(&r->chunk[i].has_sync) && at < all; at += n)
				bytes += any_cell(shadow_meta_of(chunk_w(r, i)) + at,
					     at + n < all ? n : all - at)
					     ? n * sizeof(Cell)
					     : 0;
	return bytes;
}
