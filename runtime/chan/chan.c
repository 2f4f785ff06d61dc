/*
 * chan.c: channels: make, send, receive, close, free. The shape is that of Go's chan.go: one lock,
 * a ring buffer, queues of waiters that lie on their own stacks, values copied from stack to stack
 * where the other side is already there. FIFO among waiters; goroutines are readied after the lock
 * is let go.
 *
 * Edges (GORO_RACE), made under the lock, each at the identity named:
 *   buffered    Slot i of the ring is an identity of its own. A send does acquire(slot), copy in,
 *               release(slot); a receive acquire(slot), copy out, release(slot). Slot i carries
 *               sends i, i+C, i+2C, ... and their receives in strict alternation, so what acquire
 *               finds was left by exactly the operation that the memory model names: for receive k
 *               send k, for send k+C receive k. As each release follows an acquire of the same slot
 *               by the same goroutine, overwriting loses nothing and adds nothing.
 *               When a sender meets a waiting receiver (buffer empty) or a receiver a waiting
 *               sender (buffer full) the active side does the same steps for both, in the order
 *               above, and moves the ring on: the parked side's clock stands where it parked.
 *   unbuffered  The send hands off to the receive and the receive to the send: each side gets the
 *               other's clock as of the other's own call, with no object between.
 *   close       release(id_close); a receive that answers because of it acquire(id_close).
 *   len, cap    nothing.
 * Accesses made for the detector: the sender reads, the receiver writes the element, between the
 * two steps of its side; a send reads id_access, first thing, and close writes it, so that close racing
 * with a send is a report (Go's rule: also where the send then fails, finds the channel full, or is a case
 * that a select looked at and did not take), while receiving races with neither; every operation reads id_life, which
 * lies in the block that goro_chan_free frees: using a channel after, or while, it is freed is a
 * report.
 *
 * Who may still touch a channel. An operation's last touch of the memory is the store that lets go
 * of the lock (waking a sleeper of the lock passes its address to the kernel, which tolerates any:
 * a spurious wake at worst). A woken goroutine looks at its own Waiter, never at the channel; what
 * there is to do for the detector on its behalf, its peer did under the lock. So once a receiver
 * has a value, or a sender is rid of one, and the lock was free once, the others touch no more, and
 * goro_chan_free, which takes the lock, is safe then. Selects: see chan.h.
 */
#include "chan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(goro_chan, id_access) == offsetof(goro_chan, id_life) + 1 &&
		   offsetof(goro_chan, id_life) / 8 == offsetof(goro_chan, id_access) / 8,
    "hook_use of both: one granule");

static inline void *slot(goro_chan *c, size_t i)
{
	return c->buf + i * c->stride;
}

static inline size_t advance(const goro_chan *c, size_t i)
{
	return i + 1 == c->cap ? 0 : i + 1;
}

static inline void copy(void *to, const void *from, size_t n)
{
	if (n == 8)
		memcpy(to, from, 8);
	else if (n == 4)
		memcpy(to, from, 4);
	else if (n)
		memcpy(to, from, n);
}

/* cas_ar, which a section does not need: nobody is beside us. */
static inline bool win(uint32_t *at, uint32_t old, uint32_t v, bool alone)
{
	if (!alone)
		return cas_ar(at, old, v);
	if (load_acq(at) != old)
		return false;
	store_rel(at, v);
	return true;
}

/* The oldest waiter that is to be served, won and off the queue; NULL when there is none. */
static inline Waiter *dequeue(WaitQueue *q, bool alone)
{
	Waiter *next;
	for (Waiter *w = q->first; w; w = next) {
		next = w->next;
		if (likely(!w->is_select) || win(&w->g->select_done, 0, 1, alone)) {
			waitq_unlink(q, w->prev, next);
			return w;
		}
		Waiter *prev = w->prev;
		/* Stale. Pairs with cas_ar in leave (select.c): after success w may be gone. */
		if (win(&w->leaving, WAITER_QUEUED, WAITER_GONE, alone))
			waitq_unlink(q, prev, next);
	}
	return NULL;
}

static inline void wake_up(Waiter *w, bool success, G **wake)
{
	w->success = success;
	w->g->wake_arg = w;
	*wake = w->g;
}

/* ---- the detector's part ---- */

static void give(goro_chan *c, RaceCtx *s, const void *src, const void *pc)
{
	if (c->elem)
		hook_read(s, src, c->elem, pc);
}

static void take(const goro_chan *c, RaceCtx *r, void *dst, const void *pc)
{
	if (dst && c->elem)
		hook_write(r, dst, c->elem, pc);
}

