/*
 * ctx.h: what the detector keeps of a goroutine (RaceCtx) and of an operating-system thread
 * (RaceThread), and the rules under which they change.
 *
 * The filter. A state of shadow memory is a 32-bit cell whose meaning is immutable while its ids live:
 * it says which accesses the granule remembers. An entry of the filter
 *
 *	key = generation << 39 | code << 32 | cell
 *
 * says: "the state `cell` already includes this access (code: address & 7, size, kind) by the goroutine
 * that runs here, in its current epoch". So an access is done when its cell and code are in the filter:
 * one load of shadow memory, no lock. Argument: whoever changes the granule's state does so under the
 * block's lock, starting from a state which includes our access, and checks against it. The generation
 * changes whenever goroutine or epoch does, and when a collection frees ids.
 *
 * busy. A thread inside the detector's slow parts has busy set. Then: a signal's handler waits until
 * race_leave (intercept/signal.c; where it cannot, its accesses are skipped: lost_reentry), and a collection (shadow/collect.c) waits for it. All changes of gen, clocks,
 * records, sets and cells happen with busy set. Collections set race_stopped and issue os_barrier;
 * pairs with the compiler fence in race_enter.
 *
 * Ownership of a RaceCtx: see hooks.h. While it runs, its shadow call stack lies in the RaceThread.
 */
#ifndef GORO_RACE_CTX_H
#define GORO_RACE_CTX_H

#include <stddef.h>

#include "race.h"
#include "clock/vclock.h"

#define FILTER_BITS 9
#define FILTER_SIZE (1u << FILTER_BITS)
#define GEN_SHIFT   7 /* the low bits of the high word hold the code */
#ifdef GORO_HARD      /* HARD builds shrink limits so that overflow paths run in the tests */
#define RACE_GEN_MAX   200u
#define RACE_EPOCH_MAX 63u
#else
#define RACE_GEN_MAX   ((1u << (32 - GEN_SHIFT)) - 1)
#define RACE_EPOCH_MAX UINT32_MAX
#endif

/* code of an access: address & 7 in bits 0-2, log2 of the size in 3-4, then: */
#define CODE_WRITE 0x20u
#define CODE_PLAIN                                                                                 \
	0x40u /* not atomic; so no plain access has code 0, which an unattached thread's
                              empty filter would hold for an empty cell */
#define CODE_SIZE(l) ((unsigned)(l) << 3)
/* No access: of 8 bytes from the second on. An entry of the filter with it says of a cell of the W plane: plain
 * writes, all of them before this epoch. That too stays true for the generation. */
#define CODE_OLD (CODE_SIZE(3) | 1)

typedef struct RaceThread RaceThread;
typedef struct RaceSlow RaceSlow;
typedef struct Cancel Cancel;

/* An entry of the shadow call stack: the call site, and the stack id once somebody asked (else 0). */
typedef struct Frame {
	uintptr_t pc;
	StackId id;
	uint32_t unused;
} Frame;

/* C11 fences: what a later relaxed store publishes, what an earlier relaxed load saw. */
typedef struct Fences {
	bool has_release, has_acquire;
	ClockPair release_own;
	Clock release;
	Clock acquire;
} Fences;

struct RaceCtx {
	uint32_t slot, epoch;
	bool used;  /* an access was recorded in this epoch */
	bool grown; /* the clock grew since the last release */
	bool ended;
	bool is_thread, is_main;
	bool uncancellable; /* a thread that has disabled cancellation; own: cancel.h */
	uint32_t ginfo;
	uint32_t mset;     /* locks held: clock/mutexset.h */
	uint32_t foreigns; /* order_foreigns (lock/order.h) when mset was looked through */
	_Alignas(4) uint16_t ignore_reads;
	uint16_t ignore_writes, ignore_sync;
	RaceThread *thread;      /* who runs it, NULL while parked; relaxed atomic */
	Frame *base, *top, *end; /* shadow call stack while parked */
	Fences *fences;          /* NULL until one is used */
	uintptr_t stack_lo, stack_hi;
	uintptr_t handle;     /* a thread's pthread_t until its end; 0: none; relaxed atomic */
	Cancel *cancels;      /* atomic: requests not taken yet: cancel.h */
	RaceCtx *next, *prev; /* all live contexts; ctx lock in race.c */
	Clock clock;          /* of others' slots; own slot: all */
};

