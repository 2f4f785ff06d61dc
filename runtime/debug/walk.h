/*
 * walk.h: the frames of a goroutine's stack, wherever the goroutine is; between the files of this folder. On
 * the debug stack, whose lock guards all of this.
 */
#ifndef GORO_DEBUG_WALK_H
#define GORO_DEBUG_WALK_H

#include "debug.h"

#define WALK_ENDS 32768 /* frames kept of each end */

typedef struct Walked {
	uintptr_t pc, sp;
	bool exact; /* pc is the instruction itself, not a return address */
} Walked;

/* All frames of a stack, goro's own included. Filled without a lock or malloc: the thread that owns the
 * stack may stand still with libc's locks in its hands meanwhile. */
typedef struct Walk {
	int n; /* frames in all; those between the ends are lost */
	Walked head[WALK_ENDS];
	Walked tail[WALK_ENDS]; /* a ring */
} Walk;

/* One for all, made at the first traceback; NULL where there is no memory. */
Walk *walk_memory(void);
/* From these registers outwards. exact: they are of an instruction, not of a call. */
void walk(Walk *w, unw_context_t *regs, bool exact);

#define SEEN_CASES 64

/* A goroutine at one moment. */
typedef struct Seen {
	uint32_t state; /* GState */
	WaitReason why;
	int64_t since;
	const void *on; /* what it waits for; NULL: not known, or several */
	bool stopped;   /* preempted */
	bool frames;    /* the walk has its stack; false: it could not be had */
	int ncases; /* a select's that have a channel, of which the first SEEN_CASES are in cases */
	SelectWait cases[SEEN_CASES];
} Seen;

/* Another goroutine than the caller's. Its stack comes
 *
 *   parked, runnable    from the registers that its switch saved, or of the handler it is stopped in
 *   in a system call    from where it went in (sched/syscall.c): the thread is not disturbed, so no call
 *                       answers EINTR. When the process ends: from its thread, which is in a callee of that
 *   running             from its thread, by a signal
 */
void walk_g(Walk *w, G *g, Seen *seen);

#endif
