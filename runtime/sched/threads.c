/*
 * threads.c: Ms sleep and are woken; Ps change hands between them.
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
 * Naps. A thief costs: its waker some 5 us, itself more, and what it takes leaves a warm cache for a cold one. Where it
 * has eaten its loot in less time than that (a burst of goroutines that only count down a wait group, or that
 * park at once), it does not look again now and neither is it woken for what comes next: it falls asleep as nap_m and
 * looks every NAP for a while, as a spinner would all the time; less often the longer all that it finds is of that
 * kind. 3 reads nap_m as well, and the end of a nap is as b and c:
 * nap_m becomes NULL, then it looks. Who is woken from a nap by other means looks too (m_stop).
 *
 * Timers. One idle M, timer_m, sleeps until the earliest timer of all Ps, or a little longer where many stand close
 * (timer_meet); the others sleep for ever. It gives the role up to an M that spins, which takes it when it falls
 * asleep. When no M is idle sysmon asks the P with a due timer for attention. Between the one who was woken for something
 * else and the next who falls asleep nobody has the role. What is armed then wakes an M, or is for the one that spins:
 * if that finds work it wakes the next, and the last of them finds none; but while an M naps no other is woken,
 * so that the end of a nap takes the role up as well. What was armed before, on a P that became idle by sysmon's
 * hand and not by an M that fell asleep, is sysmon's to see: it wakes an M when such a timer is due, and before it
 * falls asleep for long it gives the role to somebody (timer_m_is_there).
 *
 * Descriptors (net/netpoll.c). One idle M, poll_m, sleeps in the poller instead of on its futex; the first to
 * fall asleep while there is none; it stays so until it has left it, or another would take the wake-up meant
 * for it. Often it is timer_m as well. With what it finds it rises with an idle P; with
 * none idle it leaves that in the global queue and sleeps on its futex. While no M sleeps in the poller, whoever
 * runs out of work looks there before it steals, and sysmon looks for those that never do.
 *
 * Roads not taken. Handing a P to a woken M for each readied G, as Go does: half a million wake-ups a second
 * on a ping-pong.
 */
#include "internal.h"
#include "solo.h"

#define NAP    INT64_C(100000) /* ns: about what waking a thread takes until it runs */
#define FIRING INT64_C(50000)  /* ns: who fires timers is soon through */

/* ---- Ps change hands ---- */

void p_own(M *m, P *p)
{
	solo_settle(); /* somebody may have run alone until now */
	m->p = p;
	store_rel(&p->m, m);              /* publishes m; pairs with load_acq in sysmon's watch */
	store_rel(&p->status, P_RUNNING); /* pairs with load_acq in deadlock.c, sysmon.c */
	if (TRACED)
		trace_put(p, TRACE_PROC_START, 0, 0, (uint64_t)m->id, m->tid);
}

void p_disown(M *m)
{
	if (TRACED)
		trace_put(m->p, TRACE_PROC_STOP, 0, 0, 0, 0);
	store_rlx(&m->p->m, NULL);
	m->p = NULL;
}

void p_idle_put(P *p)
{
	if (SEEDED)
		seed_idle(true);
	store_rel(&p->status, P_IDLE);
	p->idle_next = sched.idle_p;
	sched.idle_p = p;
	store_rlx(&sched.nidle_p, sched.nidle_p + 1);
	solo_update();
}

P *p_idle_get(void)
{
	P *p = sched.idle_p;
	if (!p)
		return NULL;
	sched.idle_p = p->idle_next;
	if (SEEDED)
		seed_idle(false);
	store_rlx(&sched.nidle_p, sched.nidle_p - 1);
	/* From here on it counts as busy, though its M may still be waking up or being made. */
	store_rel(&p->status, P_RUNNING);
	solo_update();
	sysmon_wake();
	return p;
}

