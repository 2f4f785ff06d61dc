/*
 * select.c: do one of several channel operations, uniformly at random among those ready.
 *
 *   1. In a random order, without more than one lock at a time: a case that may go ahead is tried
 *      under its channel's lock. The first that succeeds is the answer: each ready case is equally
 *      likely to come first. Few cases are not shuffled: all are looked at, a bit each, and one drawn of those
 *      that look ready. A P that runs alone does this and the next step in one section.
 *   2. Otherwise all channels are locked, in the order of their addresses (each once), and the
 *      cases tried again: now "none is ready" is true of one moment, which a default needs to be
 *      exact and going to sleep needs to lose no wake-up.
 *   3. A waiter is put on every channel, and park lets go of the locks on the other side of the
 *      switch.
 *   4. The peer that wins g->select_done does the operation and says which in g->wake_arg.
 *      The remaining waiters are taken off one by one; the channel that was served is not touched
 *      again (its peer may be freeing it), nor one whose peer has dropped the stale waiter
 *      (chan.h).
 *
 * Edges are those of the case done; the others make none, except that each channel's id_life is
 * read, and id_access of those that step 1 tried to send to.
 */
#include "chan.h"

#include <stdlib.h>

#define SMALL 16 /* cases whose bookkeeping lies on the stack: 16 * 140 bytes */

typedef struct Sel {
	goro_case *cases;
	int total;         /* cases */
	int n;             /* of those with a channel */
	bool few;          /* poll is in order, not shuffled, and filled when it is asked for */
	int *poll;         /* indices of cases that have a channel */
	goro_chan **locks; /* their channels by address, with repeats */
	Waiter *waiters;   /* by position in poll */
	P *alone;          /* all are locked by one section of it; NULL: by their locks */
	const void *pc;
	RaceCtx *race;
} Sel;

/* Uniform in [0, n): the product of a 32-bit random number; the bias, n / 2^32, is below notice. The
 * state is the M's, which stays ours meanwhile: nothing parks. */
static uint32_t random_below(uint64_t *state, uint32_t n)
{
	uint64_t x = *state;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return (uint32_t)((x >> 32) * n >> 32);
}

static uint32_t draw(uint32_t n)
{
	G *me = g_self();
	uint64_t x = 0;
	if (unlikely(!me))
		x = os_random() | 1;
	return random_below(me ? &me->m->rand : &x, n);
}

static _Noreturn __attribute__((noinline)) void send_of_null(void)
{
	panic("select: send of a NULL element");
}

static inline bool is_send_of_null(const goro_case *k)
{
	return k->send && !k->elem && k->chan->elem;
}

/* Fill poll by an inside-out shuffle; count the cases that have a channel. */
static void shuffle(Sel *s, int n)
{
	G *me = g_self();
	M *m = me ? me->m : NULL;
	uint64_t x = m ? m->rand : 0;
	if (unlikely(!x))
		x = os_random() | 1;
	s->n = 0;
	for (int i = 0; i < n; i++) {
		goro_case *k = &s->cases[i];
		k->ok = false;
		if (!k->chan)
			continue;
		if (is_send_of_null(k))
			send_of_null();
		hook_use(s->race, &k->chan->id_life, 1, s->pc);
		int j = (int)random_below(&x, (uint32_t)++s->n);
		s->poll[s->n - 1] = s->poll[j];
		s->poll[j] = i;
	}
	if (m)
		m->rand = x;
	if (SEEDED) { /* as the seed says: back to their order first */
		int n2 = 0;
		for (int i = 0; i < n; i++)
			if (s->cases[i].chan)
				s->poll[n2++] = i;
		seed_shuffle(s->poll, n2);
	}
}

/* The same of few cases, in order: a bit each. */
static inline void fill_poll(Sel *s, uint32_t have)
{
	s->n = 0;
	for (; have; have &= have - 1)
		s->poll[s->n++] = __builtin_ctz(have);
}

static void sift_down(goro_chan **a, int i, int n)
{
	for (int child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && (uintptr_t)a[child + 1] > (uintptr_t)a[child])
			child++;
		if ((uintptr_t)a[i] >= (uintptr_t)a[child])
			return;
		goro_chan *t = a[i];
		a[i] = a[child];
		a[child] = t;
	}
}

