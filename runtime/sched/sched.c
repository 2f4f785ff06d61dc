/*
 * sched.c: an M's life: take a goroutine and run it; with none, look for work; with none anywhere, sleep.
 *
 * Model: Go's proc.go (Vyukov's work stealing). The local path is leave(): a goroutine that stops picks
 * the next from its P's queue and switches to it, without clock, system call or shared line. Whatever
 * needs more goes through g0, in find_work: timers due, fairness (every 61st pick from the global queue),
 * wired goroutines, an order by `attention`, and an empty queue.
 *
 * Parking and unparking threads. An M without work spins (looks at all queues, counted in nspinning, at
 * most half as many as there are busy Ps) and then sleeps. Who makes surplus work wakes one M if there is
 * an idle P and nobody spins; a spinning M that finds work wakes the next one if it was the last spinner.
 * Why no runnable goroutine stays behind:
 *
 *     the one who submits                         the M that goes to sleep
 *     1. puts G on a queue                        a. makes its P idle          (sched.lock)
 *     2. fence                                    b. stops spinning            (sc decrement)
 *     3. reads nidle_p, nspinning                 c. looks at all queues again
 *
 * Either 3 sees no spinner after b, and wakes an M; or b comes after 3, and then c comes after 1 and sees
 * G. If 3 read nidle_p before a, it wakes nobody for good reason: for the global queue, which is under
 * sched.lock, a then sees G; a local queue has an owner that runs and gets to it, or whose slowness sysmon
 * notices. sysmon also makes up for a wake-up that had no thread to go to. A G put in runnext alone wakes
 * nobody: its waker most often parks at once (ping-pong), and waking another processor costs 90 us.
 *
 * Timers. One idle M, timer_m, sleeps until the earliest timer of all Ps; the others sleep for ever. When
 * no M is idle sysmon asks the P with a due timer for attention.
 *
 * Descriptors (net/netpoll.c). One idle M, poll_m, sleeps in the poller instead of on its futex; the first to
 * fall asleep while there is none; it stays so until it has left it, or another would take the wake-up meant
 * for it. Often it is timer_m as well. With what it finds it rises with an idle P; with
 * none idle it leaves that in the global queue and sleeps on its futex. While no M sleeps in the poller, whoever
 * runs out of work looks there before it steals, and sysmon looks for those that never do.
 *
 * Roads not taken. A Chase-Lev deque: FIFO order is what Go's users see. Handing a P to a woken M for each
 * readied G, as Go does: half a million wake-ups a second on a ping-pong.
 */
#include <errno.h>

#include "../os/sanitizer.h"
#include "../os/switch.h"
#include "internal.h"

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
		throw("no memory for the queue of %u runnable goroutines", sched.runq_size);
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
		unlock(m->after_lock);
		break;
	case AFTER_YIELD:
		runq_put(m->p, m->after_g, false);
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
	if (unlikely(load_rlx(&p->attention)) || unlikely(g->locked) || unlikely(m->in_syscall))
		return false;
	save(m, g, false);
	store_rlx(&p->schedtick, p->schedtick + 1); /* only we write it */
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

/* ---- Ps change hands ---- */

void p_own(M *m, P *p)
{
	m->p = p;
	store_rel(&p->m, m);              /* publishes m; pairs with load_acq in sysmon's watch */
	store_rel(&p->status, P_RUNNING); /* pairs with load_acq in deadlock.c, sysmon.c */
}

void p_disown(M *m)
{
	store_rlx(&m->p->m, NULL);
	m->p = NULL;
}

void p_idle_put(P *p)
{
	store_rel(&p->status, P_IDLE);
	p->idle_next = sched.idle_p;
	sched.idle_p = p;
	store_rlx(&sched.nidle_p, sched.nidle_p + 1);
}

P *p_idle_get(void)
{
	P *p = sched.idle_p;
	if (!p)
		return NULL;
	sched.idle_p = p->idle_next;
	store_rlx(&sched.nidle_p, sched.nidle_p - 1);
	/* From here on it counts as busy, though its M may still be waking up or being made. */
	store_rel(&p->status, P_RUNNING);
	sysmon_wake();
	return p;
}

