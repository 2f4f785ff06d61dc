/*
 * race.c: the detector's foundations: memory, identities, threads and contexts, stopping the world.
 *
 * Locks, all leaves of their own: memory.lock; ginfos.lock; contexts.lock (list of live
 * contexts); registry.lock (threads), which race_stop_world keeps until race_start_world.
 */
#include "race.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/os/os.h"
#include "cancel.h"
#include "clock/mutexset.h"
#include "clock/slot.h"
#include "clock/syncvar.h"
#include "ctx.h"
#include "history/context.h"
#include "intercept/init.h"
#include "report/report.h"
#include "pool.h"
#include "shadow/access.h"
#include "shadow/shadow.h"
#include "slow.h"

RaceStats race_stats;
__thread RaceThread race_thread __attribute__((tls_model("initial-exec")));
uint32_t race_stopped;
const SeedCalls *race_seed;
bool race_threads_made;

/* ---- memory ---- */

#define ARENA_BYTES   (1u << 20)
#define RESERVE_BYTES (32u << 20) /* of address space: a chunk of records alone takes 2 MiB */
/* For what is under way on other threads when the detector goes blind. */
#define RESERVE_LAST (8u << 20)
/* When so much was used since a collection, another may help. */
#define RESERVE_STEP (4u << 20)
#define BLIND        4u /* in race_stopped */

static struct {
	Lock lock;
	char *at, *end;
	char *reserve, *reserve_end;
	char *told; /* how far the reserve had come when a collection was asked for */
	bool low;   /* atomic */
} memory;

bool race_is_blind(void)
{
	return load_acq(&race_stopped) & BLIND; /* pairs with or_ar in go_blind */
}

bool race_is_low(void)
{
	return load_rlx(&memory.low) && swap_ar(&memory.low, false); /* relaxed: a hint */
}

static void go_blind(void)
{
	static const char text[] =
	    "goro: race: out of memory: the detector stops here, races from here on are missed\n";
	if (!(or_ar(&race_stopped, BLIND) & BLIND))
		os_write(2, text, sizeof text - 1);
}

static void *from_reserve(size_t size)
{
	char *p = NULL;
	lock(&memory.lock);
	if ((size_t)(memory.reserve_end - memory.reserve) >= size) {
		p = memory.reserve;
		memory.reserve += size;
	}
	bool last = memory.reserve_end - memory.reserve < (ptrdiff_t)RESERVE_LAST;
	bool ask = !memory.told || memory.reserve - memory.told >= (ptrdiff_t)RESERVE_STEP;
	if (ask)
		memory.told = memory.reserve;
	unlock(&memory.lock);
	if (ask) {
		store_rlx(&memory.low, true);      /* relaxed: a hint */
		store_rlx(&collect_threshold, 0u); /* the same: a collection is due */
	}
	if (last)
		go_blind();
	return p;
}

void *race_alloc(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	void *p = NULL;
	if (size >= ARENA_BYTES / 16) {
		p = os_map(size);
	} else {
		lock(&memory.lock);
		if ((size_t)(memory.end - memory.at) < size) {
			memory.at = os_map(ARENA_BYTES);
			memory.end = memory.at ? memory.at + ARENA_BYTES : NULL;
		}
		if (memory.at) {
			p = memory.at;
			memory.at += size;
		}
		unlock(&memory.lock);
	}
	if (!p)
		p = from_reserve(size);
	if (!p) {
		static const char text[] = "goro: race: out of memory for the detector\n";
		os_write(2, text, sizeof text - 1);
		os_exit(66);
	}
	return p;
}

/* ---- who ---- */

#define GINFO_BITS  10
#define GINFO_CHUNK (1u << GINFO_BITS)
#define GINFO_CHUNKS                                                                               \
	(1u << 18) /* 2.7e8 goroutines have a name of their own; later ones share the last */