static void sort_locks(Sel *s)
{
	goro_chan **a = s->locks;
	for (int i = 0; i < s->n; i++)
		a[i] = s->cases[s->poll[i]].chan;
	if (s->n <= SMALL) { /* insertion: few, and no calls */
		for (int i = 1; i < s->n; i++) {
			goro_chan *c = a[i];
			int j = i;
			for (; j > 0 && (uintptr_t)a[j - 1] > (uintptr_t)c; j--)
				a[j] = a[j - 1];
			a[j] = c;
		}
		return;
	}
	for (int i = s->n / 2; i-- > 0;)
		sift_down(a, i, s->n);
	for (int n = s->n; n-- > 1;) {
		goro_chan *t = a[0];
		a[0] = a[n];
		a[n] = t;
		sift_down(a, 0, n);
	}
}

static void lock_all(Sel *s)
{
	s->alone = solo_enter_self();
	if (s->alone)
		return;
	sort_locks(s);
	for (int i = 0; i < s->n; i++)
		if (i == 0 || s->locks[i] != s->locks[i - 1])
			lock(&s->locks[i]->lock);
}

/*
 * Also runs after the switch, as park_fn's unlock. Once one lock is free the select may be served
 * and its goroutine may run, but it does not return before it has locked every other channel where
 * it is queued, nor can it be off a queue while that channel is locked: so `s` is alive until the
 * last unlock, and is not looked at after it.
 */
static void unlock_all(Sel *s)
{
	if (s->alone) {
		solo_leave(s->alone);
		return;
	}
	goro_chan **c = s->locks, **last = c + s->n - 1;
	for (;; c++) {
		bool end = c == last;
		if (end || c[0] != c[1])
			unlock(&(*c)->lock);
		if (end)
			return;
	}
}

static void unlock_parked(G *g, void *arg)
{
	(void)g;
	unlock_all(arg);
}

static ChanResult try_locked(Sel *s, goro_case *k, bool alone, G **wake)
{
	return k->send ? chan_send_locked(k->chan, alone, s->race, k->elem, s->pc, wake)
		       : chan_recv_locked(k->chan, alone, s->race, k->elem, s->pc, wake);
}

/* The case is done: tell its caller. */
static int finish(Sel *s, int i, bool received, bool closed)
{
	goro_case *k = &s->cases[i];
	if (k->send && closed)
		panic("send on closed channel");
	k->ok = received;
	if (k->okp) {
		hook_write(s->race, k->okp, sizeof(*k->okp), s->pc);
		*k->okp = received;
	}
	return i;
}

static int tried(Sel *s, int i, ChanResult r, G *wake)
{
	if (wake)
		ready(wake);
	if (SEEDED)
		seed_chose(i, s->n);
	return finish(s, i, !s->cases[i].send && r == CHAN_DONE, r == CHAN_CLOSED);
}

static inline uint32_t looks_ready(const goro_case *k)
{
	return (uint32_t)(k->send ? chan_can_send(k->chan) : chan_can_recv(k->chan));
}

/* Few cases, a bit for each: those that look ready, of those that have a channel. No branch depends on what is
 * ready. */
static inline uint32_t look_ready(const goro_case *cases, uint32_t have)
{
	uint32_t ready = 0;
	for (; have; have &= have - 1)
		ready |= looks_ready(&cases[__builtin_ctz(have)]) << __builtin_ctz(have);
	return ready;
}

/* The first look: and which have one. All are not done yet. Inside a section nothing panics, so that `null` tells of
 * a send of nothing. */
static inline uint32_t look_first(goro_case *cases, int n, uint32_t *have, bool *null)
{
	uint32_t ready = 0, with = 0;
	bool wrong = false;
	for (int i = 0; i < n; i++) {
		goro_case *k = &cases[i];
		k->ok = false;
		if (!k->chan)
			continue;
		wrong |= is_send_of_null(k);
		with |= UINT32_C(1) << i;
		ready |= looks_ready(k) << i;
	}
	*have = with;
	*null = wrong;
	return ready;
}

/* Takes one of the bits set in *set, which is not 0, each as likely as the others; its number. */
static inline int draw_bit(uint32_t *set)
{
	_Static_assert(SMALL <= 16, "16 bits are counted");
	uint32_t ready = *set;
	if (ready & (ready - 1)) {
		uint32_t n = ready - (ready >> 1 & 0x5555);
		n = (n & 0x3333) + (n >> 2 & 0x3333);
		n = (n + (n >> 4)) & 0x0f0f;
		n = (n + (n >> 8)) & 0x1f;
		for (n = draw(n); n > 0; n--)
			ready &= ready - 1;
	}
	*set &= ~(ready & -ready);
	return __builtin_ctz(ready);
}

