/*
 * procs.c: how many Ps there are, the making of Ps and Ms, and the start of the scheduler.
 *
 * GOMAXPROCS may change while all run; nobody stops the world for it. Growing makes Ps (or takes dead ones
 * up again) idle and wakes Ms for them. Shrinking marks: a P whose number is beyond the limit gives up its
 * goroutines and timers as soon as its M next comes through g0 (attention is set for that), one that is
 * idle or in a system call at once. For that moment more than GOMAXPROCS Ps may run.
 */
#include <stdlib.h>
#include <string.h>

#include "../os/sanitizer.h"
#include "internal.h"
#include "solo.h"

void **__cxa_get_globals(void)
    __attribute__((weak)); /* libstdc++'s: caught exceptions, uncaught count */

static Lock init_lock; /* rank NONE: held while threads start */

static uint32_t ms_max = MS_MAX; /* sched.lock */

/* sched.lock held. */
static _Noreturn void exhausted(void)
{
	uint32_t n = ms_max;
	unlock(&sched.lock);
	print_fd(2, "runtime: program exceeds %u-thread limit\n", n);
	fatal("thread exhaustion");
}

int goro_set_max_threads(int n)
{
	sched_init();
	lock(&sched.lock);
	uint32_t was = ms_max;
	if (n >= 1) {
		ms_max = (uint32_t)n;
		if (sched.nm > ms_max)
			exhausted();
	}
	unlock(&sched.lock);
	return (int)was;
}

M *m_new(void)
{
	lock(&sched.lock);
	M *m = sched.spare_m;
	if (m) {
		sched.spare_m = NULL;
		store_rlx(&sched.nm, sched.nm + 1);
		m->idle = false;
		unlock(&sched.lock);
		return m;
	}
	if (sched.nm >= ms_max)
		exhausted();
	int id = (int)sched.nm;
	store_rlx(&sched.nm, sched.nm + 1);
	unlock(&sched.lock);
	m = os_map(sizeof *m); /* a page: no false sharing */
	if (!m) {
		lock(&sched.lock);
		store_rlx(&sched.nm, sched.nm - 1);
		unlock(&sched.lock);
		return NULL;
	}
	m->id = id;
	m->rand = os_random() | 1;
	lock(&sched.lock);
	m->all_next = sched.all_m;
	store_rel(&sched.all_m, m); /* pairs with load_acq in deadlock.c, sysmon.c */
	unlock(&sched.lock);
	return m;
}

void m_init_thread(M *m)
{
	hook_switch(
	    NULL); /* first: libc may allocate below, and the detector is to take this for no thread of the program */
	m_set(m);
	store_rlx(&m->tid, os_thread_id());
	m->errno_at = os_errno_at();
	m->cxx = __cxa_get_globals ? __cxa_get_globals() : NULL;
	os_thread_stack(&m->g0_lo, &m->g0_hi);
	san_thread(&m->san);
	m->own_altstack = altstack_init();
}

/* sched.lock held: P number i, made if it is not there yet; NULL when there is no memory. */
static P *p_make(uint32_t i)
{
	if (i < sched.nall_p)
		return sched.all_p[i];
	P *p = os_map(sizeof *p);
	if (!p)
		return NULL;
	p->id = (int)i;
	p->status = P_DEAD;
	p->timer_lock = (Lock)LOCK_INIT(TIMERS);
	if (TRACED)
		trace_p_made(p);
	sched.all_p[i] = p;
	store_rel(&sched.nall_p, i + 1); /* publishes p; pairs with load_acq in its readers */
	return p;
}

/* sched.lock held: a P beyond GOMAXPROCS, which retires at its owner's next pick; NULL: no more can be. */
P *p_extra(void)
{
	P *p = NULL;
	uint32_t i = sched.procs_in_use;
	while (i < sched.nall_p && load_rlx(&sched.all_p[i]->status) != P_DEAD)
		i++;
	if (i < PROCS_MAX)
		p = p_make(i);
	if (p) {
		store_rel(&p->status, P_RUNNING);
		solo_update();
		store_rlx(&p->attention, 1);
	}
	return p;
}

/* p, which nobody owns any more, is beyond GOMAXPROCS: its goroutines go to the global queue, its timers
 * and dead Gs to others. Without sched.lock. */
static void drain(P *p)
{
	for (G *g; (g = runq_get(p)) != NULL;)
		sched_put_global(&g, 1);
	while (p->ngfree)
		stack_free(p->gfree[--p->ngfree]);
	P *to = sched.all_p[0]; /* never retires */
	timer_move_all(p, to);
	sched_wakep();
}

void procs_retire(M *m, P *p)
{
	if (m->picked) {
		sched_put_global(&m->picked, 1);
		m->picked = NULL;
	}
	p_disown(m);
	drain(p);
	lock(&sched.lock);
	bool back = (uint32_t)p->id < sched.procs_in_use; /* GOMAXPROCS grew again meanwhile */
	if (back)
		p_idle_put(p);
	else
		store_rel(&p->status, P_DEAD);
	solo_update();
	P *q = p_idle_get();
	unlock(&sched.lock);
	if (q)
		p_own(m, q);
}

