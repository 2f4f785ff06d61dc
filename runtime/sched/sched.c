/*
 * sched.c: what an M does with its P: take a goroutine and run it; with none, look for work. What it does
 * without, to sleep and be woken, is in threads.c.
 *
 * Model: Go's proc.go (Vyukov's work stealing). The local path is leave(): a goroutine that stops picks
 * the next from its P's queue and switches to it, without clock, system call or shared line. Whatever
 * needs more goes through g0, in find_work: timers due, fairness (every 61st pick from the global queue),
 * wired goroutines, an order by `attention`, and an empty queue.
 *
 * Roads not taken. A Chase-Lev deque: FIFO order is what Go's users see.
 */
#include <errno.h>

#include "../os/sanitizer.h"
#include "../os/switch.h"
#include "internal.h"
#include "solo.h"

/* A thief and whoever woke it pay some us for its coming; loot that was eaten in less was not worth it (ns). Then
 * it naps, so often if nothing comes. Each time in a row that it was not worth it the naps are twice as long, until
 * POOR_MAX times. */
#define WORTH    INT64_C(10000)
#define NAPS     4
#define POOR_MAX 5

Sched sched = {.lock = LOCK_INIT(SCHED)};

/* ---- the global queue ---- */

/* sched.lock held: room for n more. */
static void runq_grow(uint32_t n)
{
	uint32_t cap = sched.runq_cap ? sched.runq_cap : 4096 / sizeof(G *);
	while (cap < sched.runq_size + n)
		cap *= 2;
	G **ring = os_map(cap * sizeof *ring);
	if (!ring)
		fatal("out of memory: cannot queue %u runnable goroutines", sched.runq_size + n);
	for (uint32_t i = 0; i < sched.runq_size; i++)
		ring[i] = sched.runq[(sched.runq_head + i) & (sched.runq_cap - 1)];
	if (sched.runq)
		os_unmap(sched.runq, sched.runq_cap * sizeof *ring);
	sched.runq = ring;
	sched.runq_cap = cap;
	sched.runq_head = 0;
}

void sched_put_global(G *const *g, uint32_t n)
{
	lock(&sched.lock);
	if (SEEDED) {
		for (uint32_t i = 0; i < n; i++)
			seed_put(g[i]);
		unlock(&sched.lock);
		return;
	}
	if (sched.runq_size + n > sched.runq_cap)
		runq_grow(n);
	uint32_t tail = sched.runq_head + sched.runq_size;
	for (uint32_t i = 0; i < n; i++)
		sched.runq[(tail + i) & (sched.runq_cap - 1)] = g[i];
	store_rlx(&sched.runq_size, sched.runq_size + n);
	unlock(&sched.lock);
}

/* sched.lock held. The head of the global queue; with `more`, p's fair share goes to its queue too. */
static G *global_get(P *p, bool more)
{
	uint32_t n = sched.runq_size, mask = sched.runq_cap - 1, h = sched.runq_head;
	if (n == 0)
		return NULL;
	if (SEEDED)
		return seed_take();
	uint32_t share = more ? n / sched.procs + 1 : 1;
	if (share > RUNQ_SIZE / 2)
		share = RUNQ_SIZE / 2;
	if (share > n)
		share = n;
	G *g = sched.runq[h & mask];
	g_prefetch(g);
	/* The ring has room: it was empty, RUNQ_SIZE/2 at most go in; it never overflows to the lock we hold. */
	for (uint32_t i = 1; i < share; i++)
		runq_put(p, sched.runq[(h + i) & mask], false);
	sched.runq_head = h + share;
	store_rlx(&sched.runq_size, n - share);
	return g;
}

/* ---- leaving a goroutine ---- */

/* The work that had to wait until the registers of the one before were saved. */
static inline void after(M *m)
{
	After a = m->after;
	if (a == AFTER_NOTHING)
		return;
	m->after = AFTER_NOTHING;
	switch (a) {
	case AFTER_UNLOCK:
		if (!GORO_RACE && load_rlx(&m->after_lock->state) == 0) { /* it was a section */
			lock_rank_pop(m->after_lock);
			solo_leave(m->p);
		} else {
			unlock(m->after_lock);
		}
		break;
	case AFTER_YIELD:
		runq_put_yielded(m->p, m->after_g);
		break;
	case AFTER_NEXT:
		if (runq_put_lifo(m->p, m->after_g))
			sched_wakep();
		break;
	case AFTER_GLOBAL:
		sched_put_global(&m->after_g, 1);
		sched_wakep();
		break;
	case AFTER_DEAD:
		san_end(&m->after_g->san);
		stack_free(m->after_g);
		break;
	case AFTER_CALL:
		m->after_fn(m->after_g, m->after_arg);
		break;
	case AFTER_NOTHING:
		break;
	}
}