/* Case i under its channel's lock. True: it was the one; *which. */
static inline bool try_one(Sel *s, int i, int *which)
{
	goro_case *k = &s->cases[i];
	G *wake = NULL;
	P *alone = chan_lock(k->chan);
	ChanResult r = try_locked(s, k, alone != NULL, &wake);
	chan_unlock(k->chan, alone);
	if (r == CHAN_BLOCKED)
		return false;
	*which = tried(s, i, r, wake);
	return true;
}

/* Step 1: -1 when nothing was ready, each at the moment of the look. */
static int poll_once(Sel *s)
{
	int which;
	for (int i = 0; i < s->n; i++) {
		goro_case *k = &s->cases[s->poll[i]];
		if (k->send)
			hook_use(s->race, &k->chan->id_access, 1, s->pc);
		if (looks_ready(k) && try_one(s, s->poll[i], &which))
			return which;
	}
	return -1;
}

/* w, just put on its queue, stands behind others of the same select: two cases of one channel. Any of them is to be the
 * first. */
static __attribute__((noinline)) void mix(Waiter *w)
{
	uint32_t before = 0;
	for (Waiter *v = w->prev; v && v->g == w->g; v = v->prev)
		before++;
	Waiter *v = w;
	for (uint32_t i = draw(before + 1); i > 0; i--)
		v = v->prev;
	void *elem = v->elem;
	int index = v->index;
	v->elem = w->elem;
	v->index = w->index;
	w->elem = elem;
	w->index = index;
}

/* Step 3, all locked. */
static void enqueue_all(Sel *s, G *g)
{
	store_rlx(&g->select_done, 0); /* no waiter of ours is on any queue; the locks publish it */
	g->wake_arg = NULL;
	for (int i = 0; i < s->n; i++) {
		int index = s->poll[i];
		goro_case *k = &s->cases[index];
		Waiter *w = &s->waiters[i];
		waiter_init(w, g, k->elem, k->chan, index, s->pc);
		if (GORO_RACE) /* for leak.c: semaphores alone use link */
			w->link = i + 1 < s->n ? w + 1 : NULL;
		waitq_push(k->send ? &k->chan->sendq : &k->chan->recvq, w);
		if (s->few && unlikely(w->prev != NULL) && w->prev->g == g)
			mix(w);
	}
	if (GORO_RACE)
		g->waiter = s->waiters;
}

static void unlink_waiter(const Sel *s, goro_chan *c, const Waiter *w)
{
	waitq_unlink(s->cases[w->index].send ? &c->sendq : &c->recvq, w->prev, w->next);
}

/* Step 4: take the other waiters off. */
static void leave(Sel *s, const Waiter *fired)
{
	P *alone = solo_enter_self();
	if (alone) { /* no peer: what is QUEUED stays so until we take it off */
		for (int i = 0; i < s->n; i++) {
			Waiter *w = &s->waiters[i];
			if (w != fired && load_acq(&w->leaving) == WAITER_QUEUED)
				unlink_waiter(s, w->object, w);
		}
		solo_leave(alone);
		return;
	}
	for (int i = 0; i < s->n; i++) {
		Waiter *w = &s->waiters[i];
		/* Pairs with cas_ar in dequeue and sweep (chan.c): GONE, then neither side touches. */
		if (w == fired)
			continue;
		if (!cas_ar(&w->leaving, WAITER_QUEUED, WAITER_LEAVING)) {
			/* A CAS that fails is relaxed. Acquire: who set GONE had c->lock after our
			 * unlock_all, whose last look at `s` is to be before we leave its stack. */
			(void)load_acq(&w->leaving);
			continue;
		}
		goro_chan *c = w->object;
		P *again = chan_lock(c);
		unlink_waiter(s, c, w);
		chan_unlock(c, again);
	}
}

static int wait_for_one(Sel *s)
{
	G *g = g_current();
	enqueue_all(s, g);
	park_fn(unlock_parked, s, WAIT_SELECT, s);
	const Waiter *fired = g->wake_arg;
	if (GORO_RACE)
		g->waiter = NULL;
	leave(s, fired);
	bool is_send = s->cases[fired->index].send;
	return finish(s, fired->index, !is_send && fired->success, !fired->success);
}

