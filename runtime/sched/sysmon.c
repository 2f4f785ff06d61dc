/*
 * sysmon.c: the thread that watches. It has no P and runs no goroutine.
 *
 *   - takes the P from an M that has been in a system call for more than a tick (20 us at the least) when
 *     there is work that could use it;
 *   - asks a P whose timer is due for attention, or wakes an M where that P is idle and no M sleeps for it;
 *   - asks a goroutine that runs for a slice to make way (preempt.c);
 *   - wakes an M where goroutines wait, a P is idle and nobody looks: for a runnext behind a long
 *     computation (which wakes nobody at first), and as the net under every hint of sched.c and threads.c;
 *   - looks for descriptors that became ready, while no M sleeps in the poller: every 10 ms, sooner
 *     while a P is idle;
 *   - gives back memory of stacks that died in great numbers;
 *   - asks again about a deadlock that the program's own threads may yet resolve.
 *
 * It ticks every 20 us; when it finds nothing to do for 50 ticks, it doubles that up to 10 ms (as Go's),
 * or 1 ms while a P is idle that could help. When all Ps have been idle for a while it sleeps until a P
 * is taken from the idle list.
 */
#include "internal.h"
#include "solo.h"

#define TICK_MIN    20000 /* ns */
#define TICK_MAX    10000000
#define TICK_HELP   1000000 /* at most, while a P is idle */
#define TICK_TIMER  200000  /* at the least, for a timer's sake alone; as timer_meet's */
#define POLL_HELP   100000  /* as old as events may be while a P is idle */
#define TURNS_LEAST 8       /* of those that wait behind the ring, in a slice; see runq.c */
#define TRIM_EVERY  INT64_C(100000000)

static Lock start_lock; /* rank NONE */

/* sched.lock held. */
void sysmon_wake(void)
{
	if (likely(sched.sysmon_state < 2))
		return;
	store_rlx(&sched.sysmon_state, 1);
	store_rel(&sched.sysmon_note, 1); /* pairs with load_acq in nap */
	os_futex_wake(&sched.sysmon_note, 1);
}

/* sched.lock held: it should look again in a while. */
void sysmon_poke(void)
{
	if (sched.sysmon_state == 2)
		sysmon_wake();
}

void sysmon_look(void)
{
	store_rel(&sched.sysmon_note, 1); /* pairs with load_acq in nap */
	os_futex_wake(&sched.sysmon_note, 1);
}

static void nap(int64_t ns)
{
	if (!load_acq(&sched.sysmon_note)) /* pairs with store_rel in sysmon_wake */
		os_futex_wait(&sched.sysmon_note, 0, ns);
	store_rlx(&sched.sysmon_note, 0);
}

/* All Ps are idle: sleep until one is taken. */
static void deep_sleep(void)
{
	int64_t ns = TICK_MAX;
	lock(&sched.lock);
	while (sched.nidle_p == sched.procs_in_use && !sched.runq_size && !netpoll_unwatched() &&
	       (SEEDED || timer_m_is_there())) {
		bool perhaps = deadlock_check();
		store_rlx(&sched.sysmon_state, perhaps ? 3 : 2);
		unlock(&sched.lock);
		if (load_rlx(&sched.main_left) && ns > 2 * TICK_MAX)
			ns = 2 *
			     TICK_MAX; /* somebody looks at the clock until the last thread ends */
		int64_t trace = schedtrace(os_now()), until = perhaps ? ns : -1;
		nap(trace >= 0 && (until < 0 || trace < until) ? trace : until);
		lock(&sched.lock);
		if (sched.sysmon_state == 1)
			break;
		if (ns < INT64_C(1000000000))
			ns *= 2;
	}
	store_rlx(&sched.sysmon_state, 1);
	unlock(&sched.lock);
}

/* Is there something that an M with a P could do at once? Hints. */
static bool work_waits(const P *except)
{
	if (load_rlx(&sched.runq_size))
		return true;
	uint32_t n = load_acq(&sched.nall_p);
	for (uint32_t i = 0; i < n; i++) {
		const P *p = sched.all_p[i];
		if (p != except && runq_surplus(p))
			return true;
	}
	return false;
}