void sched_switched(void)
{
	G *g = g_self();
	M *m = g->m;
	san_arrive(&g->san);
	*m->errno_at = g->saved_errno;
	if (m->cxx) {
		m->cxx[0] = g->cxx_globals[0];
		m->cxx[1] = g->cxx_globals[1];
	}
	hook_switch(g->race); /* before after(): the one left may run elsewhere from there on */
	after(m);
}

/* The next goroutine for m's P without a look elsewhere; NULL: g0 must look. */
static inline G *pick(M *m)
{
	P *p = m->p;
	if (SEEDED)
		return seed_pick(m);
	uint32_t tick = p->schedtick + 1;
	if (unlikely(load_rlx(&p->attention)) || unlikely(m->locked_g != NULL))
		return NULL;
	if (unlikely(tick % 61 == 0) && load_rlx(&sched.runq_size) != 0) /* a hint */
		return NULL;
	G *g = runq_get(p);
	if (!g)
		return NULL;
	store_rlx(&p->schedtick, tick); /* only we write it */
	if (unlikely(g->locked)) {
		m->picked = g;
		return NULL;
	}
	return g;
}

static inline void leave_to(M *m, G *g, G *next, bool dying)
{
	next->m = m;
	store_rlx(&next->state, G_RUNNING); /* for dumps */
	store_rel(&m->g, next); /* publishes next; pairs with load_acq in sysmon's watch */
	tls_g_set(next);
	san_leave(&g->san, &next->san, next->stack_lo, next->stack_hi, dying);
	os_switch(&g->sp, next->sp);
}

static inline void save(const M *m, G *g, bool dying)
{
	g->saved_errno = *m->errno_at;
	if (m->cxx) {
		g->cxx_globals[0] =
		    dying ? NULL : m->cxx[0]; /* clean for the next goroutine here */
		g->cxx_globals[1] = dying ? NULL : m->cxx[1];
	}
}

bool leave_for(G *g, G *next)
{
	M *m = g->m;
	P *p = m->p;
	if (unlikely(load_rlx(&p->attention)) || unlikely(g->locked) || unlikely(m->in_syscall) ||
	    SEEDED)
		return false;
	save(m, g, false);
	if (TRACED)
		trace_put(p, TRACE_LEAVE, TRACE_MAKES_WAY, g->id, next->id, 0);
	store_rlx(&p->schedtick, p->schedtick + 1); /* only we write it */
	store_rlx(&g->state, G_RUNNABLE);           /* for dumps */
	m->after = AFTER_NEXT;
	m->after_g = g;
	leave_to(m, g, next, false);
	sched_switched();
	return true;
}

void leave(G *g, bool dying)
{
	M *m = g->m;
	save(m, g, dying);
	if (unlikely(m->in_syscall)) {
		if (m->in_syscall == M_FORKED)
			fork_fatal();
		fatal("goroutine would block between goro_enter_syscall and goro_exit_syscall");
	}
	G *next = m->p ? pick(m) : NULL;
	if (TRACED)
		trace_leave(m, g, next, dying);
	if (next) {
		leave_to(m, g, next, dying);
	} else {
		m->left_main = g->is_main;
		store_rlx(&m->g, NULL);
		tls_g_set(NULL);
		san_leave(&g->san, &m->san, m->g0_lo, m->g0_hi, dying);
		os_switch(&g->sp, m->g0_sp);
	}
	sched_switched();
}

/* From g0: run g until some goroutine comes back to g0. */
static void execute(M *m, G *g)
{
	P *p = m->p;
	if (TRACED)
		trace_put(p, TRACE_START, 0, g->id, 0, 0);
	store_rlx(&p->schedtick, p->schedtick + 1);
	g->m = m;
	store_rlx(&g->state, G_RUNNING); /* for dumps */
	store_rel(&m->g, g);             /* as in leave */
	tls_g_set(g);
	san_leave(&m->san, &g->san, g->stack_lo, g->stack_hi, false);
	os_switch(&m->g0_sp, g->sp);
	san_arrive(&m->san);
	hook_switch(NULL); /* before after(), as in sched_switched */
	after(m);
}

/* ---- looking for work ---- */

static uint64_t m_rand(M *m)
{
	uint64_t x = m->rand;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return m->rand = x;
}

/* From the other Ps, in random order: half of a queue; on the last of four rounds also their due timers
 * and their runnext. */
static G *steal(M *m, int64_t now)
{
	P *p = m->p;
	uint32_t n = load_acq(&sched.nall_p);
	for (int round = 0; round < 4; round++) {
		bool last = round == 3;
		uint32_t start = (uint32_t)(m_rand(m) % n);
		for (uint32_t i = 0; i < n; i++) {
			P *victim = sched.all_p[(start + i) % n];
			if (victim == p)
				continue;
			if (last) {
				int64_t t = load_rlx(&victim->timer_next);
				if (t && t <= (now ? now : (now = sched_now()))) {
					timer_run(victim, now);
					G *g = runq_get(p); /* what it readied */
					if (g)
						return g;
				}
			}
			G *g = runq_steal(p, victim, last);
			if (g)
				return g;
		}
		if (load_rlx(&p->attention))
			return NULL;
	}
	return NULL;
}

