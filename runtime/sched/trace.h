/*
 * trace.h: what the scheduler tells the execution trace (docs/traces.md): the events, and where they go.
 * Implemented in runtime/trace.
 *
 * Every P has a ring of events, written by whoever owns the P; what happens on threads without a P goes into
 * one more, under a lock. The newest overwrites the oldest: the rings always hold the last moments. Off, which
 * trace_on says, each place costs a load and a branch that is never taken.
 *
 * A switch from one goroutine to the next is one event with one reading of the clock, which is most of its cost.
 */
#ifndef GORO_SCHED_TRACE_H
#define GORO_SCHED_TRACE_H

#include "../base/atomic.h"

struct G;
struct M;
struct P;

/* An event is four words: time; type, why and goroutine; two arguments. */
typedef enum TraceType {
	TRACE_NONE_,
	TRACE_CREATE, /* g is runnable for the first time; a: its maker, b: its function */
	TRACE_START,  /* g runs on this P, which ran none */
	TRACE_LEAVE,  /* g runs no more; why: WaitReason or TraceWhy; a: who runs now (0: nobody);
	                       b: what it waits for */
	TRACE_READY, /* g may run again; why: what it waited for; a: who woke it (0: no goroutine) */
	TRACE_SYSCALL,      /* g goes into a system call, with its P */
	TRACE_SYSRET,       /* g is back and has this P */
	TRACE_PROC_START,   /* the P has a thread; a: which M, b: its number with the system */
	TRACE_PROC_STOP,    /* it has none */
	TRACE_NAME,         /* goro_set_name; a: the name's number */
	TRACE_REGION_BEGIN, /* a: the name's number */
	TRACE_REGION_END,
	TRACE_LOG,     /* a: the category's number, b: length; the text in TRACE_TEXT behind it */
	TRACE_TEXT,    /* 16 bytes of text in a and b */
	TRACE_COUNTERS /* g: goroutines; a: resident bytes, b: bytes of stacks */
} TraceType;

/* Why a goroutine leaves that does not wait; behind the WaitReasons. */
typedef enum TraceWhy {
	TRACE_YIELDS = 64,
	TRACE_STOPPED,   /* by a signal, as it computes without end */
	TRACE_MAKES_WAY, /* for the goroutine it made */
	TRACE_BACK,      /* from a system call, and no P is free */
	TRACE_ENDS
} TraceWhy;

typedef struct TraceEvent {
	uint64_t w[4]; /* relaxed: a snapshot may read it meanwhile */
} TraceEvent;

typedef struct TraceRing {
	TraceEvent *ev; /* NULL: no memory was left; constant */
	uint64_t mask;  /* constant: as many as a power of two */
	uint64_t n;     /* written so far; by its owner alone */
} TraceRing;

/* Set before goroutines run; 0 in a forked child. Hidden: one load, and no table between. */
extern uint32_t trace_on __attribute__((visibility("hidden")));
#define TRACED unlikely(load_rlx(&trace_on))

/* Where TRACED. p: this thread's own, or NULL. */
void trace_put(struct P *p, TraceType type, uint32_t why, uint64_t g, uint64_t a, uint64_t b);
void trace_leave(const struct M *m, const struct G *g, const struct G *next, bool dying);
void trace_made(struct G *g, const void *fn);
void trace_ready(const struct G *g);
void trace_named(const struct G *g);
void trace_tick(int64_t now); /* sysmon */
/* A P is made; sched.lock held. */
void trace_p_made(struct P *p);

/* GODEBUG=trace=FILE,tracebuf=BYTES; once, after seed_init, before Ps are made. */
void trace_init(void);
/* The process is about to end, in any way: write the file, once. On any stack, in signal handlers too. */
void trace_end(void);
/* This is a child of fork. */
void trace_forked(void);

#endif
