/*
 * netpoll.c: park on a descriptor: the table of entries, waiting, deadlines, closing.
 *
 * Model: Go's netpoll and internal/poll. A call is tried first; at the first one that would block the
 * descriptor is added to the poller, edge-triggered for both directions, and stays there until it is
 * closed: nothing on the path of a request but the calls themselves and epoll_wait.
 *
 * No event is lost. An edge may come between a call that would block and the park; then it finds nobody,
 * leaves `ready`, and the wait returns at once. An event wakes one waiter; whoever waited and then got
 * through, or failed, wakes the next (netpoll_pass), until one finds that it would block: then the next
 * event is an edge. So many may wait on one listener and are not woken in a herd.
 *
 * Numbers are used again. The entry of a number lives for ever, e->gen tells its files apart, and the gen
 * travels in the event: a stale one is dropped. netpoll_close takes the number out of use before the
 * kernel may give it out again, and closes only when no call on it is under way:
 *
 *   e->use = calls under way | USE_CLOSING (no new ones) | USE_LAST (the last of them closes)
 *
 * A file closed behind goro's back (fclose, dup2) leaves a stale entry; accept and dial set it right.
 *
 * Deadlines. Setting one later than what the timer is armed for leaves the timer alone, since servers move
 * theirs at every request: when it fires early it is armed again. Earlier: stopped, outside of e->lock,
 * which its function takes.
 *
 * Threads of the program, and goroutines that cannot park (inside goro_blocking), wait in poll(2), listed
 * as waiters all the same; they are woken by a kick (an eventfd of their own).
 *
 * Lock: e->lock, rank NETPOLL; open_lock (NONE) around opening. Goroutines are readied without.
 * Edges: closing -> a call that answers -ECANCELED (identity: e); setting a deadline -> -ETIMEDOUT
 * (identity: the direction).
 */
#include "netpoll.h"

#include <errno.h>

#define CHUNK_BITS  8
#define CHUNK       (1 << CHUNK_BITS)
#define CHUNKS      65536 /* descriptors up to 2^24; the kernel's own bound is 2^30, its default 2^20 */
#define USE_CLOSING 0x80000000u
#define USE_LAST    0x40000000u
#define USE_COUNT   0x3fffffffu
#define EVENTS      128
#define KICKLESS_NS INT64_C(10000000) /* how often a thread looks that got no eventfd */

struct IoWaiter {
	List link;      /* e->lock */
	IoWaiter *next; /* once taken off: list of those to be readied */
	G *g;           /* NULL: a thread, to be kicked */
	int kick;       /* -1: none */
	bool listed;    /* e->lock */
	int result;     /* 0: try again; the waker, before it readies */
};

static PollFd *chunks[CHUNKS]; /* a slot is written once, by cas */
static Lock open_lock;
static int
    owner; /* the process whose table it is; a child of it that closes, to exec, must leave all alone */

/* ---- the table ---- */

static PollFd *lookup(int fd)
{
	if (fd < 0 || fd >= CHUNKS * CHUNK)
		return NULL;
	PollFd *c = load_acq(&chunks[fd >> CHUNK_BITS]); /* pairs with cas_rel in lookup_make */
	return c ? &c[fd & (CHUNK - 1)] : NULL;
}

static void expire(void *arg, int64_t now);

static PollFd *lookup_make(int fd, int *err)
{
	PollFd *e = lookup(fd);
	if (likely(e != NULL))
		return e;
	*err = -EBADF;
	if (fd < 0 || os_fd_kind(fd) < 0)
		return NULL;
	*err = -EMFILE;
	if (fd >= CHUNKS * CHUNK)
		return NULL;
	*err = -ENOMEM;
	PollFd *c = os_map(CHUNK * sizeof *c);
	if (!c)
		return NULL;
	for (int i = 0; i < CHUNK; i++) {
		c[i].lock = (Lock)LOCK_INIT(NETPOLL);
		c[i].fd = (fd & ~(CHUNK - 1)) + i;
		for (int d = 0; d < 2; d++) {
			list_init(&c[i].dir[d].waiters);
			c[i].dir[d].of = &c[i];
			c[i].dir[d].timer = (Timer){.fn = expire, .arg = &c[i].dir[d]};
		}
	}
	store_rlx(&owner, os_process_id()); /* who forks has made no table of its own */
	if (!cas_rel(&chunks[fd >> CHUNK_BITS], NULL, c)) /* pairs with load_acq in lookup */
		os_unmap(c, CHUNK * sizeof *c);
	return lookup(fd);
}

