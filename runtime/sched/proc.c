/*
 * proc.c: a goroutine's life: go, park, ready, yield, exit.
 *
 * A goroutine is made DEAD -> RUNNABLE by its creator, which alone holds it until go_start puts it on a
 * queue. From then on it belongs to the queue, to the M that runs it, or, while it waits, to whoever finds
 * it on a wait queue. Its last act is to leave for good: the next on the M gives its stack back.
 */
#include <errno.h>
#include <string.h>

#include "../os/sanitizer.h"
#include "../os/switch.h"
#include "internal.h"

/* ---- creation ---- */

static uint64_t new_id(P *p)
{
	if (!p)
		return add_rlx(&sched.next_id, 1) + 1;
	if (p->id_next == p->id_end) { /* 16 at a time, to leave the shared counter alone */
		p->id_next = add_rlx(&sched.next_id, 16) + 1;
		p->id_end = p->id_next + 16;
	}
	return p->id_next++;
}

static void count(P *p, int64_t n)
{
	if (p)
		store_rlx(&p->ngoroutines, p->ngoroutines + n); /* only we write it */
	else
		(void)add_rlx(&sched.ngoroutines, n);
}

/* A goroutine but for its first context. fn: what it will run, for traces. */
static G *make(size_t stack_size, bool is_main, const void *fn, const void *pc)
{
	if (unlikely(!load_acq(&sched.ready))) /* pairs with store_rel in sched_init */
		sched_init();
	P *p = p_here();
	if (unlikely(!p) && load_rlx(&sched.forked)) /* relaxed: constant in the child */
		fork_fatal();
	G *g = stack_new(stack_size);
	if (!g)
		return NULL;
	G *self = g_self();
	g->id = new_id(p);
	g->created_pc = pc;
	g->created_by = self ? self->id : 0;
	g->saved_errno = 0;
	if (unlikely(is_main))
		g->is_main = true;
	san_new(&g->san, g->stack_lo, g->stack_hi);
	if (GORO_RACE) /* the one argument that costs something */
		g->race = hook_go(race_self(), g->id, is_main, g->stack_lo, g->stack_hi, pc);
	count(p, 1);
	if (SEEDED)
		seed_made(g);
	if (TRACED)
		trace_made(g, fn);
	store_rel(&g->state, G_RUNNABLE); /* for dumps: the fields above */
	return g;
}

G *go_new(void (*f)(void *), void *arg, size_t stack_size, const void *pc)
{
	G *g = make(stack_size, false, (const void *)f, pc);
	if (g)
		g->sp = os_switch_new(g, f, arg);
	return g;
}

G *go_new_main(void (*f)(void *), void *arg, size_t stack_size, const void *pc)
{
	G *g = make(stack_size, true, NULL, pc);
	if (g)
		g->sp = os_switch_new(g, f, arg);
	return g;
}

/* Onto a queue: next in turn here, or at the tail; the global queue from threads without a P. */
static inline void enqueue(G *g, bool next)
{
	P *p = p_here();
	if (unlikely(!p)) {
		if (unlikely(load_rlx(&sched.forked))) /* relaxed: constant in the child */
			fork_fatal();
		sched_put_global(&g, 1);
		sched_wakep();
	} else if (runq_put(p, g, next)) {
		sched_wakep();
	}
}

void go_start(G *g)
{
	P *p = p_here();
	if (unlikely(!p))
		enqueue(g, true);
	else if (runq_put_new(p, g))
		sched_wakep();
}

/* Start a new goroutine from the go statement, where the caller may be made to yield anyhow. Its place is the
 * queue; but a P with enough there runs it at once and goes on with the caller after: a tree of goroutines
 * is walked depth first, on a few hot stacks, and ten thousand that do little never live at the same time.
 * The ring gets its turn by runq_get's count, and its goroutines are there for thieves. */
