/*
 * seed.c: the seeded scheduler of race builds (GORACE=seed=N; docs/schedules.md): one P, one goroutine at a
 * time, every choice by strategy.c, and a clock that only the run itself moves.
 *
 * Where goroutines change. Every operation that synchronises calls seed_point before it begins, the detector
 * does so before atomic operations and plain accesses. A point puts the running goroutine into the set of
 * the runnable and asks the strategy for one of the set. A goroutine that parks or ends asks in the same way
 * (seed_pick, from sched.c's pick), without being in the set. The set stands in for the run queues: runq_put
 * and sched_put_global come here, sched.runq_size is its size, local queues stay empty. So all of sched.c's
 * rules about who is woken hold as they are.
 *
 * Why the same seed gives the same run. With one P nothing here runs beside a goroutine. The order of the set
 * depends on the order of what happened before, never on addresses or time. Accesses are counted exactly:
 * in a seeded run the detector's filter stays empty, so each access comes to its slow path (ctx.h). What the
 * kernel or another thread does at its own pace is noted (seed_note), and reports say so.
 *
 * The clock. Each step moves it by STEP_NS; when no goroutine can run it jumps to the next timer. Only when a
 * goroutine waits for something outside (a descriptor, a system call that lost its P, a thread of the program)
 * must the others wait really: then it goes with real time (idle_since), until the P is taken up again.
 *
 * System calls keep the P as usual; sysmon takes it after RETAKE_NS, and only if the thread really sleeps: a
 * busy machine must not change the schedule.
 *
 * Road not taken: a thread for each goroutine and a baton. It would let the detector treat goroutines as
 * threads, but a switch is a futex call, and there is a scheduler already.
 */
#include "seed.h"

#include <errno.h>

#define STEP_NS   1000
#define EPOCH_NS  (INT64_C(946684800) * 1000000000) /* 2000-01-01, as Go's synctest */
#define RETAKE_NS 10000000

uint32_t seed_on;
Seed seed;

/* splitmix64 (Steele, Lea, Flood 2014): any seed is good. */
uint64_t seed_random(void)
{
	uint64_t z = seed.rand += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* ---- the set ---- */

/* sched.lock held. */
static void set_add(G *g)
{
	SeedSet *s = &seed.set;
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? 2 * s->cap : 512;
		G **more = os_map(cap * sizeof *more);
		if (!more)
			throw("no memory for %u runnable goroutines", cap);
		for (uint32_t i = 0; i < s->n; i++)
			more[i] = s->g[i];
		if (s->g)
			os_unmap(s->g, s->cap * sizeof *more);
		s->g = more;
		s->cap = cap;
	}
	g->seed.at = s->n;
	s->g[s->n++] = g;
	store_rlx(&sched.runq_size, s->n);
}

/* sched.lock held. */
static void set_remove(G *g)
{
	SeedSet *s = &seed.set;
	G *last = s->g[--s->n];
	s->g[g->seed.at] = last;
	last->seed.at = g->seed.at;
	store_rlx(&sched.runq_size, s->n);
}

void seed_put(G *g)
{
	strategy_woken(g);
	set_add(g);
}

void seed_made(G *g)
{
	g->seed = (SeedG){.steps = 0};
	strategy_made(g);
}

G *seed_take(void)
{
	if (!seed.set.n)
		return NULL;
	if (!seed.leaving)
		seed.leave = (SeedLeave){NULL, 0, 0, false}; /* the start; or from outside */
	SeedLeave *l = &seed.leave;
	G *g = strategy_choose(l);
	set_remove(g);
	seed.leaving = false;
	if (g != l->stays || !l->from) {
		seed.switches++;
		seed.streak = 0;
		if (interleaving_on)
			interleaving_switch(g->id);
	} else if (l->yields) {
		seed.streak = 0;
	}
	return g;
}

/* ---- points ---- */

static bool timer_due(const P *p)
{
	int64_t t = load_rlx(&p->timer_next);
	return t && t <= seed.clock;
}

/* It has the P, its own stack, and the process goes on. */
static bool can_leave(const G *g)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	return g->m->p && !g->m->in_syscall && sp >= g->stack_lo && sp < g->stack_hi &&
	       !load_rlx(&sched.ended) && !fatal_in_progress();
}

/* Off to `next`, decided, or to g0; it is in the set, or runs on. */
static void switch_away(G *g)
{
	store_rlx(&g->state, G_RUNNABLE);
	g->m->after = AFTER_NOTHING;
	leave(g, false);
}

void seed_point(SeedPoint what, const void *on, const void *pc)
{
	G *g = g_self();
	if (!g || !can_leave(g))
		return;
	P *p = g->m->p;
	uint64_t k = ++g->seed.steps;
	seed.step++;
	seed.clock += STEP_NS;
	if (interleaving_on)
		interleaving_step(g, what, on, pc);
	if (load_rlx(&sched.npolling) && netpoll_unwatched())
		netpoll_ready(netpoll_poll(0));
	bool yields = what == POINT_YIELD || ++seed.streak >= SPIN_STEPS;
	bool due = timer_due(p) || load_rlx(&p->attention);
	if (!strategy_asks(g, what, on, yields) && !due)
		return;
	int e = os_errno();
	lock(&sched.lock);
	set_add(g);
	seed.leave = (SeedLeave){g, g->id, k, yields};
	seed.leaving = true;
	G *next = due ? NULL : seed_take(); /* timers fire on g0, which decides after that */
	unlock(&sched.lock);
	if (next != g) {
		seed.next = next;
		switch_away(g);
	}
	os_set_errno(e);
}

