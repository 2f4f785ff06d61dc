/*
 * hooks.c: hooks.h, and the words of thread.h about threads and control flow, implemented over the
 * clocks and the shadow. Each order hook is one law of clock/syncvar.c. (hook_alloc and hook_free are in
 * shadow/heap.c.)
 *
 * Every hook enters the detector; a hook met while the thread is inside already (a signal handler) does
 * nothing but count (lost_reentry).
 */
#include "../runtime/hooks.h"

#include <string.h>

#include "../runtime/os/os.h"
#include "clock/mutexset.h"
#include "clock/syncvar.h"
#include "ctx.h"
#include "history/context.h"
#include "lock/misuse.h"
#include "lock/order.h"
#include "module.h"
#include "report/schedule.h"
#include "sample.h"
#include "report/report.h"
#include "shadow/access.h"
#include "shadow/shed.h"
#include "thread.h"

/* ---- life ---- */

/* TSan's: the detector is there. */
extern void __tsan_on_initialize(void) __attribute__((weak));

static void tell_program(void)
{
	static bool told; /* atomic */
	if (__tsan_on_initialize && !swap_ar(&told, true))
		__tsan_on_initialize();
}

void hook_init(void)
{
	race_init();
	report_init();
	shed_init();
	sample_init();
	tell_program();
}

void hook_linger(void)
{
	report_linger();
}

static void (*at_end)(void); /* constant once goroutines run */

void hook_at_end(void (*fn)(void))
{
	at_end = fn;
}

int hook_fini(int code)
{
	race_init();
	if (at_end)
		at_end();
	return report_fini(code);
}

RaceCtx *hook_go(RaceCtx *parent, uint64_t id, bool is_main, uintptr_t stack_lo, uintptr_t stack_hi,
    const void *pc)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return NULL;
	race_register(t);
	collect_if_due(t);
	if (!parent && is_main)
		parent = t->home; /* constructors ran before main */
	RaceCtx *c = ctx_new(parent, id, is_main, false, stack_lo, stack_hi, pc);
	race_leave(t);
	return c;
}

void hook_end(RaceCtx *g)
{
	RaceThread *t = &race_thread;
	if (!g || !race_enter(t))
		return;
	race_register(t);
	if (t->ctx == g) {
		race_load(t, NULL);
		t->scheduler = !t->home;
	}
	if (g->is_main && t->home) { /* what the host thread does after it, destructors among it */
		ClockPair p = race_publish(g);
		ctx_learn(t->home, p, &g->clock);
	}
	ctx_finish(g);
	ctx_delete(g);
	race_leave(t);
}

bool hook_busy(void)
{
	return load_rlx(&race_thread.busy); /* ours: set and cleared by this thread */
}

void hook_switch(RaceCtx *to)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	race_register(t);
	if (t->ctx != to)
		race_load(t, to);
	t->scheduler = !to && !t->home;
	race_leave(t);
}

void hook_name(RaceCtx *g, const char *name)
{
	if (!g)
		return;
	char *dst = race_ginfo(g->ginfo)->name;
	size_t n = name ? strnlen(name, sizeof race_ginfo(g->ginfo)->name - 1) : 0;
	memcpy(dst, name ? name : "", n); /* a report may show it half changed */
	dst[n] = 0;
}

RaceCtx *hook_self(void)
{
	RaceThread *t = &race_thread;
	if (likely(t->ctx))
		return t->ctx;
	if (!race_enter_self(t))
		return NULL;
	race_leave(t);
	return t->ctx;
}

const SeedOptions *hook_seed(const SeedCalls *calls)
{
	RaceThread *t = &race_thread;
	const SeedOptions *o = schedule_options();
	if (!o)
		return NULL;
	race_seed = calls; /* no goroutine runs yet */
	if (race_enter(t)) {
		race_register(t);
		race_bump_wrapped(t); /* what this thread's filter holds */
		race_leave(t);
	}
	if (load_rlx(&race_threads_made))
		calls->note(SEED_THREADS);
	return o;
}

/* ---- order ---- */

void hook_acquire(RaceCtx *g, const void *addr)
{
	RaceThread *t = &race_thread;
	if (!g || g->ignore_sync || !race_enter(t))
		return;
	SyncVar *s = sync_is_known(g, (uintptr_t)addr) ? NULL : sync_find((uintptr_t)addr);
	if (s) {
		sync_acquire(g, s);
		sync_unlock(s);
	}
	race_leave(t);
}

typedef void Release(RaceCtx *, SyncVar *);

