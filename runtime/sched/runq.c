/*
 * runq.c: a P's queue of runnable Gs, in four parts, which the owner empties in this order:
 *
 *     runnext   a slot for the G readied or made last (the partner of a channel operation, its data still in the
 *               cache), or for the one that made way for a goroutine it made (start in proc.c)
 *     runq      a ring with one producer: those that were readied, and those that yielded
 *     lifo      some more slots for those that made way: newest first for the owner, oldest first for thieves
 *     fresh     a ring of those that were made and did not run yet
 *
 * Who is pushed out of runnext goes to the part where its like are. So what was begun comes to its end
 * before what was not. A tree of goroutines is walked depth first, with
 * few more stacks than it is deep. (With one ring for readied and new ones alike each subtree that came to its turn
 * there brought its own makers into lifo, and when that overflowed into the ring they took turns: 37 000 stacks
 * for a tree of a million.)
 *
 * Model: Go's runqput/runqget/runqgrab. Who may call what:
 *     runq_put, runq_put_new, runq_put_yielded, runq_put_lifo, runq_get   the M that owns p
 *     runq_steal           the M that owns `thief`, on any other p
 *     runq_empty           anyone; a hint
 * put | get | steal may overlap, any number of steals. put takes effect at the store of tail (or runnext),
 * get and steal at the cas of head (or runnext). A thief copies slots first and then claims them by the
 * cas: while head is what it read, the producer cannot have overwritten [head, tail), since it sees
 * tail - head < RUNQ_SIZE before it writes. head and tail are free-running 32-bit counters: a thief would
 * have to sleep through 2^32 picks to be fooled. All this is so for each of the two rings.
 *
 * While p runs alone (solo.h) there are no thieves, and runq_get takes by plain stores.
 *
 * runnext becomes non-NULL by the owner alone; thieves only take it away. So the owner may store into an
 * empty runnext without a locked instruction. The slots of lifo are the same.
 *
 * Nobody starves. After 64 picks from runnext or lifo in a row the oldest of lifo goes to the ring's tail
 * and the ring's head has its turn. Of lifo and fresh, while there is a ring before them, the oldest has its turn
 * after TURN picks; and as picks may be long, sysmon says so when there were few such turns in a slice (10 ms): one of
 * lifo joins the ring then, and PROMOTED of fresh go before it. So the last of BREADTH waits 80 ms or so. Who
 * yields makes way for all: one of lifo joins the ring before it, and one of fresh goes before the ring.
 */
#include "internal.h"
#include "solo.h"

#define MASK (RUNQ_SIZE - 1)
/* At 64 a tree of a million goroutines has 26 000 of them at once, at 1024 it has 1700. */
#ifdef GORO_HARD
#define TURN 8
#else
#define TURN 1024
#endif
#define PROMOTED 8
_Static_assert((RUNQ_SIZE & MASK) == 0, "a power of two");

/* The ring is full: move its older half and g to the global queue. False: a thief made room. */
static __attribute__((noinline)) bool put_global(RunQ *q, G *g, uint32_t h, uint32_t t)
{
	G *batch[RUNQ_SIZE / 2 + 1];
	uint32_t n = (t - h) / 2;
	for (uint32_t i = 0; i < n; i++)
		batch[i] = load_rlx(&q->slot[(h + i) & MASK]);
	if (!cas_rel(&q->head, h, h + n)) /* pairs with load_acq of head in runq_put */
		return false;
	batch[n] = g;
	sched_put_global(batch, n + 1);
	return true;
}

