/*
 * runq.c: a P's queue of runnable Gs: a ring with one producer, and runnext, a slot for the G readied
 * last, which runs next (the partner of a channel operation, its data still in the cache).
 *
 * Model: Go's runqput/runqget/runqgrab. Who may call what:
 *     runq_put, runq_get   the M that owns p
 *     runq_steal           the M that owns `thief`, on any other p
 *     runq_empty           anyone; a hint
 * put | get | steal may overlap, any number of steals. put takes effect at the store of tail (or runnext),
 * get and steal at the cas of head (or runnext). A thief copies slots first and then claims them by the
 * cas: while head is what it read, the producer cannot have overwritten [head, tail), since it sees
 * tail - head < RUNQ_SIZE before it writes. head and tail are free-running 32-bit counters: a thief would
 * have to sleep through 2^32 picks to be fooled.
 *
 * runnext becomes non-NULL by the owner alone; thieves only take it away. So the owner may store into an
 * empty runnext without a locked instruction.
 */
#include "internal.h"

#define MASK (RUNQ_SIZE - 1)
_Static_assert((RUNQ_SIZE & MASK) == 0, "a power of two");

/* The ring is full: move its older half and g to the global queue. False: a thief made room. */
static bool put_global(P *p, G *g, uint32_t h, uint32_t t)
{
	G *batch[RUNQ_SIZE / 2 + 1];
	uint32_t n = (t - h) / 2;
	for (uint32_t i = 0; i < n; i++)
		batch[i] = load_rlx(&p->runq.slot[(h + i) & MASK]);
	if (!cas_rel(&p->runq.head, h, h + n)) /* pairs with load_acq of head in runq_put */
		return false;
	batch[n] = g;
	sched_put_global(batch, n + 1);
	return true;
}

static void put_tail(P *p, G *g)
{
	RunQ *q = &p->runq;
	for (;;) {
		uint32_t h = load_acq(&q->head); /* pairs with the cas of head: the slot is free */
		uint32_t t = load_rlx(&q->tail); /* only we write it */
		if (likely(t - h < RUNQ_SIZE)) {
			store_rlx(&q->slot[t & MASK], g);
			store_rel(&q->tail, t + 1); /* publishes the slot; pairs with load_acq in steal */
			return;
		}
		if (put_global(p, g, h, t))
			return;
	}
}

bool runq_put(P *p, G *g, bool next)
{
	if (next) {
		G *old = load_rlx(&p->runnext);
		/* pairs with cas_acq in take_next: g's fields */
		if (old == NULL) {
			store_rel(&p->runnext, g);
			return false;
		}
		while (!cas_rel(&p->runnext, old, g)) {
			old = load_rlx(&p->runnext); /* a thief took it: NULL now */
			if (old == NULL) {
				store_rel(&p->runnext, g);
				return false;
			}
		}
		g = old;
	}
	put_tail(p, g);
	return true;
}

G *runq_get(P *p)
{
	RunQ *q = &p->runq;
	uint32_t h, t;
	G *g = load_rlx(&p->runnext);
	/* Two that ready each other could starve the queue for ever: it gets its turn after 64. */
	if (g && (likely(p->nextticks < 64) || load_rlx(&q->tail) == load_rlx(&q->head))) {
		if (cas_acq(&p->runnext, g, NULL)) {
			p->nextticks++;
			return g;
		}
	}
	p->nextticks = 0;
	for (;;) {
		h = load_acq(&q->head); /* pairs with cas_rel of thieves */
		t = load_rlx(&q->tail);
		if (t == h)
			break;
		g = load_rlx(&q->slot[h & MASK]);
		g_prefetch(load_rlx(&q->slot[(h + 1) & MASK])); /* its turn comes soon; any address will do */
		if (cas_rel(&q->head, h, h + 1)) /* pairs with load_acq in put_tail */
			return g;
	}
	g = load_rlx(&p->runnext);
	return g && cas_acq(&p->runnext, g, NULL) ? g : NULL;
}

/* Take runnext from a P that does not get to it. One that runs will most likely pick it within a
 * microsecond: taking it at once would make partners chase each other between two processors. */
static G *take_next(P *victim)
{
	G *g = load_rlx(&victim->runnext);
	if (!g)
		return NULL;
	if (load_rlx(&victim->status) == P_RUNNING) {
		uint32_t tick = load_rlx(&victim->schedtick);
		for (int i = 0; i < 100; i++) /* some 3 us */
			cpu_relax();
		if (load_rlx(&victim->schedtick) != tick || load_rlx(&victim->runnext) != g)
			return NULL;
	}
	return cas_acq(&victim->runnext, g, NULL) ? g : NULL; /* pairs with store_rel in runq_put */
}

G *runq_steal(P *thief, P *victim, bool next)
{
	RunQ *q = &victim->runq, *mine = &thief->runq;
	uint32_t t0 = load_rlx(&mine->tail), h, t, n;
	for (;;) {
		h = load_acq(&q->head); /* pairs with cas_rel of other takers */
		t = load_acq(&q->tail); /* pairs with store_rel in put_tail: the slots */
		n = t - h;
		n -= n / 2;
		if (n == 0)
			return next ? take_next(victim) : NULL;
		if (n > RUNQ_SIZE / 2) /* head and tail were read at different times */
			continue;
		/* Ours is empty (we came to steal), so n <= RUNQ_SIZE/2 slots are free; they are not
		 * published before the store of our tail. */
		for (uint32_t i = 0; i < n; i++)
			store_rlx(&mine->slot[(t0 + i) & MASK], load_rlx(&q->slot[(h + i) & MASK]));
		if (cas_ar(&q->head, h, h + n)) /* pairs with load_acq in put_tail */
			break;
	}
	n--;
	G *g = load_rlx(&mine->slot[(t0 + n) & MASK]);
	if (n)
		store_rel(&mine->tail, t0 + n); /* pairs with load_acq in runq_steal of others */
	return g;
}

bool runq_empty(const P *p)
{
	/* Three reads that do not form a snapshot: a G may pass from runnext to the ring between them.
	 * Reading tail again catches that. */
	for (;;) {
		uint32_t h = load_acq(&p->runq.head);
		uint32_t t = load_acq(&p->runq.tail);
		G *next = load_acq(&p->runnext);
		if (t == load_rlx(&p->runq.tail))
			return h == t && next == NULL;
	}
}
