/*
 * hooks.h: the one seam between the runtime and the race detector.
 *
 * The runtime says what happened; race/hooks.c (or, in tests/hooks, a recorder) implements it. In a
 * plain build (GORO_RACE 0) every hook is an empty inline and compiles to nothing. One list, read as
 * prototypes or as empty inlines; steps that only a race build takes stand under `if (GORO_RACE)`.
 *
 * Laws.
 *   - Release before the store that publishes; acquire after the load that observes.
 *   - Hooks are leaves: called under any runtime lock, they never park, never allocate from the
 *     runtime, never call back into it.
 *   - A RaceCtx belongs to one goroutine (or one foreign thread). Its owner calls the hooks on it;
 *     another may do so only while the owner is parked and cannot be woken (it holds the lock, or
 *     is the one who took the owner off a wait queue).
 *   - `addr` of acquire and release is an identity, byte-exact; it is never read.
 *   - `pc` is the return address of the public function into user code: what a report shows.
 */
#ifndef GORO_HOOKS_H
#define GORO_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef GORO_RACE
#define GORO_RACE 0
#endif

/* What the detector keeps of a goroutine; opaque to the runtime. NULL in a plain build. */
typedef struct RaceCtx RaceCtx;

/* How a lock is held, for reports ("holding mutex"), lock order and misuse. */
typedef enum LockMode { LOCK_WRITE, LOCK_READ } LockMode;

#if GORO_RACE
#define HOOK(ret, name, args, def) ret name args;
#else
#define HOOK(ret, name, args, def)                                                                 \
	static inline ret name args                                                                \
	{                                                                                          \
		return def;                                                                        \
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

/* clang-format takes the parameter lists for multiplications. */
/* clang-format off */

/* ---- life ---- */

/* Before anything else; idempotent. */
HOOK(void, hook_init, (void), )
/* The process is about to end with `code`, by whichever way: report what is left, flush; the code
 * to end with (66 when races were found). Idempotent; may be called from any thread. */
HOOK(int, hook_fini, (int code), code)
/* main has returned, and the process is about to end: wait a while for goroutines that still live
 * (atexit_sleep_ms). The caller has left its P to the others. */
HOOK(void, hook_linger, (void), )

/* A goroutine is made by `parent` (NULL: by the outside, no edge) at `pc`, with id and a stack of
 * [stack_lo, stack_hi). Creating it is before its first step. The stack is fresh memory.
 * is_main: the main goroutine. */
HOOK(RaceCtx *, hook_go,
     (RaceCtx *parent, uint64_t id, bool is_main, uintptr_t stack_lo, uintptr_t stack_hi, const void *pc),
     NULL)
/* It has ended, which orders nothing. Called by the goroutine itself, as its last step. */
HOOK(void, hook_end, (RaceCtx *g), )
/* From here on this thread runs `to` (NULL: the scheduler itself, whose accesses do not count). */
HOOK(void, hook_switch, (RaceCtx *to), )
HOOK(void, hook_name, (RaceCtx *g, const char *name), )
/* The context of this thread, one made on the spot for a foreign thread. */
HOOK(RaceCtx *, hook_self, (void), NULL)

/* ---- order ---- */

HOOK(void, hook_acquire, (RaceCtx *g, const void *addr), )         /* join addr's clock into g's */
HOOK(void, hook_release, (RaceCtx *g, const void *addr), )         /* overwrite addr's clock by g's */
HOOK(void, hook_release_merge, (RaceCtx *g, const void *addr), )   /* join g's clock into addr's */
HOOK(void, hook_release_acquire, (RaceCtx *g, const void *addr), ) /* both become their join */
/* All that `from` did so far is before all that `to` does from now on: no object between. */
HOOK(void, hook_handoff, (RaceCtx *from, RaceCtx *to), )
/* The sync object at addr is gone; a later one at the same address starts without a past. */
HOOK(void, hook_forget, (const void *addr), )

/* ---- memory ---- */

/* The runtime reads or writes program memory on the goroutine's behalf. */
HOOK(void, hook_read, (RaceCtx *g, const void *addr, size_t size, const void *pc), )
HOOK(void, hook_write, (RaceCtx *g, const void *addr, size_t size, const void *pc), )
/* Do the accesses of the code at pc count: is its module instrumented? What libc is asked by other
 * libraries says nothing of how they order it. */
HOOK(bool, hook_counts, (const void *pc), false)
/* [addr, addr+size) was just allocated for the program by g at pc (it is clean), or freed (a write,
 * and any later access is a use after free). */
HOOK(void, hook_alloc, (RaceCtx *g, const void *addr, size_t size, const void *pc), )
HOOK(void, hook_free, (RaceCtx *g, const void *addr, size_t size, const void *pc), )

/* ---- locks: no edges, only for reports ---- */

HOOK(void, hook_lock, (RaceCtx *g, const void *addr, LockMode mode, const void *pc), )
HOOK(void, hook_unlock, (RaceCtx *g, const void *addr, LockMode mode, const void *pc), )

/* clang-format on */

#if !GORO_RACE
#pragma GCC diagnostic pop
#endif
#undef HOOK

#endif
