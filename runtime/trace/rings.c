/*
 * rings.c: events into rings, the clock they carry, and what the scheduler's files call.
 *
 * A ring has one writer: who owns its P; the P's handing over from M to M orders them. Slot n % size takes
 * event n, and n is published when it is there:
 *
 *     the writer                          who copies (copy.c)
 *     1. n = k (of the event before)      a. reads n (acquire)
 *     2. fence_rel                        b. reads slots
 *     3. writes slot k % size             c. fence_acq
 *     4. n = k + 1 (release)              d. reads n again: m
 *
 * Who copies keeps events > m - size only. If b saw anything of 3, for event k, then by the fences d sees 1: m >= k,
 * and event k - size, which was in that slot, is not kept. All accesses are atomic, relaxed but as said.
 *
 * What threads without a P have to say (sysmon, threads of the program, goroutines back from a system call) is
 * little: it goes to trace_outside, under a lock that is a leaf.
 *
 * Time is the processor's counter where the kernel goes by it, else os_now; in a seeded run that run's own clock, so
 * that the same seed gives the same trace. An event carries the time before its effect can be seen by others, and
 * TRACE_START, which may depend on another thread's event, that after what it saw: the order of times is one in
 * which things happened. Where a processor still turns two around, timeline.c makes do.
 *
 * Road not taken: buffers for each thread, as Go's since 1.22. A P's ring needs no bookkeeping of threads that come
 * and go, and bounds the memory by GOMAXPROCS.
 */
#include "trace.h"

#include "../os/ticks.h"

_Static_assert((int)WAIT_COUNT <= (int)TRACE_YIELDS, "WaitReason and TraceWhy share 8 bits");

uint32_t trace_on;
TraceRing trace_outside;

static Lock outside_lock; /* rank NONE, a leaf: nothing is locked under it */
static size_t ring_bytes;
static bool ticks; /* the processor's counter; constant after rings_init */
static uint64_t zero_ticks;
static int64_t zero_ns;

/* ---- the clock ---- */

uint64_t trace_clock(void)
{
	if (SEEDED)
		return (uint64_t)seed_now();
	return ticks ? os_ticks() : (uint64_t)os_now();
}

const char *trace_clock_name(void)
{
	return SEEDED ? "seeded" : ticks ? "processor" : "system";
}

static uint64_t clock_after(void)
{
	return ticks && !SEEDED ? os_ticks_after() : trace_clock();
}

/* Both clocks at one moment: the closest of a few tries. */
static void both(uint64_t *t, int64_t *ns)
{
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < 5; i++) {
		uint64_t a = os_ticks_after();
		int64_t n = os_now();
		uint64_t b = os_ticks_after();
		if (b - a < best) {
			best = b - a;
			*t = a + (b - a) / 2;
			*ns = n;
		}
	}
}

TraceScale trace_scale(void)
{
	TraceScale s = {.zero = zero_ticks, .ns = 1};
	if (!ticks || SEEDED)
		return s;
	uint64_t t = 0;
	int64_t ns = 0;
	both(&t, &ns);
	if (t > zero_ticks && ns > zero_ns)
		s.ns = (double)(ns - zero_ns) / (double)(t - zero_ticks);
	return s;
}

/* ---- rings ---- */

static void ring_make(TraceRing *r)
{
	r->ev = os_map(ring_bytes);
	r->mask = ring_bytes / sizeof *r->ev - 1;
}

void rings_init(size_t bytes)
{
	ring_bytes = bytes;
	ticks = os_ticks_good();
	if (ticks && !SEEDED)
		both(&zero_ticks, &zero_ns);
	else
		zero_ticks = trace_clock();
	ring_make(&trace_outside);
	store_rlx(&trace_on, 1); /* goroutines come later */
}

void trace_p_made(P *p)
{
	ring_make(&p->trace);
}

inline void ring_put(TraceRing *r, uint64_t at, uint64_t head, uint64_t a, uint64_t b)
{
	if (unlikely(!r->ev))
		return;
	uint64_t n = r->n; /* its owner alone writes it */
	TraceEvent *e = &r->ev[n & r->mask];
	fence_rel(); /* pairs with fence_acq in copy_ring: see the head */
	store_rlx(&e->w[0], at);
	store_rlx(&e->w[1], head);
	store_rlx(&e->w[2], a);
	store_rlx(&e->w[3], b);
	store_rel(&r->n, n + 1); /* pairs with load_acq in copy_ring */
}

TraceRing *ring_begin(P *p)
{
	if (p)
		return &p->trace;
	lock(&outside_lock);
	return &trace_outside;
}

void ring_end(P *p)
{
	if (!p)
		unlock(&outside_lock);
}

__attribute__((noinline)) static void put_outside(uint64_t head, uint64_t a, uint64_t b)
{
	lock(&outside_lock);
	ring_put(&trace_outside, trace_clock(), head, a, b);
	unlock(&outside_lock);
}

void trace_put(P *p, TraceType type, uint32_t why, uint64_t g, uint64_t a, uint64_t b)
{
	uint64_t head = trace_head(type, why, g);
	if (unlikely(!p))
		put_outside(head, a, b);
	else
		ring_put(
		    &p->trace, type == TRACE_START ? clock_after() : trace_clock(), head, a, b);
}

/* ---- what happens to goroutines ---- */

static P *p_now(void)
{
	G *g = g_self();
	M *m = g ? g->m : m_self();
	return m ? m->p : NULL;
}

void trace_leave(const M *m, const G *g, const G *next, bool dying)
{
	uint32_t why = TRACE_YIELDS;
	if (dying)
		why = TRACE_ENDS;
	else if (load_rlx(&g->state) == G_WAITING) /* its own, until it has left */
		why = load_rlx(&g->wait_reason);
	else if (!m->p)
		why = TRACE_BACK;
	trace_put(m->p, TRACE_LEAVE, why, g->id, next ? next->id : 0,
	    why < TRACE_YIELDS ? (uintptr_t)g->wait_on : 0);
}

void trace_made(G *g, const void *fn)
{
	g->trace_fn = fn;
	trace_put(p_now(), TRACE_CREATE, 0, g->id, g->created_by, (uintptr_t)fn);
}

void trace_ready(const G *g)
{
	const G *self = g_self();
	trace_put(p_now(), TRACE_READY, load_rlx(&g->wait_reason), g->id, self ? self->id : 0,
	    (uintptr_t)g->wait_on);
}

/* ---- counters ---- */

#define COUNT_EVERY 10000000 /* ns; statm costs 5 us */

void trace_tick(int64_t now)
{
	static int64_t next;      /* sysmon alone */
	if (now < next || SEEDED) /* the same seed gives the same trace */
		return;
	next = now + COUNT_EVERY;
	int64_t live = goroutines();
	trace_put(
	    NULL, TRACE_COUNTERS, 0, live > 0 ? (uint64_t)live : 0, os_resident(), stack_bytes());
}
