/*
 * mutexset.h: the locks a goroutine holds, as an id. For reports only: no edges come from here.
 *
 * A set is a node {parent set, lock address, mode, where locked}; 0 is the empty set. Interned, so that
 * the usual lock and unlock in stack order move between a few known ids. Ids live as those of stacks do
 * (history/context.h).
 */
#ifndef GORO_RACE_MUTEXSET_H
#define GORO_RACE_MUTEXSET_H

#include "../report/report.h"

uint32_t mutexset_add(uint32_t set, uintptr_t addr, LockMode mode, StackId where);
/* Without the latest lock of addr in that mode; when there is none of that, in the other: then *other,
 * where other is not NULL, becomes true. */
uint32_t mutexset_remove(uint32_t set, uintptr_t addr, LockMode mode, bool *other);
/* The innermost lock of a set that is not empty; returns the set without it. */
uint32_t mutexset_step(uint32_t set, ReportLock *out);
/* A word that belongs to a set that is not empty, 0 at first: lock/order.c keeps a time there. */
uint64_t *mutexset_note(uint32_t set);
/* Outermost first; returns how many. */
int mutexset_list(uint32_t set, ReportLock *out, int max);

/* Collection, world stopped: mark what is in use; end: the others are freed. How many live. */
void mutexset_mark(uint32_t set);
uint32_t mutexset_mark_end(void);
MemoryUse mutexset_memory(void);

#endif
