/*
 * runq.c: a P's queue of runnable Gs: a ring with one producer; runnext, a slot for the G readied
 * last, which runs next (the partner of a channel operation, its data still in the cache); and lifo, a
 * few more such slots, for those that made way for a goroutine they made (start in proc.c): newest
 * first for the owner, oldest first for thieves.
 *
 * Model: Go's runqput/runqget/runqgrab. Who may call what:
 *     runq_put, runq_get, runq_put_lifo   the M that owns p
 *     runq_steal           the M that owns `thief`, on any other p
 *     runq_empty           anyone; a hint
 * put | get | steal may overlap, any number of steals. put takes effect at the store of tail (or runnext),
 * get and steal at the cas of head (or runnext). A thief copies slots first and then claims them by the
 * cas: while head is what it read, the producer cannot have overwritten [head, tail), since it sees
 * tail - head < RUNQ_SIZE before it writes. head and tail are free-running 32-bit counters: a thief would
 * have to sleep through 2^32 picks to be fooled.
 *
 * While p runs alone (solo.h) there are no thieves, and runq_get takes by plain stores.
 *
 * runnext becomes non-NULL by the owner alone; thieves only take it away. So the owner may store into an
 * empty runnext without a locked instruction. The slots of lifo are the same.
 *
 * Nobody starves: after 64 picks from runnext or lifo in a row the oldest of lifo goes to the ring's tail
 * and the ring's head has its turn. lifo waits while the ring is longer than BREADTH, or whom its goroutines
 * ready would pile up there; but a ring of goroutines that only yield stays long for ever, so after 64 picks
 * from the ring, too, the oldest of lifo goes to its tail.
 */
#include "internal.h"
#include "solo.h"

#define MASK (RUNQ_SIZE - 1)
_Static_assert((RUNQ_SIZE & MASK) == 0, "a power of two");

/* The ring is full: move its older half and g to the global queue. False: a thief made room. */
static __attribute__((noinline)) bool put_global(P *p, G *g, uint32_t h, uint32_t t)
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

static inline __attribute__((always_inline)) void put_tail(P *p, G *g)
{
	RunQ *q = &p->runq;
	for (;;) {
		uint32_t h = load_acq(&q->head); /* pairs with the cas of head: the slot is free */
		uint32_t t = load_rlx(&q->tail); /* only we write it */
		if (likely(t - h < RUNQ_SIZE)) {
			store_rlx(&q->slot[t & MASK], g);
			/* Publishes the slot; pairs with load_acq in runq_steal. */
			store_rel(&q->tail, t + 1);
			return;
		}
		if (put_global(p, g, h, t))
			return;
	}
}

