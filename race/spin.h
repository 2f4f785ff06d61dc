/*
 * spin.h: a lock of one word, 0 free and 1 held, for sections of some hundred instructions. The word may lie anywhere
 * that outlives its waiters. Held across no system call but for growth of tables, never by a thread that may be
 * stopped for good; not recursive.
 */
#ifndef GORO_RACE_SPIN_H
#define GORO_RACE_SPIN_H

#include "race.h"

void spin_lock_slow(uint32_t *l);

static inline bool spin_try(uint32_t *l)
{
	return likely(cas_acq(l, 0, 1)); /* pairs with store_rel in spin_unlock */
}

static inline void spin_lock(uint32_t *l)
{
	if (unlikely(!spin_try(l)))
		spin_lock_slow(l);
}

static inline void spin_unlock(uint32_t *l)
{
	store_rel(l, 0u); /* pairs with cas_acq in spin_try */
}

#endif
