/*
 * slot.h: who owns which component of the vector clocks.
 */
#ifndef GORO_RACE_SLOT_H
#define GORO_RACE_SLOT_H

#include "vclock.h"

/* A slot for a new goroutine whose creator knows `c` (NULL: nothing). *epoch: its first epoch. */
uint32_t slot_get(const Clock *c, uint32_t creator_slot, uint32_t *epoch);
/* The owner has ended; `last` is its last epoch with a record or a release. */
void slot_put(uint32_t slot, uint32_t last);

#endif