bool runq_put(P *p, G *g, bool next)
{
	if (SEEDED) { /* p is the only one, and the caller has it: nobody is to be woken */
		sched_put_global(&g, 1);
		return false;
	}
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

/* ---- lifo ---- */

static inline bool lifo_empty(const P *p)
{
	return load_rlx(&p->lifo_high) == load_rlx(&p->lifo_low); /* the owner's, or a hint */
}

/* alone: inside a section of the P's. */
static inline G *claim(G **slot, bool alone)
{
	G *g = load_rlx(slot);
	if (alone) {
		if (g)
			store_rlx(slot, NULL);
		return g;
	}
	/* Pairs with store_rel in runq_put, runq_put_lifo: g's fields. */
	return g && cas_acq(slot, g, NULL) ? g : NULL;
}

bool runq_put_lifo(P *p, G *g)
{
	G *old = claim(&p->runnext, false);
	if (old) {
		uint32_t high = p->lifo_high;
		if (likely(high - p->lifo_low < LIFO_SIZE)) {
			/* The slot pairs with cas_acq in claim, high with load_acq in lifo_steal. */
			store_rel(&p->lifo[high & (LIFO_SIZE - 1)], old);
			store_rel(&p->lifo_high, high + 1);
		} else {
			put_tail(p, old);
		}
	}
	store_rel(&p->runnext, g); /* empty: pairs with cas_acq of takers */
	return old != NULL;
}

static G *lifo_pop(P *p, bool alone)
{
	G *g = NULL;
	while (!g && !lifo_empty(p)) { /* thieves leave holes */
		uint32_t last = p->lifo_high - 1;
		g = claim(&p->lifo[last & (LIFO_SIZE - 1)], alone);
		store_rlx(&p->lifo_high, last); /* a reader of the old one meets an empty slot */
	}
	return g;
}

/* The oldest, to the ring. For a moment it is nowhere: the owner has it in hand. */
static __attribute__((noinline)) void lifo_age(P *p)
{
	G *g = claim(&p->lifo[p->lifo_low & (LIFO_SIZE - 1)], false);
	store_rlx(&p->lifo_low, p->lifo_low + 1);
	if (g)
		put_tail(p, g);
}

static G *lifo_steal(P *victim)
{
	uint32_t high = load_acq(&victim->lifo_high); /* pairs with store_rel in runq_put_lifo */
	G *g = NULL;
	for (uint32_t i = load_rlx(&victim->lifo_low); !g && (int32_t)(high - i) > 0; i++)
		g = claim(&victim->lifo[i & (LIFO_SIZE - 1)], false);
	return g;
}

static inline __attribute__((always_inline)) G *get(P *p, bool alone)
{
	RunQ *q = &p->runq;
	uint32_t h, t;
	G *g = load_rlx(&p->runnext);
	/* Two that ready each other could starve the queue for ever: it gets its turn after 64. */
	if (likely(p->nextticks < 64) ||
	    (load_rlx(&q->tail) == load_rlx(&q->head) && lifo_empty(p))) {
		if ((g && (g = claim(&p->runnext, alone)) != NULL) ||
		    (!lifo_empty(p) && load_rlx(&q->tail) - load_rlx(&q->head) <= BREADTH &&
			(g = lifo_pop(p, alone)))) {
			p->nextticks++;
			return g;
		}
	} else if (!lifo_empty(p)) {
		lifo_age(p);
	}
	p->nextticks = 0;
	if (unlikely(!lifo_empty(p)) && ++p->ringticks >= 64) {
		p->ringticks = 0;
		lifo_age(p);
	}
	for (;;) {
		h = load_acq(&q->head); /* pairs with cas_rel of thieves */
		t = load_rlx(&q->tail);
		if (t == h)
			break;
		g = load_rlx(&q->slot[h & MASK]);
		/* Its turn comes soon; any address will do. */
		g_prefetch(load_rlx(&q->slot[(h + 1) & MASK]));
		if (alone) {
			store_rel(&q->head, h + 1);
			return g;
		}
		if (cas_rel(&q->head, h, h + 1)) /* pairs with load_acq in put_tail */
			return g;
	}
	g = claim(&p->runnext, alone);
	return g || lifo_empty(p) ? g : lifo_pop(p, alone);
}

G *runq_get(P *p)
{
	/* A goroutine that parks on a channel is still inside the channel's section here. */
	if (load_rlx(&p->section) != 0)
		return get(p, true);
	if (!solo_enter(p))
		return get(p, false);
	G *g = get(p, true);
	solo_leave(p);
	return g;
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
		if (n == 0) {
			G *g = lifo_steal(victim);
			return g || !next ? g : take_next(victim);
		}
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

bool runq_surplus(const P *p)
{
	return load_acq(&p->runq.tail) != load_acq(&p->runq.head) ||
	       load_rlx(&p->lifo_high) != load_rlx(&p->lifo_low);
}

bool runq_empty(const P *p)
{
	/* Reads that do not form a snapshot: a G may pass from runnext to lifo, which is read after it, or from
	 * either to the ring. Reading tail again catches that. */
	for (;;) {
		uint32_t h = load_acq(&p->runq.head);
		uint32_t t = load_acq(&p->runq.tail);
		if (h != t || load_acq(&p->runnext))
			return false;
		uint32_t high = load_acq(&p->lifo_high); /* pairs with store_rel in runq_put_lifo */
		for (uint32_t i = load_acq(&p->lifo_low); (int32_t)(high - i) > 0; i++)
			if (load_acq(&p->lifo[i & (LIFO_SIZE - 1)]))
				return false;
		if (t == load_rlx(&p->runq.tail))
			return true;
	}
}