/* Any of its accesses: one load. */
static inline bool ctx_ignores(const RaceCtx *c)
{
	uint32_t both;
	__builtin_memcpy(&both, &c->ignore_reads, sizeof both);
	return both != 0;
}
_Static_assert(offsetof(RaceCtx, ignore_writes) == offsetof(RaceCtx, ignore_reads) + 2,
    "ctx_ignores reads both");

struct RaceThread {
	uint32_t gen;  /* generation << GEN_SHIFT; read by the fast path */
	uint32_t busy; /* atomic; see above */
	uint64_t held; /* atomic: signals that wait for the end of busy: intercept/signal.c */
	Frame *top, *base, *end; /* shadow call stack of ctx */
	RaceCtx *ctx;            /* NULL: none yet, or the scheduler */
	RaceCtx *home;           /* a foreign thread's own context */
	RaceSlow *slow;          /* NULL until attached */
	bool scheduler;    /* hook_switch(NULL) on a thread without a home: accesses do not count */
	bool begun;        /* home was made by race_thread_create: it waits for a join */
	bool asynchronous; /* race_signals_held is to put the type of cancellation back; own */
	uint32_t handlers; /* of signals, under way: no place for others to go on; own */
	uintptr_t tls_lo, tls_hi; /* the thread's own variables; constant once registered */
	RaceThread *tls_next;     /* all registered ones: tls.c's lock */
	uint64_t filter[FILTER_SIZE];
};

extern __thread RaceThread race_thread __attribute__((tls_model("initial-exec")));
/* The same as &race_thread, for code that goes on behind a point of a seeded run, perhaps on another
 * thread: no compiler keeps this one. */
RaceThread *race_thread_slow(void);
static inline RaceThread *race_thread_now(void)
{
#if defined(__x86_64__)
	RaceThread *t;
	__asm__ volatile("movq race_thread@gottpoff(%%rip), %0\n\taddq %%fs:0, %0" : "=r"(t)::"cc");
	return t;
#else
	return race_thread_slow();
#endif
}
/* A seeded run: may others go on where this thread is now? Not where a signal came in between. */
static inline bool race_seed_here(void)
{
	if (likely(!race_seed))
		return false;
	const RaceThread *t = race_thread_now();
	return !load_rlx(&t->busy) && !t->handlers; /* relaxed: own */
}
extern uint32_t
    race_stopped; /* atomic: bit 0: a collection runs; bit 1: no os_barrier, use fences; bit 2: blind */

void race_init(void);
/* Enter the thread into the registry: its slow part. Idempotent. */
void race_register(RaceThread *t);
/* tls.c: the thread's variables are known from now on; are no more; are the only ones. */
void race_find_tls(RaceThread *t);
void race_forget_tls(RaceThread *t);
void race_only_tls(RaceThread *t);
/* The same, and see that it has a context: its home, made on the spot. */
void race_attach(RaceThread *t);
bool race_wait_stopped(RaceThread *t); /* false: the detector is blind, nobody enters */

static inline void race_leave(RaceThread *t);

/* Step into the detector: false where it is already entered (a signal handler), or blind. */
static inline bool race_enter(RaceThread *t)
{
	if (unlikely(t->busy)) {
		race_count(lost_reentry);
		return false;
	}
	store_rlx(
	    &t->busy, 1u); /* relaxed: os_barrier of the collector orders it before the load */
	fence_compiler();
	/* Pairs with or_ar in race_stop_world. */
	if (unlikely(load_acq(&race_stopped)) && !race_wait_stopped(t)) {
		race_leave(t);
		return false;
	}
	return true;
}

/* The same, and false also where a collection is to be waited for. */
static inline bool race_try_enter(RaceThread *t)
{
	if (unlikely(t->busy))
		return false;
	store_rlx(&t->busy, 1u); /* relaxed: as in race_enter */
	fence_compiler();
	if (likely(!load_acq(&race_stopped))) /* pairs with or_ar in race_stop_world */
		return true;
	store_rel(&t->busy, 0u); /* pairs with load_acq in race_stop_world */
	return false;
}

