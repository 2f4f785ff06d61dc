/*
 * netpoll.c: wait for a descriptor, and wake who waits.
 *
 * Model: Go's netpoll. A call is tried first; at the first one that would block the descriptor is added
 * to the poller, edge-triggered for both directions, and stays there until it is closed: nothing on the
 * path of a request but the calls themselves and epoll_wait.
 *
 * No event is lost. An edge may come between a call that would block and the park; then it finds nobody,
 * leaves `ready`, and the wait returns at once. An event wakes one waiter; whoever waited and then got
 * through, or failed, wakes the next (netpoll_pass), until one finds that it would block: then the next
 * event is an edge. So many may wait on one listener and are not woken in a herd.
 *
 * Threads of the program, and goroutines that cannot park (inside goro_blocking), wait in poll(2), listed
 * as waiters all the same; they are woken by a kick (an eventfd of their own). So do goroutines when there
 * is no poller to be had (-EMFILE).
 *
 * Lock: e->lock, rank NETPOLL; open_lock (NONE) around opening. Goroutines are readied without.
 */
#include "netpoll.h"

#include <errno.h>

#define EVENTS      128
#define KICKLESS_NS INT64_C(10000000) /* how often a thread looks that got no eventfd */

static Lock open_lock;

bool netpoll_can_park(void)
{
	G *g = g_self();
	if (!g || g->m->in_syscall || !g->m->p)
		return false;
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0); /* not a signal's stack */
	return sp >= g->stack_lo && sp < g->stack_hi;
}

/* ---- waking ---- */

/* e->lock held: w off its list, with a result. Threads are kicked here, goroutines go before *list. */
void waiters_wake(PollDir *d, IoWaiter *w, int result, IoWaiter **list)
{
	list_remove(&w->link);
	store_rlx(&d->nwaiting, d->nwaiting - 1);
	w->listed = false;
	w->result = result;
	if (w->g) {
		w->next = *list;
		*list = w;
	} else if (w->kick >= 0) {
		os_kick(w->kick); /* it cannot go before it has had e->lock */
	}
}

/* e->lock held: all of them. */
void waiters_wake_all(PollDir *d, int result, IoWaiter **list)
{
	while (!list_empty(&d->waiters))
		waiters_wake(d, list_entry(d->waiters.next, IoWaiter, link), result, list);
}

/* e->lock held: one may try again. */
static void wake_one(PollDir *d, IoWaiter **list)
{
	if (!list_empty(&d->waiters))
		waiters_wake(d, list_entry(d->waiters.next, IoWaiter, link), 0, list);
	else
		d->ready = true;
}

void netpoll_ready(IoWaiter *list)
{
	/* The lists are built at their front: turn this one, so that who came first runs first. */
	IoWaiter *in_order = NULL, *w;
	uint32_t n = 0;
	while ((w = list)) {
		list = w->next;
		w->next = in_order;
		in_order = w;
		n++;
	}
	for (bool first = true; (w = in_order); first = false) {
		in_order = w->next; /* w is gone once its goroutine is ready */
		if (first)
			ready(w->g); /* alone it wakes no other thread */
		else
			ready_tail(w->g);
	}
	if (n)
		(void)add_sc(
		    &sched.npolling, -n); /* now runnable: deadlock.c sees one or the other */
}

IoWaiter *netpoll_poll(int64_t ns)
{
	OsEvent ev[EVENTS];
	IoWaiter *list = NULL;
	int n = os_poll_wait(ev, EVENTS, ns);
	if (unlikely(n < 0))
		fatal("the poller's descriptor is gone (error %d): was it closed by the program?",
		    -n);
	store_rlx(&sched.polled_at, os_now()); /* a hint for sysmon */
	for (int i = 0; i < n; i++) {
		PollFd *e = netpoll_lookup((int)(uint32_t)ev[i].data);
		lock(&e->lock);
		if (e->watched && e->gen == (uint32_t)(ev[i].data >> 32)) {
			if (ev[i].ready & OS_READABLE)
				wake_one(&e->dir[IO_READ], &list);
			if (ev[i].ready & OS_WRITABLE)
				wake_one(&e->dir[IO_WRITE], &list);
		}
		unlock(&e->lock);
	}
	return list;
}

