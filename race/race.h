/*
 * race.h: what every file of the detector shares: the per-thread state, the identities, the limits.
 *
 * Ground rules.
 *   - Exact: no race of the executed trace is lost by distance, number or age, and none is invented.
 *     A bound that is hit is counted in `race_stats` and said at exit.
 *   - The detector never fails its host. It takes its memory by os_map, never from the program's heap.
 *   - It is compiled without instrumentation, and in libgoro-race.a its undefined references to
 *     intercepted libc functions are renamed goro_real_* (tools/real.syms), so that it never meets itself.
 *
 * Identities (all 32 bits; 0 is "none"):
 *   GInfo index  a goroutine or thread, living or ended: race_ginfo(i); reused when nothing names it
 *   slot         a component of vector clocks; reused only by an owner whose clock covers its past
 *   epoch        a slot's tick; (slot, epoch) names a stretch of one goroutine between two releases
 *   stack id     a node of the calling-context tree (history/context.h): parent stack and pc
 *   rec id       an access record (history/record.h): who, when, from where
 * Ids are given back by collections (shadow/collect.c), which wait for whoever is inside the detector: an id
 * stays what it is until race_leave, and beyond while something that collections look at names it.
 */
#ifndef GORO_RACE_H
#define GORO_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../runtime/base/atomic.h"
#include "../runtime/base/lock.h"
#include "../runtime/hooks.h"

typedef uint32_t StackId;
typedef uint32_t RecId;

/* A goroutine or thread as reports need it; immutable but for the marked fields. */
typedef struct GInfo {
	uint64_t id;        /* goroutine number; thread number when is_thread */
	uint32_t parent;    /* GInfo index of its creator; 0: none known */
	StackId created_at; /* the creator's stack at the creation */
	uintptr_t stack_lo, stack_hi;
	bool is_main;      /* the main goroutine, or the main thread of a plain pthread program */
	bool is_thread;    /* a pthread, not a goroutine */
	bool finished;     /* atomic */
	bool marked, dead; /* collection */
	char name[32];     /* may change; "" for none */
} GInfo;

GInfo *race_ginfo(uint32_t index);
/* Collection, world stopped. mark: with the goroutines that led to it, GINFO_CHAIN at most; end: the others
 * are freed. How many live. */
#define GINFO_CHAIN 32
void race_ginfo_mark(uint32_t index);
uint32_t race_ginfo_mark_end(void);

/* Identities made since the last deep collection; relaxed atomic. */
extern uint32_t race_made;
static inline void race_made_id(void)
{
	add_rlx(&race_made, 1u); /* relaxed: a threshold */
}

/* Counters for stats=1 and for what could not be done; relaxed atomics. lost_memory: accesses without
 * shadow; lost_reentry: accesses of a signal handler that interrupted the detector itself; lost_racy:
 * accesses forgotten at a place that has races reported already (shadow/access.c); lost_modules:
 * instrumented libraries beyond what module.h can mark; lost_locks: orders of locks that lock/order.c had
 * no room or no time for; lost_shed: chunks (shadow/shadow.h) whose cells memory_limit_mb made the detector
 * forget. escalations: nodes of sets made, for what does not fit one cell. */
#define RACE_STATS(S)                                                                              \
	S(reports)                                                                                 \
	S(suppressed)                                                                              \
	S(records)                                                                                 \
	S(escalations)                                                                             \
	S(contexts)                                                                                \
	S(syncvars)                                                                                \
	S(clock_nodes)                                                                             \
	S(gc_runs)                                                                                 \
	S(slots)                                                                                   \
	S(goroutines)                                                                              \
	S(lost_memory)                                                                             \
	S(lost_modules)                                                                            \
	S(lost_reentry)                                                                            \
	S(lost_racy)                                                                               \
	S(lost_shed)                                                                               \
	S(lost_locks)
typedef struct RaceStats {
#define STAT_(n) uint64_t n;
	RACE_STATS(STAT_)
#undef STAT_
} RaceStats;
extern RaceStats race_stats;
#define race_count(field) ((void)add_rlx(&race_stats.field, 1))

/* GORACE=sample: accesses count for nothing now (sample.h); relaxed atomic. */
extern bool race_off __attribute__((visibility("hidden")));

/* What to call in a seeded run (hooks.h); NULL: it is none. Constant once the scheduler has started. */
extern const SeedCalls *race_seed;
extern bool race_threads_made; /* relaxed: a thread of the program's own was */

/* What there is of a kind: how many live, bytes that hold them and the free ones beside them. */
typedef struct MemoryUse {
	uint64_t live, bytes;
} MemoryUse;

/* Memory of the detector: zeroed, never returned, no lock needed by the caller, never NULL. Where the system
 * has none it comes out of a reserve, and the next collection forgets what it can (race_is_low). Where the
 * reserve comes to its end the detector goes blind: nobody gets inside any more (race_enter), which is said once,
 * and the program goes on alone. What it is doing at that moment may use up the rest; only if that is not enough
 * the process ends, with a line. */
void *race_alloc(size_t size);
bool race_is_blind(void);
/* Memory could not be had since the last call. */
bool race_is_low(void);
/* This thread is inside the detector: it may be cancelled anywhere again when it is no more. False: it is not. */
bool race_asynchronous_later(void);
MemoryUse race_ginfo_memory(void);
MemoryUse race_ctx_memory(void);

#endif