static inline __attribute__((always_inline)) void put_tail(RunQ *q, G *g)
{
	for (;;) {
		uint32_t h = load_acq(&q->head); /* pairs with the cas of head: the slot is free */
		uint32_t t = load_rlx(&q->tail); /* only we write it */
		if (likely(t - h < RUNQ_SIZE)) {
			store_rlx(&q->slot[t & MASK], g);
			/* Publishes the slot; pairs with load_acq in steal_half. */
			store_rel(&q->tail, t + 1);
			return;
		}
		if (put_global(q, g, h, t))
			return;
	}
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

/* The oldest, to a ring. For a moment it is nowhere: the owner has it in hand. */
static __attribute__((noinline)) void lifo_age(P *p, RunQ *to)
{
	G *g = claim(&p->lifo[p->lifo_low & (LIFO_SIZE - 1)], false);
	store_rlx(&p->lifo_low, p->lifo_low + 1);
	if (g)
		put_tail(to, g);
}

static __attribute__((noinline)) void push_lifo(P *p, G *g)
{
	uint32_t high = p->lifo_high;
	p->behind = true;
	/* Full: there are many trees at once, and the oldest waits with the new ones. */
	if (unlikely(high - p->lifo_low == LIFO_SIZE))
		lifo_age(p, &p->fresh);
	/* The slot pairs with cas_acq in claim, high with load_acq in lifo_steal. */
	store_rel(&p->lifo[high & (LIFO_SIZE - 1)], g);
	store_rel(&p->lifo_high, high + 1);
}

/* ---- put ---- */

/* g to runnext; what was there to lifo, if it made way, else to q. */
static inline __attribute__((always_inline)) bool put_next(P *p, RunQ *q, G *g)
{
	G *old = load_rlx(&p->runnext);
	bool made_way = p->next_made_way;
	p->next_made_way = false;
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
	if (unlikely(made_way))
		push_lifo(p, old);
	else
		put_tail(q, old);
	return true;
}

bool runq_put(P *p, G *g, bool next)
{
	if (SEEDED) { /* p is the only one, and the caller has it: nobody is to be woken */
		sched_put_global(&g, 1);
		return false;
	}
	if (next)
		return put_next(p, &p->runq, g);
	put_tail(&p->runq, g);
	return true;
}

bool runq_put_new(P *p, G *g)
{
	if (SEEDED)
		return runq_put(p, g, true);
	p->behind = true;
	return put_next(p, &p->fresh, g);
}

void runq_put_yielded(P *p, G *g)
{
	if (SEEDED) {
		runq_put(p, g, false);
		return;
	}
	if (unlikely(p->behind)) {
		if (!lifo_empty(p))
			lifo_age(p, &p->runq);
		if (runq_new(p) != 0)
			p->fresh_due = load_rlx(&p->fresh.head) + 1;
	}
	put_tail(&p->runq, g);
}

bool runq_put_lifo(P *p, G *g)
{
	G *old = claim(&p->runnext, false);
	if (old && p->next_made_way)
		push_lifo(p, old);
	else if (old)
		put_tail(&p->runq, old);
	p->next_made_way = true;
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

static G *lifo_steal(P *victim)
{
	uint32_t high = load_acq(&victim->lifo_high); /* pairs with store_rel in runq_put_lifo */
	G *g = NULL;
	for (uint32_t i = load_rlx(&victim->lifo_low); !g && (int32_t)(high - i) > 0; i++)
		g = claim(&victim->lifo[i & (LIFO_SIZE - 1)], false);
	return g;
}

/* ---- get ---- */

static inline bool ring_empty(const RunQ *q)
{
	return load_rlx(&q->tail) == load_rlx(&q->head); /* the owner's, or a hint */
}

static inline __attribute__((always_inline)) G *pop(RunQ *q, bool alone)
{
	for (;;) {
		uint32_t h = load_acq(&q->head); /* pairs with cas_rel of thieves */
		if (load_rlx(&q->tail) == h)
			return NULL;
		G *g = load_rlx(&q->slot[h & MASK]);
		/* Its turn comes soon; any address will do. */
		g_prefetch(load_rlx(&q->slot[(h + 1) & MASK]));
		if (alone) {
			store_rel(&q->head, h + 1);
			return g;
		}
		if (cas_rel(&q->head, h, h + 1)) /* pairs with load_acq in put_tail */
			return g;
	}
}

/* sysmon says that lifo and fresh wait for long. */
static __attribute__((noinline)) void promote(P *p)
{
	store_rlx(&p->overdue, 0);
	if (!lifo_empty(p))
		lifo_age(p, &p->runq);
	p->fresh_due = load_rlx(&p->fresh.head) + PROMOTED;
}

/* Has the head of fresh its turn, before the ring? */
static inline bool fresh_turn(P *p)
{
	uint32_t due = p->fresh_due - load_rlx(&p->fresh.head);
	if (unlikely(due - 1 < PROMOTED)) /* 1 to PROMOTED; it may be older than that */
		return true;
	if (likely(++p->freshticks < TURN))
		return false;
	p->freshticks = 0;
	store_rlx(&p->turns, p->turns + 1);
	return true;
}

/* get, but for runnext, where lifo or fresh may have something. */
static __attribute__((noinline)) G *get_behind(P *p, bool alone)
{
	RunQ *ring = &p->runq, *fresh = &p->fresh;
	G *g;
	if (lifo_empty(p) && ring_empty(fresh))
		p->behind = false;
	else if (unlikely(load_rlx(&p->overdue)))
		promote(p);
	if (!ring_empty(fresh) && fresh_turn(p) && (g = pop(fresh, alone)) != NULL)
		return g;
	if ((g = pop(ring, alone)) != NULL) {
		p->nextticks = 0;
		if (!lifo_empty(p) && ++p->ringticks >= TURN) {
			p->ringticks = 0;
			lifo_age(p, ring);
		}
		return g;
	}
	if (!lifo_empty(p) && (g = lifo_pop(p, alone)) != NULL) {
		p->nextticks++;
		return g;
	}
	p->nextticks = 0;
	g = pop(fresh, alone);
	return g ? g : claim(&p->runnext, alone); /* thieves may have had all else */
}

static inline __attribute__((always_inline)) G *get(P *p, bool alone)
{
	G *g = load_rlx(&p->runnext);
	/* Two that ready each other could starve the queue for ever: it gets its turn after 64. */
	if (likely(p->nextticks < 64) || (ring_empty(&p->runq) && !p->behind)) {
		if (g && (g = claim(&p->runnext, alone)) != NULL) {
			p->nextticks++;
			return g;
		}
	} else if (!lifo_empty(p)) {
		lifo_age(p, &p->runq);
	}
	if (p->behind)
		return get_behind(p, alone);
	p->nextticks = 0;
	g = pop(&p->runq, alone);
	return g ? g : claim(&p->runnext, alone); /* the same */
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

/* Half of q to mine, which is empty. One of them; NULL: there is nothing. */
static inline G *steal_half(RunQ *mine, RunQ *q)
{
	uint32_t t0 = load_rlx(&mine->tail), h, t, n;
	for (;;) {
		h = load_acq(&q->head); /* pairs with cas_rel of other takers */
		t = load_acq(&q->tail); /* pairs with store_rel in put_tail: the slots */
		n = t - h;
		n -= n / 2;
		if (n == 0)
			return NULL;
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
		store_rel(&mine->tail, t0 + n); /* pairs with load_acq in steal_half of others */
	return g;
}

G *runq_steal(P *thief, P *victim, bool next)
{
	G *g = steal_half(&thief->fresh, &victim->fresh);
	if (g)
		thief->behind = true;
	else
		g = steal_half(&thief->runq, &victim->runq);
	if (!g)
		g = lifo_steal(victim);
	return g || !next ? g : take_next(victim);
}

bool runq_surplus(const P *p)
{
	return load_acq(&p->runq.tail) != load_acq(&p->runq.head) ||
	       load_acq(&p->fresh.tail) != load_acq(&p->fresh.head) ||
	       load_rlx(&p->lifo_high) != load_rlx(&p->lifo_low);
}

bool runq_empty(const P *p)
{
	/* Reads that do not form a snapshot: a G may pass from runnext to lifo, which is read after it, or from
	 * either to the ring. Reading tail again catches that. */
	for (;;) {
		uint32_t h = load_acq(&p->runq.head);
		uint32_t t = load_acq(&p->runq.tail);
		uint32_t h2 = load_acq(&p->fresh.head);
		uint32_t t2 = load_acq(&p->fresh.tail);
		if (h != t || h2 != t2 || load_acq(&p->runnext))
			return false;
		uint32_t high = load_acq(&p->lifo_high); /* pairs with store_rel in runq_put_lifo */
		for (uint32_t i = load_acq(&p->lifo_low); (int32_t)(high - i) > 0; i++)
			if (load_acq(&p->lifo[i & (LIFO_SIZE - 1)]))
				return false;
		if (t == load_rlx(&p->runq.tail) && t2 == load_rlx(&p->fresh.tail))
			return true;
	}
}
