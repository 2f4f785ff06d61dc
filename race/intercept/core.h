/*
 * core.h: what an interceptor needs of the detector: whose access is it, and how to say so.
 *
 * An interceptor is a libc function under its own name, weak (a program that brings its own wins) and
 * visible (shared libraries resolve to it too: what they touch on the program's behalf counts). It
 *   - asks self() for the goroutine or thread that runs; NULL means do the work and say nothing:
 *     before the start, on the scheduler, inside the detector itself (its libraries call libc too);
 *   - says exactly the bytes that the function's contract reads and writes, at CALLER, the return
 *     address into the code that called: never more, a report must be true. A caller in a library
 *     that is not instrumented does not count (module.h);
 *   - does the work by goro_real_X, and leaves errno as that left it;
 *   - runs on goroutine stacks of a few KiB: no large frames.
 */
#ifndef GORO_RACE_INTERCEPT_CORE_H
#define GORO_RACE_INTERCEPT_CORE_H

#include "real.h"

#include "../../runtime/base/fdorder.h"

#include "../../runtime/symbol/symbol.h"
#include "../ctx.h"
#include "../module.h"

#define CALLER __builtin_return_address(0)

/* Define a libc name. */
#define INTERCEPT __attribute__((visibility("default"), weak))

/* True once intercept_init is done; constant afterwards. Until then blocks carry no trailer. */
extern bool intercept_ready __attribute__((visibility("hidden")));

/* The context of this thread; NULL where nothing counts. */
static inline RaceCtx *self(void)
{
	RaceThread *t = &race_thread;

	/* sym_busy: libdw works for a traceback, under locks that rank higher than the detector's. */
	if (unlikely(!intercept_ready || sym_busy ||
		     load_rlx(&t->busy))) /* relaxed: written by this thread alone */
		return NULL;
	if (likely(t->ctx != NULL))
		return t->ctx;
	return t->scheduler ? NULL : hook_self();
}

static inline void reads(RaceCtx *g, const void *p, size_t n, const void *pc)
{
	if (g && n && module_counts(pc))
		hook_read(g, p, n, pc);
}

static inline void writes(RaceCtx *g, const void *p, size_t n, const void *pc)
{
	if (g && n && module_counts(pc))
		hook_write(g, p, n, pc);
}

static inline void took(RaceCtx *g, const void *lock, LockMode mode, const void *pc)
{
	if (g) {
		hook_acquire(g, lock);
		hook_lock(g, lock, mode, pc);
	}
}

/* The same by a call that would not have waited, or not for ever. */
static inline void tried(RaceCtx *g, const void *lock, LockMode mode, const void *pc)
{
	if (g) {
		hook_acquire(g, lock);
		hook_trylock(g, lock, mode, pc);
	}
}

static inline void gives(RaceCtx *g, const void *lock, LockMode mode, const void *pc)
{
	if (g) {
		hook_unlock(g, lock, mode, pc);
		hook_release(g, lock);
	}
}

/* ---- between the files of this folder ---- */

#pragma GCC visibility push(hidden)

/* malloc.c: allocate and free for the caller at pc, alignment 0 for malloc's own. */
void *heap_new(size_t size, size_t align, const void *pc);
void heap_delete(void *p, const void *pc);

/* While set, malloc called on this thread (by the libc, inside an interposed function) answers to
 * this pc instead of its own caller's. */
extern __thread const void *heap_caller __attribute__((tls_model("initial-exec")));

/* format.c: say what a printf with this format reads and writes before it runs... */
void printf_args(RaceCtx *g, const char *fmt, va_list ap, const void *pc);
void wprintf_args(RaceCtx *g, const wchar_t *fmt, va_list ap, const void *pc);
/* ...and what a scanf has written, after it answered `done` conversions; may_have_ended: the last of
 * them, too, may have met the end of the input. */
void scanf_args(
    RaceCtx *g, const char *fmt, va_list ap, int done, bool may_have_ended, const void *pc);
void wscanf_args(
    RaceCtx *g, const wchar_t *fmt, va_list ap, int done, bool may_have_ended, const void *pc);

