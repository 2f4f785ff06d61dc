/*
 * cell.h: the state of 8 bytes of program memory, packed. The one place that knows the bits.
 *
 * A granule has two cells, in two planes: W remembers plain writes and frees, R everything else (plain
 * reads, atomic reads, atomic writes). A cell is 32 bits:
 *
 *	0                                                    nothing
 *	bit 31 clear:  kind:2 (30-29)  mask code:4 (28-25)  record:25 (24-0)
 *	bit 31 set:    set:31 (30-0)
 *
 * The mask code names the bytes as a node of the binary tree over the granule, in heap numbering: 1 all
 * eight, 2-3 halves, 4-7 quarters, 8-15 single bytes. It is never 0, so no simple cell is 0. What does
 * not fit (odd masks, several accesses, record ids beyond 25 bits) is an interned set (set.h).
 *
 * A cell's meaning is immutable; equal states are equal cells. cell round trips: shadow_test.c.
 */
#ifndef GORO_RACE_CELL_H
#define GORO_RACE_CELL_H

#include "../race.h"

typedef uint32_t Cell;

/* Kind in a cell of the R plane 0-2, of the W plane 3-5 less 3. KIND_ALLOC is no access: in the last granule
 * of a heap block, which is not the program's, it names the record of the allocation. */
typedef enum Kind {
	KIND_READ,
	KIND_AREAD,
	KIND_AWRITE,
	KIND_WRITE,
	KIND_FREE,
	KIND_ALLOC,
	KINDS
} Kind;
typedef enum Plane { PLANE_R, PLANE_W } Plane;

#ifdef GORO_HARD /* most records need a set then */
#define CELL_REC_BITS 8
#else
#define CELL_REC_BITS 25
#endif
#define CELL_SET     0x80000000u
#define CELL_REC_MAX ((1u << CELL_REC_BITS) - 1)
#define CELL_MASK_AT 25
#define CELL_KIND_AT 29

_Static_assert(CELL_REC_BITS <= CELL_MASK_AT, "a record id runs into the mask");
_Static_assert(
    CELL_MASK_AT + 4 == CELL_KIND_AT && CELL_KIND_AT + 2 == 31, "cell fields must tile 31 bits");
_Static_assert(KIND_READ == 0 && KIND_WRITE == 3 && KINDS - KIND_WRITE <= 4, "kinds do not fit");

/* One access as a granule remembers it. */
typedef struct Entry {
	RecId rec;
	uint8_t kind; /* Kind */
	uint8_t mask; /* bytes of the granule, bit 0 the lowest address; not 0 */
} Entry;

static inline Plane kind_plane(Kind k)
{
	return k >= KIND_WRITE ? PLANE_W : PLANE_R;
}

/* Mask of a code, 0 for code 0. */
static inline uint8_t mask_of_code(unsigned code)
{
	static const uint8_t mask[16] = {0, 0xff, 0x0f, 0xf0, 0x03, 0x0c, 0x30, 0xc0, 0x01, 0x02,
	    0x04, 0x08, 0x10, 0x20, 0x40, 0x80};
	return mask[code & 15];
}

/* Code of a mask, 0 when it has none. */
static inline unsigned code_of_mask(uint8_t mask)
{
	unsigned len = (unsigned)__builtin_popcount(mask);
	unsigned low = mask ? (unsigned)__builtin_ctz(mask) : 0;
	if (len == 0 || (len & (len - 1)) || low % len ||
	    ((uint32_t)mask >> low) != (1u << len) - 1)
		return 0;
	return 8 / len + low / len;
}

static inline bool cell_is_set(Cell c)
{
	return (c & CELL_SET) != 0;
}

static inline RecId cell_rec(Cell c)
{
	return c & CELL_REC_MAX;
}

static inline uint8_t cell_mask(Cell c)
{
	return mask_of_code(c >> CELL_MASK_AT);
}

static inline Kind cell_kind(Cell c, Plane p)
{
	return (Kind)((c >> CELL_KIND_AT & 3) + (p == PLANE_W ? KIND_WRITE : KIND_READ));
}

/* The simple cell of one access; 0 when there is none. */
static inline Cell cell_simple(Entry e)
{
	unsigned code = code_of_mask(e.mask);
	if (code == 0 || e.rec > CELL_REC_MAX)
		return 0;
	unsigned kind = e.kind >= KIND_WRITE ? e.kind - KIND_WRITE : e.kind;
	return kind << CELL_KIND_AT | code << CELL_MASK_AT | e.rec;
}

#endif