/* A goroutine to run on m's P; NULL: m lost its P (or has none) and must stop or try again. */
static G *find_work(M *m)
{
	P *p = m->p;
	if (load_rlx(&p->attention)) {
		store_rlx(&p->attention, 0);
		/* pairs with the fence of those who set attention after what it tells of */
		fence_sc();
	}
	if ((uint32_t)p->id >= load_rlx(&sched.procs_in_use)) {
		if (m->spinning)
			m_stop_spinning(m);
		procs_retire(m, p);
		return NULL;
	}
	G *g = m->picked;
	if (g) {
		m->picked = NULL;
		return g;
	}
	int64_t now = 0, t = load_rlx(&p->timer_next);
	if (SEEDED && (g = seed_find(m)) != NULL)
		return g;
	if (t && t <= (now = sched_now()))
		timer_run(p, now);
	if ((p->schedtick + 1) % 61 == 0 && load_rlx(&sched.runq_size)) {
		lock(&sched.lock);
		g = global_get(p, false);
		unlock(&sched.lock);
		if (g)
			return g;
	}
	g = runq_get(p);
	if (g)
		return g;
	if (load_rlx(&sched.runq_size)) {
		lock(&sched.lock);
		g = global_get(p, true);
		unlock(&sched.lock);
		if (g)
			return g;
	}
	if (netpoll_unwatched()) {
		IoWaiter *found = netpoll_poll(0);
		if (found) {
			netpoll_ready(found);
			g = runq_get(p);
			if (g) /* else it was stolen already */
				return g;
		}
	}
	uint32_t busy =
	    load_rlx(&sched.procs_in_use) - load_rlx(&sched.nidle_p); /* a bound, not a promise */
	m->naps = 0;
	if (!m->spinning) { /* what it had is eaten */
		bool poor = m->stole_at && os_now() - m->stole_at < WORTH;
		m->poor = !poor ? 0 : m->poor < POOR_MAX ? m->poor + 1 : POOR_MAX;
		m->naps = poor ? NAPS : 0;
	}
	if (!m->naps && load_acq(&sched.nall_p) > 1 &&
	    (m->spinning || 2 * load_rlx(&sched.nspinning) < busy)) {
		if (!m->spinning) {
			m->spinning = true;
			(void)add_sc(&sched.nspinning, 1);
		}
		g = steal(m, now);
		if (g) {
			m->stole_at = os_now();
			return g;
		}
	}

	/* Nothing. Steps a, b, c of threads.c. */
	lock(&sched.lock);
	if (load_rlx(&p->attention)) {
		unlock(&sched.lock);
		return find_work(m);
	}
	g = global_get(p, true);
	if (g) {
		unlock(&sched.lock);
		return g;
	}
	p_disown(m);
	p_idle_put(p);
	unlock(&sched.lock);
	if (m->spinning) {
		m->spinning = false;
		(void)add_sc(
		    &sched.nspinning, (uint32_t)-1); /* pairs with fence_sc in sched_wakep */
		/* Timers that are due: m_sleep sees to them. */
		if (any_surplus() || load_rlx(&sched.runq_size)) {
			lock(&sched.lock);
			P *q = p_idle_get();
			unlock(&sched.lock);
			if (q) {
				p_own(m, q);
				m->spinning = true;
				(void)add_sc(&sched.nspinning, 1);
			}
		}
	}
	return NULL;
}

/* main has returned and the process is ending, but an exit handler waits for another goroutine. */
static void unfreeze(void)
{
	store_rel(&sched.ended, 0); /* pairs with load_acq in sched_loop */
	os_futex_wake(&sched.ended, INT32_MAX);
}

void sched_loop(M *m, uint32_t *until)
{
	for (;;) {
		if (until && load_acq(until)) /* pairs with store_rel in run.c */
			return;
		if (!m->p) {
			m_stop(m, until);
			continue;
		}
		while (unlikely(load_acq(&sched.ended) == 1)) { /* see program.c */
			store_rel(&m->frozen, true);            /* pairs with load_acq in leak.c */
			os_futex_wait(&sched.ended, 1, -1);
			store_rlx(&m->frozen, load_rlx(&sched.ended) == 1);
		}
		G *g = find_work(m);
		if (!g)
			continue;
		if (m->spinning)
			m_stop_spinning(m);
		if (g->locked && g->locked_m != m && run_wired(m, g))
			continue;
		for (;;) {
			execute(m, g);
			if (unlikely(load_rlx(&sched.ended) == 1) && m->left_main)
				unfreeze();
			if (!m->locked_g)
				break;
			m_stop_wired(m, until);
			if (!m->p)
				break; /* a host goes home */
			g = m->locked_g;
		}
	}
}