/* Absent where the detector is linked without the runtime. */
extern __typeof__(fd_order) fd_order __attribute__((weak));
extern __typeof__(fd_order_pair) fd_order_pair __attribute__((weak));

/* stdio.c: order by streams. What goes in is before what comes out; see there. */
void file_out(RaceCtx *g, FILE *f);
void file_in(RaceCtx *g, FILE *f);

/* stdio.c: a descriptor may stand for another file now. */
void file_changed(void);

/* signal.c: what g did is before the signals of the timers it arms. */
void signal_armed(RaceCtx *g);
void signal_fires(RaceCtx *g); /* g is what a timer started */

/* Around a call of libc that may block its thread: a goroutine's P serves the others meanwhile. It stays
 * on its thread, which locks and threads are told by. (runtime/sched/syscall.c's; absent, and then
 * nothing happens, where the detector is linked without the runtime.) */
bool syscall_enter_here(void) __attribute__((weak));
void syscall_exit_here(void) __attribute__((weak));

__attribute__((always_inline)) static inline bool blocking_enter(void)
{
	return syscall_enter_here && syscall_enter_here();
}

static inline void blocking_leave(bool in)
{
	if (in)
		syscall_exit_here();
}

#define BLOCKS(call)                                                                               \
	__extension__({                                                                            \
		bool in_ = blocking_enter();                                                       \
		__typeof__(call) r_ = call;                                                        \
		blocking_leave(in_);                                                               \
		r_;                                                                                \
	})

/* signal.c: the signal whose handler runs on this thread, 0 for none; and to call first thing in what a handler must
 * not call. (Handlers of faults do not count: they run where the program put them.) */
extern __thread int signal_running __attribute__((tls_model("initial-exec")));
void signal_unsafe_call(const char *name, const void *pc);
static inline void signal_unsafe(const char *name, const void *pc)
{
	if (unlikely(signal_running))
		signal_unsafe_call(name, pc);
}

/* signal.c: from here on a request to cancel a thread waits until the detector is not busy there. */
void signal_cancels(void);

/* thread.c: report the threads that nobody joined or detached; in a child of fork there are none. */
void thread_leaks(void);
void thread_forked(void);

/* thread.c: a pthread's birth and end, for thrd_create too: fn or fn11 is to run. thread_started after
 * the creation: did it happen? thread_find before a join or detach, thread_joined or thread_detached
 * (which take NULL) after it: did it answer success? */
typedef struct Start Start;
Start *thread_start_new(RaceCtx *me, void *(*fn)(void *), int (*fn11)(void *), void *arg,
    bool detached, const void *pc);
void thread_started(Start *s, pthread_t th, bool ok);
void *thread_entry(void *start);
int thread_entry11(void *start);
Start *thread_find(pthread_t th);
void thread_joined(Start *s, bool ok);
void thread_detached(Start *s, bool ok);

/* mutex.c: the two halves of every way to lock and unlock, cond.c's and C11's among them. locked: the
 * mutex was just taken; tried: by a call that would not have waited for ever. unlocking: it is about to be
 * given up; false when this is not the last of a recursive lock, or not the owner: then nothing was said.
 * waits: it is not free, the caller is going to wait for it. fails: it could not be locked. destroying,
 * destroyed: before and, where that answered success, after. */
void mutex_locked(pthread_mutex_t *m, const void *pc);
void mutex_tried(pthread_mutex_t *m, const void *pc);
bool mutex_unlocking(pthread_mutex_t *m, const void *pc);
void mutex_waits(pthread_mutex_t *m, const void *pc);
void mutex_fails(pthread_mutex_t *m, int error, const void *pc);
void mutex_destroying(pthread_mutex_t *m, const void *pc);
void mutex_destroyed(pthread_mutex_t *m, const void *pc);

/* jmp.c: called by the wrappers of setjmp in jmp_amd64.S. */
void jmp_saved(const void *env);

/* exit.c, thread.c: called once by intercept_init. */
void exit_init(void);
void thread_init(void);

#pragma GCC visibility pop
#endif