static inline void start(G *g, const void *pc)
{
	if (SEEDED) {
		uint64_t id = g->id; /* it may end before we go on */
		go_start(g);
		seed_point(POINT_GO, (const void *)(uintptr_t)id, pc);
		return;
	}
	G *me = g_self();
	P *p = me ? me->m->p : NULL;
	if (likely(p != NULL)) {
		if (runq_new(p) >= BREADTH && !load_rlx(&me->preempt) && leave_for(me, g))
			return;
	}
	go_start(g);
	/* Timers are due, say: what they make ready would wait in the ring for a long loop of go statements, of which
	 * each goes before it. */
	if (unlikely(p && load_rlx(&p->attention)))
		yield();
	else
		preempt_check();
}

static void set_name(G *g, const char *name)
{
	strncpy(g->name, name, sizeof g->name - 1);
	g->name[sizeof g->name - 1] = 0;
	g->named = true;
	hook_name(g->race, g->name);
	if (TRACED)
		trace_named(g);
}

int goro_go_with(const goro_attr *attr, void (*f)(void *), void *arg)
{
	size_t size = attr ? attr->stack_size : 0;
	if (!f || size > (size_t)1 << 30)
		return -EINVAL;
	G *g = go_new(f, arg, size, __builtin_return_address(0));
	if (!g)
		return -ENOMEM;
	if (attr && attr->name)
		set_name(g, attr->name);
	start(g, __builtin_return_address(0));
	return 0;
}

int goro_go(void (*f)(void *), void *arg)
{
	if (!f)
		return -EINVAL;
	G *g = go_new(f, arg, 0, __builtin_return_address(0));
	if (!g)
		return -ENOMEM;
	start(g, __builtin_return_address(0));
	return 0;
}

/* From goro_go_capture (os/switch_*.S), the macro `go`: call f as captured, on a new goroutine. */
void goro_go_captured(
    const CallRegs *regs, void (*f)(void), const void *stack, size_t nstack, const void *pc);
void goro_go_captured(
    const CallRegs *regs, void (*f)(void), const void *stack, size_t nstack, const void *pc)
{
	if (!f)
		panic("go of nil func value");
	G *g = make(0, false, (const void *)f, pc);
	if (!g)
		fatal("go: out of memory for a goroutine");
	g->sp = os_switch_new_call(g, (void *)g->stack_lo, f, regs, stack, nstack);
	if (!g->sp)
		fatal("go: arguments of %zu bytes do not fit a stack of %zu", nstack,
		    stack_default_size());
	start(g, pc);
}

/* ---- end ---- */

void go_exit(void)
{
	G *g = g_self();
	for (AtExit *a; (a = g->at_exit) != NULL;) {
		g->at_exit = a->next;
		a->fn(a->arg);
	}
	if (GORO_RACE &&
	    unlikely(load_rlx(&sched.main_left) != NULL))      /* a late look costs an edge */
		hook_release_merge(g->race, &sched.main_left); /* before what exit handlers do */
	hook_end(g->race);
	hook_switch(NULL);
	M *m = g->m; /* at_exit may have parked */
	if (g->locked) {
		if (g->masked)
			mask_end(g);
		g->locked = 0;
		g->locked_m = NULL;
		m->locked_g = NULL;
	}
	count(m->p, -1);
	g->race = NULL;
	/* What creation takes for granted. at_exit is empty, wait_on and wait_reason are the waker's to clear. */
	if (unlikely(load_rlx(&g->preempt)))
		store_rlx(&g->preempt, 0);
	if (unlikely(g->is_main))
		g->is_main = false;
	if (unlikely(g->waiter != NULL))
		g->waiter = NULL;
	if (unlikely(g->named)) {
		g->named = false;
		g->name[0] = 0;
	}
	store_rlx(&g->state, G_DEAD); /* for dumps */
	m->after = AFTER_DEAD;
	m->after_g = g;
	leave(g, true);
	throw("a dead goroutine runs");
}

void goro_goexit(void)
{
	G *g = g_self();
	if (!g)
		fatal("goro_goexit: this thread runs no goroutine");
	if (g->is_main)
		store_rel(&sched.main_exited, 1);
	go_exit();
}

/* ---- stop and go on ---- */

G *g_current(void)
{
	G *g = g_self();
	return likely(g != NULL) ? g : g_foreign();
}

