/*
 * thread.c: pthreads: birth, end, join, detach.
 *
 * Edges: pthread_create is before the thread's first step; its end is before a join that answers 0.
 *
 * A Start lives from before the thread's birth until nobody asks for it any more. Its holders: the
 * creator until pthread_create has answered, the thread until its end, the table until join or detach.
 * Creator or thread, whichever is first, files it under its pthread_t, so that everybody who can know
 * the handle finds it. fate gathers ENDED and DETACHED; whoever completes the pair gives the context
 * back; a joiner does so otherwise.
 *
 * The end is the last round of destructors of thread-specific data (the key re-arms itself until then):
 * pthread_exit and cancellation come by, and what other destructors do still counts.
 *
 * The table: a chained hash; its lock guards the chains and `filed`, and is a leaf.
 */
#include "core.h"

#include <limits.h>

#include "../lock/misuse.h"
#include "../thread.h"

enum { ENDED = 1, DETACHED = 2 };

struct Start {
	Start *next;  /* chain; table.lock */
	pthread_t th; /* constant once filed */
	void *(*fn)(void *);
	int (*fn11)(void *);
	void *arg;
	RaceCtx *child;   /* NULL: the creator did not count; the thread attaches by itself */
	bool filed;       /* table.lock */
	uint32_t fate;    /* atomic */
	uint32_t holders; /* atomic */
	uint32_t asked;   /* joins and detaches under way; table.lock */
};

static __thread Start *mine __attribute__((tls_model("initial-exec")));

static void let_go(Start *s)
{
	if (sub_ar(&s->holders, 1u) == 1) /* pairs with itself: the last sees the others done */
		goro_real_free(s);
}

/* ENDED or DETACHED has come: with the other one there, nobody will join. */
static void add_fate(Start *s, uint32_t what)
{
	if (or_ar(&s->fate, what) == (what ^ (ENDED | DETACHED)) &&
	    s->child) /* pairs with itself */
		race_thread_release(s->child);
}

/* ---- the table ---- */

#define BUCKET_BITS 10

static struct {
	Lock lock;
	Start *bucket[1 << BUCKET_BITS];
} table;

static Start **bucket_of(pthread_t th)
{
	return &table.bucket[(uintptr_t)th * 0x9e3779b97f4a7c15u >> (64 - BUCKET_BITS)];
}

/* Once, by the first of the two who can. A detached thread is found by nobody. */
static void file(Start *s, pthread_t th)
{
	lock(&table.lock);
	if (!s->filed) {
		s->filed = true;
		s->th = th;
		race_thread_handle(s->child, (uintptr_t)th);
		race_thread_handle(s->child, (uintptr_t)th);
		if (!(load_rlx(&s->fate) &
			DETACHED)) { /* relaxed: set before birth, or after filing */
			Start **at = bucket_of(th);

			s->next = *at;
			*at = s;
			add_rlx(&s->holders, 1u); /* relaxed: we hold it */
		}
	}
	unlock(&table.lock);
}

Start *thread_find(pthread_t th)
{
	Start *s;

	lock(&table.lock);
	for (s = *bucket_of(th); s && s->th != th; s = s->next)
		;
	if (s) {
		add_rlx(&s->holders, 1u); /* relaxed: the table holds it */
		s->asked++;
	}
	unlock(&table.lock);
	return s;
}

/* Take s off the table, and let go of it for the table and for thread_find's caller. False: it was off. */
static bool unfile(Start *s)
{
	Start **at;
	bool found;

	lock(&table.lock);
	for (at = bucket_of(s->th); *at && *at != s; at = &(*at)->next)
		;
	found = *at != NULL;
	if (found)
		*at = s->next;
	unlock(&table.lock);
	if (found)
		let_go(s);
	return found;
}

/* ---- leaks ---- */

#define LEAKS 64 /* places told of; a leak in a loop is one */

typedef struct Leak {
	StackId at;
	uint32_t ginfo;
	int more;
} Leak;

static void note_leak(Leak *leaks, int *n, const Start *s)
{
	StackId at = race_ginfo(s->child->ginfo)->created_at;
	int i = 0;

	while (i < *n && leaks[i].at != at)
		i++;
	if (i < *n) {
		leaks[i].more++;
		if (race_ginfo(s->child->ginfo)->id < race_ginfo(leaks[i].ginfo)->id)
			leaks[i].ginfo = s->child->ginfo; /* the first one is told */
	} else if (*n < LEAKS) {
		leaks[(*n)++] = (Leak){at, s->child->ginfo, 0};
	}
}

/* Nobody joins it any more: its creator is who ends the process now, or has ended. Else it may have been about
 * to. */
static bool is_leak(const Start *s, const RaceCtx *me)
{
	uint32_t parent = s->child ? race_ginfo(s->child->ginfo)->parent : 0;

	return s->child && !s->asked &&
	       (!parent || (me && me->ginfo == parent) ||
		   load_rlx(&race_ginfo(parent)->finished)); /* relaxed: an instant more or less */
}

void thread_leaks(void)
{
	static Leak leaks[LEAKS]; /* table.lock to fill; the process ends once */
	RaceCtx *me = self();
	int n = 0;

	if (signal_running)
		return; /* it may have interrupted who holds the lock */
	hook_linger();  /* who still runs may detach itself yet */
	lock(&table.lock);
	for (size_t i = 0; i < sizeof table.bucket / sizeof *table.bucket; i++)
		for (Start *s = table.bucket[i]; s; s = s->next)
			if (is_leak(s, me))
				note_leak(leaks, &n, s);
	unlock(&table.lock);
	for (int i = 0; i < n; i++)
		misuse_thread_leak(leaks[i].ginfo, leaks[i].more);
}