static inline void release(RaceCtx *g, const void *addr, Release *how)
{
	RaceThread *t = &race_thread;
	if (!g || g->ignore_sync || !race_enter(t))
		return;
	SyncVar *s = sync_get((uintptr_t)addr);
	if (s) {
		how(g, s);
		sync_unlock(s);
	}
	race_leave(t);
}

void hook_release(RaceCtx *g, const void *addr)
{
	release(g, addr, sync_release);
}

void hook_release_merge(RaceCtx *g, const void *addr)
{
	release(g, addr, sync_release_merge);
}

void hook_release_acquire(RaceCtx *g, const void *addr)
{
	release(g, addr, sync_release_acquire);
}

void hook_handoff(RaceCtx *from, RaceCtx *to)
{
	RaceThread *t = &race_thread;
	if (!from || !to || from == to || !race_enter(t))
		return;
	ClockPair p = race_publish(from);
	if (!ctx_knows(to, p)) /* else all of it: see syncvar.c */
		ctx_learn(to, p, &from->clock);
	race_leave(t);
}

/* All that `to` knows `from` knows: its clock takes the other's place, and no join is worked out. */
void hook_handback(RaceCtx *from, RaceCtx *to)
{
	RaceThread *t = &race_thread;
	if (!from || !to || from == to || !race_enter(t))
		return;
	ClockPair p = race_publish(from);
	if (!ctx_knows(to, p)) {
		clock_copy(&to->clock, &from->clock);
		clock_raise(&to->clock, p.slot, p.epoch);
		to->grown = true;
	}
	race_leave(t);
}

void hook_forget(const void *addr)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	sync_forget((uintptr_t)addr);
	race_leave(t);
}

/* ---- memory ---- */

static void range_of(RaceCtx *g, const void *addr, size_t size, Kind kind, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!g || !size || sample_off() || !race_enter(t))
		return;
	race_register(t);
	unsigned log2 = (unsigned)__builtin_ctzll(size);
	if (size == 1u << log2 &&
	    ((uintptr_t)addr & 7) + size <= GRANULE) { /* as the program's own, caches and all */
		collect_if_due(t);
		unsigned code =
		    CODE_SIZE(log2) | CODE_PLAIN | (kind == KIND_WRITE ? CODE_WRITE : 0);
		if (g != t->ctx || !access_brief_plain(t, g, (uintptr_t)addr, code, pc))
			access_check(t, g, (uintptr_t)addr, code, pc);
		finding_flush(t);
		race_leave(t);
		return;
	}
	Access a = {.t = t,
	    .ctx = g,
	    .pc = pc,
	    .size = size > RECORD_SIZE ? RECORD_SIZE : (uint32_t)size,
	    .kind = kind};
	access_range_flush(&a, (uintptr_t)addr, size);
	race_leave(t);
}

bool hook_counts(const void *pc)
{
	return module_counts(pc);
}

void hook_read(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	range_of(g, addr, size, KIND_READ, pc);
}

void hook_write(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	range_of(g, addr, size, KIND_WRITE, pc);
}

/* ---- locks ---- */

/* The locks that g holds, and this one; the set as it is where this one is no lock (order_foreign). */
static uint32_t with(RaceThread *t, RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	uint32_t foreigns = load_rlx(&order_foreigns); /* relaxed: see order_foreign */
	if (unlikely(foreigns)) {
		if (g->foreigns != foreigns)
			g->mset = order_strip(g->mset);
		g->foreigns = foreigns;
		if (order_is_foreign((uintptr_t)addr))
			return g->mset;
	}
	return mutexset_add(g->mset, (uintptr_t)addr, mode, context_here(t, g, pc));
}

void hook_lock(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!g || !race_enter(t))
		return;
	uint32_t set = with(t, g, addr, mode, pc);
	if (g->mset && set != g->mset)
		order_check(g, set);
	g->mset = set;
	race_leave(t);
}

void hook_trylock(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!g || !race_enter(t))
		return;
	g->mset = with(t, g, addr, mode, pc);
	race_leave(t);
}

void hook_lock_wait(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!g || !g->mset || !race_enter(t))
		return;
	uint32_t set = with(t, g, addr, mode, pc);
	if (g->mset && set != g->mset)
		order_check(g, set);
	race_leave(t);
}

void hook_lock_writer(RaceCtx *g, const void *addr, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!g || !race_enter(t))
		return;
	uint32_t set = with(t, g, addr, LOCK_WRITE, pc);
	if (set != g->mset)
		order_check_writer(g, set);
	race_leave(t);
}

