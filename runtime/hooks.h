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

/* ---- seeded schedules (docs/schedules.md; sched/seed.c) ---- */

/* What a goroutine is about to do, at a point where another may go on instead. The text stands in lists. */
#define SEED_POINTS(P)                                                                             \
	P(POINT_READ, "read")                                                                      \
	P(POINT_WRITE, "write")                                                                    \
	P(POINT_ATOMIC_LOAD, "atomic load")                                                        \
	P(POINT_ATOMIC, "atomic operation")                                                        \
	P(POINT_GO, "go")                                                                          \
	P(POINT_YIELD, "yield")                                                                    \
	P(POINT_SYSCALL, "system call returns")                                                    \
	P(POINT_CLOCK, "clock")                                                                    \
	P(POINT_SLEEP, "sleep")                                                                    \
	P(POINT_SEND, "send")                                                                      \
	P(POINT_RECV, "receive")                                                                   \
	P(POINT_CLOSE, "close")                                                                    \
	P(POINT_SELECT, "select")                                                                  \
	P(POINT_LOCK, "lock")                                                                      \
	P(POINT_UNLOCK, "unlock")                                                                  \
	P(POINT_RLOCK, "read lock")                                                                \
	P(POINT_RUNLOCK, "read unlock")                                                            \
	P(POINT_ADD, "wait group add")                                                             \
	P(POINT_WAIT, "wait group wait")                                                           \
	P(POINT_COND_WAIT, "cond wait")                                                            \
	P(POINT_SIGNAL, "signal")                                                                  \
	P(POINT_BROADCAST, "broadcast")                                                            \
	P(POINT_ONCE, "once")                                                                      \
	P(POINT_ACQUIRE, "semaphore acquire")                                                      \
	P(POINT_RELEASE, "semaphore release")                                                      \
	P(POINT_POOL, "pool")                                                                      \
	P(POINT_TIMER, "timer")                                                                    \
	P(POINT_CANCEL, "cancel")                                                                  \
	P(POINT_STOP, "stops")
typedef enum SeedPoint {
#define POINT_(name, text) name,
	SEED_POINTS(POINT_)
#undef POINT_
	    POINT_COUNT
} SeedPoint;

/* What GORACE asks for; constant. */
typedef struct SeedOptions {
	uint32_t seed;     /* 0: `schedule` is followed, or the plain rule */
	uint32_t strategy; /* 0 random, 1 pct, 2 pos */
	uint32_t depth, steps, preempt;
	const char *schedule, *record, *interleaving; /* "": none */
	int64_t linger_ns;                            /* atexit_sleep_ms */
} SeedOptions;

/* What the seed could not decide. */
enum { SEED_THREADS = 1, SEED_SYSCALLS = 2, SEED_DESCRIPTORS = 4, SEED_SIGNALS = 8 };

typedef struct SeedState {
	uint64_t step, switches, diverged;
	int64_t time_ns;       /* since the start */
	uint32_t uncontrolled; /* SEED_* */
} SeedState;

/* What the detector may call in a seeded run, where it holds nothing and is not entered. */
typedef struct SeedCalls {
	/* The goroutine of this thread is about to do that to `on`, called at pc. It may wait here for its
	 * turn. Nothing happens on other threads. */
	void (*point)(SeedPoint what, const void *on, const void *pc);
	int64_t (*now)(void);                       /* the clock of the run */
	void (*note)(uint32_t what);                /* SEED_*: it has happened */
	void (*state)(SeedState *out);              /* these may be called anywhere: */
	void (*found)(uintptr_t addr, size_t size); /* a report named this memory */
	void (*end)(bool last); /* write the files so far; last: the process ends */
} SeedCalls;

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
/* The process is about to end: fn is to be called then, where hook_fini is or would be. */
HOOK(void, hook_at_end, (void (*fn)(void)), )
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
/* This thread is inside the detector, perhaps with all others stopped: for a signal handler, which then waits for nobody. */
HOOK(bool, hook_busy, (void), false)

/* ---- order ---- */