/* All locked: case i. True: it was the one, and all is unlocked; *which. */
static inline bool try_all_locked(Sel *s, int i, int *which)
{
	G *wake = NULL;
	ChanResult r = try_locked(s, &s->cases[i], s->alone != NULL, &wake);
	if (r == CHAN_BLOCKED)
		return false;
	unlock_all(s);
	*which = tried(s, i, r, wake);
	return true;
}

/* Step 2, all locked. */
static int select_locked(Sel *s, bool block)
{
	int which;
	for (int i = 0; i < s->n; i++)
		if (looks_ready(&s->cases[s->poll[i]]) && /* exact */
		    try_all_locked(s, s->poll[i], &which))
			return which;
	if (block)
		return wait_for_one(s);
	unlock_all(s);
	return -1;
}

static int select_shuffled(Sel *s, bool block)
{
	shuffle(s, s->total);
	if (s->n == 0) {
		if (block)
			chan_block_forever(WAIT_SELECT);
		return -1;
	}
	int i = poll_once(s);
	if (i >= 0 ||
	    (!block && s->n == 1)) /* one channel: one look without its lock is one moment */
		return i;
	lock_all(s);
	return select_locked(s, block);
}

/* Few cases, and no P runs alone; have and ready: as they looked first. */
static __attribute__((noinline)) int select_few_locked(
    Sel *s, uint32_t have, uint32_t ready, bool block)
{
	int which;
	while (ready)
		if (try_one(s, draw_bit(&ready), &which))
			return which;
	if (!block && !(have & (have - 1))) /* as above */
		return -1;
	fill_poll(s, have);
	lock_all(s);
	ready = look_ready(s->cases, have);
	while (ready)
		if (try_all_locked(s, draw_bit(&ready), &which))
			return which;
	if (block)
		return wait_for_one(s);
	unlock_all(s);
	return -1;
}

static int select_few(Sel *s, bool block)
{
	uint32_t have;
	bool null;
	int which;
	s->alone = solo_enter_self();
	uint32_t ready = look_first(s->cases, s->total, &have, &null);
	if (unlikely(!have) || unlikely(null)) {
		if (s->alone)
			solo_leave(s->alone);
		if (null)
			send_of_null();
		if (block)
			chan_block_forever(WAIT_SELECT);
		return -1;
	}
	if (!s->alone)
		return select_few_locked(s, have, ready, block);
	while (ready) /* exact, but for waiters that are stale */
		if (try_all_locked(s, draw_bit(&ready), &which))
			return which;
	if (!block) {
		solo_leave(s->alone);
		return -1;
	}
	fill_poll(s, have);
	return wait_for_one(s);
}

static __attribute__((noinline)) int select_many(Sel *s, int n, bool block)
{
	size_t each = sizeof(Waiter) + sizeof(goro_chan *) + sizeof(int);
	char *mem = malloc((size_t)n * each);
	if (!mem)
		fatal("out of memory: select with %d cases", n);
	s->waiters = (Waiter *)mem;
	s->locks = (goro_chan **)(s->waiters + n);
	s->poll = (int *)(s->locks + n);
	int i = select_shuffled(s, block);
	free(mem);
	return i;
}

int goro_select(goro_case *cases, int n, bool block)
{
	sched_point(POINT_SELECT, NULL);
	Sel s; /* field by field, as waiters are */
	s.cases = cases;
	s.total = n;
	s.few = false;
	s.alone = NULL;
	s.pc = __builtin_return_address(0);
	s.race = race_self();
	if (n <= 0) {
		if (n < 0)
			panic("select: negative number of cases");
		if (block)
			chan_block_forever(WAIT_SELECT_NONE);
		return -1;
	}
	if (!cases)
		panic("select: NULL cases");
	if (n > SMALL)
		return select_many(&s, n, block);
	Waiter waiters[SMALL];
	goro_chan *locks[SMALL];
	int poll[SMALL];
	s.waiters = waiters;
	s.locks = locks;
	s.poll = poll;
	s.few = !GORO_RACE; /* a detector is told of each case that was tried */
	int i = s.few ? select_few(&s, block) : select_shuffled(&s, block);
	preempt_check();
	return i;
}

int select_waits(const void *sel, SelectWait *out, int max)
{
	Sel s;
	if (!os_copy(&s, sel, sizeof s))
		return 0;
	int n = 0;
	for (int i = 0; i < s.total && n < s.n && n < max; i++) {
		goro_case k;
		if (!os_copy(&k, &s.cases[i], sizeof k))
			return n;
		if (k.chan)
			out[n++] = (SelectWait){.chan = k.chan, .index = i, .send = k.send};
	}
	return s.n;
}