/* p's M is in a system call, since before the last tick. */
static bool retake(P *p, int64_t now)
{
	int64_t timer = load_rlx(&p->timer_next);
	if (SEEDED) {
		if (!(load_rlx(&sched.runq_size) || timer || netpoll_unwatched()) ||
		    !seed_retakes(p, p->seen_syscall_at, now))
			return false;
	} else if (runq_empty(p) && !(timer && timer <= now) && !netpoll_unwatched() &&
		   (!work_waits(p) || load_rlx(&sched.nidle_p) || load_rlx(&sched.nspinning)))
		return false;                           /* nobody would use it */
	if (!cas_acq(&p->status, P_SYSCALL, P_RUNNING)) /* pairs with store_rel in syscall_enter */
		return false;
	store_rlx(&p->m, NULL);
	if (TRACED)
		trace_put(p, TRACE_PROC_STOP, 0, 0, 0, 0);
	p_handoff(p);
	return true;
}

/* Would others make use of p, which has run one goroutine for a slice? Hints. */
static bool is_wanted(const P *p, int64_t now)
{
	if ((uint32_t)p->id >= load_rlx(&sched.procs_in_use))
		return true;
	if (load_rlx(&sched.nidle_p) || load_rlx(&sched.nspinning) || load_rlx(&sched.ended))
		return false;
	int64_t timer = timers_earliest();
	return work_waits(NULL) || load_rlx(&p->runnext) || (timer && timer <= now);
}

/* One P; true when there was something to do. *help: an idle P should be put to work. *soon: it may need
 * us in a moment, if it is still where it is now. *ran: it picked since the last tick. */
static bool watch(P *p, int64_t now, bool *help, bool *soon, bool *ran)
{
	bool did = false;
	uint32_t status = load_acq(&p->status); /* pairs with store_rel in p_own, syscall_enter */
	uint32_t tick = load_rlx(&p->schedtick);
	if (SEEDED && status != P_SYSCALL)
		return false; /* its goroutines make way and its timers fire by the seed */
	bool still = tick == p->seen_schedtick; /* it runs what it ran at the last tick */
	if (!still) {
		*ran = true;
		p->seen_schedtick = tick;
		p->seen_sched_at = now;
		preempt_forget(p);
		*soon |= load_rlx(&p->runnext) && load_rlx(&sched.nidle_p);
	}
	int64_t timer = load_rlx(&p->timer_next);
	/* It comes by itself, perhaps it fires already; until_timer sees to it that we look again. */
	if (timer && timer <= now && status == P_RUNNING && !load_rlx(&p->timer_firing)) {
		store_rlx(&p->attention, 1);
		*help = true;
	}
	if (timer && timer <= now && status == P_IDLE && !load_rlx(&sched.idle_until))
		*help = did = true;    /* nobody sleeps for it: see threads.c */
	if (timer && status == P_DEAD) /* a periodic one, put back while the P was drained */
		timer_move_all(p, sched.all_p[0]);
	if (status == P_RUNNING) {
		int64_t since = now - p->seen_sched_at;
		if (now - p->seen_turns_at >= sched.slice) {
			uint32_t turns = load_rlx(&p->turns);
			if (turns - p->seen_turns < TURNS_LEAST)
				store_rlx(&p->overdue, 1); /* nobody may wait: that costs nothing */
			p->seen_turns = turns;
			p->seen_turns_at = now;
		}
		if (since >= sched.slice)
			preempt_look(p, now, is_wanted(p, now));
		if (since >= TICK_MIN && load_rlx(&p->runnext) && load_rlx(&sched.procs_in_use) > 1)
			*help = did = true;
	} else {
		preempt_forget(p);
	}
	if (status == P_SYSCALL) {
		uint32_t calls = load_rlx(&p->syscalltick);
		if (calls != p->seen_syscalltick) {
			p->seen_syscalltick = calls;
			p->seen_syscall_at = now;
			*soon |= work_waits(NULL);
		} else if (now - p->seen_syscall_at >= TICK_MIN) {
			did |= retake(p, now);
		}
	}
	return did;
}

