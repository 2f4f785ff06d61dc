/*
 * chan.h: a channel from inside: what chan.c, select.c and the timers share.
 *
 * Everything but the marked fields is guarded by the channel's lock, or by a section in its place (sched/solo.h). Fields that are also read
 * without it (the fast answers of non-blocking calls) are written by store_rlx.
 *
 * Waiters. A goroutine that waits lies on recvq or sendq as a Waiter on its own stack, oldest
 * first. At least one of the queues is empty, except that one select may wait on both sides of a
 * channel. With a buffer: receivers wait only while it is empty, senders only while it is full.
 *
 * A select has a waiter on each of its channels; the peer that wins g->select_done by cas serves
 * it. The other waiters are stale from then on. Who takes a stale one off its queue is settled by
 * w->leaving:
 *   QUEUED -> GONE     by a peer that meets it (lock held). Its last touch: afterwards the waiter,
 *                      and the stack it lies on, may vanish; in turn the owner no more touches the
 *                      channel.
 *   QUEUED -> LEAVING  by the owner, which then locks the channel and takes it off itself. The
 *                      channel lives until then: goro_chan_free waits for it.
 * So a goroutine on its way out of a select touches only channels where it is still queued.
 */
#ifndef GORO_CHAN_CHAN_H
#define GORO_CHAN_CHAN_H

#include "../sched/runtime.h"
#include "../sched/solo.h"

typedef struct WaitQueue {
	Waiter *first; /* store_rlx: also read without the lock */
	Waiter *last;
} WaitQueue;

struct goro_chan {
	Lock lock;       /* rank CHAN */
	uint32_t closed; /* store_rlx, once */
	uint8_t id_life; /* identities for the detector, never used as memory: hook_use by every */
	uint8_t
	    id_access; /*   operation, written by free; by send, written by close; the first two */
	uint8_t id_close;    /*   in one granule; close -> a receive that answers because of it */
	size_t count;        /* elements in the buffer; store_rlx */
	size_t cap;          /* constant */
	size_t elem;         /* bytes of an element; constant */
	size_t stride;       /* of the buffer: max(elem, 1): each slot has an address; constant */
	size_t sendx, recvx; /* slot of the next send and receive; equal when full or empty */
	WaitQueue recvq, sendq;
	Timer *timer;        /* goro_after_chan: its timer, freed with the channel; constant */
	const void *made_pc; /* who made it; constant */
	unsigned char buf[];
};

enum { WAITER_QUEUED, WAITER_LEAVING, WAITER_GONE };

typedef enum ChanResult { CHAN_BLOCKED, CHAN_DONE, CHAN_CLOSED } ChanResult;

/* A waiter of a channel; what only semaphores use is left as it is. Field by field: compilers clear a whole one
 * by `rep stos`, which costs as much as the operation. */
static inline void waiter_init(Waiter *w, G *g, void *elem, goro_chan *c, int index, const void *pc)
{
	w->g = g;
	w->elem = elem;
	w->object = c;
	w->index = index;
	w->is_select = index >= 0;
	w->success = false;
	w->leaving = WAITER_QUEUED;
	w->pc = pc;
}

static inline void waitq_push(WaitQueue *q, Waiter *w)
{
	w->next = NULL;
	w->prev = q->last;
	if (q->last)
		q->last->next = w;
	else
		store_rlx(&q->first, w);
	q->last = w;
}

static inline void waitq_unlink(WaitQueue *q, Waiter *prev, Waiter *next)
{
	if (prev)
		prev->next = next;
	else
		store_rlx(&q->first, next);
	if (next)
		next->prev = prev;
	else
		q->last = prev;
}

/* The operations with the lock held on entry and on return. alone: by a section. me: the caller's context (NULL: the
 * scheduler, on behalf of a timer). *wake: a goroutine that the caller readies after unlocking, or
 * left as it was. CLOSED from send: nothing done, the caller unlocks and panics; from receive:
 * *elem zeroed. */
ChanResult chan_send_locked(
    goro_chan *c, bool alone, RaceCtx *me, const void *elem, const void *pc, G **wake);
ChanResult chan_recv_locked(
    goro_chan *c, bool alone, RaceCtx *me, void *elem, const void *pc, G **wake);

/* The channel's lock: a section of the caller's P while that runs alone (its address is returned, and given to
 * chan_unlock), or else the lock itself (NULL). park finds out for itself. */
static inline P *chan_lock(goro_chan *c)
{
	P *p = solo_enter_self();
	if (!p) {
		lock(&c->lock);
		return NULL;
	}
	lock_rank_check(&c->lock);
	lock_rank_push(&c->lock);
	return p;
}

static inline void chan_unlock(goro_chan *c, P *p)
{
	if (!p) {
		unlock(&c->lock);
		return;
	}
	lock_rank_pop(&c->lock);
	solo_leave(p);
}

/*
 * What can be told without the lock: false: there was a moment during the call when the channel was
 * open and would have blocked. True: a hint. `closed` is read last (the acquires keep it so), and a
 * channel never opens again: open at the end, it was open when the others were read.
 *   send     a full buffer, or no buffer and no receiver waiting, is by itself "would block".
 *   receive  an empty buffer (no sender waits then), or no buffer and no sender, likewise.
 * No edge is due to a call that does nothing.
 */
static inline bool chan_can_send(const goro_chan *c)
{
	return (c->cap ? load_acq(&c->count) < c->cap : load_acq(&c->recvq.first) != NULL) ||
	       load_rlx(&c->closed);
}

static inline bool chan_can_recv(const goro_chan *c)
{
	return (c->cap ? load_acq(&c->count) != 0 : load_acq(&c->sendq.first) != NULL) ||
	       load_rlx(&c->closed);
}

/* Park the caller for good. */
_Noreturn void chan_block_forever(WaitReason why);

goro_chan *chan_new(size_t elem, size_t cap, const void *pc);
/* A send of nothing, of size 0, into a channel that is never closed, where it need not wait; whether it did
 * not. A failure is not told to the detector: it has not touched the channel, whoever frees it. */
bool chan_take_room(goro_chan *c, const void *pc);
/* Put elem into the buffer or a receiver's hands if there is room, on the scheduler's behalf; false
 * when full or closed. Its order is what the slot's last receive and the timer's arming left
 * there. */
bool chan_post(goro_chan *c, const void *elem);
/* The slot that the first send of a fresh channel fills: what arming a timer releases to. */
static inline const void *chan_first_slot(const goro_chan *c)
{
	return c->buf;
}

#endif
