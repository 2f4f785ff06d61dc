/*
 * deadline.c: until when calls on a descriptor may take.
 *
 * Setting a deadline later than what the timer is armed for leaves the timer alone, since servers move theirs
 * at every request: when it fires early it is armed again. Earlier: it is stopped, outside of e->lock, which
 * its function takes.
 *
 * Edge: setting a deadline -> a call that answers -ETIMEDOUT; identity: the direction.
 */
#include "netpoll.h"

#include <errno.h>

int netpoll_expired(PollFd *e, Direction d)
{
	PollDir *dir = &e->dir[d];
	if (likely(!load_rlx(&dir->expired))) { /* a timer, which sets it, may be late anyway */
		/* A thread may be alone, with nobody to run timers. */
		G *g = g_self();
		int64_t when = unlikely(!g || g->m->in_syscall) ? load_rlx(&dir->deadline) : 0;
		if (likely(!when || when > sched_now()))
			return 0;
	}
	if (GORO_RACE)
		hook_acquire(race_self(), dir);
	return -ETIMEDOUT;
}

/* On the scheduler: the time for which the timer was armed has come. */
void deadline_fire(void *arg, int64_t now)
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
		waiters_wake_all(dir, -ETIMEDOUT, &list);
	}
	unlock(&dir->of->lock);
	netpoll_ready(list);
}

/* e->lock held; released for moments: the timer is armed for the deadline or earlier, or not at all. */
void deadline_adjust(PollFd *e, PollDir *dir)
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
	store_rlx(&dir->expired, when && when <= sched_now());
	if (dir->expired) {
		waiters_wake_all(dir, -ETIMEDOUT, &list);
	} else {
		for (List *l = dir->waiters.next, *next; l != &dir->waiters; l = next) {
			next = l->next;
			IoWaiter *w = list_entry(l, IoWaiter, link);
			if (!w->g) /* waits by itself, for the old one */
				waiters_wake(dir, w, 0, &list);
		}
		if (when)
			deadline_adjust(e, dir);
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
