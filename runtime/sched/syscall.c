/*
 * syscall.c: around a call that may block the thread. The P stays with the M as long as nobody needs it
 * (P_SYSCALL), and sysmon takes it away when someone does.
 *
 * Between enter and exit the goroutine runs without a P: it may use every operation that does not park (a
 * goroutine readied goes to the global queue), none that does.
 *
 * The P is passed by its status alone: enter stores SYSCALL; one cas decides whether the M gets it back
 * (SYSCALL -> RUNNING in syscall_exit) or somebody took it (in sysmon.c, procs.c).
 */
#include "internal.h"

/* Who called the function with this frame: bp and the return address lie there, and below its caller's sp. For
 * dumps, which walk the stack from there on, while whatever is called next uses what lies below. */
static inline void site_set(M *m, const uintptr_t *frame)
{
	store_rlx(&m->site.bp, frame[0]);
	store_rlx(&m->site.pc, frame[1]);
	store_rlx(&m->site.sp, (uintptr_t)(frame + 2));
	store_rel(&m->site_seq, m->site_seq + 1); /* pairs with load_acq in debug/walk.c */
}

static inline void site_clear(M *m)
{
	store_rlx(&m->site_seq, m->site_seq + 1);
	fence_rel(); /* before the next site; pairs with fence_acq in debug/walk.c */
}

static inline void enter(const uintptr_t *frame)
{
	G *g = g_self();
	if (!g)
		return;
	M *m = g->m;
	if (unlikely(m->in_syscall)) {
		if (m->in_syscall == M_FORKED)
			return;
		fatal("goro_enter_syscall: nested");
	}
	P *p = m->p;
	if (TRACED)
		trace_put(p, TRACE_SYSCALL, 0, g->id, 0, 0);
	m->in_syscall = 1;
	m->syscall_p = p;
	store_rlx(&g->state, G_SYSCALL); /* for dumps */
	store_rlx(&p->syscalltick, p->syscalltick + 1);
	site_set(m, frame);
	m->p = NULL;
	store_rel(&p->status,
	    P_SYSCALL);   /* from here on p may be taken; pairs with cas_acq in the takers */
	fence_compiler(); /* pairs with os_barrier in preempt.c */
	if (unlikely(load_rlx(&m->poked) | load_rlx(&m->looked)))
		preempt_settle(m);
}

#define ENTER() enter(__builtin_frame_address(0))

void syscall_enter(void)
{
	ENTER();
}

/* The P is gone: another, if one is idle; else in line with the runnable. */
__attribute__((noinline)) static void exit_slow(G *g, M *m)
{
	if (SEEDED)
		seed_back();
	lock(&sched.lock);
	P *p = p_idle_get();
	unlock(&sched.lock);
	if (p) {
		p_own(m, p);
		if (TRACED)
			trace_put(p, TRACE_SYSRET, 0, g->id, 0, 0);
		return;
	}
	store_rlx(&g->state, G_RUNNABLE);
	m->after = AFTER_GLOBAL;
	m->after_g = g;
	leave(g, false);
}

void syscall_exit(void)
{
	G *g = g_self();
	if (!g)
		return;
	M *m = g->m;
	P *p = m->syscall_p;
	if (unlikely(m->in_syscall != 1)) {
		if (m->in_syscall == M_FORKED)
			return;
		fatal("goro_exit_syscall without goro_enter_syscall");
	}
	site_clear(m);
	m->in_syscall = 0;
	m->syscall_p = NULL;
	if (likely(cas_acq(&p->status, P_SYSCALL, P_RUNNING))) {
		m->p = p;
		if (TRACED)
			trace_put(p, TRACE_SYSRET, 0, g->id, 0, 0);
	} else {
		exit_slow(g, m);
	}
	store_rlx(&g->state, G_RUNNING);
	if (SEEDED)
		seed_point(POINT_SYSCALL, NULL, __builtin_return_address(0));
	if (unlikely(load_rlx(&g->preempt)))
		yield();
}

void syscall_exit_now(void)
{
	G *g = g_self();
	M *m = g ? g->m : NULL;
	if (!m || m->in_syscall != 1)
		return;
	if (!cas_acq(&m->syscall_p->status, P_SYSCALL, P_RUNNING)) {
		if (SEEDED)
			seed_back();
		lock(&sched.lock);
		P *p = p_idle_get();
		if (!p && !(p = p_extra())) {
			unlock(&sched.lock);
			syscall_exit();
			return;
		}
		unlock(&sched.lock);
		p_own(m, p);
	} else {
		m->p = m->syscall_p;
	}
	site_clear(m);
	m->in_syscall = 0;
	m->syscall_p = NULL;
	if (TRACED)
		trace_put(m->p, TRACE_SYSRET, 0, g->id, 0, 0);
	store_rlx(&g->state, G_RUNNING);
}

bool syscall_enter_here(void)
{
	G *g = g_self();
	if (!g || g->m->in_syscall || !g->m->p)
		return false;
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	if (sp < g->stack_lo || sp >= g->stack_hi)
		return false;
	ENTER();
	return true;
}

void syscall_exit_here(void)
{
	int e = os_errno();
	goro_lock_os_thread();
	syscall_exit();
	goro_unlock_os_thread();
	os_set_errno(e);
}

void goro_enter_syscall(void)
{
	ENTER();
}

void goro_exit_syscall(void)
{
	syscall_exit();
}

int64_t goro_blocking(int64_t (*f)(void *), void *arg)
{
	ENTER();
	int64_t r = f(arg);
	syscall_exit();
	return r;
}
