/*
 * sema.c: waiters by address (sema.h). Go keeps a treap of addresses in each bucket; here the
 * addresses of a bucket are a plain list, and there are many buckets: a pass costs (addresses
 * waited for) / 1024.
 *
 * The semaphore, and why no wake-up is lost: an acquirer checks the count under the bucket's lock
 * before it queues; a releaser adds first and takes the lock next. Whichever has the lock first:
 * the acquirer sees the count, or the releaser sees the waiter. Other acquirers may take the count
 * of a woken one (barging); it then waits again, at the front.
 */
#include "sema.h"

#define BUCKETS 1024

static Bucket table[BUCKETS];

static inline size_t hash(const void *addr)
{
	return (size_t)(((uintptr_t)addr >> 2) * UINT64_C(0x9E3779B97F4A7C15) >> 54);
}
_Static_assert(BUCKETS == 1 << (64 - 54), "hash gives ten bits");

Bucket *bucket_lock(const void *addr)
{
	Bucket *b = &table[hash(addr)];
	if (unlikely(!load_rlx(&b->lock.rank)))
		store_rlx(&b->lock.rank, RANK_SEMA);
	lock(&b->lock);
	return b;
}

Waiter *bucket_peek(Bucket *b, const void *addr)
{
	Waiter *w = b->first;
	while (w && w->object != addr)
		w = w->next;
	return w;
}

/* Put `in` (NULL: nothing) in the place of `out` among the bucket's addresses. */
static void replace(Bucket *b, Waiter *out, Waiter *in)
{
	Waiter *prev = out->prev, *next = out->next;
	if (in) {
		in->prev = prev;
		in->next = next;
	}
	if (prev)
		prev->next = in ? in : next;
	else
		b->first = in ? in : next;
	if (next)
		next->prev = in ? in : prev;
}

void bucket_push(Bucket *b, const void *addr, Waiter *w, bool front)
{
	Waiter *head = bucket_peek(b, addr);
	w->object = (void *)addr;
	w->link = NULL;
	if (!head) {
		w->tail = w;
		w->prev = NULL;
		w->next = b->first;
		if (w->next)
			w->next->prev = w;
		b->first = w;
	} else if (front) {
		w->link = head;
		w->tail = head->tail;
		replace(b, head, w);
	} else {
		head->tail->link = w;
		head->tail = w;
	}
}

Waiter *bucket_pop(Bucket *b, const void *addr, bool *more)
{
	Waiter *w = bucket_peek(b, addr);
	if (!w) {
		*more = false;
		return NULL;
	}
	Waiter *next = w->link;
	if (next)
		next->tail = w->tail;
	replace(b, w, next);
	*more = next != NULL;
	return w;
}

Waiter *bucket_pop_all(Bucket *b, const void *addr)
{
	Waiter *w = bucket_peek(b, addr);
	if (w)
		replace(b, w, NULL);
	return w;
}

/* ---- semaphore ---- */

static inline bool try_take(uint32_t *addr)
{
	for (uint32_t v = load_rlx(addr); v;) {
		if (cas_acq(addr, v, v - 1)) /* pairs with add_ar in sema_release */
			return true;
		v = load_rlx(addr);
	}
	return false;
}

void sema_acquire(uint32_t *addr, WaitReason why, const void *on)
{
	if (try_take(addr))
		return;
	Waiter w = {.g = g_current(), .index = -1};
	for (bool again = false;; again = true) {
		Bucket *b = bucket_lock(addr);
		if (try_take(addr)) {
			bucket_unlock(b);
			return;
		}
		bucket_push(b, addr, &w, again);
		park(&b->lock, why, on);
		if (try_take(addr))
			return;
	}
}

void sema_release(uint32_t *addr)
{
	bool more;
	add_ar(addr, 1);
	Bucket *b = bucket_lock(addr);
	Waiter *w = bucket_pop(b, addr, &more);
	bucket_unlock(b);
	if (w)
		ready(w->g);
}
