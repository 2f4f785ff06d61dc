/*
 * order.h: the order in which locks are taken, and cycles in it: deadlocks that could have been.
 *
 * Locks of goro and of pthreads, and those that a program annotates, are nodes of one graph. Holding M
 * while locking N in a way that may wait makes an edge M -> N, which remembers who did it, both stacks,
 * the modes, and what else was held. See order.c for what counts as a cycle.
 *
 * A node hangs on the SyncVar of the lock's address (clock/syncvar.h: `order`), so that it goes when the
 * lock is destroyed, or made anew, or its memory is freed.
 */
#ifndef GORO_RACE_LOCK_ORDER_H
#define GORO_RACE_LOCK_ORDER_H

#include "../ctx.h"
#include "../report/report.h"

/* The innermost lock of `set` is about to be taken, or just was, by g, who holds the others, in a way that
 * may wait. Reports. Called inside the detector, no lock held. Cheap when nothing is new. */
void order_check(RaceCtx *g, uint32_t set);
/* The same of a writer of a lock that lets no new readers in while a writer waits. `set` may have that lock alone. */
void order_check_writer(RaceCtx *g, uint32_t set);

/* The node's lock is gone; called by syncvar.c with no lock held. Accepts 0 and ORDER_NONE. */
#define ORDER_NONE                                                                                 \
	UINT32_MAX /* SyncVar.order of what is no lock in this sense: see order_foreign */
void order_gone(uint32_t node);

/* g unlocks addr without having locked it: goro's locks may be used so, as semaphores. From now on addr is
 * no lock: nobody holds it, and it has no place in the order. */
void order_foreign(uintptr_t addr);
bool order_is_foreign(uintptr_t addr);
/* How many there were: while it stands still, sets that were looked through need no second look. */
extern uint32_t order_foreigns; /* relaxed atomic */
/* `set` without such locks. */
uint32_t order_strip(uint32_t set);

/* Collections: each stack and each goroutine that the graph remembers. World stopped. */
void order_each(void (*stack)(StackId), void (*who)(uint32_t ginfo));

#endif
