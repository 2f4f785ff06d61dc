/*
 * fdtable.c: an entry for each number of a descriptor: what is known of its file, and who uses it.
 *
 * Numbers are used again. The entry of a number lives for ever, e->gen tells its files apart, and the gen
 * travels in the poller's event: a stale one is dropped. netpoll_close takes the number out of use before the
 * kernel may give it out again, and closes only when no call on it is under way (Go's fdMutex):
 *
 *   e->use = calls under way | USE_CLOSING (no new ones) | USE_LAST (the last of them closes)
 *
 * A file closed behind goro's back (fclose, dup2) leaves a stale entry; accept and dial set it right, and so
 * does a call that the kernel answers by EBADF.
 *
 * A child of a fork that closes all it does not need before it execs must not touch the table, and the
 * poller, which it shares with its parent, even less: `owner` is asked.
 *
 * Lock: e->lock, rank NETPOLL. The table grows by chunks and without a lock.
 * Edges: closing -> a call that answers -ECANCELED (identity: e); calls on fd -> the end of its close (&e->use).
 */
#include "netpoll.h"

#include <errno.h>

#define CHUNK_BITS 8
#define CHUNK      (1 << CHUNK_BITS)
#define CHUNKS     65536 /* descriptors up to 2^24; the kernel's own bound is 2^30, its default 2^20 */
#define USE_LAST   0x40000000u
#define USE_COUNT  0x3fffffffu

static PollFd *chunks[CHUNKS]; /* a slot is written once, by cas */
static int owner;              /* the process whose table it is */

/* ---- the table ---- */

PollFd *netpoll_lookup(int fd)
{
	if (fd < 0 || fd >= CHUNKS * CHUNK)
		return NULL;
	PollFd *c = load_acq(&chunks[fd >> CHUNK_BITS]); /* pairs with cas_rel in lookup_make */
	return c ? &c[fd & (CHUNK - 1)] : NULL;
}

static PollFd *lookup_make(int fd, int *err)
{
	PollFd *e = netpoll_lookup(fd);
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
			c[i].dir[d].timer = (Timer){.fn = deadline_fire, .arg = &c[i].dir[d]};
		}
	}
	store_rlx(&owner, os_process_id()); /* who forks has made no table of its own */
	if (!cas_rel(&chunks[fd >> CHUNK_BITS], NULL, c)) /* pairs with load_acq in lookup */
		os_unmap(c, CHUNK * sizeof *c);
	return netpoll_lookup(fd);
}

bool netpoll_knows(int fd)
{
	PollFd *e = netpoll_lookup(fd);
	return e && (load_rlx(&e->mode) != FD_NEW || load_rlx(&e->use)) &&
	       os_process_id() == load_rlx(&owner);
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
	if (GORO_RACE) /* pairs with the acquire in finish_close */
		hook_release_merge(race_self(), &e->use);
	/* Pairs with itself: who closes comes after all calls. */
	uint32_t use = sub_ar(&e->use, 1) - 1;
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
		waiters_wake_all(dir, -ECANCELED, list);
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
		deadline_adjust(e, &e->dir[d]); /* none left behind: it would hide a deadlock */
	unlock(&e->lock);
	if (GORO_RACE) {
		hook_acquire(race_self(), &e->use); /* pairs with the merge in netpoll_leave */
		hook_forget(&e->use);
		hook_forget(e);
	}
	/* Before the kernel gives the number out again; pairs with cas_acq in netpoll_enter. */
	store_rel(&e->use, 0);
	return close_it(fd);
}

int netpoll_close(int fd, bool wait)
{
	PollFd *e = netpoll_lookup(fd);
	IoWaiter *list = NULL;
	uint32_t use;
	if (!e || os_process_id() != load_rlx(&owner))
		return close_it(fd);
	do {
		use = load_rlx(&e->use);
		if (use & USE_CLOSING)
			return -EBADF;
		/* Pairs with those in netpoll_enter, netpoll_leave. */
	} while (!cas_ar(&e->use, use, (use + 1) | USE_CLOSING));
	if (GORO_RACE)
		hook_release_merge(race_self(), e);
	lock(&e->lock);
	waiters_wake_all(&e->dir[IO_READ], -ECANCELED, &list);
	waiters_wake_all(&e->dir[IO_WRITE], -ECANCELED, &list);
	if (e->mode != FD_POLL) /* a call may be in the kernel for as long as it likes */
		wait = false;
	unlock(&e->lock);
	netpoll_ready(list);
	if (!wait) {
		do
			use = load_rlx(&e->use);
		while (
		    !cas_ar(&e->use, use, (use - 1) | USE_LAST)); /* pairs with sub_ar in leave */
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