void p_handoff(P *p)
{
	int64_t next = load_rlx(&p->timer_next);
	if (!runq_empty(p) || load_rlx(&sched.runq_size) || (next && next <= os_now()) ||
	    netpoll_unwatched()) {
		m_start(p, false);
		return;
	}
	lock(&sched.lock);
	if (sched.runq_size) {
		unlock(&sched.lock);
		m_start(p, false);
		return;
	}
	p_idle_put(p);
	unlock(&sched.lock);
}

/* ---- Ms start and stop ---- */

void m_not_idle(M *m)
{
	for (M **at = &sched.idle_m; *at; at = &(*at)->idle_next) {
		if (*at != m)
			continue;
		*at = m->idle_next;
		sched.nidle_m--;
		break;
	}
	m->idle = false;
	if (sched.timer_m == m) {
		sched.timer_m = NULL;
		store_rlx(&sched.idle_until, 0);
	}
}

/* sched.lock held: an idle M off its list; poll_m stays where it is while there is another. */
static M *m_idle_get(void)
{
	M *m = sched.idle_m;
	if (!m)
		return NULL;
	if (m == sched.poll_m && m->idle_next)
		m = m->idle_next;
	m_not_idle(m);
	return m;
}

void m_ring(M *m)
{
	if (m->in_poller)
		os_poll_wake();
	else
		os_futex_wake(&m->note, 1);
}

static void m_wake(M *m)
{
	bool in_poller = m->in_poller; /* once it sees the note it may be gone from there */
	store_rel(&m->note, 1);        /* next_p, spinning; pairs with load_acq in m_sleep */
	if (in_poller)
		os_poll_wake();
	else
		os_futex_wake(&m->note, 1);
}

static void m_main(void *arg)
{
	M *m = arg;
	m_init_thread(m);
	p_own(m, m->next_p);
	m->next_p = NULL;
	sched_loop(m, NULL);
}

bool m_start(P *p, bool spinning)
{
	if (unlikely(sched.forked)) /* constant in the child */
		fork_fatal();
	lock(&sched.lock);
	if (!p && !(p = p_idle_get())) {
		/* Before the unlock: a P made idle from there on is for one who then sees no spinner
		 * (tests/spin/sleep.pml, BUG=3). */
		if (spinning)
			(void)add_sc(&sched.nspinning, (uint32_t)-1);
		unlock(&sched.lock);
		return true;
	}
	M *m = m_idle_get();
	if (m) {
		m->next_p = p;
		m->spinning = spinning;
		unlock(&sched.lock);
		m_wake(m);
		return true;
	}
	unlock(&sched.lock);

	int e = -EAGAIN;
	sysmon_start();
	m = m_new();
	if (m) {
		m->next_p = p;
		m->spinning = spinning;
		store_rel(&p->m, m); /* as in p_own */
		e = os_thread_start(m_main, m, (size_t)2 << 20, "goro");
		if (e == 0)
			return true;
	}
	lock(&sched.lock);
	if (m) {
		m->spinning = false;
		m->next_p = NULL;
		m->idle = true;
		sched.spare_m = m;
		store_rlx(&sched.nm, sched.nm - 1);
	}
	bool none = sched.nm == 0;
	p_idle_put(p);
	unlock(&sched.lock);
	if (spinning)
		(void)add_sc(&sched.nspinning, (uint32_t)-1);
	/* Others make progress, and sysmon will try again; with no M at all nobody ever would. */
	if (none)
		fatal("newosproc: cannot create thread: Resource temporarily unavailable");
	return false;
}

void sched_wakep(void)
{
	if (load_rlx(&sched.nidle_p) == 0)
		return;
	fence_sc(); /* step 2 of the head; pairs with the sc decrement of nspinning in find_work */
	if (load_rlx(&sched.nspinning) != 0 || !cas_sc(&sched.nspinning, 0, 1))
		return;
	m_start(NULL, true);
}

/* No more spinning: work was found. The last spinner sees to it that another looks on. */
static void stop_spinning(M *m)
{
	m->spinning = false;
	if (add_sc(&sched.nspinning, (uint32_t)-1) == 1)
		sched_wakep();
}