/* g has it, but for reading what it unlocks as a writer, or the other way about. A lock that somebody
 * else unlocked for it is none any more, and g's word of it is old. */
static __attribute__((noinline)) void unlock_in_other_mode(
    RaceThread *t, RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	if (order_is_foreign((uintptr_t)addr))
		return;
	race_leave(t);
	if (mode == LOCK_READ)
		misuse_report(g, REPORT_BAD_READ_UNLOCK, ACCESS_READ_UNLOCK, addr, pc);
	else
		misuse_report(g, REPORT_BAD_WRITE_UNLOCK, ACCESS_UNLOCK, addr, pc);
	race_enter(t);
}

void hook_unlock(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	RaceThread *t = &race_thread;
	bool other = false;
	if (!g || !race_enter(t))
		return;
	uint32_t rest = mutexset_remove(g->mset, (uintptr_t)addr, mode, &other);
	if (unlikely(rest == g->mset)) /* somebody else's */
		order_foreign((uintptr_t)addr);
	if (unlikely(other))
		unlock_in_other_mode(t, g, addr, mode, pc);
	g->mset = rest;
	race_leave(t);
}

/* ---- threads ---- */

RaceCtx *race_thread_create(RaceCtx *parent, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return NULL;
	race_register(t);
	RaceCtx *c = ctx_new(parent, 0, false, true, 0, 0, pc);
	race_leave(t);
	store_rlx(&race_threads_made, true); /* a word in reports */
	if (race_seed)
		race_seed->note(SEED_THREADS);
	return c;
}

void race_thread_begin(RaceCtx *child)
{
	RaceThread *t = &race_thread;
	if (!child || !race_enter(t))
		return;
	race_register(t);
	uintptr_t lo = 0, hi = 0;
	os_thread_stack(&lo, &hi);
	GInfo *g = race_ginfo(child->ginfo);
	g->stack_lo = child->stack_lo = lo;
	g->stack_hi = child->stack_hi = hi;
	ctx_stack_fresh(lo, hi);
	t->home = child;
	t->begun = true;
	t->scheduler = false;
	race_load(t, child);
	race_leave(t);
}

typedef struct Naming {
	uintptr_t handle;
	const char *name;
} Naming;

static bool name_if(RaceCtx *c, void *arg)
{
	const Naming *n = arg;
	if (load_rlx(&c->handle) != n->handle) /* relaxed: see race_thread_handle */
		return false;
	hook_name(c, n->name);
	return true;
}

void race_thread_name(uintptr_t handle, const char *name)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	ctx_each(name_if, &(Naming){handle, name});
	race_leave(t);
}

void race_thread_end(void)
{
	RaceThread *t = &race_thread;
	if (!t->home || !race_enter(t))
		return;
	RaceCtx *c = t->home;
	race_load(t, NULL);
	t->home = NULL;
	t->scheduler = true;
	ctx_finish(c);
	if (!t->begun)
		ctx_delete(c);
	t->begun = false;
	race_leave(t);
}

void race_thread_join(RaceCtx *me, RaceCtx *child)
{
	hook_handoff(child, me);
}

void race_thread_release(RaceCtx *child)
{
	RaceThread *t = &race_thread;
	if (!child || !race_enter(t))
		return;
	ctx_delete(child);
	race_leave(t);
}

/* ---- control flow ---- */

size_t race_stack_depth(void)
{
	return (size_t)(race_thread.top - race_thread.base);
}

void race_stack_restore(size_t depth)
{
	RaceThread *t = &race_thread;
	t->handlers = 0; /* longjmp leaves them */
	if (depth < (size_t)(t->top - t->base))
		t->top = t->base + depth;
}

void race_ignore_begin(void)
{
	RaceCtx *c = hook_self();
	if (c) {
		c->ignore_reads++;
		c->ignore_writes++;
	}
}

void race_ignore_end(void)
{
	RaceCtx *c = hook_self();
	if (c && c->ignore_reads && c->ignore_writes) {
		c->ignore_reads--;
		c->ignore_writes--;
	}
}

static bool fork_held;

void race_fork_before(void)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	race_register(t);
	while (!race_stop_world(t))
		;
	fork_held = true;
}

void race_fork_after(bool in_child)
{
	RaceThread *t = &race_thread;
	if (!fork_held)
		return;
	fork_held = false;
	if (in_child) {
		race_forget_threads(t);
		report_forked();
		sample_forked();
	}
	race_start_world();
	race_leave(t);
}