/* s == NULL: a timer's value; arming released to the slot long ago. */
static void race_put(goro_chan *c, size_t i, RaceCtx *s, const void *src, const void *pc)
{
	if (!s)
		return;
	hook_acquire(s, slot(c, i));
	give(c, s, src, pc);
	hook_release(s, slot(c, i));
}

static void race_get(goro_chan *c, size_t i, RaceCtx *r, void *dst, const void *pc)
{
	hook_acquire(r, slot(c, i));
	take(c, r, dst, pc);
	hook_release(r, slot(c, i));
}

static void race_pass(goro_chan *c, RaceCtx *s, const void *src, const void *spc, RaceCtx *r,
    void *dst, const void *rpc)
{
	give(c, s, src, spc);
	hook_handoff(s, r);
	take(c, r, dst, rpc);
	hook_handback(r, s);
}

/* ---- operations under the lock ---- */

/* Inlined into the calls that programs wait for: half of what a buffered operation costs is the way here. */
#define INLINE static inline __attribute__((always_inline))

INLINE ChanResult do_send(
    goro_chan *c, bool alone, RaceCtx *me, const void *elem, const void *pc, G **wake)
{
	if (unlikely(c->closed))
		return CHAN_CLOSED;
	Waiter *w = c->recvq.first ? dequeue(&c->recvq, alone) : NULL;
	if (w) {
		if (GORO_RACE && c->cap == 0) {
			race_pass(c, me, elem, pc, w->g->race, w->elem, w->pc);
		} else if (GORO_RACE) {
			race_put(c, c->sendx, me, elem, pc);
			race_get(c, c->sendx, w->g->race, w->elem, w->pc);
			c->sendx = c->recvx = advance(c, c->sendx);
		}
		if (w->elem)
			copy(w->elem, elem, c->elem);
		wake_up(w, true, wake);
		return CHAN_DONE;
	}
	if (c->count < c->cap) {
		if (GORO_RACE)
			race_put(c, c->sendx, me, elem, pc);
		copy(slot(c, c->sendx), elem, c->elem);
		c->sendx = advance(c, c->sendx);
		store_rlx(&c->count, c->count + 1);
		return CHAN_DONE;
	}
	return CHAN_BLOCKED;
}

INLINE ChanResult do_recv(
    goro_chan *c, bool alone, RaceCtx *me, void *elem, const void *pc, G **wake)
{
	Waiter *w = c->sendq.first ? dequeue(&c->sendq, alone) : NULL;
	if (w) {
		if (c->cap == 0) {
			if (GORO_RACE)
				race_pass(c, w->g->race, w->elem, w->pc, me, elem, pc);
			if (elem)
				copy(elem, w->elem, c->elem);
		} else { /* full: take the oldest, and its slot gets the sender's */
			void *s = slot(c, c->recvx);
			if (GORO_RACE) {
				race_get(c, c->recvx, me, elem, pc);
				race_put(c, c->recvx, w->g->race, w->elem, w->pc);
			}
			if (elem)
				copy(elem, s, c->elem);
			copy(s, w->elem, c->elem);
			c->sendx = c->recvx = advance(c, c->recvx);
		}
		wake_up(w, true, wake);
		return CHAN_DONE;
	}
	if (c->count) {
		if (GORO_RACE)
			race_get(c, c->recvx, me, elem, pc);
		if (elem)
			copy(elem, slot(c, c->recvx), c->elem);
		c->recvx = advance(c, c->recvx);
		store_rlx(&c->count, c->count - 1);
		return CHAN_DONE;
	}
	if (c->closed) {
		hook_acquire(me, &c->id_close);
		if (GORO_RACE)
			take(c, me, elem, pc);
		if (elem)
			memset(elem, 0, c->elem);
		return CHAN_CLOSED;
	}
	return CHAN_BLOCKED;
}

ChanResult chan_send_locked(
    goro_chan *c, bool alone, RaceCtx *me, const void *elem, const void *pc, G **wake)
{
	return do_send(c, alone, me, elem, pc, wake);
}

ChanResult chan_recv_locked(
    goro_chan *c, bool alone, RaceCtx *me, void *elem, const void *pc, G **wake)
{
	return do_recv(c, alone, me, elem, pc, wake);
}

/* ---- make and free ---- */

