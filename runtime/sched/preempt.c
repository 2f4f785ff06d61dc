/*
 * preempt.c: a goroutine that computes without end makes way for the others.
 *
 * Cooperative: sysmon sets g->preempt after a slice (10 ms), and the next operation of goro's that would not block
 * yields (preempt_check). What never calls goro is stopped by a signal (SIGURG) to its thread. The handler cannot
 * move the goroutine to another thread, since compiled code may hold the address of a thread-local; so it waits
 * right there: the goroutine, wired to its M for the time, goes to the tail of the global queue, the P to another
 * M, and whoever takes the goroutine from the queue hands the thread a P again (m_make_way, run_wired). The thread
 * just stands still meanwhile, as by any preemption of the kernel's.
 *
 * When is that safe? The handler uses sched.lock and changes g->m->p. So:
 *
 *   1. The thread runs a goroutine, on the goroutine's own stack, has a P, and is not in a system call.
 *   2. No code of goro's is running or is to be returned to (stack_code, debug/stackcode.c): then no lock of goro's is
 *      held, no P or M is remembered in a register, no step of the scheduler is half done. The pc alone would not
 *      tell: goro calls functions of the program (a once, an after_func), and a program's own malloc. Functions
 *      that call the program with nothing of that kind in hand are marked CALLS_PROGRAM and do not count.
 *      In -race builds the detector is goro's code like any other: an instrumented loop is stopped between two
 *      accesses, at no cost to them.
 *   3. The process is not ending (sched.ended: Ms that are frozen would never give the P back).
 *
 * And who waits for what the stopped one holds? A spin lock of the program's: the waiter computes, and is stopped in
 * turn. A pthread mutex, a FILE, the heap's lock: the waiter's thread sleeps in libc with its P in hand, be it the
 * program's call or one of goro's own, and with GOMAXPROCS=1 the holder would wait for that P for ever. Hence:
 *
 *   4. A P whose thread sleeps is stood in for: after two slices without processor time (and when /proc says that it
 *      sleeps, or a busy machine would look the same) there is one P more than GOMAXPROCS, until the thread wakes
 *      (procs_stand_in). Nothing computes on the P that sleeps, so no more
 *      compute than before. This is also what lets the others go on while a goroutine blocks in a call that net/libc.c does
 *      not know (a system call by its number, a library's own futex): no signal is sent there, no EINTR is ever seen.
 *   5. In libc itself a goroutine is stopped only after 32 attempts (16 ms): before that it is likely to leave
 *      it soon, with whatever it holds.
 *
 * A P whose goroutine cannot be stopped for five slices (deep recursion, code without unwind information, a long
 * stretch in goro's own code, SIGURG blocked or taken by the program) is stood in for in the same way. So a
 * goroutine starves the others in no case; in the rare one GOMAXPROCS is exceeded.
 *
 * No EINTR. sysmon sends the signal to a thread that computed up to now, but it may be on its way into poll, which
 * no SA_RESTART restarts. Calls that goro knows begin by syscall_enter, and there is a handshake:
 *
 *     sysmon (poke)                           the thread (syscall_enter)
 *     1. m->poked = 1                         a. p->status = P_SYSCALL
 *     2. os_barrier                           b. (compiler fence)
 *     3. reads status; RUNNING: sends         c. reads m->poked; set: waits until the signal was here
 *
 * Either c sees 1, or 3 sees a. The barrier is on sysmon's side alone; the thread's costs a load.
 *
 * Off: GODEBUG=asyncpreemptoff=1 (then only sleeping threads are stood in for). No signals, but other Ps stand in: in
 * builds of goro under ASan or TSan (their runtimes have locks that lie in the program's text, and TSan defers
 * signals); in unit tests that link goro's objects as they are (no goro_text).
 * GODEBUG=schedslice=MICROSECONDS makes the slice another one, for tests.
 *
 * Roads not taken. Go's way, a call injected at the pc that switches to the scheduler: the goroutine would wake on
 * another thread. A flag looked at by instrumented code under -race: a load at each function's entry, for what
 * the signal does as well.
 */
#include "../os/interrupt.h"
#include "../os/sanitizer.h"
#include "internal.h"

#ifdef GORO_HARD
#define SLICE 100000
#else
#define SLICE 10000000 /* as Go's */
#endif
#define SLICE_LEAST 50000

/* How often one is asked: often at first, as what refuses mostly is the moment (the detector's code, between two
 * accesses; libc's). An attempt costs the goroutine a few microseconds. */
#define ASKS_FAST  32 /* a 64th of a slice apart; from then on also in libc */
#define ASKS_MOST  40 /* half a slice apart; from then on another P stands in */
#define LOOKS      8  /* in a slice, at one that sleeps */
#define SETTLE_MAX 1000

#if defined(SAN_ADDRESS) || defined(SAN_THREAD)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static bool by_signal,
    reachable; /* constant after preempt_init: signals stop goroutines; are listened to */

/* ---- on the thread ---- */