static struct {
	Lock lock;
	uint32_t next; /* indices ever used */
	uint32_t free; /* list, through parent */
	uint32_t live;
	uint32_t threads; /* atomic: thread numbers handed out */
	GInfo *chunk[GINFO_CHUNKS];
} ginfos = {.next = 1};

uint32_t race_made;

GInfo *race_ginfo(uint32_t index)
{
	return &load_acq(&ginfos.chunk[index >> GINFO_BITS])[index & (GINFO_CHUNK - 1)];
}

static uint32_t ginfo_new(void)
{
	lock(&ginfos.lock);
	uint32_t i = ginfos.free;
	if (i) {
		ginfos.free = race_ginfo(i)->parent;
		ginfos.live++;
	} else if (ginfos.next == GINFO_CHUNK * GINFO_CHUNKS) {
		i = ginfos.next - 1;
		race_count(lost_memory);
	} else {
		i = ginfos.next++;
		ginfos.live++;
		GInfo **chunk = &ginfos.chunk[i >> GINFO_BITS];
		if (!*chunk) /* pairs with load_acq in race_ginfo */
			store_rel(chunk, (GInfo *)race_alloc(GINFO_CHUNK * sizeof(GInfo)));
	}
	unlock(&ginfos.lock);
	race_made_id();
	return i;
}

void race_ginfo_mark(uint32_t index)
{
	for (int n = 0; index && n < GINFO_CHAIN && !race_ginfo(index)->marked; n++) {
		GInfo *g = race_ginfo(index);
		g->marked = true;
		context_mark(g->created_at);
		index = g->parent;
	}
}

uint32_t race_ginfo_mark_end(void)
{
	for (uint32_t i = 1; i < ginfos.next; i++) { /* who is marked has no unmarked parent then */
		GInfo *g = race_ginfo(i);
		if (g->marked && g->parent && !race_ginfo(g->parent)->marked)
			g->parent = 0;
	}
	for (uint32_t i = 1; i < ginfos.next; i++) {
		GInfo *g = race_ginfo(i);
		if (!g->marked && !g->dead) {
			g->dead = true;
			g->parent = ginfos.free;
			ginfos.free = i;
			ginfos.live--;
		}
		g->marked = false;
	}
	return ginfos.live;
}

MemoryUse race_ginfo_memory(void)
{
	return (MemoryUse){
	    ginfos.live, ((uint64_t)ginfos.next / GINFO_CHUNK + 1) * GINFO_CHUNK * sizeof(GInfo)};
}

/* ---- contexts ---- */

static Pool ctx_pool = POOL_INIT(sizeof(RaceCtx));
static Pool fences_pool = POOL_INIT(sizeof(Fences));
static struct {
	Lock lock;
	RaceCtx *first;
} contexts;

void ctx_stack_fresh(uintptr_t lo, uintptr_t hi)
{
	if (hi <= lo)
		return;
	sync_forget_stack(lo, hi);
	shadow_clear_stack(lo, hi);
}

RaceCtx *ctx_new(RaceCtx *parent, uint64_t id, bool is_main, bool is_thread, uintptr_t stack_lo,
    uintptr_t stack_hi, const void *pc)
{
	RaceCtx *c = pool_get(&ctx_pool);
	memset(c, 0, sizeof *c);
	c->is_main = is_main;
	c->is_thread = is_thread;
	c->stack_lo = stack_lo;
	c->stack_hi = stack_hi;
	c->grown =
	    true; /* nobody has this content of the clock yet: the first release publishes it */
	clock_only_grows(&c->clock);
	if (parent) {
		ClockPair p = race_publish(parent);
		clock_copy(&c->clock, &parent->clock);
		clock_raise(&c->clock, p.slot, p.epoch);
		c->slot = slot_get(&c->clock, p.slot, &c->epoch);
	} else {
		c->slot = slot_get(NULL, 0, &c->epoch);
	}
	c->ginfo = ginfo_new();
	GInfo *g = race_ginfo(c->ginfo);
	*g = (GInfo){.id = is_thread ? add_rlx(&ginfos.threads, 1u) + 1u : id,
	    .parent = parent ? parent->ginfo : 0,
	    .created_at = !pc      ? 0
			  : parent ? context_here(&race_thread, parent, pc)
				   : context_push(0, (uintptr_t)pc), /* by a timer, armed at pc */
	    .stack_lo = stack_lo,
	    .stack_hi = stack_hi,
	    .is_main = is_main,
	    .is_thread = is_thread};
	ctx_stack_fresh(stack_lo, stack_hi);
	lock(&contexts.lock);
	c->next = contexts.first;
	if (c->next)
		c->next->prev = c;
	contexts.first = c;
	unlock(&contexts.lock);
	race_count(goroutines);
	return c;
}