void park(Lock *l, WaitReason why, const void *on)
{
	G *g = g_current();
	g->wait_on = on;
	store_rlx(&g->wait_since, load_rlx(&sched.coarse_now));
	store_rlx(&g->wait_reason, why); /* for dumps, as is the state */
	store_rlx(&g->state, G_WAITING);
	if (unlikely(g->foreign)) {
		unlock(l);
		foreign_park(g);
		return;
	}
	M *m = g->m;
	m->after = AFTER_UNLOCK;
	m->after_lock = l;
	leave(g, false);
}

void park_fn(void (*fn)(G *, void *), void *arg, WaitReason why, const void *on)
{
	G *g = g_current();
	g->wait_on = on;
	store_rlx(&g->wait_since, load_rlx(&sched.coarse_now));
	store_rlx(&g->wait_reason, why);
	store_rlx(&g->state, G_WAITING);
	if (unlikely(g->foreign)) {
		fn(g, arg);
		foreign_park(g);
		return;
	}
	M *m = g->m;
	m->after = AFTER_CALL;
	m->after_g = g;
	m->after_fn = fn;
	m->after_arg = arg;
	leave(g, false);
}

static inline void make_ready(G *g, bool next)
{
	if (TRACED && !g->foreign)
		trace_ready(g);
	g->wait_on = NULL;
	store_rlx(&g->wait_reason, WAIT_NONE);
	store_rlx(&g->state, G_RUNNABLE);
	if (unlikely(g->foreign))
		foreign_ready(g);
	else
		enqueue(g, next);
}

void ready(G *g)
{
	make_ready(g, true);
}

void ready_tail(G *g)
{
	make_ready(g, false);
}

void yield(void)
{
	G *g = g_self();
	if (!g) {
		os_yield();
		return;
	}
	if (SEEDED) {
		store_rlx(&g->preempt, 0);
		seed_point(POINT_YIELD, NULL, __builtin_return_address(0));
		return;
	}
	M *m = g->m;
	P *p = m->p;
	store_rlx(&g->preempt, 0);
	if (!p)
		return;
	/* Nobody to yield to? Hints: the ring's head may be older than it is, which costs a detour through g0. */
	if (load_rlx(&p->runq.tail) == load_rlx(&p->runq.head) && !p->behind && runq_empty(p) &&
	    !load_rlx(&sched.runq_size) && !load_rlx(&p->attention))
		return; /* nobody to yield to; hints, read again at the next yield */
	store_rlx(&g->state, G_RUNNABLE);
	m->after = AFTER_YIELD;
	m->after_g = g;
	leave(g, false);
}

void goro_gosched(void)
{
	if (SEEDED)
		seed_point(POINT_YIELD, NULL, __builtin_return_address(0));
	else
		yield();
}

/* ---- small answers ---- */

uint64_t goro_id(void)
{
	G *g = g_self();
	return g ? g->id : 0;
}

int *goro_errno_location(void)
{
	return os_errno_at();
}

void goro_set_name(const char *name)
{
	G *g = g_current();
	set_name(g, name ? name : "");
}

int64_t goroutines(void)
{
	int64_t n = load_rlx(&sched.ngoroutines);
	uint32_t np = load_acq(&sched.nall_p);
	for (uint32_t i = 0; i < np; i++)
		n += load_rlx(&sched.all_p[i]->ngoroutines);
	return n;
}

int goro_num_goroutine(void)
{
	return (int)goroutines();
}

int goro_num_cpu(void)
{
	return os_cpu_count();
}

bool goro_race_enabled(void)
{
	return GORO_RACE;
}

/* ---- wired to a thread ---- */

void goro_lock_os_thread(void)
{
	G *g = g_self();
	if (!g) /* a thread of the program is its own */
		return;
	if (g->locked++ == 0) {
		g->locked_m = g->m;
		g->m->locked_g = g;
	}
}

void goro_unlock_os_thread(void)
{
	G *g = g_self();
	if (!g || g->locked == 0 || --g->locked > 0)
		return;
	g->locked_m = NULL;
	g->m->locked_g = NULL;
}

const char *wait_reason_text(WaitReason w)
{
	static const char *const text[] = {
#define TEXT_(name, s) s,
	    WAIT_REASONS(TEXT_)
#undef TEXT_
	};
	return (unsigned)w < WAIT_COUNT ? text[w] : "?";
}
