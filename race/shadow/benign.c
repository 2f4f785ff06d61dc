/*
 * benign.c: a list of ranges, latest first. Programs declare few; a lock over a walk is enough, and
 * benign_forget, on the way of every free, costs one load while there are none.
 *
 * Lock: benign.lock, a leaf under the block locks.
 */
#include "benign.h"

#include "../pool.h"

typedef struct Range {
	struct Range *next;
	uintptr_t lo, hi;
} Range;

static Pool pool = POOL_INIT(sizeof(Range));
static struct {
	Lock lock;
	Range *first; /* atomic: read as a hint without the lock */
} benign;

void benign_add(uintptr_t addr, size_t size)
{
	Range *r = pool_get(&pool);
	lock(&benign.lock);
	*r = (Range){benign.first, addr, addr + size};
	store_rlx(&benign.first, r); /* relaxed: a hint for those who do not lock */
	unlock(&benign.lock);
}

bool benign_covers(uintptr_t granule, uint8_t mask)
{
	if (!load_rlx(&benign.first))
		return false;
	lock(&benign.lock);
	for (Range *r = benign.first; r && mask; r = r->next)
		for (unsigned i = 0; i < 8; i++)
			if (granule + i >= r->lo && granule + i < r->hi)
				mask &= (uint8_t) ~(1u << i);
	unlock(&benign.lock);
	return !mask;
}

void benign_forget(uintptr_t lo, uintptr_t hi)
{
	if (likely(!load_rlx(&benign.first)))
		return;
	lock(&benign.lock);
	for (Range **link = &benign.first; *link;) {
		Range *r = *link;
		if (r->lo < lo || r->hi > hi) {
			link = &r->next;
			continue;
		}
		store_rlx(link, r->next);
		pool_put(&pool, r);
	}
	unlock(&benign.lock);
}