int64_t timers_earliest(void)
{
	int64_t best = 0;
	uint32_t n = load_acq(&sched.nall_p);
	for (uint32_t i = 0; i < n; i++) {
		int64_t t = load_rlx(
		    &sched.all_p[i]->timer_next); /* a stale one is told by sched_timer_armed */
		if (t && (!best || t < best))
			best = t;
	}
	return best;
}

void sched_timer_armed(P *p, int64_t when)
{
	if (p == p_here()) /* looks itself when it has nothing to run; sysmon, while it has */
		return;
	fence_sc(); /* timer_next stored before idle_until read; pairs with the one in timer_m_until */
	int64_t until = load_rlx(&sched.idle_until);
	if (until == 0) {
		sched_wakep();
		return;
	}
	if (when >= until)
		return;
	lock(&sched.lock);
	M *m = sched.timer_m;
	if (m && cas_rel(&m->note, 0, 2)) /* pairs with cas_acq in m_sleep */
		m_ring(m);                /* under the lock, or it may have left the poller */
	unlock(&sched.lock);
}

/* A timer is due and m is timer_m: m rises with an idle P. False: all Ps are busy, whose timers sysmon
 * watches; the role is given up. (Or somebody is waking m already.) */
static bool timer_m_rises(M *m)
{
	P *p = NULL;
	lock(&sched.lock);
	if (sched.timer_m == m) {
		sched.timer_m = NULL;
		store_rlx(&sched.idle_until, 0);
		p = p_idle_get();
		if (p) {
			m_not_idle(m);
			m->next_p = p;
		}
	}
	unlock(&sched.lock);
	return p != NULL;
}

/* Sleep in the poller. True: m rises with a P and with what it found. */
static bool poll_m_sleeps(M *m, int64_t ns)
{
	IoWaiter *found = netpoll_poll(ns);
	if (!found)
		return false;
	P *p = NULL;
	lock(&sched.lock);
	if (m->idle && (p = p_idle_get()) != NULL) {
		m_not_idle(m);
		m->next_p = p;
		m->polled = found;
	} else if (
	    m->idle) { /* all are busy, and will look themselves: more wake-ups of m were for nothing */
		m->in_poller = false;
		store_rel(&sched.poll_m, NULL); /* pairs with load_acq in m_stop */
	}
	unlock(&sched.lock);
	if (!p)
		netpoll_ready(found); /* to the global queue, as m has no P */
	return p != NULL;
}

/* m sleeps until when? INT64_MAX: no timer; 0: m is timer_m no more. */
static int64_t timer_m_until(M *m)
{
	int64_t next = 0;
	lock(&sched.lock);
	if (sched.timer_m == m) {
		for (int64_t again = timers_earliest();; again = timers_earliest()) {
			next = again ? again : INT64_MAX;
			if (load_rlx(&sched.idle_until) == next)
				break;
			store_rlx(&sched.idle_until, next);
			fence_sc(); /* pairs with the one in sched_timer_armed: one of us sees the other */
		}
	}
	unlock(&sched.lock);
	return next;
}

/* Sleep until given a P by m_start or, while m is timer_m, until a timer is due. */
static void m_sleep(M *m)
{
	bool role = true;
	for (;;) {
		int64_t ns = -1;
		if (role) {
			int64_t until = timer_m_until(m);
			role = until != 0;
			if (role && until != INT64_MAX) {
				ns = until - os_now();
				if (ns <= 0) {
					if (timer_m_rises(m))
						break;
					role = false;
					ns = -1;
				}
			}
		}
		uint32_t note = load_acq(&m->note); /* pairs with store_rel in m_wake */
		if (note == 1)
			break;
		if (note == 2) {
			(void)cas_acq(&m->note, 2, 0); /* pairs with cas_rel in sched_timer_armed */
		} else if (!m->in_poller) {
			os_futex_wait(&m->note, 0, ns);
		} else if (poll_m_sleeps(m, ns)) {
			break;
		}
	}
	if (m->in_poller) {
		m->in_poller = false;
		store_rel(&sched.poll_m, NULL); /* pairs with load_acq in m_stop */
	}
	store_rlx(&m->note, 0); /* nobody wakes an M that is not idle */
}

/* With no P: onto the idle list until there is one for us. A host comes back without one when its time
 * is over. */
