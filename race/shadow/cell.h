/*
 * cell.h: the state of 8 bytes of program memory, packed. The one place that knows the bits.
 *
 * A granule has two cells, in two planes: W remembers plain writes and frees, R everything else (plain
 * reads, atomic reads, atomic writes). A cell is 32 bits:
 *
 *	0                                                    nothing
 *	bit 31 clear:  kind:2 (30-29)  mask code:6 (28-23)  record:23 (22-0)
 *	bits 31-30 11: few:30 (29-0)
 *	bits 31-30 10: set:30 (29-0)
 *
 * The mask code numbers the 36 runs of bytes that a granule has, the longest first: 1 all eight. It is never 0, so no
 * simple cell is 0. What does not fit (bytes apart, several accesses, record ids beyond 23 bits) is one of a few (few.h),
 * or else an interned set (set.h).
 *
 * A cell's meaning is immutable. Cell round trips: shadow_test.c.
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
#define CELL_REC_BITS 23
#endif
#define CELL_SET       0x80000000u
#define CELL_FEW       0xc0000000u
#define CELL_REC_MAX   ((1u << CELL_REC_BITS) - 1)
#define CELL_MASK_AT   23
#define CELL_MASK_BITS 6
#define CELL_KIND_AT   29

_Static_assert(CELL_REC_BITS <= CELL_MASK_AT, "a record id runs into the mask");
_Static_assert(CELL_MASK_AT + CELL_MASK_BITS == CELL_KIND_AT && CELL_KIND_AT + 2 == 31,
    "cell fields must tile 31 bits");
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

/* Mask of a code (0 for no code), and code of a mask (0 when it has none): cell.c. */
extern const uint8_t cell_masks[1 << CELL_MASK_BITS] __attribute__((visibility("hidden")));
extern const uint8_t cell_codes[256] __attribute__((visibility("hidden")));

static inline uint8_t mask_of_code(unsigned code)
{
	return cell_masks[code & ((1u << CELL_MASK_BITS) - 1)];
}

static inline unsigned code_of_mask(uint8_t mask)
{
	return cell_codes[mask];
}

static inline bool cell_is_simple(Cell c)
{
	return (c & CELL_SET) == 0; /* or nothing */
}

static inline bool cell_is_few(Cell c)
{
	return c >= CELL_FEW;
}

static inline bool cell_is_set(Cell c)
{
	return (c & CELL_FEW) == CELL_SET;
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