void netpoll_pass(PollFd *e, Direction d)
{
	if (load_rlx(&e->dir[d].nwaiting) == 0) /* one that comes later has tried by itself */
		return;
	IoWaiter *list = NULL;
	lock(&e->lock);
	if (e->dir[d].nwaiting)
		wake_one(&e->dir[d], &list);
	unlock(&e->lock);
	netpoll_ready(list);
}

/* ---- waiting ---- */

/* e->lock held: what forbids to wait. */
static int refused(PollFd *e, Direction d)
{
	if (load_rlx(&e->use) &
	    USE_CLOSING) /* set before the waiters are taken off, under e->lock */
		return -ECANCELED;
	return e->dir[d].expired ? -ETIMEDOUT : 0;
}

/* Open the poller, at the first need. */
static int open_poller(void)
{
	int err = 0;
	if (likely(load_acq(&sched.poller))) /* pairs with store_rel below */
		return 0;
	lock(&open_lock);
	if (!sched.poller && (err = os_poll_open()) == 0)
		store_rel(&sched.poller, 1); /* publishes os/epoll.c's descriptors */
	unlock(&open_lock);
	return err;
}

/* e->lock held: have the poller watch e. */
static int watch(PollFd *e)
{
	int err = os_poll_add(e->fd, (uint64_t)e->gen << 32 | (uint32_t)e->fd);
	if (err == -EEXIST) { /* of a file that was closed behind our back, and came back by dup2 */
		(void)os_poll_del(e->fd);
		err = os_poll_add(e->fd, (uint64_t)e->gen << 32 | (uint32_t)e->fd);
	}
	if (err == 0)
		e->watched = true;
	return err;
}

/* Wait in poll(2). The P is given away where there is one. e->lock held, released. */
static int wait_in_thread(PollFd *e, Direction d, bool park)
{
	PollDir *dir = &e->dir[d];
	IoWaiter w = {.kick = -1};
	int64_t ns = -1;
	unlock(&e->lock);
	w.kick = os_kick_open();
	lock(&e->lock);
	int err = refused(e, d);
	if (!err) {
		int64_t now = sched_now();
		if (dir->deadline)
			ns = dir->deadline > now ? dir->deadline - now : 0;
		w.listed = true;
		list_push_back(&dir->waiters, &w.link);
		store_rlx(&dir->nwaiting, dir->nwaiting + 1);
	}
	unlock(&e->lock);
	if (!err) { /* from here on w.result is another's to write, until we had the lock again */
		if (w.kick < 0 && (ns < 0 || ns > KICKLESS_NS))
			ns = KICKLESS_NS;
		if (park)
			syscall_enter();
		(void)os_fd_wait(e->fd, d == IO_READ ? OS_READABLE : OS_WRITABLE, w.kick, ns);
		if (park)
			syscall_exit();
		lock(&e->lock);
		if (w.listed) {
			list_remove(&w.link);
			store_rlx(&dir->nwaiting, dir->nwaiting - 1);
		}
		err = w.result;
		unlock(&e->lock);
	}
	if (w.kick >= 0)
		(void)os_fd_close(w.kick);
	return err;
}

int netpoll_wait(PollFd *e, Direction d)
{
	PollDir *dir = &e->dir[d];
	bool can_park = netpoll_can_park();
	bool poller = can_park && open_poller() == 0;
	lock(&e->lock);
	int err = refused(e, d);
	if (err) {
		unlock(&e->lock);
	} else if (dir->ready) {
		dir->ready = false;
		unlock(&e->lock);
	} else if (!poller || (!e->watched && (err = watch(e)) != 0)) {
		if (err == -EPERM) { /* knows no readiness */
			store_rlx(&e->mode, FD_BLOCKING);
			if (e->made_nonblock)
				(void)os_fd_set_nonblock(e->fd, false);
			unlock(&e->lock);
			return 0;
		}
		err = wait_in_thread(e, d, can_park);
	} else {
		IoWaiter w = {.g = g_self(), .kick = -1, .listed = true};
		list_push_back(&dir->waiters, &w.link);
		store_rlx(&dir->nwaiting, dir->nwaiting + 1);
		(void)add_sc(&sched.npolling, 1);
		park(&e->lock, WAIT_IO, e);
		err = w.result;
	}
	if (GORO_RACE && err)
		hook_acquire(race_self(), err == -ETIMEDOUT ? (const void *)dir : e);
	return err;
}
