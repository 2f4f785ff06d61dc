/*
 * heap.h: heap blocks: where they start, who allocated them, that they are fresh or freed.
 *
 * A bitmap beside the shadow (a bit per 16 bytes) says where blocks start; a freed block keeps its bit
 * until the memory is given out again. What else is known of a block stands in the cell of its last
 * granule (blocks of the intercepted malloc) or in a table (blocks the runtime allocates: blocks.h).
 */
#ifndef GORO_RACE_HEAP_H
#define GORO_RACE_HEAP_H

#include "../history/record.h"
#include "../report/report.h"
#include "cell.h"

/* Bytes that malloc.c adds to each request: a granule at the end of the usable size, nobody's. */
#define RACE_HEAP_TRAILER 8

/* malloc.c has got p of `usable` bytes (malloc_usable_size) for a request of `size` (+ trailer). g may
 * be NULL. */
void race_heap_alloc(RaceCtx *g, void *p, size_t size, size_t usable, const void *pc);
/* p is about to be freed. False: it is freed already (reported as DOUBLE FREE): do not free it. */
bool race_heap_free(RaceCtx *g, void *p, size_t usable, const void *pc);
/* p was given to race_heap_alloc: it carries a trailer. */
bool race_heap_known(const void *p);
/* The block that addr lies in, and that is not freed. Nobody may free it meanwhile. */
bool race_heap_live(uintptr_t addr, uintptr_t *start, size_t *size);

/* The parts, for location.c. */
RecId heap_alloc_of(uintptr_t p, size_t usable); /* record of the allocation; 0: unknown */
size_t heap_size_of(RecId alloc, size_t usable); /* as asked for */
/* The same of a block that was freed; RECORD_SIZE: so much, or more. */
uint32_t heap_freed_size(const Record *free_rec);
Cell heap_cell(uintptr_t at);       /* W cell; of a large freed block too */
uint64_t heap_starts(uintptr_t at); /* start bits of at's KiB, not behind at */
void location_of_alloc(RecId alloc, ReportLocation *out);       /* fills in by whom and where */
void location_of_free(const Record *free, ReportLocation *out); /* the same */

#endif
