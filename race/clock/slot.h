/*
 * slot.h: who owns which component of the vector clocks.
 */
#ifndef GORO_RACE_SLOT_H
#define GORO_RACE_SLOT_H

#include "vclock.h"

/* A slot for a new goroutine whose creator knows `c` (NULL: nothing). *epoch: its first epoch. */
uint32_t slot_get(const Clock *c, uint32_t creator_slot, uint32_t *epoch);
/* The owner has ended; `last` is its last epoch with a record or a release. `known`: that epoch was
 * released, so that a clock may cover it. */
void slot_put(uint32_t slot, uint32_t last, bool known);

/* Collection, world stopped: mark each slot that a record or a sync object names, then end: ended slots
 * that none does are anybody's. How many are in use. */
void slot_mark(uint32_t slot);
uint32_t slot_mark_end(void);
MemoryUse slot_memory(void);

#endif
