/*
 * thread.h: what the interceptors (intercept/) tell the core that hooks.h has no word for: threads,
 * ranges of memory, sync objects in freed memory, longjmp, fork.
 *
 * `me` is hook_self(); all functions accept NULL for it and do nothing then.
 */
#ifndef GORO_RACE_THREAD_H
#define GORO_RACE_THREAD_H

#include "race.h"

/* ---- threads ---- */

/* A thread is about to be made by parent at pc: creating it is before its first step. */
RaceCtx *race_thread_create(RaceCtx *parent, const void *pc);
/* First thing on the new thread: its context, its stack is fresh memory. */
void race_thread_begin(RaceCtx *child);
/* Last thing on a thread (begun, or attached on the spot). A begun one's context waits for join or
 * release. Later accesses of this thread do not count. */
void race_thread_end(void);
/* The end of child, which has ended, is before what me does from now on. */
void race_thread_join(RaceCtx *me, RaceCtx *child);
/* Nobody will join child any more (after join, or detached and ended): it goes back. */
void race_thread_release(RaceCtx *child);

/* The thread of that handle is called so by now, in reports. */
void race_thread_name(uintptr_t handle, const char *name);

/* ---- cancellation: cancel.c ---- */

/* The thread of child has this handle (a pthread_t) until its end. By its creator, who has it alone as yet, or by
 * itself. */
void race_thread_handle(RaceCtx *child, uintptr_t handle);
/* me is about to ask the thread of that handle to cancel itself: what me did is before what it does because of it. */
void race_thread_cancel(RaceCtx *me, uintptr_t handle);
/* me has disabled its cancellation; is about to enable it. */
void race_thread_cancellable(RaceCtx *me, bool enabled);

/* ---- memory ---- */

/* [addr, addr+size) is new to the program, without a past (mmap, a new stack). */
void race_fresh(const void *addr, size_t size);
/* What lay at [from, from+size) lies at `to` now: its accesses, locks and other sync objects with it. from is new
 * memory. Multiples of a page, apart; nobody uses either meanwhile. */
void race_move(const void *from, const void *to, size_t size);
/* All sync objects in [addr, addr+size) are gone. */
void race_forget_sync(const void *addr, size_t size);

/* ---- control flow ---- */

/* The depth of the shadow call stack (at setjmp), and back to it (after longjmp). */
size_t race_stack_depth(void);
void race_stack_restore(size_t depth);
/* Accesses of this goroutine inside libc calls that are modelled as a whole: ignored between. Nests. */
void race_ignore_begin(void);
void race_ignore_end(void);

/* Around fork: no thread is inside the detector meanwhile. */
void race_fork_before(void);
void race_fork_after(bool in_child);

#endif
