/*
 * shadow.h: where the cells lie, and the locks over them.
 *
 * Program memory is divided into regions of 4 GiB. A region that was ever accessed has one reservation
 * of 6 GiB, touched lazily: plane R, plane W, plane META (2 GiB each, a 32-bit cell per 8 bytes), and
 * beside it a record per 64 KiB of program ("chunk") and the bitmap of heap blocks. shadow_base[i] is
 * the address of region i's plane W, or 0: nothing accessed there yet (the fast path tests that). No
 * fixed address is asked for, so any layout of the program's address space will do.
 *
 * Locks. block_lock(addr) guards cells and their transitions for a 512-byte block of program memory,
 * by a hashed spin lock; held for some hundred instructions, never across a system call but for growth
 * of tables. At most one block lock is held by a thread. META cells have their own lock (syncvar.c).
 */
#ifndef GORO_RACE_SHADOW_H
#define GORO_RACE_SHADOW_H

#include "../spin.h"
#include "cell.h"

#define GRANULE       8u
#define BLOCK         512u
#define REGION_BITS   32
#define REGIONS       32768u
#define PLANE_BYTES   ((uintptr_t)1 << (REGION_BITS - 1))
#define CHUNK_BITS    16
#define CHUNK_BYTES   (1u << CHUNK_BITS)
#define REGION_CHUNKS (1u << (REGION_BITS - CHUNK_BITS))

/* A 64 KiB chunk of program memory; fields are atomics, relaxed: hints set before the cell they tell of
 * and read with the world stopped, or about memory that no one else uses now. */
typedef struct Chunk {
	uint8_t touched;   /* a cell of R or W was stored; and TOUCHED_ (memory_limit_mb) */
	uint8_t has_sync;  /* a META cell was stored */
	uint8_t is_stack;  /* part of a goroutine's stack: `depth` is kept */
	uint8_t has_block; /* a heap block started here */
	uint32_t depth;    /* 64 Ki less the lowest offset with a cell; 0: none */
	uint32_t freed;    /* a record: the chunk lies in a large freed block, and a granule without
	                      cells is as that free left it (shadow_freed); 0: none */
	uint32_t warm;     /* the collection after which a cell last changed */
} Chunk;

/* In `touched`: cells of the plane were stored; as of the last collection, where there is no limit. */
#define TOUCHED_R 2u
#define TOUCHED_W 4u

/* Chunks are looked through in groups; of most groups nothing was ever used. */
#define GROUP_BITS    8
#define REGION_GROUPS (REGION_CHUNKS >> GROUP_BITS)

typedef struct Region {
	Chunk *chunk;        /* REGION_CHUNKS, lazily touched */
	uint64_t *heap_bits; /* a bit per 16 bytes: a heap block starts here */
	uint32_t index;
	struct Region *next; /* all regions; never removed */
	uint8_t group
	    [REGION_GROUPS]; /* one of its chunks was `touched` or `freed`, ever; set before that is */
} Region;

extern uintptr_t shadow_base[REGIONS]
    __attribute__((visibility("hidden"))); /* no detour through the GOT */
extern Region *shadow_region[REGIONS];
extern Region *shadow_regions; /* list; atomic head */

static inline bool shadow_valid(uintptr_t addr)
{
	return addr >> (REGION_BITS + 15) == 0;
}

static inline Cell *shadow_w(uintptr_t addr)
{
	uintptr_t base = load_rlx(&shadow_base[addr >> REGION_BITS & (REGIONS - 1)]);
	return (Cell *)base + ((uint32_t)addr >> 3);
}

static inline Cell *shadow_r_of(Cell *w)
{
	return (Cell *)((uintptr_t)w - PLANE_BYTES);
}

static inline uint32_t *shadow_meta_of(Cell *w)
{
	return (uint32_t *)((uintptr_t)w + PLANE_BYTES);
}

/* See that addr's region is mapped; false when it cannot be (said once) or is no program address. */
bool shadow_map(uintptr_t addr);
static inline bool shadow_mapped(uintptr_t addr)
{
	return shadow_valid(addr) &&
	       load_acq(&shadow_base[addr >> REGION_BITS]) != 0; /* pairs with shadow_map */
}

static inline Chunk *shadow_chunk(uintptr_t addr)
{
	return &shadow_region[addr >> REGION_BITS]->chunk[(uint32_t)addr >> CHUNK_BITS];
}

