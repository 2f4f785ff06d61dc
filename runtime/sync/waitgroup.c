/*
 * waitgroup.c: goro_waitgroup. One word holds the counter (high half) and the number of waiters
 * (low); waiters lie in the bucket of its address and join the word and the queue under the
 * bucket's lock, so the Done that reaches zero finds each of them parked. It then stores zero, its
 * last touch of the word, and wakes them: whoever returns from Wait may free the group, or use it
 * again at once.
 *
 * Edges: Done -> the Wait that it lets go. Each Done joins its clock into the group's
 * (release_merge); a Wait that finds zero acquires it, and for a parked one the last Done does so on
 * its behalf, before anyone can start another round. In the race build all of it is done under the
 * bucket's lock, so that word and clock change together. Add orders nothing.
 *
 * When does the clock start anew? Not whenever the counter leaves zero: Add, go, Add, go passes zero
 * when the first is quick, and a later Wait is let go by both. But when the one who now adds has
 * itself waited since the last Done it knows all that the clock holds, and so does every Wait that
 * comes after its Add, as it must: then the old rounds are forgotten, and a Wait elsewhere gets no
 * edge from a round that did not let it go.
 *
 * As in Go, an Add that starts a round must not run concurrently with a Wait: for the detector it
 * reads, and the first waiter writes, the group's first byte, so that "Add inside the goroutine" is
 * a report.
 */
#include "sema.h"

#include <stdlib.h>

#define ONE ((uint64_t)1 << 32)

static const char MISUSE[] = "sync: WaitGroup misuse: Add called concurrently with Wait";

/* Who waited: never another's, not of one who came after it has ended. */
static uint64_t number(const G *g)
{
	return g->foreign ? g->created_by | UINT64_C(1) << 63 : g->id;
}

/* The counter is zero and there are waiters. Bucket locked, released. */
static void let_go(goro_waitgroup *wg, Bucket *b)
{
	Waiter *w = bucket_pop_all(b, wg), *next;
	store_rlx(&wg->state, 0); /* waiters learn by ready; a new Wait by add_ar before */
	if (GORO_RACE) {
		for (next = w; next; next = next->link)
			hook_acquire(next->g->race, wg);
		wg->waited = number(w->g);
	}
	bucket_unlock(b);
	for (; w; w = next) {
		next = w->link;
		ready_tail(w->g);
	}
}

static void add(goro_waitgroup *wg, int n, const void *pc)
{
	Bucket *b = NULL;
	if (unlikely(!wg))
		panic("sync: nil WaitGroup");
	if (GORO_RACE) {
		RaceCtx *me = race_self();
		b = bucket_lock(wg);
		if (n > 0 && load_rlx(&wg->state) >> 32 == 0) {
			if (wg->waited && wg->waited == number(g_current()))
				hook_forget(wg);
			hook_read(me, wg, 1, pc);
		} else if (n < 0) {
			wg->waited = 0;
			hook_release_merge(me, wg);
		}
	}
	/* Release: what was done before Done; acquire: the last Done speaks for all. Pairs with
	 * itself and with load_acq in goro_waitgroup_wait. */
	uint64_t s = add_ar(&wg->state, (uint64_t)(int64_t)n << 32) + ((uint64_t)(int64_t)n << 32);
	int32_t counter = (int32_t)(s >> 32);
	uint32_t waiters = (uint32_t)s;
	if (unlikely(counter < 0))
		panic("sync: negative WaitGroup counter");
	if (unlikely(waiters && n > 0 && counter == n))
		panic("%s", MISUSE);
	if (counter > 0 || waiters == 0) {
		if (b)
			bucket_unlock(b);
		return;
	}
	if (!b)
		b = bucket_lock(wg);
	if (unlikely(load_rlx(&wg->state) != s))
		panic("%s", MISUSE);
	let_go(wg, b);
}

void goro_waitgroup_add(goro_waitgroup *wg, int n)
{
	sched_point(POINT_ADD, wg);
	add(wg, n, __builtin_return_address(0));
}

void goro_waitgroup_done(goro_waitgroup *wg)
{
	sched_point(POINT_ADD, wg);
	add(wg, -1, __builtin_return_address(0));
}

void goro_waitgroup_wait(goro_waitgroup *wg)
{
	sched_point(POINT_WAIT, wg);
	if (unlikely(!wg))
		panic("sync: nil WaitGroup");
	if (!GORO_RACE && load_acq(&wg->state) >> 32 == 0) /* pairs with add_ar in add */
		return;
	RaceCtx *me = race_self();
	Bucket *b = bucket_lock(wg);
	for (;;) {
		uint64_t s = load_acq(&wg->state); /* pairs with add_ar in add */
		if (s >> 32 == 0) {
			if (GORO_RACE) {
				hook_acquire(me, wg);
				wg->waited = number(g_current());
			}
			bucket_unlock(b);
			return;
		}
		/* Counted: the bucket's lock publishes the rest. */
		if (!cas_rlx(&wg->state, s, s + 1))
			continue;
		if ((uint32_t)s == 0)
			hook_write(me, wg, 1, __builtin_return_address(0));
		break;
	}
	Waiter w = {.g = g_current(), .index = -1};
	bucket_push(b, wg, &w, false);
	park(&b->lock, WAIT_WAITGROUP, wg);
}

/* ---- goro_waitgroup_go ---- */

typedef struct Member {
	goro_waitgroup *wg;
	void (*f)(void *);
	void *arg;
	const void *pc;
} Member;

static void member_done(void *arg)
{
	const Member *m = arg;
	add(m->wg, -1, m->pc);
}

static CALLS_PROGRAM void member_run(void *arg)
{
	Member m = *(Member *)arg;
	free(arg);
	G *g = g_self();
	AtExit done = {.next = g->at_exit, .fn = member_done, .arg = &m};
	g->at_exit = &done; /* go_exit runs it: f may end by goro_goexit */
	m.f(m.arg);
	g->at_exit = done.next;
	member_done(&m);
}

void goro_waitgroup_go(goro_waitgroup *wg, void (*f)(void *), void *arg)
{
	const void *pc = __builtin_return_address(0);
	if (!f)
		panic("sync: WaitGroup.Go of a NULL function");
	add(wg, 1, pc);
	Member *m = malloc(sizeof(*m));
	if (!m)
		fatal("out of memory: cannot start a goroutine");
	*m = (Member){.wg = wg, .f = f, .arg = arg, .pc = pc};
	G *g = go_new(member_run, m, 0, pc);
	if (!g)
		fatal("out of memory: cannot start a goroutine");
	go_start(g);
}
