/*
 * walk.c: see walk.h. Unwinding is libunwind's.
 *
 * What is looked at changes under us: a goroutine that is woken while we walk its stack gives frames that mean
 * nothing (libunwind checks each address before it reads). So each look is checked afterwards against what would
 * have changed, and done again, LOOKS times.
 *
 * A goroutine that runs walks its own stack, in a handler of SIGURG, and then goes on: in the middle of anything,
 * but libunwind is made for it (stackcode.c has more on that). So nobody waits for a lock that the interrupted one
 * holds. look.step goes 0 -> ASKED -> by the target alone: WALKS -> DONE or REFUSED -> 0. Who asks takes it back
 * from ASKED alone. A thread that sleeps in a call that goro does not know is not interrupted, or the call might
 * answer EINTR, which the program never saw before; but in a futex's, which libc repeats.
 *
 * When the process ends that does not matter, but the target may be in no state to walk: it stands still and is
 * walked from here (os_interrupt).
 */
#include "walk.h"

#include <string.h>
#include <sys/syscall.h>

#include "../os/interrupt.h"
#include "../symbol/symbol.h"

#define LOOKS     8
#define STEPS_MAX 8388608 /* 128 MiB of stack in its smallest frames */
#define PATIENCE                                                                                   \
	INT64_C(2000000000) /* a thread that gets no processor for so long shows no stack */

Walk *walk_memory(void)
{
	static Walk *w;
	if (!w)
		w = os_map(sizeof *w);
	return w;
}

void walk(Walk *w, unw_context_t *regs, bool exact)
{
	unw_cursor_t at;
	w->n = 0;
	if (unw_init_local2(&at, regs, exact ? UNW_INIT_SIGNAL_FRAME : 0))
		return;
	while (w->n < STEPS_MAX) {
		unw_word_t pc = 0, sp = 0;
		if (unw_get_reg(&at, UNW_REG_IP, &pc) || !pc)
			return;
		unw_get_reg(&at, UNW_REG_SP, &sp);
		*(w->n < WALK_ENDS ? &w->head[w->n] : &w->tail[w->n % WALK_ENDS]) =
		    (Walked){pc, sp, exact};
		w->n++;
		exact = false;
		if (unw_step(&at) <= 0)
			return;
	}
}

/* ---- of a goroutine that runs, on its own thread ---- */

enum { NOBODY, ASKED, WALKS, DONE, REFUSED };

static struct {
	uint32_t step; /* futex */
	G *g;          /* before ASKED */
	Walk *w;
} look;

void look_here(G *g, const void *uc)
{
	if (!cas_ar(&look.step, ASKED, WALKS)) /* pairs with store_rel in walk_running */
		return;
	bool yes = g && g == look.g && stack_walkable(uc, g->stack_lo, g->stack_hi);
	if (yes) {
		sym_busy++; /* libunwind's locks are not the goroutine's */
		walk(look.w, (unw_context_t *)uc, true);
		sym_busy--;
	}
	store_rel(&look.step, yes ? DONE : REFUSED); /* publishes *w; pairs with load_acq below */
	os_futex_wake(&look.step, 1);
}

static bool may_interrupt(uint32_t tid)
{
	long call = os_thread_call(tid);
	return call == OS_CALL_NONE || call == SYS_futex ||
	       (call == OS_CALL_UNKNOWN && !os_thread_sleeps(tid));
}

static bool walk_running(Walk *w, G *g)
{
	M *m = load_acq(&g->m);
	if (!m || !may_interrupt(load_rlx(&m->tid)))
		return false;
	look.g = g;
	look.w = w;
	store_rel(&look.step, ASKED);
	if (!preempt_interrupt(m, g)) {
		if (cas_ar(&look.step, ASKED, NOBODY))
			return false; /* or a signal of sysmon's came first */
	}
	int64_t until = os_now() + PATIENCE;
	uint32_t step;
	while ((step = load_acq(&look.step)) == ASKED || step == WALKS) {
		int64_t left = until - os_now();
		if (left <= 0 && cas_ar(&look.step, ASKED, NOBODY))
			return false;
		os_futex_wait(&look.step, step, left > 0 ? left : PATIENCE);
	}
	store_rlx(&look.step, NOBODY);
	return step == DONE;
}

/* ---- when the process ends ---- */

static G *wanted_g; /* before the signal */

static bool runs_it(void)
{
	return g_self() == wanted_g;
}

static void walk_interrupted(void *uc, void *arg)
{
	walk(arg, uc, true);
}

static bool walk_held(Walk *w, G *g)
{
	M *m = load_acq(&g->m);
	if (!m)
		return false;
	wanted_g = g;
	return os_interrupt(m->tid, runs_it, walk_interrupted, w);
}

/* ---- in a system call ---- */

static bool walk_call(Walk *w, G *g)
{
	unw_context_t regs;
	M *m = load_acq(&g->m);
	uint32_t seq = m ? load_acq(&m->site_seq) : 0; /* pairs with store_rel in syscall_enter */
	if (!(seq & 1) || load_rlx(&m->g) != g)
		return false;
	trace_site_regs(&m->site, &regs);
	walk(w, &regs, false);
	fence_acq(); /* pairs with fence_rel in syscall_exit: what was read above was there before seq moved */
	return load_rlx(&m->site_seq) == seq;
}

/* ---- parked, or runnable ---- */

static bool walk_still(Walk *w, G *g, Seen *seen, void *stopped)
{
	unw_context_t regs;
	void *sp = load_rlx(&g->sp);
	w->n = 0;
	if (seen->state == G_WAITING && seen->why == WAIT_SELECT && seen->on) {
		seen->ncases = select_waits(seen->on, seen->cases, SEEN_CASES);
		seen->on = NULL;
	}
	if (stopped) {
		walk(w, stopped, true);
	} else if (sp) {
		trace_saved_regs(sp, &regs);
		walk(w, &regs, false);
	}
	return load_acq(&g->stopped) == stopped &&
	       (stopped || (load_rlx(&g->state) == seen->state && load_rlx(&g->sp) == sp));
}

static bool look_at(Walk *w, G *g, Seen *seen)
{
	void *stopped = load_acq(&g->stopped); /* pairs with store_rel in preempt.c */
	*seen = (Seen){
	    .state = stopped ? G_RUNNABLE : load_rlx(&g->state), /* relaxed: a dump of a moment */
	    .why = (WaitReason)load_rlx(&g->wait_reason),
	    .since = load_rlx(&g->wait_since),
	    .on = load_rlx(&g->wait_on),
	    .stopped = stopped != NULL,
	};
	if (!w)
		return true;
	switch (seen->state) {
	case G_RUNNABLE:
	case G_WAITING:
		return seen->frames = walk_still(w, g, seen, stopped);
	case G_SYSCALL:
		return seen->frames = (fatal_in_progress() && walk_held(w, g)) || walk_call(w, g);
	case G_RUNNING:
		return seen->frames = fatal_in_progress() ? walk_held(w, g) : walk_running(w, g);
	}
	return true; /* ended meanwhile */
}

void walk_g(Walk *w, G *g, Seen *seen)
{
	for (int i = 0; i < LOOKS; i++)
		if (look_at(w, g, seen))
			return;
	seen->ncases = 0;
}