void thread_forked(void)
{
	table.lock = (Lock)LOCK_INIT(NONE);
	for (size_t i = 0; i < sizeof table.bucket / sizeof *table.bucket; i++)
		table.bucket[i] = NULL; /* they stayed behind; what they hold is not worth it */
}

/* ---- birth and end ---- */

Start *thread_start_new(
    RaceCtx *me, void *(*fn)(void *), int (*fn11)(void *), void *arg, bool detached, const void *pc)
{
	Start *s = goro_real_calloc(1, sizeof *s);

	if (s) {
		s->fn = fn;
		s->fn11 = fn11;
		s->arg = arg;
		s->child = me ? race_thread_create(me, pc) : NULL;
		s->fate = detached ? DETACHED : 0;
		s->holders = 2;
	}
	return s;
}

void thread_started(Start *s, pthread_t th, bool ok)
{
	if (ok) {
		file(s, th);
		let_go(s);
	} else { /* nobody else ever saw it */
		if (s->child)
			race_thread_release(s->child);
		goro_real_free(s);
	}
}

static pthread_key_t end_key;

static void at_end(void *rounds)
{
	uintptr_t left = (uintptr_t)rounds;
	Start *s = mine;

	if (left > 1 && pthread_setspecific(end_key, (void *)(left - 1)) == 0)
		return;
	race_thread_end();
	mine = NULL;
	if (s) {
		add_fate(s, ENDED);
		let_go(s);
	}
}

void thread_init(void)
{
	pthread_key_create(&end_key, at_end);
}

/* First thing on the new thread. */
static Start *begin(Start *s)
{
	file(s, pthread_self());
	mine = s;
	pthread_setspecific(end_key, (void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
	race_thread_begin(s->child);
	return s;
}

void *thread_entry(void *start)
{
	Start *s = begin(start);

	return s->fn(s->arg);
}

int thread_entry11(void *start)
{
	Start *s = begin(start);

	return s->fn11(s->arg);
}

INTERCEPT int pthread_create(pthread_t *restrict th, const pthread_attr_t *restrict attr,
    void *(*fn)(void *), void *restrict arg)
{
	RaceCtx *me = self();
	int state = PTHREAD_CREATE_JOINABLE, r;
	Start *s = NULL;

	if (attr)
		pthread_attr_getdetachstate(attr, &state);
	if (intercept_ready)
		s = thread_start_new(me, fn, NULL, arg, state == PTHREAD_CREATE_DETACHED, CALLER);
	if (!s)
		return goro_real_pthread_create(th, attr, fn, arg);
	writes(me, th, sizeof *th, CALLER);
	r = goro_real_pthread_create(th, attr, thread_entry, s);
	thread_started(s, r == 0 ? *th : 0, r == 0);
	return r;
}

/* ---- join and detach ---- */

static void answered(Start *s)
{
	lock(&table.lock);
	s->asked--;
	unlock(&table.lock);
}

void thread_joined(Start *s, bool ok)
{
	if (!s)
		return;
	answered(s);
	if (ok && unfile(s) && s->child) {
		RaceCtx *me = self();

		if (me)
			race_thread_join(me, s->child);
		race_thread_release(s->child);
	}
	let_go(s);
}

void thread_detached(Start *s, bool ok)
{
	if (!s)
		return;
	answered(s);
	if (ok && unfile(s))
		add_fate(s, DETACHED);
	let_go(s);
}

/* The handle is looked up before the join: afterwards its value may name another thread. */
#define JOIN(th, out, call)                                                                        \
	do {                                                                                       \
		Start *s = thread_find(th);                                                        \
		int r = call;                                                                      \
		thread_joined(s, r == 0);                                                          \
		if (r == 0 && out)                                                                 \
			writes(self(), out, sizeof *out, CALLER);                                  \
		return r;                                                                          \
	} while (0)

INTERCEPT int pthread_join(pthread_t th, void **out)
{
	JOIN(th, out, BLOCKS(goro_real_pthread_join(th, out)));
}

INTERCEPT int pthread_tryjoin_np(pthread_t th, void **out)
{
	JOIN(th, out, goro_real_pthread_tryjoin_np(th, out));
}

INTERCEPT int pthread_timedjoin_np(pthread_t th, void **out, const struct timespec *until)
{
	JOIN(th, out, BLOCKS(goro_real_pthread_timedjoin_np(th, out, until)));
}

INTERCEPT int pthread_clockjoin_np(
    pthread_t th, void **out, clockid_t clock, const struct timespec *until)
{
	JOIN(th, out, BLOCKS(goro_real_pthread_clockjoin_np(th, out, clock, until)));
}

INTERCEPT int pthread_detach(pthread_t th)
{
	Start *s = thread_find(th);
	int r = goro_real_pthread_detach(th);

	thread_detached(s, r == 0);
	return r;
}

/* A report names a thread as the program did. */
INTERCEPT int pthread_setname_np(pthread_t th, const char *name)
{
	RaceCtx *g = self();

	if (g && pthread_equal(th, pthread_self()))
		hook_name(g, name);
	else if (g)
		race_thread_name((uintptr_t)th, name);
	return goro_real_pthread_setname_np(th, name);
}