/* True: there was something ready. */
static bool poll(int64_t now)
{
	int64_t ago = now - load_rlx(&sched.polled_at);
	if (!netpoll_unwatched() || (SEEDED && !load_rlx(&sched.nidle_p)) ||
	    ago < (load_rlx(&sched.nidle_p) ? POLL_HELP : TICK_MAX))
		return false;
	IoWaiter *found = netpoll_poll(0);
	netpoll_ready(found);
	return found != NULL;
}

/* The next tick: not past the time of a timer on a P that may be busy by then, or little. While a P is idle an M sees
 * to the timers, if one sleeps. Hints. */
static int64_t until_timer(int64_t now, int64_t ns)
{
	int64_t next = timers_earliest();
	if (!next || (load_rlx(&sched.idle_until) && load_rlx(&sched.nidle_p)))
		return ns;
	int64_t until = next - now < TICK_TIMER ? TICK_TIMER : next - now;
	return until < ns ? until : ns;
}

static void sysmon(void *arg)
{
	(void)arg;
	int64_t delay = TICK_MIN, trimmed = os_now(), quiet_since = 0;
	int idle = 0;
	uint32_t stuck = 0; /* Ps that others stand in for */
	int64_t next_look = TICK_MAX;
	bool soon = false, ran = false;
	for (;;) {
		if (idle == 0)
			delay = TICK_MIN;
		else if (idle > 50 && delay < TICK_MAX)
			delay *= 2;
		int64_t ns = delay > TICK_MAX ? TICK_MAX : delay;
		uint32_t nidle = load_rlx(&sched.nidle_p);
		if (nidle && ns > TICK_HELP)
			ns = TICK_HELP;
		if (ns > next_look)
			ns = next_look > TICK_MIN ? next_look : TICK_MIN;
		nap(soon ? TICK_MIN : until_timer(os_now(), ns));
		int64_t now = os_now();
		store_rlx(&sched.coarse_now, now);
		(void)schedtrace(now);
		if (TRACED)
			trace_tick(now);
		if (now - trimmed >= TRIM_EVERY) {
			trimmed = now;
			stack_trim();
		}
		/* ran: they may be idle at our ticks alone, as with many sleepers. Waking us costs each time. */
		if (load_rlx(&sched.nidle_p) == load_rlx(&sched.procs_in_use) && !ran) {
			if (!quiet_since)
				quiet_since = now;
			if (now - quiet_since >= TICK_MAX) { /* not at every short pause */
				deep_sleep();
				quiet_since = 0;
				idle = 0;
				continue;
			}
		} else {
			quiet_since = 0;
		}
		solo_tick(now);
		bool did = poll(now), help = false;
		soon = ran = false;
		uint32_t n = load_acq(&sched.nall_p);
		uint32_t nstuck = 0;
		next_look = sched.slice;
		for (uint32_t i = 0; i < n; i++) {
			P *p = sched.all_p[i];
			did |= watch(p, now, &help, &soon, &ran);
			nstuck += p->stuck;
			if (p->look_at && p->look_at - now < next_look)
				next_look = p->look_at - now;
		}
		if (nstuck != stuck)
			procs_stand_in(stuck = nstuck);
		/* The net: wakes an M only if a P is idle and nobody spins. */
		if ((help || work_waits(NULL)) && load_rlx(&sched.nidle_p) &&
		    !load_rlx(&sched.nspinning) && !load_rlx(&sched.nap_m)) {
			sched_wakep();
			did = true;
		}
		idle = did ? 0 : idle + 1;
	}
}

void sysmon_start(void)
{
	if (likely(load_rlx(&sched.sysmon_state) != 0))
		return;
	lock(&start_lock);
	if (load_rlx(&sched.sysmon_state) == 0) { /* from and to 0 under start_lock alone */
		lock(&sched.lock);
		store_rlx(&sched.sysmon_state, 1);
		unlock(&sched.lock);
		if (os_thread_start(sysmon, NULL, (size_t)512 << 10, "goro-sysmon", true) != 0)
			store_rlx(&sched.sysmon_state, 0); /* tried again with the next M */
	}
	unlock(&start_lock);
}
