/*
 * shed.h: memory_limit_mb: history is forgotten, coldest first, when the detector has too much memory.
 */
#ifndef GORO_RACE_SHED_H
#define GORO_RACE_SHED_H

#include "shadow.h"

/* The limit is in force from now on: after flags_init. */
void shed_init(void);
/* Then ranges are checked in pieces of so many bytes, with a collection between them where one is due. */
#define SHED_PIECE ((size_t)1 << 20)

/* Collection, world stopped. A chunk was looked through: `before` is its Chunk.touched so far, `now` what it
 * is to be. Pages of a plane that is empty by now go back. */
void shed_chunk(uintptr_t chunk, uint8_t before, uint8_t now);
/* Before a collection begins, where memory could not be had: there is a limit from now on, below what there is. */
void shed_low(void);
/* All are: forget what is too much. Returns how many records and sets may be made before the next
 * collection, UINT32_MAX without a limit. */
uint32_t shed(void);

#endif
