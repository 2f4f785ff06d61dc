/*
 * netpoll.h: what io.c, dial.c and libc.c know of a descriptor: its entry in the poller's table.
 */
#ifndef GORO_NET_NETPOLL_H
#define GORO_NET_NETPOLL_H

#include "../sched/runtime.h"

typedef enum Direction { IO_READ, IO_WRITE } Direction;

/* How a call on the descriptor is done. */
typedef enum FdMode {
	FD_NEW,  /* not used through goro yet */
	FD_POLL, /* non-blocking: try, and park where it would block */
	FD_BORROWED, /* left as it was, as others share it (a terminal, 0 to 2): see that it is ready, then call */
	FD_BLOCKING /* always ready, as files are: call, with the P given away */
} FdMode;

typedef struct PollFd PollFd;

typedef struct PollDir {
	PollFd *of;        /* constant */
	List waiters;      /* IoWaiter; first come first woken */
	uint32_t nwaiting; /* in the list; written under lock, read relaxed */
	bool ready;        /* an event came that nobody waited for */
	uint32_t expired;  /* the deadline has passed; written under lock, read relaxed */
	int64_t deadline;  /* 0: none */
	bool armed;        /* the timer is, or its function is about to run */
	int64_t armed_for; /* at most deadline */
	Timer timer;
} PollDir;

/* One for each number of a descriptor; never freed. */
struct PollFd {
	Lock lock;    /* rank NETPOLL: guards what follows where not said otherwise */
	uint32_t use; /* atomic: calls under way, USE_* bits; see fdtable.c */
	int fd;       /* constant */
	uint32_t
	    gen; /* which file, of those that had this number; an event of an older one is stale */
	uint32_t mode;      /* FdMode; written under lock, read relaxed by calls under way */
	uint32_t socket;    /* it is one; as mode */
	bool watched;       /* by the poller */
	bool made_nonblock; /* by us */
	G *closer;          /* waits for the calls under way to end */
	PollDir dir[2];
};

#define USE_CLOSING 0x80000000u /* in use: it is being closed */

/* A goroutine or a thread in netpoll_wait; on its stack. */
struct IoWaiter {
	List link;      /* e->lock */
	IoWaiter *next; /* once taken off: list of those to be readied */
	G *g;           /* NULL: a thread, to be kicked */
	int kick;       /* -1: none */
	bool listed;    /* e->lock */
	int result;     /* 0: try again; the waker, before it readies */
};

/* ---- netpoll.c, with e->lock held: w (all of them) off the list of those that wait, and its goroutine
 * before *list, which is for netpoll_ready once the lock is released. ---- */
void waiters_wake(PollDir *d, IoWaiter *w, int result, IoWaiter **list);
void waiters_wake_all(PollDir *d, int result, IoWaiter **list);

/* ---- deadline.c ---- */
/* e->lock held; released for moments: the timer is armed for the deadline or earlier, or not at all. */
void deadline_adjust(PollFd *e, PollDir *dir);
/* On the scheduler, the timer's function. */
void deadline_fire(void *arg, int64_t now);

/* ---- fdtable.c ---- */
/* NULL: no entry was made yet. */
PollFd *netpoll_lookup(int fd);

/* Begin a call on fd. NULL and *err: -EBADF (closed, or being closed), -EMFILE, -ENOMEM. */
PollFd *netpoll_enter(int fd, int *err);
void netpoll_leave(PollFd *e);
/* ---- netpoll.c, deadline.c ---- */
/* The caller's call on e would block: wait until it may not. 0: try again; -ETIMEDOUT, -ECANCELED (closed). */
int netpoll_wait(PollFd *e, Direction d);
/* The caller waited, and its call did not block: if others wait too, the next may try. */
void netpoll_pass(PollFd *e, Direction d);
/* -ETIMEDOUT: the deadline has passed. */
int netpoll_expired(PollFd *e, Direction d);

/* ---- fdtable.c ---- */
/* The kernel has just made fd, non-blocking: whatever the entry knew is of another file. 0 or -EMFILE, -ENOMEM. */
int netpoll_fresh(int fd, bool socket);
/* The kernel does not know e's number: it was closed behind goro's back. */
void netpoll_gone(PollFd *e);
/* Close fd. wait: until calls under way on it have ended (they answer -ECANCELED) and it is closed;
 * else the last of them closes it. */
int netpoll_close(int fd, bool wait);
/* Was fd used through goro? */
bool netpoll_knows(int fd);
/* (netpoll.c) May the caller park: a goroutine on its own stack, with a P. */
bool netpoll_can_park(void);

#endif