/* In the signal handler: everything is blocked, and everything may be in the middle of anything. */
static void on_poke(void *uc)
{
	M *m = m_self();
	G *g = g_self();
	if (!m)
		return;
	if (load_rlx(&m->looked)) {
		store_rlx(&m->looked, 0);
		look_here(g, uc);
	}
	Poke poke = load_rlx(&m->poked);
	store_rlx(&m->poked, POKE_NONE);
	if (poke == POKE_NONE || !g || load_rlx(&m->g) != g || g->m != m || m->in_syscall ||
	    !m->p || load_rlx(&m->p->schedtick) != load_rlx(&m->poked_tick) ||
	    hook_busy() || /* it may be the collector, whom who holds the unwinder's lock waits for */
	    load_rlx(&sched.ended) || load_rlx(&sched.forked))
		return;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	if (here >= g->stack_lo && here < g->stack_hi) /* no alternate stack: no room */
		return;
	StackCode code = stack_code(uc, g->stack_lo, g->stack_hi);
	if (code == STACK_GORO || (code == STACK_LIBC && poke != POKE_STOP_LIBC))
		return;
	store_rel(&g->stopped, uc); /* for dumps */
	if (g->locked++ == 0) {
		g->locked_m = m;
		m->locked_g = g;
	}
	store_rlx(&g->preempt, 0);
	m_make_way(m, g);
	if (--g->locked == 0) {
		g->locked_m = NULL;
		m->locked_g = NULL;
	}
	store_rlx(&m->p->schedtick, m->p->schedtick + 1); /* a new slice; ours to write */
	store_rel(&g->stopped, NULL);
}

void preempt_settle(M *m)
{
	/* Not for ever: the program may have blocked the signal, which then interrupts nothing. */
	for (int i = 0; (load_rlx(&m->poked) || load_rlx(&m->looked)) && i < SETTLE_MAX; i++)
		os_yield();
	store_rlx(&m->poked, POKE_NONE);
	store_rlx(&m->looked, 0);
}

bool preempt_interrupt(M *m, const G *g)
{
	if (!reachable)
		return false;
	store_rlx(&m->looked, 1);
	os_barrier(); /* pairs with fence_compiler in syscall_enter, as in poke */
	if (!(load_rlx(&m->site_seq) & 1) && load_rlx(&m->g) == g && os_poke(load_rlx(&m->tid)))
		return true;
	store_rlx(&m->looked, 0);
	return false;
}

/* ---- sysmon ---- */

static void poke(const P *p, M *m, const G *g, Poke how)
{
	store_rlx(&m->poked_tick,
	    p->seen_schedtick); /* read by the thread in a handler that tgkill is before */
	store_rlx(&m->poked, how);
	os_barrier(); /* pairs with fence_compiler in syscall_enter */
	if (load_rlx(&p->status) != P_RUNNING || load_rlx(&p->m) != m || load_rlx(&m->g) != g ||
	    load_rlx(&p->schedtick) != p->seen_schedtick || !os_poke(load_rlx(&m->tid)))
		store_rlx(&m->poked, POKE_NONE);
}

void preempt_look(P *p, int64_t now, bool wanted)
{
	M *m = load_acq(&p->m); /* pairs with store_rel in p_own, m_start */
	/* Pairs with store_rel in leave_to, execute. It may be another by now, which then yields once too often. */
	G *g = m ? load_acq(&m->g) : NULL;
	if (!g) {
		preempt_forget(p);
		return;
	}
	store_rlx(&g->preempt, 1);
	if (!wanted && !p->stuck) {
		p->look_at = 0;
		return;
	}
	if (p->look_at && now < p->look_at)
		return;
	uint32_t calls = load_rlx(&p->syscalltick);
	bool first = !p->look_at || p->look_m != m || p->look_syscalls != calls;
	int64_t cpu = os_thread_cpu(load_rlx(&m->tid)), used = cpu - p->look_cpu,
		took = now - p->looked_at;
	p->look_m = m;
	p->look_syscalls = calls;
	p->look_cpu = cpu;
	p->looked_at = now;
	p->look_at = now + sched.slice / LOOKS;
	if (first) {
		p->look_at = now + sched.slice / 64;
		p->asleep_since = 0;
		p->asked = 0;
		p->stuck = false;
		return;
	}
	if (used < took / 16) { /* or it gets no processor */
		if (!p->asleep_since)
			p->asleep_since = now - took;
		if (now - p->asleep_since >= 2 * sched.slice && os_thread_sleeps(load_rlx(&m->tid)))
			p->stuck = true;
	} else {
		if (p->asleep_since)
			p->stuck = false;
		p->asleep_since = 0;
		if (sched.preempt && wanted) {
			if (by_signal)
				poke(p, m, g, p->asked < ASKS_FAST ? POKE_STOP : POKE_STOP_LIBC);
			if (++p->asked < ASKS_FAST)
				p->look_at = now + sched.slice / 64;
			else if (p->asked < ASKS_MOST)
				p->look_at = now + sched.slice / 2;
			else
				p->stuck = true;
		}
	}
	if (p->stuck)
		p->look_at = now + sched.slice;
}

void preempt_init(void)
{
	long us = godebug("schedslice");
	sched.slice = us > 0 && us < 1000000000 ? (int64_t)us * 1000 : SLICE;
	if (sched.slice < SLICE_LEAST)
		sched.slice = SLICE_LEAST;
	sched.preempt = godebug("asyncpreemptoff") == 0;
	bool codes = stack_code_init();
	reachable = !SANITIZED && os_poke_init(on_poke);
	by_signal = reachable && codes && sched.preempt;
}