/* What a thread did is before whoever takes over the robust mutexes that it held to its end. */
static void leave_locks(RaceCtx *c)
{
	ReportLock l;
	for (uint32_t set = c->mset; set;) {
		set = mutexset_step(set, &l);
		SyncVar *s = l.mode == LOCK_WRITE ? sync_get(l.addr) : NULL;
		if (s) {
			sync_release_merge(c, s);
			sync_unlock(s);
		}
	}
}

void ctx_finish(RaceCtx *c)
{
	store_rlx(&c->handle, (uintptr_t)0); /* relaxed: the handle is another's only after this */
	if (c->is_thread)
		leave_locks(c);
	context_stack_free(c->base, c->end);
	c->base = c->top = c->end = NULL;
	if (c->fences) {
		clock_clear(&c->fences->release);
		clock_clear(&c->fences->acquire);
		pool_put(&fences_pool, c->fences);
		c->fences = NULL;
	}
	ctx_stack_fresh(c->stack_lo, c->stack_hi);
	c->stack_lo = c->stack_hi = 0;
	c->ended = true;
	store_rlx(&race_ginfo(c->ginfo)->finished, true); /* relaxed: a word in reports */
}

void ctx_delete(RaceCtx *c)
{
	/* An epoch with accesses that was never published cannot be covered. */
	slot_put(c->slot, c->used ? c->epoch : c->epoch - 1, !c->used);
	clock_clear(&c->clock);
	lock(&contexts.lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		contexts.first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	unlock(&contexts.lock);
	cancel_drop(c); /* nobody finds it any more */
	pool_put(&ctx_pool, c);
}

void ctx_each(bool (*fn)(RaceCtx *, void *), void *arg)
{
	lock(&contexts.lock);
	for (RaceCtx *c = contexts.first; c && !fn(c, arg);)
		c = c->next;
	unlock(&contexts.lock);
}

void ctx_mark_all(void)
{
	for (RaceCtx *c = contexts.first; c; c = c->next) { /* world stopped */
		race_ginfo_mark(c->ginfo);
		mutexset_mark(c->mset);
		if (c->fences)
			slot_mark(c->fences->release_own.slot);
		if (!load_rlx(&c->thread)) /* else its stack is the thread's */
			context_mark_stack(c->base, c->top);
	}
	for (RaceThread *t = race_thread_each(NULL); t; t = race_thread_each(t))
		context_mark_stack(t->base, t->top);
}

static bool is_other(RaceCtx *c, void *any)
{
	return *(bool *)any = !c->is_main && !c->ended;
}

bool ctx_others_live(void)
{
	bool any = false;
	ctx_each(is_other, &any);
	return any;
}

Fences *ctx_fences(RaceCtx *c)
{
	if (!c->fences) {
		c->fences = pool_get(&fences_pool);
		memset(c->fences, 0, sizeof *c->fences);
	}
	return c->fences;
}

ClockPair race_publish(RaceCtx *c)
{
	cancel_take(c);
	if (!c->used && !c->grown)
		return (ClockPair){c->slot, c->epoch - 1};
	ClockPair p = {c->slot, c->epoch};
	c->used = c->grown = false;
	clock_settle(&c->clock);
	if (unlikely(c->epoch >= RACE_EPOCH_MAX)) {
		clock_raise(&c->clock, c->slot, c->epoch);
		slot_put(c->slot, c->epoch, true);
		c->slot = slot_get(NULL, 0, &c->epoch);
		c->grown = true; /* epoch 0 of the new slot is nothing one could publish */
	} else {
		c->epoch++;
	}
	RaceThread *t = load_rlx(&c->thread); /* relaxed: its own thread's, or it is parked */
	if (t)
		race_bump(t);
	return p;
}

/* ---- threads ---- */

static Pool slow_pool = POOL_INIT(sizeof(RaceSlow));
static struct {
	Lock lock;
	RaceSlow *first;
} registry;
static pthread_key_t exit_key;
static bool have_key;

MemoryUse race_ctx_memory(void)
{
	MemoryUse ctx = pool_memory(&ctx_pool), fences = pool_memory(&fences_pool),
		  threads = pool_memory(&slow_pool);
	return (MemoryUse){ctx.live, ctx.bytes + fences.bytes + threads.bytes};
}

void race_bump_wrapped(RaceThread *t)
{
	memset(t->filter, 0, sizeof t->filter);
	if (t->slow) {
		memset(t->slow->rec_cache, 0, sizeof t->slow->rec_cache);
		memset(t->slow->trans, 0, sizeof t->slow->trans);
		memset(t->slow->alloc_cache, 0, sizeof t->slow->alloc_cache);
	}
	store_rlx(&t->gen, 1u << GEN_SHIFT);
}

void race_load(RaceThread *t, RaceCtx *to)
{
	RaceCtx *from = t->ctx;
	if (from) {
		from->base = t->base;
		from->top = t->top;
		from->end = t->end;
		store_rlx(&from->thread,
		    (RaceThread *)NULL); /* relaxed: read by whoever takes it off its queue */
	}
	t->ctx = to;
	if (to) {
		t->base = to->base;
		t->top = to->top;
		t->end = to->end;
		store_rlx(&to->thread, t);
	} else {
		t->base = t->top = t->end = NULL;
	}
	race_bump(t);
}

/* t is inside and in the registry. Who stops the world holds the lock until all of those are outside: wait there, as
 * at every entry, not for the lock. */
static void registry_lock(RaceThread *t)
{
	while (!lock_try(&registry.lock)) {
		if (load_acq(&race_stopped) & 1) /* pairs with or_ar in race_stop_world */
			(void)race_wait_stopped(t);
		else
			cpu_relax();
	}
}

static void unregister(RaceThread *t)
{
	RaceSlow *s = t->slow;
	if (!s)
		return;
	ids_give_back(&record_ids, &s->block);
	ids_give_back(&few_ids, &s->fews);
	race_forget_tls(t);
	registry_lock(t);
	if (s->prev)
		s->prev->next = s->next;
	else
		registry.first = s->next;
	if (s->next)
		s->next->prev = s->prev;
	t->slow = NULL;
	unlock(&registry.lock);
	pool_put(&slow_pool, s);
}

/* The thread ends, the interceptors or not: nothing of it may stay in the registry. In the last round of
 * destructors only: what the program's own do, locks among it, counts. */
static void on_thread_exit(void *arg)
{
	static __thread int rounds;
	RaceThread *t = arg;
	if (++rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(exit_key, t) == 0)
		return;
	if (!race_enter(t))
		return;
	race_load(t, NULL);
	t->scheduler = true;
	RaceCtx *home = t->home;
	t->home = NULL;
	if (home) {
		ctx_finish(home);
		if (!t->begun) /* else it is the joiner's */
			ctx_delete(home);
	}
	unregister(t);
	race_leave(t);
}

void race_init(void)
{
	static Lock once;
	static bool done;
	if (load_acq(&done)) /* pairs with store_rel below */
		return;
	lock(&once);
	if (!done) {
		if (!os_barrier_init())
			store_sc(&race_stopped, 2u); /* see race_wait_stopped */
		memory.reserve = os_map(RESERVE_BYTES);
		memory.reserve_end = memory.reserve ? memory.reserve + RESERVE_BYTES : NULL;
		have_key = pthread_key_create(&exit_key, on_thread_exit) == 0;
		intercept_init();
		store_rel(&done, true);
	}
	unlock(&once);
}

void race_register(RaceThread *t)
{
	if (t->slow)
		return;
	race_init();
	RaceSlow *s = pool_get(&slow_pool);
	memset(s, 0, offsetof(RaceSlow, scratch)); /* scratch outlives its threads */
	s->nfound = 0;
	s->thread = t;
	t->slow = s;
	race_bump_wrapped(t);
	race_find_tls(t);
	lock(&registry.lock);
	s->next = registry.first;
	if (s->next)
		s->next->prev = s;
	registry.first = s;
	unlock(&registry.lock);
	if (have_key)
		pthread_setspecific(exit_key, t);
}

void race_attach(RaceThread *t)
{
	race_register(t);
	if (!t->home) {
		uintptr_t lo = 0, hi = 0;
		os_thread_stack(&lo, &hi);
		t->home = ctx_new(NULL, 0, os_thread_id() == (uint32_t)getpid(), true, 0, 0, NULL);
		store_rlx(&t->home->handle,
		    (uintptr_t)pthread_self()); /* relaxed: see race_thread_handle */
		/* not fresh memory: it runs already */
		t->home->stack_lo = lo;
		t->home->stack_hi = hi;
		race_ginfo(t->home->ginfo)->stack_lo = lo;
		race_ginfo(t->home->ginfo)->stack_hi = hi;
	}
	t->scheduler = false;
	race_load(t, t->home);
}

bool race_asynchronous_later(void)
{
	RaceThread *t = &race_thread;
	if (!load_rlx(&t->busy) || !race_signals_held) /* relaxed: own */
		return false;
	t->asynchronous = true;
	or_ar(&t->held, RACE_HELD_CANCEL); /* pairs with race_leave */
	return true;
}

/* ---- stopping the world ---- */

bool race_wait_stopped(RaceThread *t)
{
	for (;;) {
		uint32_t s = load_acq(&race_stopped);
		if (s & 2) {
			fence_sc(); /* no os_barrier: pairs with the fence in race_stop_world */
			s = load_acq(&race_stopped);
		}
		if (!(s & 1))
			return !(s & BLIND);
		store_rel(&t->busy, 0u);
		os_futex_wait(&race_stopped, s, -1);
		store_rlx(&t->busy, 1u);
		fence_sc();
	}
}

bool race_stop_world(RaceThread *me)
{
	if (or_ar(&race_stopped, 1u) & 1) {
		race_wait_stopped(me);
		return false;
	}
	fence_sc();
	os_barrier(); /* every thread now sees race_stopped, or we see its busy */
	lock(&registry.lock);
	for (RaceSlow *s = registry.first; s; s = s->next)
		if (s->thread != me)
			for (int spins = 0; load_acq(&s->thread->busy);
			     spins++) /* pairs with race_leave */
				if (spins > 50)
					os_yield();
	return true;
}

void race_start_world(void)
{
	unlock(&registry.lock);
	and_ar(&race_stopped, ~1u);
	os_futex_wake(&race_stopped, INT32_MAX);
}

RaceThread *race_thread_each(RaceThread *after)
{
	RaceSlow *s = after ? after->slow->next : registry.first;
	return s ? s->thread : NULL;
}

void race_forget_threads(RaceThread *me)
{
	registry.first = me->slow;
	race_only_tls(me);
	if (me->slow)
		me->slow->next = me->slow->prev = NULL;
}
