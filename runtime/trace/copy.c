/*
 * copy.c: what the rings hold, taken while their owners go on writing, and read back in the order of time.
 *
 * Each ring is copied as rings.c's head says. Rings lose their oldest events at different times; what came
 * before the latest such loss is known in part only, so the copy says from when on everything is (from). And what
 * came after the first ring was copied, others may have seen only in part: it ends there (to).
 */
#include "trace.h"

#include <errno.h>

#define TRIES 20

static int copy_ring(struct CopiedRing *c, TraceRing *r, int p, uint64_t *lost)
{
	uint64_t size = r->mask + 1, n = load_acq(&r->n); /* pairs with store_rel in ring_put */
	uint64_t first = n > size ? n - size : 0;
	*c = (struct CopiedRing){.p = p};
	if (!r->ev || !n)
		return 0;
	c->bytes = (n - first) * sizeof *c->ev;
	c->ev = os_map(c->bytes);
	if (!c->ev)
		return -ENOMEM;
	for (uint64_t i = first; i < n; i++)
		for (int k = 0; k < 4; k++)
			c->ev[i - first].w[k] = load_rlx(&r->ev[i & r->mask].w[k]);
	fence_acq(); /* pairs with fence_rel in ring_put */
	uint64_t m = load_rlx(&r->n);
	uint64_t keep = m >= size ? m - size + 1 : 0; /* the first that is whole */
	c->n = n - first;
	c->at = keep > first ? keep - first : 0;
	if (c->at > c->n)
		c->at = c->n;
	*lost += first + c->at;
	return 0;
}

/* ---- a heap of rings by their next event ---- */

static uint64_t next_at(const TraceCopy *c, uint32_t i)
{
	const struct CopiedRing *r = &c->ring[c->heap[i]];
	return r->ev[r->at].w[0];
}

static void sink(TraceCopy *c, uint32_t i)
{
	for (;;) {
		uint32_t least = i, child = 2 * i + 1;
		for (uint32_t k = child; k < child + 2 && k < c->nheap; k++)
			if (next_at(c, k) < next_at(c, least))
				least = k;
		if (least == i)
			return;
		uint32_t t = c->heap[i];
		c->heap[i] = c->heap[least];
		c->heap[least] = t;
		i = least;
	}
}

const TraceEvent *copy_next(TraceCopy *c, const struct CopiedRing **ring)
{
	while (c->nheap) {
		struct CopiedRing *r = &c->ring[c->heap[0]];
		const TraceEvent *e = &r->ev[r->at++];
		if (r->at == r->n || r->ev[r->at].w[0] > c->to)
			c->heap[0] = c->heap[--c->nheap];
		sink(c, 0);
		*ring = r;
		if (trace_type(e) != TRACE_TEXT)
			return e;
	}
	return NULL;
}

void copy_text(TraceCopy *c, const struct CopiedRing *ring, const TraceEvent *log, char *to)
{
	(void)c;
	uint64_t len = log->w[3] < TRACE_LOG_MAX ? log->w[3] : TRACE_LOG_MAX, at = 0;
	for (const TraceEvent *e = log + 1;
	     at < len && e < ring->ev + ring->n && trace_type(e) == TRACE_TEXT; e++)
		for (int i = 0; i < 16 && at < len; i++)
			to[at++] = (char)(e->w[2 + i / 8] >> i % 8 * 8);
	to[at] = 0;
}

/* ---- all of them ---- */

void copy_free(TraceCopy *c)
{
	for (uint32_t i = 0; i < c->nrings; i++)
		if (c->ring[i].ev)
			os_unmap(c->ring[i].ev, c->ring[i].bytes);
	if (c->ring)
		os_unmap(c->ring, (PROCS_MAX + 1) * sizeof *c->ring);
	if (c->heap)
		os_unmap(c->heap, (PROCS_MAX + 1) * sizeof *c->heap);
	*c = (TraceCopy){0};
}

static int take(TraceCopy *c)
{
	*c = (TraceCopy){.to = trace_clock()};
	c->ring = os_map((PROCS_MAX + 1) * sizeof *c->ring);
	c->heap = os_map((PROCS_MAX + 1) * sizeof *c->heap);
	int e = c->ring && c->heap ? 0 : -ENOMEM;
	uint32_t np = load_acq(&sched.nall_p); /* pairs with store_rel in p_make */
	for (uint32_t i = 0; i <= np && e == 0; i++) {
		uint64_t lost = 0;
		struct CopiedRing *r = &c->ring[i];
		e = copy_ring(r, i < np ? &sched.all_p[i]->trace : &trace_outside,
		    i < np ? (int)i : -1, &lost);
		c->nrings = i + 1;
		c->lost += lost;
		if (e == 0 && lost) {
			/* one that lost all that was copied is known from its end on only */
			uint64_t at = r->at < r->n ? r->ev[r->at].w[0] : c->to;
			if (at > c->from)
				c->from = at;
		}
	}
	if (e) {
		copy_free(c);
		return e;
	}
	for (uint32_t i = 0; i < c->nrings; i++)
		if (c->ring[i].at < c->ring[i].n && c->ring[i].ev[c->ring[i].at].w[0] <= c->to)
			c->heap[c->nheap++] = i;
	for (uint32_t i = c->nheap / 2; i-- > 0;)
		sink(c, i);
	return 0;
}

int copy_take(TraceCopy *c)
{
	int e = take(c);
	/* Small rings, and the system took the processor away: all that was copied first is overwritten. */
	for (int again = 0; e == 0 && c->from >= c->to && again < TRIES; again++) {
		copy_free(c);
		e = take(c);
	}
	if (e == 0 && c->from > c->to)
		c->from = c->to; /* nothing is known but who lives */
	return e;
}
