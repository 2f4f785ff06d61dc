/*
 * heap.h: heap blocks: where they start, who allocated them, that they are fresh or freed.
 *
 * A bitmap beside the shadow (a bit per 16 bytes) says where blocks start; a freed block keeps its bit
 * until the memory is given out again. What else is known of a block stands in its own last bytes
 * (blocks of the intercepted malloc) or in a small table (blocks the runtime allocates: hook_alloc).
 */
#ifndef GORO_RACE_HEAP_H
#define GORO_RACE_HEAP_H

#include "../race.h"

/* Bytes that malloc.c adds to each request: {stack id, ginfo, slack} at the end of the usable size. */
#define RACE_HEAP_TRAILER 12

/* malloc.c has got p of `usable` bytes (malloc_usable_size) for a request of `size` (+ trailer). g may
 * be NULL. */
void race_heap_alloc(RaceCtx *g, void *p, size_t size, size_t usable, const void *pc);
/* p is about to be freed. False: it is freed already (reported as DOUBLE FREE): do not free it. */
bool race_heap_free(RaceCtx *g, void *p, size_t usable, const void *pc);
/* p was given to race_heap_alloc: it carries a trailer. */
bool race_heap_known(const void *p);
/* The block that addr lies in, and that is not freed. Nobody may free it meanwhile. */
bool race_heap_live(uintptr_t addr, uintptr_t *start, size_t *size);

#endif
