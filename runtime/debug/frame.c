/*
 * frame.c: the frame at an address, by walking its stack. The CFA of a frame is the stack pointer of its
 * caller's, so the frames of one stack are the stretches between successive stack pointers.
 *
 * A parked goroutine may be woken meanwhile: then the walk means nothing, and is dropped.
 */
#include "../base/frame.h"

#include "debug.h"

#define STEPS_MAX 65536

/* On the stack [lo, hi), from these registers. */
static bool find(
    unw_context_t *regs, bool exact, uintptr_t lo, uintptr_t hi, uintptr_t addr, StackFrame *out)
{
	unw_cursor_t at;
	unw_word_t pc, sp, next;
	if (unw_init_local2(&at, regs, exact ? UNW_INIT_SIGNAL_FRAME : 0))
		return false;
	for (int i = 0; i < STEPS_MAX; i++) {
		if (unw_get_reg(&at, UNW_REG_IP, &pc) || unw_get_reg(&at, UNW_REG_SP, &sp) || !pc)
			return false;
		bool after_signal = unw_is_signal_frame(&at) > 0;
		if (unw_step(&at) <= 0 || unw_get_reg(&at, UNW_REG_SP, &next))
			return false;
		if (sp >= lo && next > sp && next <= hi && addr >= sp && addr < next) {
			*out = (StackFrame){.pc = pc, .exact = exact, .cfa = next};
			return true;
		}
		exact = after_signal;
	}
	return false;
}

bool frame_find(uintptr_t addr, StackFrame *out)
{
	unw_context_t regs;
	G *g = stack_find(addr), *me = g_self();
	if (g && g != me) {
		void *stopped =
		    load_acq(&g->stopped); /* preempted: pairs with store_rel in preempt.c */
		if (stopped)
			return find(stopped, true, g->stack_lo, g->stack_hi, addr, out) &&
			       load_acq(&g->stopped) == stopped;
		uint32_t state = load_rlx(&g->state); /* relaxed: looked at again below */
		void *sp = load_rlx(&g->sp);
		if ((state != G_RUNNABLE && state != G_WAITING) || !sp)
			return false;
		trace_saved_regs(sp, &regs);
		return find(&regs, false, g->stack_lo, g->stack_hi, addr, out) &&
		       load_rlx(&g->state) == state && load_rlx(&g->sp) == sp;
	}
	uintptr_t lo, hi;
	if (g) {
		lo = g->stack_lo;
		hi = g->stack_hi;
	} else {
		os_thread_stack(&lo, &hi);
	}
	if (addr < lo || addr >= hi)
		return false;
	unw_getcontext(&regs);
	return find(&regs, false, lo, hi, addr, out);
}
