/*
 * pool.c: free lists of fixed-size objects over race_alloc, a batch at a time.
 */
#include "pool.h"

#define BATCH_BYTES 8192u

void *pool_get(Pool *p)
{
	lock(&p->lock);
	if (!p->free) {
		uint32_t n = BATCH_BYTES / p->size ? BATCH_BYTES / p->size : 1;
		char *batch = race_alloc((size_t)n * p->size);
		store_rlx(&p->bytes, p->bytes + (uint64_t)n * p->size); /* relaxed: a count */
		for (uint32_t i = n; i-- > 0;) {
			*(void **)(batch + (size_t)i * p->size) = p->free;
			p->free = batch + (size_t)i * p->size;
		}
	}
	void *obj = p->free;
	p->free = *(void **)obj;
	*(void **)obj = NULL;
	p->live++;
	unlock(&p->lock);
	return obj;
}

void pool_put(Pool *p, void *obj)
{
	lock(&p->lock);
	*(void **)obj = p->free;
	p->free = obj;
	p->live--;
	unlock(&p->lock);
}

MemoryUse pool_memory(const Pool *p)
{
	return (MemoryUse){load_rlx(&p->live), load_rlx(&p->bytes)}; /* relaxed: counts */
}