goro_chan *chan_new(size_t elem, size_t cap, const void *pc)
{
	size_t stride = elem ? elem : 1, bytes;
	if (cap > INT_MAX || __builtin_mul_overflow(stride, cap, &bytes) ||
	    bytes > PTRDIFF_MAX - sizeof(goro_chan))
		panic("makechan: size out of range");
	bytes += sizeof(goro_chan);
	goro_chan *c = malloc(bytes);
	if (!c)
		fatal("out of memory: cannot allocate a channel of %zu bytes", bytes);
	c->lock = (Lock)LOCK_INIT(CHAN);
	c->closed = 0;
	c->id_life = c->id_access = c->id_close = 0;
	c->count = c->sendx = c->recvx = 0;
	c->recvq = c->sendq = (WaitQueue){NULL, NULL};
	c->timer = NULL;
	c->elem = elem;
	c->stride = stride;
	c->cap = cap;
	c->made_pc = pc;
	if (GORO_RACE)
		hook_alloc(race_self(), c, bytes, pc);
	return c;
}

goro_chan *goro_chan_make(size_t elem, size_t cap)
{
	return chan_new(elem, cap, __builtin_return_address(0));
}

/* Take stale waiters off; false when one is left that its owner is about to take off itself. */
static bool sweep(WaitQueue *q)
{
	Waiter *next;
	for (Waiter *w = q->first; w; w = next) {
		next = w->next;
		Waiter *prev = w->prev;
		/* Pairs with cas_ar in dequeue. */
		if (!w->is_select || !load_acq(&w->g->select_done))
			fatal("free of channel with waiting goroutines");
		if (cas_ar(&w->leaving, WAITER_QUEUED, WAITER_GONE))
			waitq_unlink(q, prev, next);
	}
	return !q->first;
}

void goro_chan_free(goro_chan *c)
{
	if (!c)
		return;
	if (c->timer) {
		timer_stop(c->timer); /* before the lock: it waits for a fn that may take it */
		free(c->timer);
	}
	for (;;) {
		P *alone = chan_lock(c);
		bool none = sweep(&c->recvq) && sweep(&c->sendq);
		chan_unlock(c, alone);
		if (none)
			break;
		os_yield(); /* the leaving goroutine runs on another M, some steps from its end */
	}
	if (GORO_RACE)
		hook_free(
		    race_self(), c, sizeof(*c) + c->cap * c->stride, __builtin_return_address(0));
	free(c);
}

/* ---- send ---- */

static void nothing_to_unlock(G *g, void *arg)
{
	(void)g, (void)arg;
}

_Noreturn void chan_block_forever(WaitReason why)
{
	(void)g_current();
	for (;;)
		park_fn(nothing_to_unlock, NULL, why, NULL);
}

static _Noreturn __attribute__((noinline)) void send_on_closed(void)
{
	panic("send on closed channel");
}

/* c->lock held on entry, released. */
static __attribute__((noinline)) void send_park(goro_chan *c, const void *elem, const void *pc)
{
	Waiter w;
	waiter_init(&w, g_current(), (void *)elem, c, -1, pc);
	waitq_push(&c->sendq, &w);
	park(&c->lock, WAIT_CHAN_SEND, c);
	if (!w.success)
		send_on_closed();
}

static inline void check_elem(const goro_chan *c, const void *elem)
{
	if (unlikely(!elem) && c->elem)
		panic("send of a NULL element");
}

void goro_chan_send(goro_chan *c, const void *elem)
{
	sched_point(POINT_SEND, c);
	const void *pc = __builtin_return_address(0);
	G *wake = NULL;
	if (unlikely(!c))
		chan_block_forever(WAIT_CHAN_SEND_NIL);
	check_elem(c, elem);
	RaceCtx *me = race_self();
	hook_use(me, &c->id_life, 2, pc); /* and id_access */
	P *alone = chan_lock(c);
	ChanResult r = do_send(c, alone != NULL, me, elem, pc, &wake);
	if (r == CHAN_BLOCKED) {
		send_park(c, elem, pc);
		return;
	}
	chan_unlock(c, alone);
	if (unlikely(r == CHAN_CLOSED))
		send_on_closed();
	if (wake)
		ready(wake);
	preempt_check();
}

bool goro_chan_try_send(goro_chan *c, const void *elem)
{
	sched_point(POINT_SEND, c);
	const void *pc = __builtin_return_address(0);
	G *wake = NULL;
	if (!c)
		return false;
	check_elem(c, elem);
	RaceCtx *me = race_self();
	hook_use(me, &c->id_life, 2, pc); /* and id_access */
	if (!chan_can_send(c))
		return false;
	P *alone = chan_lock(c);
	ChanResult r = chan_send_locked(c, alone != NULL, me, elem, pc, &wake);
	chan_unlock(c, alone);
	if (unlikely(r == CHAN_CLOSED))
		send_on_closed();
	if (wake)
		ready(wake);
	return r == CHAN_DONE;
}