/* What the W cell of a granule without cells stands for: 0, or the free of the large block around it. */
Cell shadow_freed_cell(uint32_t rec);
static inline Cell shadow_freed(uintptr_t addr)
{
	uint32_t rec = load_rlx(&shadow_chunk(addr)->freed); /* relaxed: the block is dead */
	return likely(!rec) ? 0 : shadow_freed_cell(rec);
}
/* Whole chunks [lo, hi), without cells, are freed by rec. */
void shadow_set_freed(uintptr_t lo, uintptr_t hi, uint32_t rec);

/* The index of the next chunk from i on that may be touched or freed; REGION_CHUNKS: none. */
static inline uint32_t shadow_next(const Region *r, uint32_t i)
{
	while (i < REGION_CHUNKS && !load_rlx(&r->group[i >> GROUP_BITS]))
		i = (i | ((1u << GROUP_BITS) - 1)) + 1;
	return i;
}

extern uint32_t shadow_now; /* collections so far; changes with the world stopped */

/* Tell that a cell of addr's granule is going to be non-zero. */
void shadow_touch_first(Chunk *c, uintptr_t addr);
void shadow_touch_stack(Chunk *c, uintptr_t addr);
static inline void shadow_touch(uintptr_t addr)
{
	Chunk *c = shadow_chunk(addr);
	if (unlikely(!load_rlx(&c->touched)))
		shadow_touch_first(c, addr);
	if (unlikely(load_rlx(&c->warm) != shadow_now))
		store_rlx(&c->warm, shadow_now);
	if (unlikely(load_rlx(&c->is_stack)))
		shadow_touch_stack(c, addr);
}

/* Whether shadow_touch has nothing to do for any granule of the chunk, which is not freed as a whole. */
static inline bool shadow_is_touched(const Chunk *c)
{
	return load_rlx(&c->touched) && load_rlx(&c->warm) == shadow_now &&
	       !load_rlx(&c->is_stack) && !load_rlx(&c->freed);
}

/* memory_limit_mb: besides, that w and r are going to be its cells. shadow_grown: planes of chunks that hold
 * cells since the last collection; at shadow_room the next is due. Relaxed atomics. */
extern bool shadow_limited; /* constant once the program runs */
/* TOUCHED_ of both planes where a look at memory that was never written takes a page of its own (shed.c), else 0: a
 * chunk with cells in one has pages in both. The same. */
extern uint8_t shadow_both;
extern uint32_t shadow_grown, shadow_room;
void shadow_grow_slow(uintptr_t addr, Cell w, Cell r);
static inline void shadow_grow(uintptr_t addr, Cell w, Cell r)
{
	if (unlikely(shadow_limited))
		shadow_grow_slow(addr, w, r);
}

/* A cache line each, and scattered: threads that go through parts of an array side by side would meet in one
 * line of locks all the time. */
#define BLOCK_LOCK_BITS 11
typedef struct BlockLock {
	_Alignas(64) uint32_t word;
} BlockLock;
extern BlockLock block_locks[1u << BLOCK_LOCK_BITS] __attribute__((visibility("hidden")));

static inline uint32_t *block_lock_of(uintptr_t addr)
{
	uint32_t b = (uint32_t)(addr / BLOCK);
	return &block_locks[b * 0x9e3779b1u >> (32 - BLOCK_LOCK_BITS)].word;
}

static inline void block_lock(uintptr_t addr)
{
	spin_lock(block_lock_of(addr));
}

static inline void block_unlock(uintptr_t addr)
{
	spin_unlock(block_lock_of(addr));
}

/* Forget [lo, hi): both planes become 0 there, granules that it covers wholly or in part. Only cells
 * that are not 0 are written; whole pages of shadow go back to the system where there are many. */
void shadow_clear(uintptr_t lo, uintptr_t hi);
/* What is remembered of [lo, hi) is of [lo + by, hi + by) from now on, in place of what was remembered of that;
 * nothing of [lo, hi). Multiples of a page; nobody uses either meanwhile. False: no memory for some of it. */
bool shadow_move(uintptr_t lo, uintptr_t hi, uintptr_t by);
/* [lo, hi) is a stack, fresh or dead: forget the part that was touched. */
void shadow_clear_stack(uintptr_t lo, uintptr_t hi);

/* World stopped: forget a chunk's cells in plane R or W, all of them, and give the pages back. */
void shadow_release(uintptr_t chunk, Plane p);

/* memory.h. live: chunks with cells. */
MemoryUse shadow_memory(void);
MemoryUse shadow_heap_memory(void); /* live: chunks with heap blocks */
uint64_t shadow_meta_bytes(void);

#endif