/* The same for what the program does here: with the context of this thread. False also where the
 * scheduler runs, whose accesses do not count. */
static inline bool race_enter_self(RaceThread *t)
{
	if (unlikely(!t->ctx && t->scheduler) || !race_enter(t))
		return false;
	if (unlikely(!t->ctx))
		race_attach(t);
	return true;
}

/* Let go of the signals that came while the thread was busy. Defined by intercept/signal.c; without it
 * no signal is ever held. */
#define RACE_HELD_CANCEL (UINT64_C(1) << 31) /* of SIGCANCEL, and for RaceThread.asynchronous */
void race_signals_held(RaceThread *t) __attribute__((weak, visibility("hidden")));

static inline void race_leave(RaceThread *t)
{
	store_rel(&t->busy, 0u); /* pairs with load_acq in race_stop_world */
	fence_compiler();
	if (unlikely(load_rlx(&t->held))) /* relaxed: set by a handler on this thread */
		race_signals_held(t);
}

/* A new generation: nothing in the filter counts any more. The thread is t itself or parked. */
void race_bump_wrapped(RaceThread *t);
static inline void race_bump(RaceThread *t)
{
	uint32_t g = load_rlx(&t->gen) + (1u << GEN_SHIFT);
	store_rlx(&t->gen, g); /* relaxed: read by its own thread, or after it is woken */
	if (unlikely(g >> GEN_SHIFT >= RACE_GEN_MAX))
		race_bump_wrapped(t);
}

/* Multiplied: ids of records and of sets are small numbers both, and codes differ in single bits, so
 * that low bits alone meet too often (two sites of an inner loop that do cost a factor of 4). */
static inline uint32_t filter_index(uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15u >> (64 - FILTER_BITS));
}

static inline bool filter_has(RaceThread *t, uint32_t hi, uint32_t cell)
{
	uint64_t key = (uint64_t)hi << 32 | cell;
	return t->filter[filter_index(key)] == key;
}

static inline void filter_put(RaceThread *t, uint32_t hi, uint32_t cell)
{
	uint64_t key = (uint64_t)hi << 32 | cell;
	if (likely(!race_seed)) /* a seeded run counts every access: none may be passed by */
		t->filter[filter_index(key)] = key;
}

/* Close the current stretch: what others get to know of ctx. Advances the epoch unless nothing was
 * done or learnt since the last time; so (slot, epoch) names one content of the clock exactly. */
ClockPair race_publish(RaceCtx *ctx);
Fences *ctx_fences(RaceCtx *ctx); /* made when first asked for */

RaceCtx *ctx_new(RaceCtx *parent, uint64_t id, bool is_main, bool is_thread, uintptr_t stack_lo,
    uintptr_t stack_hi, const void *pc);
/* A stack is taken into use, or its owner is dead: no past, no locks. */
void ctx_stack_fresh(uintptr_t lo, uintptr_t hi);
/* It has ended: its call stack and stack memory go back, its clock stays for a join. Not loaded. */
void ctx_finish(RaceCtx *ctx);
/* The rest goes back too; its GInfo stays. */
void ctx_delete(RaceCtx *ctx);
/* Put ctx (NULL: none) in the place of t's. */
void race_load(RaceThread *t, RaceCtx *ctx);

/* Collections and fork: all other threads are outside the detector until race_start_world. The caller
 * is inside (busy) and holds no lock of the detector. False: another stopped it meanwhile, try again. */
bool race_stop_world(RaceThread *me);
void race_start_world(void);
RaceThread *race_thread_each(RaceThread *after); /* world stopped; NULL starts and ends */
/* After fork in the child, world stopped: only this thread is left. */
void race_forget_threads(RaceThread *me);

/* Collection, world stopped: mark what the live contexts name. */
void ctx_mark_all(void);

/* The live contexts, under the contexts' lock: fn answers true to stop. */
void ctx_each(bool (*fn)(RaceCtx *, void *), void *arg);

#endif