void p_handoff(P *p)
{
	int64_t next = load_rlx(&p->timer_next);
	if (!runq_empty(p) || load_rlx(&sched.runq_size) ||
	    (next && (next <= os_now() || SEEDED)) || /* seeded: somebody is to move the clock */
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
	if (sched.nap_m == m)
		store_rlx(&sched.nap_m, NULL);
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
		e = os_thread_start(m_main, m, (size_t)2 << 20, "goro", false);
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
	if (load_rlx(&sched.nspinning) != 0 || load_rlx(&sched.nap_m) ||
	    !cas_sc(&sched.nspinning, 0, 1))
		return;
	m_start(NULL, true);
}

/* No more spinning: work was found. The last spinner sees to it that another looks on. */
void m_stop_spinning(M *m)
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

/* sched.lock held, or m may have left the poller: m looks at the timers. */
static void timer_m_ring(M *m)
{
	if (cas_rel(&m->note, 0, 2)) /* pairs with cas_acq in m_sleep */
		m_ring(m);
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
	if (m)
		timer_m_ring(m);
	unlock(&sched.lock);
}

bool timer_m_is_there(void)
{
	if (!sched.timer_m && sched.idle_m && timers_earliest()) {
		sched.timer_m = sched.idle_m;
		timer_m_ring(sched.timer_m);
	}
	return sched.timer_m || !timers_earliest();
}

/* sched.lock held: idle m rises with an idle P, to look at all queues and timers. False: there is none, or another
 * looks already. */
static bool m_rises(M *m)
{
	if (!cas_sc(&sched.nspinning, 0, 1)) /* pairs with the sc decrement in find_work */
		return false;
	P *p = p_idle_get();
	if (!p) {
		(void)add_sc(&sched.nspinning, (uint32_t)-1);
		return false;
	}
	m_not_idle(m);
	m->next_p = p;
	m->spinning = true;
	return true;
}

/* A timer is due and m is timer_m: m rises. False: the role is given up. All Ps are busy, and sysmon is told to watch
 * their timers; or an M spins, which looks at the timers and takes the role when it falls asleep. (Or somebody is waking
 * m already.) */
static bool timer_m_rises(M *m)
{
	bool rises = false, busy = false;
	lock(&sched.lock);
	if (sched.timer_m == m) {
		sched.timer_m = NULL;
		store_rlx(&sched.idle_until, 0);
		busy = !sched.nidle_p;
		rises = m_rises(m);
	}
	unlock(&sched.lock);
	if (busy)
		sysmon_look();
	return rises;
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

/* For how long timer_m sleeps, as the earliest timer is due at `next`: a little longer where timers stand close. */
static int64_t timers_meet(int64_t next)
{
	int64_t now = sched_now();
	uint32_t n =
	    SEEDED ? 0 : load_acq(&sched.nall_p); /* seeded: the clock moves as it is told */
	for (uint32_t i = 0; i < n; i++) {
		P *p = sched.all_p[i];
		if (load_rlx(&p->timer_next) != next)
			continue;
		if (next <= now && load_rlx(&p->timer_firing)) /* in good hands */
			return FIRING;
		return timer_meet(p, next) - now;
	}
	return next - now;
}

/* A nap of m's is over. True: m rises, with an idle P, to take what waits. */
static bool nap_ends(M *m)
{
	bool rises = false;
	lock(&sched.lock);
	if (sched.nap_m == m) {
		store_rlx(&sched.nap_m, NULL);
		fence_sc(); /* pairs with the one in sched_wakep: it sees no napper, or we what it put */
		if (sched.runq_size || any_surplus())
			rises = m_rises(m);
		else if (--m->naps > 0)
			store_rlx(&sched.nap_m, m);
	}
	if (m->idle && !sched.timer_m)
		sched.timer_m = m;
	unlock(&sched.lock);
	return rises;
}

/* Sleep until given a P by m_start or, while m is timer_m, until a timer is due. */
static void m_sleep(M *m)
{
	bool role = true;
	int64_t length = m->naps ? NAP << (m->poor - 1) : 0, nap = length ? os_now() + length : 0;
	for (;;) {
		int64_t ns = -1, look = 0;
		if (nap) {
			look = nap - os_now();
			if (look <= 0) {
				if (nap_ends(m))
					break;
				look = length;
				nap = os_now() + length;
				role = true;
			}
			if (load_rlx(&sched.nap_m) != m)
				nap = 0;
		}
		if (role) {
			int64_t until = timer_m_until(m);
			role = until != 0;
			if (role && until != INT64_MAX) {
				ns = timers_meet(until);
				if (ns <= 0) {
					if (timer_m_rises(m))
						break;
					role = false;
					ns = -1;
				}
			}
		}
		if (nap && (ns < 0 || ns > look))
			ns = look;
		uint32_t note = load_acq(&m->note); /* pairs with store_rel in m_wake */
		if (note == 1)
			break;
		if (note == 2) {
			(void)cas_acq(&m->note, 2, 0); /* pairs with cas_rel in timer_m_ring */
			role = true;
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

bool any_surplus(void)
{
	uint32_t n = load_acq(&sched.nall_p);
	for (uint32_t i = 0; i < n; i++) {
		const P *p = sched.all_p[i];
		if (load_rlx(&p->status) == P_IDLE ? !runq_empty(p) : runq_surplus(p))
			return true;
	}
	return false;
}

/* With no P: onto the idle list until there is one for us. A host comes back without one when its time
 * is over. */
void m_stop(M *m, uint32_t *until)
{
	lock(&sched.lock);
	if (until && load_acq(until)) { /* set under sched.lock */
		unlock(&sched.lock);
		return;
	}
	/* An M that could not be made may have left both work and a P. */
	if (sched.idle_p && !m->naps && (sched.runq_size || any_surplus())) {
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
	if (m->naps && !sched.nap_m)
		store_rlx(&sched.nap_m, m);
	deadlock_check();
	unlock(&sched.lock);
	m_sleep(m);
	P *p = m->next_p;
	m->next_p = NULL;
	if (p)
		p_own(m, p);
	if (m->naps) {
		m->naps = 0;
		/* Woken from its nap for something else: nobody looks any more for what was put meanwhile. */
		if (!m->spinning && any_surplus())
			sched_wakep();
	}
	if (m->polled) {
		IoWaiter *found = m->polled;
		m->polled = NULL;
		netpoll_ready(found);
	}
}

/* m's wired goroutine is not running: sleep until another M found it and hands over its P. */
static void sleep_wired(M *m)
{
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

void m_stop_wired(M *m, const uint32_t *until)
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
	sleep_wired(m);
}

void m_make_way(M *m, G *g)
{
	P *p = m->p;
	if (TRACED)
		trace_put(p, TRACE_LEAVE, TRACE_STOPPED, g->id, 0, 0);
	p_disown(m);
	sched_put_global(&g, 1);
	lock(&sched.lock);
	M *other = m_idle_get();
	if (other) {
		other->next_p = p;
		other->spinning = false;
	} else {
		p_idle_put(p);
	}
	unlock(&sched.lock);
	if (other)
		m_wake(other);
	else
		sysmon_look(); /* makes a thread */
	sleep_wired(m);
	if (TRACED && m->p)
		trace_put(m->p, TRACE_START, 0, g->id, 0, 0);
}

/* g is wired to another M: give it our P. False: it is wired no more. */
bool run_wired(M *m, G *g)
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