bool chan_take_room(goro_chan *c, const void *pc)
{
	RaceCtx *me = race_self();
	G *wake = NULL;
	P *alone = chan_lock(c);
	bool room = chan_can_send(c);
	if (room) {
		hook_read(me, &c->id_life, 1, pc);
		hook_read(me, &c->id_access, 1, pc);
		(void)chan_send_locked(
		    c, alone != NULL, me, NULL, pc, &wake); /* nobody closes it */
	}
	chan_unlock(c, alone);
	if (wake)
		ready(wake);
	return room;
}

bool chan_post(goro_chan *c, const void *elem)
{
	G *wake = NULL;
	P *alone = chan_lock(c);
	ChanResult r =
	    c->closed ? CHAN_CLOSED : chan_send_locked(c, alone != NULL, NULL, elem, NULL, &wake);
	chan_unlock(c, alone);
	if (wake)
		ready(wake);
	return r == CHAN_DONE;
}

/* ---- receive ---- */

/* c->lock held on entry, released. */
static __attribute__((noinline)) bool recv_park(goro_chan *c, void *elem, const void *pc)
{
	Waiter w;
	waiter_init(&w, g_current(), elem, c, -1, pc);
	waitq_push(&c->recvq, &w);
	park(&c->lock, WAIT_CHAN_RECV, c);
	return w.success;
}

bool goro_chan_recv(goro_chan *c, void *elem)
{
	sched_point(POINT_RECV, c);
	const void *pc = __builtin_return_address(0);
	G *wake = NULL;
	if (unlikely(!c))
		chan_block_forever(WAIT_CHAN_RECV_NIL);
	RaceCtx *me = race_self();
	hook_use(me, &c->id_life, 1, pc);
	P *alone = chan_lock(c);
	ChanResult r = do_recv(c, alone != NULL, me, elem, pc, &wake);
	if (r == CHAN_BLOCKED)
		return recv_park(c, elem, pc);
	chan_unlock(c, alone);
	if (wake)
		ready(wake);
	preempt_check();
	return r == CHAN_DONE;
}

bool goro_chan_try_recv(goro_chan *c, void *elem)
{
	sched_point(POINT_RECV, c);
	const void *pc = __builtin_return_address(0);
	G *wake = NULL;
	if (!c)
		return false;
	RaceCtx *me = race_self();
	hook_use(me, &c->id_life, 1, pc);
	if (!chan_can_recv(c))
		return false;
	P *alone = chan_lock(c);
	ChanResult r = chan_recv_locked(c, alone != NULL, me, elem, pc, &wake);
	chan_unlock(c, alone);
	if (wake)
		ready(wake);
	return r == CHAN_DONE;
}

/* ---- close, len, cap ---- */

void goro_chan_close(goro_chan *c)
{
	sched_point(POINT_CLOSE, c);
	const void *pc = __builtin_return_address(0);
	if (!c)
		panic("close of nil channel");
	RaceCtx *me = race_self();
	hook_use(me, &c->id_life, 1, pc);
	P *alone = chan_lock(c);
	if (c->closed) {
		chan_unlock(c, alone);
		panic("close of closed channel");
	}
	hook_write(me, &c->id_access, 1, pc);
	hook_release(me, &c->id_close);
	store_rlx(&c->closed, 1); /* the lock orders it; readers without it learn nothing more */
	Waiter *w, *woken = NULL, **end = &woken;
	while ((w = dequeue(&c->recvq, alone != NULL))) {
		hook_acquire(w->g->race, &c->id_close);
		if (GORO_RACE)
			take(c, w->g->race, w->elem, w->pc);
		if (w->elem)
			memset(w->elem, 0, c->elem);
		w->success = false;
		w->g->wake_arg = w;
		*end = w;
		end = &w->next;
	}
	while ((w = dequeue(&c->sendq, alone != NULL))) { /* they panic */
		w->success = false;
		w->g->wake_arg = w;
		*end = w;
		end = &w->next;
	}
	*end = NULL;
	chan_unlock(c, alone);
	while ((w = woken)) {
		woken = w->next; /* before: a woken goroutine's waiter is gone */
		ready_tail(w->g);
	}
}

int goro_chan_len(const goro_chan *c)
{
	sched_point(POINT_ATOMIC_LOAD, c);
	if (!c)
		return 0;
	if (GORO_RACE)
		hook_use(race_self(), &c->id_life, 1, __builtin_return_address(0));
	return (int)load_rlx(&c->count);
}

int goro_chan_cap(const goro_chan *c)
{
	if (!c)
		return 0;
	if (GORO_RACE)
		hook_use(race_self(), &c->id_life, 1, __builtin_return_address(0));
	return (int)c->cap;
}
