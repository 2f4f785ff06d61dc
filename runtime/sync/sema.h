/*
 * sema.h: sleeping and waking by address, under every blocking primitive of sync/.
 *
 * A table of buckets, picked by a hash of the address; each has a lock (rank SEMA) and the waiters
 * of its addresses, first come first served per address. The address is an identity: the table
 * never reads what it points to, so a primitive may be freed as soon as its own words say that
 * nobody uses it.
 *
 * Two layers. The queue: lock a bucket, look at one's own state, queue oneself or take waiters, and
 * ready them after the bucket's lock is let go. On it a counting semaphore, as Go's
 * runtime_Semacquire.
 */
#ifndef GORO_SYNC_SEMA_H
#define GORO_SYNC_SEMA_H

#include "../sched/runtime.h"

typedef struct Bucket {
	Lock lock;
	/* One waiter of each address, by next/prev; it heads the address's list by link. */
	Waiter *first;
} __attribute__((aligned(64))) Bucket;

/* The bucket of addr, locked. */
Bucket *bucket_lock(const void *addr);
static inline void bucket_unlock(Bucket *b)
{
	unlock(&b->lock);
}
/* Queue w for addr; at the front (who has waited before) or the back. Bucket locked. */
void bucket_push(Bucket *b, const void *addr, Waiter *w, bool front);
/* Take the oldest waiter of addr off, NULL when there is none; *more: others remain. Bucket locked. */
Waiter *bucket_pop(Bucket *b, const void *addr, bool *more);
/* The oldest waiter of addr, left where it is. */
Waiter *bucket_peek(Bucket *b, const void *addr);
/* Take all waiters of addr off, oldest first, linked by `link`; NULL when there are none. */
Waiter *bucket_pop_all(Bucket *b, const void *addr);

/* Wait until *addr > 0 and take one. on: the public object, for dumps. */
void sema_acquire(uint32_t *addr, WaitReason why, const void *on);
/* Add one and wake the oldest waiter. After the add *addr is not touched again. */
void sema_release(uint32_t *addr);

/* mutex.c, for the primitives built on it: no edges, no lock events. */
void mutex_lock_quiet(goro_mutex *m, WaitReason why, const void *on);
void mutex_unlock_quiet(goro_mutex *m);
bool mutex_trylock_quiet(goro_mutex *m);
/* goro_mutex_lock and _unlock as called from pc. */
void mutex_lock_at(goro_mutex *m, const void *pc);
void mutex_unlock_at(goro_mutex *m, const void *pc);

#endif