HOOK(void, hook_acquire, (RaceCtx *g, const void *addr), )         /* join addr's clock into g's */
HOOK(void, hook_release, (RaceCtx *g, const void *addr), )         /* overwrite addr's clock by g's */
HOOK(void, hook_release_merge, (RaceCtx *g, const void *addr), )   /* join g's clock into addr's */
HOOK(void, hook_release_acquire, (RaceCtx *g, const void *addr), ) /* both become their join */
/* All that `from` did so far is before all that `to` does from now on: no object between. */
HOOK(void, hook_handoff, (RaceCtx *from, RaceCtx *to), )
/* The same, where `from` was handed off to by `to`, which has done and learnt nothing since. */
HOOK(void, hook_handback, (RaceCtx *from, RaceCtx *to), )
/* The sync object at addr is gone; a later one at the same address starts without a past. */
HOOK(void, hook_forget, (const void *addr), )

/* ---- memory ---- */

/* The runtime reads or writes program memory on the goroutine's behalf. */
HOOK(void, hook_read, (RaceCtx *g, const void *addr, size_t size, const void *pc), )
HOOK(void, hook_write, (RaceCtx *g, const void *addr, size_t size, const void *pc), )
/* g uses an object of the runtime's: a read of size bytes (1 or 2, of one granule) that are nobody's data, by
 * which a free or a close meanwhile is told. Cheap where the same goroutine has used it before. */
HOOK(void, hook_use, (RaceCtx *g, const void *addr, size_t size, const void *pc), )
/* Do the accesses of the code at pc count: is its module instrumented? What libc is asked by other
 * libraries says nothing of how they order it. */
HOOK(bool, hook_counts, (const void *pc), false)
/* [addr, addr+size) was just allocated for the program by g at pc (it is clean), or freed (a write,
 * and any later access is a use after free). */
HOOK(void, hook_alloc, (RaceCtx *g, const void *addr, size_t size, const void *pc), )
HOOK(void, hook_free, (RaceCtx *g, const void *addr, size_t size, const void *pc), )

/* ---- locks: no edges, only for reports: what is held, and in which order locks are taken ---- */

/* g is about to wait for the lock: said before, so that a deadlock is told before it comes about. Need not
 * be called where the lock was free. */
HOOK(void, hook_lock_wait, (RaceCtx *g, const void *addr, LockMode mode, const void *pc), )
/* The same of a lock that lets no new readers in while a writer waits, by a writer: said always, before. */
HOOK(void, hook_lock_writer, (RaceCtx *g, const void *addr, const void *pc), )
/* g holds it now, and would have waited for it; and would not have waited. */
HOOK(void, hook_lock, (RaceCtx *g, const void *addr, LockMode mode, const void *pc), )
HOOK(void, hook_trylock, (RaceCtx *g, const void *addr, LockMode mode, const void *pc), )
/* It gives the lock up, its own or (goro's may be used so) another's. Another mode than it was taken in is
 * reported. */
HOOK(void, hook_unlock, (RaceCtx *g, const void *addr, LockMode mode, const void *pc), )

/* ---- seeded schedules ---- */

/* Goroutines that wait for ever are to be looked for at the end. */
HOOK(bool, hook_leaks, (void), false)
/* The block of the heap that addr lies in, of those the detector knows. */
HOOK(bool, hook_block, (uintptr_t addr, uintptr_t *start, size_t *size), false)
/* g, parked at pcs (innermost first, return addresses), waits for ever on `on` (NULL: on nothing, or on
 * several), `why` in Go's words. g NULL: that was the last. */
HOOK(void, hook_leak, (RaceCtx *g, const char *why, const void *on, const uintptr_t *pcs, int npcs), )
/* The run is to be seeded: how, and `calls` is kept. NULL: it is not. At the start, once. */
HOOK(const SeedOptions *, hook_seed, (const SeedCalls *calls), NULL)

/* clang-format on */

#if !GORO_RACE
#pragma GCC diagnostic pop
#endif
#undef HOOK

#endif