G *seed_pick(M *m)
{
	P *p = m->p;
	if (!seed.next && !seed.leaving) { /* m's goroutine stops */
		G *g = m->g;
		seed.leave = (SeedLeave){NULL, g->id, ++g->seed.steps, false};
		seed.leaving = true;
	}
	if (load_rlx(&p->attention) || m->locked_g)
		return NULL;
	G *g = seed.next;
	if (g) {
		seed.next = NULL;
	} else {
		if (timer_due(p) || load_rlx(&sched.npolling))
			return NULL;
		lock(&sched.lock);
		g = seed_take();
		unlock(&sched.lock);
		if (!g)
			return NULL;
	}
	store_rlx(&p->schedtick, p->schedtick + 1);
	if (unlikely(g->locked)) {
		m->picked = g;
		return NULL;
	}
	return g;
}

/* All sleep. Must they wait for the world, in real time? */
static bool world_moves(void)
{
	uint32_t what = 0;
	if (load_acq(&sched.npolling))
		what |= SEED_DESCRIPTORS;
	if (load_acq(&seed.away))
		what |= SEED_SYSCALLS;
	if ((load_rlx(&seed.uncontrolled) & SEED_THREADS) &&
	    os_thread_count() > os_thread_own() + (int)load_rlx(&sched.nhosts))
		what |= SEED_THREADS;
	seed_note(what);
	return what != 0;
}

G *seed_find(M *m)
{
	P *p = m->p;
	for (;;) {
		if (timer_due(p))
			timer_run(p, seed.clock);
		if (netpoll_unwatched())
			netpoll_ready(netpoll_poll(0));
		G *g = seed.next;
		if (g) {
			seed.next = NULL;
			return g;
		}
		lock(&sched.lock);
		g = seed_take();
		unlock(&sched.lock);
		if (g)
			return g;
		int64_t next = load_rlx(&p->timer_next);
		if (!next || world_moves())
			return NULL;
		if (next > seed.clock)
			seed.clock = next;
	}
}

/* ---- the clock ---- */

int64_t seed_now(void)
{
	int64_t since = load_rlx(&seed.idle_since);
	return load_rlx(&seed.clock) + (since ? os_now() - since : 0);
}

void seed_idle(bool idle)
{
	if (idle) {
		if (seed.step)
			store_rlx(&seed.idle_since, os_now());
	} else if (seed.idle_since) {
		if (load_rlx(&seed.uncontrolled)) /* else a deadlock was looked for, or the end */
			seed.clock += os_now() - seed.idle_since;
		store_rlx(&seed.idle_since, 0);
	}
}

/* As the detector asks for it, for the program's calls of libc. */
static int64_t program_now(void)
{
	return seed_now();
}

/* ---- what the seed does not decide ---- */

void seed_note(uint32_t what)
{
	if (what & ~load_rlx(&seed.uncontrolled))
		(void)or_rlx(&seed.uncontrolled, what);
}

bool seed_retakes(const P *p, int64_t since, int64_t now)
{
	if (now - since < RETAKE_NS)
		return false;
	const M *m = NULL;
	for (const M *at = load_acq(&sched.all_m); at && !m; at = at->all_next)
		if (load_rlx(&at->syscall_p) == p)
			m = at;
	if (!m || !os_thread_sleeps(m->tid))
		return false;
	(void)add_rlx(&seed.away, 1);
	seed_note(SEED_SYSCALLS);
	return true;
}

void seed_back(void)
{
	(void)add_rlx(&seed.away, -1);
}

void seed_forked(void)
{
	store_rlx(&seed_on, 0);
	interleaving_on = false;
}

/* ---- start and end ---- */

void seed_linger(void)
{
	int64_t until = seed_now() + seed.o.linger_ns;
	while (goroutines() > 1 && seed_now() < until) {
		uint64_t before = seed.switches;
		goro_sleep(1000000);
		/* Away and back: nobody else ran. Timers may wake others later. */
		if (seed.switches <= before + 1 && !load_rlx(&g_self()->m->p->timer_next))
			return;
	}
}

static void state(SeedState *out)
{
	*out = (SeedState){.step = seed.step,
	    .switches = seed.switches,
	    .diverged = seed.diverged + schedule_unused(),
	    .time_ns = seed_now() - EPOCH_NS,
	    .uncontrolled = load_rlx(&seed.uncontrolled)};
}

static void end(bool last)
{
	static Lock one;         /* any thread may end the process */
	if (!load_rlx(&seed_on)) /* in a forked child: the files are its parent's */
		return;
	lock(&one);
	schedule_end(last);
	if (interleaving_on && last)
		interleaving_end();
	unlock(&one);
}

void seed_init(void)
{
	static const SeedCalls calls = {
	    .point = seed_point,
	    .now = program_now,
	    .note = seed_note,
	    .state = state,
	    .found = interleaving_found,
	    .end = end,
	};
	const SeedOptions *o = hook_seed(&calls);
	if (!o)
		return;
	seed.o = *o;
	seed.rand = o->seed;
	seed.clock = EPOCH_NS;
	schedule_init();
	interleaving_init();
	strategy_init();
	store_rel(&seed_on, 1); /* before sched.ready, which publishes all of it */
}
