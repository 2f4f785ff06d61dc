/*
 * strategy.c: which goroutine of a seeded run goes on (docs/schedules.md, 3).
 *
 *   random   one of the set, each as likely as the others
 *   pct      the highest priority of the set. Drawn when the goroutine is made, above zero; at depth-1 steps
 *            drawn at the start the running one gets a small one of its own instead (the i-th: i); who
 *            yields or spins sinks below zero, each time deeper. Model: Burckhardt et al., ASPLOS 2010.
 *   pos      the highest priority of the set. Each operation draws its own when its goroutine comes to it;
 *            one that is done makes those on the same object draw anew, unless both only read. Model: Yuan
 *            et al., CAV 2018.
 *   follows  what the schedule says, else the plain rule.
 *
 * All are functions of the random numbers drawn so far and of the set: see seed.c's head.
 */
#include "seed.h"

enum { STRATEGY_RANDOM, STRATEGY_PCT, STRATEGY_POS };

#define DEPTH_MAX 100

static struct {
	uint64_t change[DEPTH_MAX]; /* the steps where priorities change */
	uint32_t nchange;
	uint64_t step; /* of those that count */
	int64_t low;   /* the lowest priority given out */
	bool dirty;    /* the set or a priority changed since the last choice */
} pct;

static int64_t draw(void)
{
	return (int64_t)(seed_random() >> 2) + (1 << 20); /* above all that change points give */
}

void strategy_init(void)
{
	if (seed.follows || seed.o.strategy != STRATEGY_PCT)
		return;
	uint64_t steps = seed.o.steps ? seed.o.steps : UINT64_C(1) << (5 + seed_random() % 16);
	pct.nchange = seed.o.depth - 1;
	for (uint32_t i = 0; i < pct.nchange; i++)
		pct.change[i] = 1 + seed_random() % steps;
}

void strategy_made(G *g)
{
	if (!seed.follows && seed.o.strategy != STRATEGY_RANDOM)
		g->seed.prio = draw();
}

void strategy_woken(G *g)
{
	pct.dirty = true;
	g->seed.on = NULL;
	if (!seed.follows && seed.o.strategy == STRATEGY_POS)
		g->seed.prio = draw();
}

static bool is_access(SeedPoint what)
{
	return what == POINT_READ || what == POINT_WRITE;
}

static bool only_reads(uint32_t what)
{
	return what == POINT_READ || what == POINT_ATOMIC_LOAD || what == POINT_RLOCK;
}

static bool sampled(SeedPoint what)
{
	return !is_access(what) || seed.o.preempt == 100 || seed_random() % 100 < seed.o.preempt;
}

static bool pct_asks(G *g, SeedPoint what, bool yields)
{
	if (yields)
		g->seed.prio = --pct.low;
	else if (is_access(what) && !seed.o.preempt)
		return false;
	pct.step++;
	for (uint32_t i = 0; i < pct.nchange; i++)
		if (pct.change[i] == pct.step) {
			g->seed.prio = (int64_t)i + 1;
			pct.dirty = true;
		}
	return yields || pct.dirty;
}

bool strategy_asks(G *g, SeedPoint what, const void *on, bool yields)
{
	if (seed.follows) {
		/* relaxed: a thread of the program may add one; then this is not the seed's run */
		return load_rlx(&seed.set.n) &&
		       (yields || schedule_next(g->id, g->seed.steps) != 0);
	}
	switch (seed.o.strategy) {
	case STRATEGY_PCT:
		return pct_asks(g, what, yields) && load_rlx(&seed.set.n);
	case STRATEGY_POS:
		if (!yields && !sampled(what))
			return false;
		g->seed.prio = yields ? 0 : draw();
		g->seed.on = is_access(what) ? (const void *)((uintptr_t)on & ~(uintptr_t)7) : on;
		g->seed.what = what;
		return load_rlx(&seed.set.n);
	default:
		return (yields || sampled(what)) && load_rlx(&seed.set.n);
	}
}

G *strategy_plain(const SeedLeave *l)
{
	const SeedSet *s = &seed.set;
	if (l->stays && (!l->yields || s->n == 1))
		return l->stays;
	G *above = NULL, *lowest = NULL;
	for (uint32_t i = 0; i < s->n; i++) {
		G *g = s->g[i];
		if (g == l->stays)
			continue;
		if (g->id > l->from && (!above || g->id < above->id))
			above = g;
		if (!lowest || g->id < lowest->id)
			lowest = g;
	}
	return above ? above : lowest;
}

static G *follow(const SeedLeave *l)
{
	uint64_t id = schedule_next(l->from, l->k);
	if (id) {
		for (uint32_t i = 0; i < seed.set.n; i++)
			if (seed.set.g[i]->id == id)
				return seed.set.g[i];
		seed.diverged++;
	}
	return strategy_plain(l);
}

static G *highest(void)
{
	const SeedSet *s = &seed.set;
	G *best = s->g[0];
	for (uint32_t i = 1; i < s->n; i++)
		if (s->g[i]->seed.prio > best->seed.prio)
			best = s->g[i];
	return best;
}

/* `done` does its operation: who is about to do one that depends on it draws anew. */
static void pos_redraw(const G *done)
{
	if (!done->seed.on)
		return;
	for (uint32_t i = 0; i < seed.set.n; i++) {
		G *g = seed.set.g[i];
		if (g != done && g->seed.on == done->seed.on &&
		    !(only_reads(g->seed.what) && only_reads(done->seed.what)))
			g->seed.prio = draw();
	}
}

/* Uniform, of the others where the running one yields. */
static G *any(const SeedLeave *l)
{
	const SeedSet *s = &seed.set;
	bool others = l->stays && l->yields && s->n > 1;
	uint32_t i = (uint32_t)((seed_random() >> 32) * (s->n - others) >> 32);
	if (others && i >= l->stays->seed.at)
		i++;
	return s->g[i];
}

G *strategy_choose(const SeedLeave *l)
{
	G *g;
	if (seed.follows) {
		g = follow(l);
	} else if (seed.o.strategy == STRATEGY_RANDOM) {
		g = any(l);
	} else {
		g = highest();
		pct.dirty = false;
		if (seed.o.strategy == STRATEGY_POS)
			pos_redraw(g);
	}
	if (*seed.o.record && g != strategy_plain(l))
		schedule_switched(l->from, l->k, g->id);
	return g;
}

/* ---- select ---- */

static struct {
	uint64_t g, k;
} select_now; /* the one under way: nothing runs beside it */

void seed_shuffle(int *order, int n)
{
	G *g = g_self();
	if (!g)
		return;
	select_now.g = g->id;
	select_now.k = g->seed.steps;
	if (!seed.follows) {
		for (int i = n; i > 1; i--) {
			int j = (int)((seed_random() >> 32) * (uint32_t)i >> 32), t = order[i - 1];
			order[i - 1] = order[j];
			order[j] = t;
		}
		return;
	}
	int which = schedule_case(g->id, g->seed.steps);
	for (int i = 0; i < n; i++)
		if (order[i] == which) {
			for (; i > 0; i--)
				order[i] = order[i - 1];
			order[0] = which;
			return;
		}
	if (which >= 0)
		seed.diverged++;
}

void seed_chose(int which, int n)
{
	G *g = g_self();
	if (g && which > 0 && n > 1 && *seed.o.record && g->id == select_now.g &&
	    g->seed.steps == select_now.k)
		schedule_chose(g->id, g->seed.steps, which);
}