static void shrink(uint32_t n, uint32_t old)
{
	P *drop[PROCS_MAX];
	uint32_t ndrop = 0;
	/* sched.lock held: idle ones off the list, those in a system call taken from their Ms. */
	P *keep = NULL;
	for (P *p; (p = sched.idle_p) != NULL;) {
		sched.idle_p = p->idle_next;
		if ((uint32_t)p->id < n) {
			p->idle_next = keep;
			keep = p;
		} else {
			store_rlx(&sched.nidle_p, sched.nidle_p - 1);
			drop[ndrop++] = p;
		}
	}
	sched.idle_p = keep;
	for (uint32_t i = n; i < old; i++)
		if (cas_acq(&sched.all_p[i]->status, P_SYSCALL,
			P_IDLE)) /* pairs with store_rel in syscall_enter */
			drop[ndrop++] = sched.all_p[i];
	for (uint32_t i = 0; i < ndrop; i++)
		solo_drop(drop[i]);
	unlock(&sched.lock);
	for (uint32_t i = 0; i < ndrop; i++) {
		if (TRACED && load_rlx(&drop[i]->m)) /* it was in a system call: ours now */
			trace_put(drop[i], TRACE_PROC_STOP, 0, 0, 0, 0);
		store_rlx(&drop[i]->m, NULL);
		drain(drop[i]);
	}
	lock(&sched.lock);
	for (uint32_t i = 0; i < ndrop; i++) {
		if ((uint32_t)drop[i]->id < sched.procs_in_use)
			p_idle_put(drop[i]);
		else
			store_rel(&drop[i]->status, P_DEAD);
	}
	solo_update();
	fence_sc(); /* procs stored before attention; pairs with the one in find_work */
	for (uint32_t i = n; i < old; i++)
		store_rlx(&sched.all_p[i]->attention, 1);
}

static void grow(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		P *p = p_make(i);
		if (!p) {
			if (sched.procs > i)
				store_rlx(&sched.procs, i ? i : 1);
			store_rlx(&sched.procs_in_use, i ? i : 1);
			return;
		}
		if (load_rlx(&p->status) ==
		    P_DEAD) /* it becomes and ceases to be that under sched.lock alone */
			p_idle_put(p);
	}
}

static Lock resize_lock;  /* one at a time; rank NONE: held over drain */
static uint32_t stand_in; /* resize_lock */

/* resize_lock held. True: there are more than before. */
static bool resize(uint32_t procs)
{
	lock(&sched.lock);
	uint32_t old = sched.procs_in_use, n = procs + stand_in;
	if (n > PROCS_MAX)
		n = PROCS_MAX;
	store_rlx(&sched.procs, procs);
	store_rlx(&sched.procs_in_use, n);
	if (n > old)
		grow(n);
	else if (n < old)
		shrink(n, old);
	unlock(&sched.lock);
	return n > old;
}

static uint32_t pretended; /* a seeded run has one P, and the program its own idea */

int goro_gomaxprocs(int n)
{
	sched_init();
	if (n < 1)
		return (int)load_rlx(SEEDED ? &pretended : &sched.procs);
	if (n > PROCS_MAX)
		n = PROCS_MAX;
	if (SEEDED) /* remembered only */
		return (int)swap_ar(&pretended, (uint32_t)n);
	lock(&resize_lock);
	uint32_t old = sched.procs;
	bool more = resize((uint32_t)n);
	unlock(&resize_lock);
	if (more)
		sched_wakep();
	else
		yield(); /* off a P that is to go */
	return (int)old;
}

void procs_stand_in(uint32_t n)
{
	lock(&resize_lock);
	stand_in = n;
	bool more = resize(sched.procs);
	unlock(&resize_lock);
	if (more)
		sched_wakep();
}

static uint32_t procs_wanted(void)
{
	uint32_t n = (uint32_t)os_cpu_count();
	const char *s = getenv("GOMAXPROCS");
	if (s && *s) {
		char *end;
		long v = strtol(s, &end, 10);
		if (*end || v < 1)
			print_fd(2,
			    "goro: warning: GOMAXPROCS=%s is not a positive number: using %u\n", s,
			    n);
		else
			n = v > PROCS_MAX ? PROCS_MAX : (uint32_t)v;
	}
	return n > PROCS_MAX ? PROCS_MAX : n;
}

void sched_init(void)
{
	if (likely(load_acq(&sched.ready))) /* pairs with store_rel below */
		return;
	lock(&init_lock);
	if (!sched.ready) {
		hook_init();
		stack_init();
		fault_init();
		quit_init();
		fork_init();
		if (GORO_RACE)
			seed_init();
		trace_init();
		preempt_init();
		solo_init();
		mask_init();
		lock(&sched.lock);
		pretended = procs_wanted();
		sched.procs = sched.procs_in_use = SEEDED ? 1 : pretended;
		grow(sched.procs);
		unlock(&sched.lock);
		if (sched.nall_p == 0)
			fatal("out of memory at the start");
		store_rel(&sched.ready, 1);
	}
	unlock(&init_lock);
}