static void m_stop(M *m, uint32_t *until)
{
	lock(&sched.lock);
	if (until && load_acq(until)) { /* set under sched.lock */
		unlock(&sched.lock);
		return;
	}
	/* An M that could not be made may have left both work and a P. */
	if (sched.idle_p && (sched.runq_size || any_runq())) {
		P *left = p_idle_get();
		unlock(&sched.lock);
		p_own(m, left);
		return;
	}
	m->idle = true;
	m->idle_next = sched.idle_m;
	sched.idle_m = m;
	sched.nidle_m++;
	/* The last to fall asleep knows all timers: it takes the role over. A former one that wakes for
	 * its timer finds that out. */
	sched.timer_m = m;
	/* Pairs with store_rel in open_poller; with those by which the last M left. */
	if (load_acq(&sched.poller) && !load_acq(&sched.poll_m)) {
		store_rlx(&sched.poll_m, m);
		m->in_poller = true;
	}
	deadlock_check();
	unlock(&sched.lock);
	m_sleep(m);
	P *p = m->next_p;
	m->next_p = NULL;
	if (p)
		p_own(m, p);
	if (m->polled) {
		IoWaiter *found = m->polled;
		m->polled = NULL;
		netpoll_ready(found);
	}
}

/* m's wired goroutine is not running: sleep until another M found it and hands over its P. */
static void m_stop_wired(M *m, const uint32_t *until)
{
	if (m->p) {
		P *p = m->p;
		p_disown(m);
		p_handoff(p);
	}
	lock(&sched.lock);
	if (until && load_acq(until)) { /* set under sched.lock */
		unlock(&sched.lock);
		return;
	}
	if (!m->next_p) {
		m->idle = true; /* for deadlock_check, without being on the list */
		deadlock_check();
	}
	unlock(&sched.lock);
	uint32_t note;
	while ((note = load_acq(&m->note)) != 1) { /* pairs with store_rel in m_wake */
		if (note == 2)
			(void)cas_acq(&m->note, 2, 0);
		else
			os_futex_wait(&m->note, 0, -1);
	}
	store_rlx(&m->note, 0);
	P *p = m->next_p;
	m->next_p = NULL;
	if (p) /* NULL: a host whose time is over */
		p_own(m, p);
}

/* g is wired to another M: give it our P. False: it is wired no more. */
static bool run_wired(M *m, G *g)
{
	P *p = m->p;
	lock(&sched.lock);
	M *owner = g->locked_m;
	if (owner) {
		p_disown(m);
		owner->next_p = p;
		owner->idle = false;
	}
	unlock(&sched.lock);
	if (owner)
		m_wake(owner);
	else
		g->locked = 0;
	return owner != NULL;
}

/* ---- looking for work ---- */

bool any_runq(void)
{
	uint32_t n = load_acq(&sched.nall_p);
	for (uint32_t i = 0; i < n; i++)
		if (!runq_empty(sched.all_p[i]))
			return true;
	return false;
}

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
				if (t && t <= (now ? now : (now = os_now()))) {
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
	if ((uint32_t)p->id >= load_rlx(&sched.procs)) {
		if (m->spinning)
			stop_spinning(m);
		procs_retire(m, p);
		return NULL;
	}
	G *g = m->picked;
	if (g) {
		m->picked = NULL;
		return g;
	}
	int64_t now = 0, t = load_rlx(&p->timer_next);
	if (t && t <= (now = os_now()))
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
	    load_rlx(&sched.procs) - load_rlx(&sched.nidle_p); /* a bound, not a promise */
	if (load_acq(&sched.nall_p) > 1 && (m->spinning || 2 * load_rlx(&sched.nspinning) < busy)) {
		if (!m->spinning) {
			m->spinning = true;
			(void)add_sc(&sched.nspinning, 1);
		}
		g = steal(m, now);
		if (g)
			return g;
	}

	/* Nothing. Steps a, b, c of the head. */
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
		int64_t due = timers_earliest();
		if (any_runq() || load_rlx(&sched.runq_size) || (due && due <= os_now())) {
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
		while (unlikely(load_acq(&sched.ended) == 1)) /* see main.c */
			os_futex_wait(&sched.ended, 1, -1);
		G *g = find_work(m);
		if (!g)
			continue;
		if (m->spinning)
			stop_spinning(m);
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