bool netpoll_knows(int fd)
{
	PollFd *e = lookup(fd);
	return e && (load_rlx(&e->mode) != FD_NEW || load_rlx(&e->use)) &&
	       os_process_id() == load_rlx(&owner);
}

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
static void take_off(PollDir *d, IoWaiter *w, int result, IoWaiter **list)
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
static void take_off_all(PollDir *d, int result, IoWaiter **list)
{
	while (!list_empty(&d->waiters))
		take_off(d, list_entry(d->waiters.next, IoWaiter, link), result, list);
}

/* e->lock held: one may try again. */
static void take_off_one(PollDir *d, IoWaiter **list)
{
	if (!list_empty(&d->waiters))
		take_off(d, list_entry(d->waiters.next, IoWaiter, link), 0, list);
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
		(void)add_sc(&sched.npolling,
		    -n); /* after they are runnable: deadlock.c sees one or the other */
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
		PollFd *e = lookup((int)(uint32_t)ev[i].data);
		lock(&e->lock);
		if (e->watched && e->gen == (uint32_t)(ev[i].data >> 32)) {
			if (ev[i].ready & OS_READABLE)
				take_off_one(&e->dir[IO_READ], &list);
			if (ev[i].ready & OS_WRITABLE)
				take_off_one(&e->dir[IO_WRITE], &list);
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
		take_off_one(&e->dir[d], &list);
	unlock(&e->lock);
	netpoll_ready(list);
}

/* ---- calls under way ---- */

/* What kind of file it is, and what is to be done about it. */
static int first_use(PollFd *e)
{
	(void)g_current(); /* the runtime is there from here on */
	lock(&e->lock);
	int kind = 0;
	if (e->mode == FD_NEW && (kind = os_fd_kind(e->fd)) >= 0) {
		uint32_t mode = FD_POLL;
		if (kind == OS_FD_FILE) {
			mode = FD_BLOCKING;
		} else if (kind == OS_FD_TERMINAL || e->fd <= 2) {
			mode = FD_BORROWED;
		} else {
			int was = os_fd_set_nonblock(e->fd, true);
			e->made_nonblock = was == 0;
			if (was < 0)
				kind = was;
		}
		if (kind >= 0) {
			store_rlx(&e->socket, kind == OS_FD_SOCKET);
			store_rlx(&e->mode, mode);
		}
	}
	unlock(&e->lock);
	return kind < 0 ? kind : 0;
}

PollFd *netpoll_enter(int fd, int *err)
{
	PollFd *e = lookup_make(fd, err);
	if (unlikely(!e))
		return NULL;
	uint32_t use = load_rlx(&e->use);
	for (;; use = load_rlx(&e->use)) {
		if (unlikely(use & USE_CLOSING)) {
			*err = -EBADF;
			return NULL;
		}
		if (likely(cas_acq(&e->use, use, use + 1))) /* pairs with store_rel in reset */
			break;
	}
	if (unlikely(load_rlx(&e->mode) == FD_NEW) && (*err = first_use(e)) < 0) {
		netpoll_leave(e);
		return NULL;
	}
	return e;
}

static int finish_close(PollFd *e);

void netpoll_leave(PollFd *e)
{
	uint32_t use =
	    sub_ar(&e->use, 1) - 1; /* pairs with itself: who closes comes after all calls */
	if (likely(!(use & USE_CLOSING)))
		return;
	if ((use & USE_COUNT) == 0) {
		(void)finish_close(e); /* USE_LAST is set: else the closer counts too */
	} else if ((use & USE_COUNT) == 1) {
		lock(&e->lock);
		G *g = e->closer;
		e->closer = NULL;
		unlock(&e->lock);
		if (g)
			ready(g);
	}
}

/* ---- waiting ---- */

int netpoll_expired(PollFd *e, Direction d)
{
	PollDir *dir = &e->dir[d];
	if (likely(!load_rlx(
		&dir->expired))) { /* written at the latest by the timer, which is late anyway */
		/* A thread may be alone, with nobody to run timers. */
		G *g = g_self();
		int64_t when = unlikely(!g || g->m->in_syscall) ? load_rlx(&dir->deadline) : 0;
		if (likely(!when || when > os_now()))
			return 0;
	}
	if (GORO_RACE)
		hook_acquire(race_self(), dir);
	return -ETIMEDOUT;
}

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
	w.result = refused(e, d);
	if (!w.result) {
		int64_t now = os_now();
		if (dir->deadline)
			ns = dir->deadline > now ? dir->deadline - now : 0;
		w.listed = true;
		list_push_back(&dir->waiters, &w.link);
		store_rlx(&dir->nwaiting, dir->nwaiting + 1);
	}
	unlock(&e->lock);
	if (!w.result) {
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
		unlock(&e->lock);
	}
	if (w.kick >= 0)
		(void)os_fd_close(w.kick);
	return w.result;
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

/* ---- deadlines ---- */

/* On the scheduler: the time for which the timer was armed has come. */
static void expire(void *arg, int64_t now)
{
	PollDir *dir = arg;
	IoWaiter *list = NULL;
	lock(&dir->of->lock);
	dir->armed = false;
	if (dir->deadline > now) { /* it was moved */
		dir->armed = true;
		dir->armed_for = dir->deadline;
		timer_arm(&dir->timer, dir->deadline);
	} else if (dir->deadline) {
		store_rlx(&dir->expired, 1);
		take_off_all(dir, -ETIMEDOUT, &list);
	}
	unlock(&dir->of->lock);
	netpoll_ready(list);
}

/* e->lock held; released for moments: the timer is armed for the deadline or earlier, or not at all. */
static void adjust_timer(PollFd *e, PollDir *dir)
{
	for (;;) {
		int64_t when = dir->expired ? 0 : dir->deadline;
		if (!dir->armed && when) {
			dir->armed = true;
			dir->armed_for = when;
			timer_arm(&dir->timer, when);
		}
		if (!dir->armed || (when && dir->armed_for <= when))
			return;
		unlock(&e->lock);
		bool was = timer_stop(&dir->timer); /* false: its function ran, and has set armed */
		lock(&e->lock);
		if (was)
			dir->armed = false;
	}
}

static void set_deadline(PollFd *e, PollDir *dir, int64_t when)
{
	IoWaiter *list = NULL;
	if (GORO_RACE)
		hook_release_merge(race_self(), dir);
	lock(&e->lock);
	store_rlx(&dir->deadline, when);
	store_rlx(&dir->expired, when && when <= os_now());
	if (dir->expired) {
		take_off_all(dir, -ETIMEDOUT, &list);
	} else {
		for (List *l = dir->waiters.next, *next; l != &dir->waiters; l = next) {
			next = l->next;
			IoWaiter *w = list_entry(l, IoWaiter, link);
			if (!w->g) /* waits by itself, for the old one */
				take_off(dir, w, 0, &list);
		}
		if (when)
			adjust_timer(e, dir);
	}
	unlock(&e->lock);
	netpoll_ready(list);
}

static int set_deadlines(int fd, bool r, bool w, int64_t when)
{
	int err;
	PollFd *e = netpoll_enter(fd, &err);
	if (!e)
		return err;
	if (load_rlx(&e->mode) == FD_BLOCKING) {
		err = when ? -EINVAL : 0;
	} else {
		err = 0;
		if (r)
			set_deadline(e, &e->dir[IO_READ], when);
		if (w)
			set_deadline(e, &e->dir[IO_WRITE], when);
	}
	netpoll_leave(e);
	return err;
}

int goro_set_deadline(int fd, int64_t when)
{
	return set_deadlines(fd, true, true, when);
}

int goro_set_read_deadline(int fd, int64_t when)
{
	return set_deadlines(fd, true, false, when);
}

int goro_set_write_deadline(int fd, int64_t when)
{
	return set_deadlines(fd, false, true, when);
}

/* ---- closing ---- */

/* e->lock held: e is as one never used; what waits is told. */
static void forget(PollFd *e, IoWaiter **list)
{
	e->gen++;
	e->watched = false;
	e->made_nonblock = false;
	store_rlx(&e->mode, FD_NEW);
	for (int d = 0; d < 2; d++) {
		PollDir *dir = &e->dir[d];
		dir->ready = false;
		store_rlx(&dir->deadline, 0);
		store_rlx(&dir->expired, 0);
		take_off_all(dir, -ECANCELED, list);
	}
}

/* The kernel's close, which may linger. */
static int close_it(int fd)
{
	bool away = netpoll_can_park();
	if (away)
		syscall_enter();
	int err = os_fd_close(fd);
	if (away)
		syscall_exit();
	return err;
}

/* No call is under way on e, and none begins. */
static int finish_close(PollFd *e)
{
	IoWaiter *none = NULL;
	int fd = e->fd;
	lock(&e->lock);
	if (e->watched)
		(void)os_poll_del(fd); /* another process may have the file too */
	forget(e, &none);
	for (int d = 0; d < 2; d++)
		adjust_timer(e, &e->dir[d]); /* none left behind: it would hide a deadlock */
	unlock(&e->lock);
	if (GORO_RACE) {
		hook_acquire(
		    race_self(), e); /* calls that were under way are before what comes next */
		hook_forget(e);
	}
	store_rel(&e->use,
	    0); /* before the kernel gives the number out again; pairs with cas_acq in netpoll_enter */
	return close_it(fd);
}

int netpoll_close(int fd, bool wait)
{
	PollFd *e = lookup(fd);
	IoWaiter *list = NULL;
	uint32_t use;
	if (!e || os_process_id() != load_rlx(&owner))
		return close_it(fd);
	do {
		use = load_rlx(&e->use);
		if (use & USE_CLOSING)
			return -EBADF;
	} while (
	    !cas_ar(&e->use, use, (use + 1) | USE_CLOSING)); /* pairs with those in enter, leave */
	if (GORO_RACE)
		hook_release_merge(race_self(), e);
	lock(&e->lock);
	take_off_all(&e->dir[IO_READ], -ECANCELED, &list);
	take_off_all(&e->dir[IO_WRITE], -ECANCELED, &list);
	if (e->mode != FD_POLL) /* a call may be in the kernel for as long as it likes */
		wait = false;
	unlock(&e->lock);
	netpoll_ready(list);
	if (!wait) {
		do
			use = load_rlx(&e->use);
		while (!cas_ar(
		    &e->use, use, (use - 1) | USE_LAST)); /* pairs with sub_ar in netpoll_leave */
		return ((use - 1) & USE_COUNT) == 0 ? finish_close(e) : 0;
	}
	lock(&e->lock);
	while ((load_acq(&e->use) & USE_COUNT) != 1) { /* pairs with sub_ar in netpoll_leave */
		e->closer = g_current();
		park(&e->lock, WAIT_IO, e);
		lock(&e->lock);
	}
	unlock(&e->lock);
	return finish_close(e);
}

void netpoll_gone(PollFd *e)
{
	IoWaiter *list = NULL;
	lock(&e->lock);
	forget(e, &list);
	unlock(&e->lock);
	netpoll_ready(list);
}

int netpoll_fresh(int fd, bool socket)
{
	int err;
	IoWaiter *list = NULL;
	PollFd *e = lookup_make(fd, &err);
	if (unlikely(!e))
		return err;
	lock(&e->lock);
	if (unlikely(e->mode != FD_NEW)) /* closed behind our back */
		forget(e, &list);
	store_rlx(&e->socket, socket);
	store_rlx(&e->mode, FD_POLL);
	unlock(&e->lock);
	netpoll_ready(list);
	return 0;
}
