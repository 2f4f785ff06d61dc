/*
 * debug.h: between the files of this folder: what the environment asks for, a stack that is large
 * enough to symbolize on, and tracebacks from registers.
 */
#ifndef GORO_DEBUG_DEBUG_H
#define GORO_DEBUG_DEBUG_H

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "../base/buf.h"
#include "../sched/runtime.h"

/* GOTRACEBACK, as Go's: none, single (default), all, system, crash; or 0, 1, 2. */
typedef enum TraceLevel { TRACE_NONE, TRACE_SINGLE, TRACE_ALL, TRACE_SYSTEM } TraceLevel;
TraceLevel trace_level(void);
bool trace_crash(void); /* end by SIGABRT, so that there is a core */

/* Who asks for a traceback, and the registers of its caller. */
typedef struct TraceSelf {
	G *g; /* NULL: no goroutine */
	unw_context_t *regs;
	bool exact; /* they are those of an instruction that faulted, not of a call */
} TraceSelf;

/* fn(arg) on a private stack of 1 MiB, one thread at a time; false when this thread is already there. */
bool debug_on_stack(void (*fn)(void *), void *arg);

/* On that stack. The goroutine's block, as in Go, without a blank line around it. */
void trace_one(int fd, G *g, const TraceSelf *self, TraceLevel level);
/* All goroutines: `first` (NULL: none) first, then by number; blank lines between, and, where `blank`,
 * before the first. */
void trace_all(int fd, G *first, const TraceSelf *self, TraceLevel level, bool blank);
/* The calling thread, which runs no goroutine. */
void trace_thread(int fd, const TraceSelf *self, TraceLevel level);
/* The registers that a switch saved at sp; regs_<arch>.c. */
void trace_saved_regs(const void *sp, unw_context_t *out);
/* Those at the call into goro that `site` tells of; regs_<arch>.c. */
void trace_site_regs(const CallSite *site, unw_context_t *out);
/* Where a signal handler's ucontext was interrupted; regs_<arch>.c. */
uintptr_t trace_pc(const void *uc);
uintptr_t trace_sp(const void *uc);
/* The registers where a handler was interrupted. True: at that pc itself; false: it called to where no
 * code is, and they are the caller's. regs_<arch>.c. */
bool trace_fault_regs(const void *uc, const void *addr, const G *g, unw_context_t *out);
/* pc is where signal handlers return to; it is readable. regs_<arch>.c. */
bool trace_is_sigreturn(uintptr_t pc);
/* Counts what was printed, for those who wonder whether it still goes on. */
extern uint32_t trace_progress;

#endif
