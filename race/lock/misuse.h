/*
 * misuse.h: locks used wrongly, as the interceptors see it: who holds what, and how to tell.
 *
 * Whether it is wrong the caller knows, by the libc's own words in the lock where there are some: the
 * detector's sets alone may lack a lock that was taken where it did not listen. Nothing here is called
 * where the detector is inside already; `g` is not NULL.
 */
#ifndef GORO_RACE_LOCK_MISUSE_H
#define GORO_RACE_LOCK_MISUSE_H

#include "../ctx.h"
#include "../report/report.h"

/* Does g hold it; in which mode? mode may be NULL. */
bool lock_is_held(RaceCtx *g, const void *addr, LockMode *mode);

/* g did `what` to the lock at addr, which is `kind`. Who holds it, and where he took it, is looked up. */
void misuse_report(RaceCtx *g, ReportKind kind, AccessKind what, const void *addr, const void *pc);

/* The lock at addr is destroyed by g; told again when it is used afterwards (misuse_report of DEAD_MUTEX), as
 * long as few others were destroyed since. */
void misuse_destroyed(RaceCtx *g, const void *addr, const void *pc);

/* g holds locks where the program says, at pc, that it must not. */
void misuse_held(RaceCtx *g, const void *pc);

/* Nobody joined or detached the thread `ginfo`, nor `more` others that were created at the same place. */
void misuse_thread_leak(uint32_t ginfo, int more);

/* g did `what` in a handler of sig: called `call` (ACCESS_CALL), or more (ACCESS_HANDLER). */
void misuse_signal(
    RaceCtx *g, ReportKind kind, AccessKind what, const char *call, int sig, const void *pc);

/* Collection, world stopped: what is kept of destroyed locks. */
void misuse_mark(void);

#endif
