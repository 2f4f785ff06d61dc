/*
 * io.c: read, write, recv, send, accept, connect, close that park the goroutine.
 *
 * All go through run_op: try; where it would block, wait in netpoll.c and try again. By e->mode: FD_POLL as said;
 * FD_BLOCKING: the call itself with the P given away; FD_BORROWED, whose call may block however it is
 * done: poll(2) first, and the P given away should somebody else have been quicker.
 *
 * For the detector, as net/libc.c: the bytes are the goroutine's accesses, and what goes into a descriptor
 * is before what comes out.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "../base/fdorder.h"
#include "netpoll.h"

#define PC __builtin_return_address(0)

typedef enum OpKind { OP_READ, OP_WRITE, OP_RECV, OP_SEND, OP_ACCEPT, OP_CONNECT } OpKind;

typedef struct Op {
	OpKind kind;
	int flags;
	void *p;       /* buffer; address for accept, connect */
	size_t n;      /* its size; of the address */
	uint32_t *len; /* accept: in and out */
} Op;

static inline Direction direction(OpKind k)
{
	return k == OP_READ || k == OP_RECV || k == OP_ACCEPT ? IO_READ : IO_WRITE;
}

static long attempt(const PollFd *e, const Op *op)
{
	int fd = e->fd;
	switch (op->kind) {
	case OP_READ:
		return os_fd_read(fd, op->p, op->n);
	case OP_WRITE:
		if (load_rlx(&e->socket)) /* a constant while a call is under way */
			return os_fd_send(fd, op->p, op->n, MSG_NOSIGNAL);
		return os_fd_write(fd, op->p, op->n);
	case OP_RECV:
		return os_fd_recv(fd, op->p, op->n, op->flags);
	case OP_SEND:
		return os_fd_send(fd, op->p, op->n, op->flags | MSG_NOSIGNAL);
	case OP_ACCEPT:
		return os_fd_accept(fd, op->p, op->len);
	case OP_CONNECT:
		return os_fd_connect(fd, op->p, (uint32_t)op->n);
	}
	return -EINVAL;
}

/* The call as it is, which may block the thread: the P is given away. */
static long attempt_blocking(const PollFd *e, const Op *op)
{
	bool away = netpoll_can_park();
	if (away)
		syscall_enter();
	long r = attempt(e, op);
	if (away)
		syscall_exit();
	return r;
}

/* Once: try, and wait as long as it would block. */
__attribute__((noinline)) static long run_op_slow(PollFd *e, const Op *op, long r)
{
	Direction d = direction(op->kind);
	bool waited = false;
	for (;;) {
		if (r == -EAGAIN || r == -EINPROGRESS || r == -EALREADY) {
			if (op->flags & MSG_DONTWAIT || load_rlx(&e->mode) == FD_BLOCKING)
				break;
			r = netpoll_wait(e, d);
			if (r)
				return r; /* taken off with the others, or after them */
			waited = true;
		} else if (r != -EINTR && !(r == -ECONNABORTED && op->kind == OP_ACCEPT)) {
			break;
		}
		if (load_rlx(&e->use) & USE_CLOSING) { /* being closed */
			r = -ECANCELED;
			break;
		}
		r = netpoll_expired(e, d);
		if (r)
			break;
		uint32_t mode = load_rlx(&e->mode);
		if (mode == FD_BLOCKING)
			r = attempt_blocking(e, op);
		else if (mode == FD_BORROWED &&
			 !os_fd_wait(e->fd, d == IO_READ ? OS_READABLE : OS_WRITABLE, -1, 0))
			r = -EAGAIN;
		else
			r = mode == FD_BORROWED ? attempt_blocking(e, op) : attempt(e, op);
	}
	if (op->kind == OP_CONNECT && r == -EISCONN && waited)
		r = 0;
	if (waited)
		netpoll_pass(e, d);
	return r;
}

static inline long run_op(PollFd *e, const Op *op)
{
	if (unlikely(load_rlx(&e->mode) != FD_POLL) ||
	    unlikely(netpoll_expired(e, direction(op->kind))))
		return run_op_slow(e, op, -EINTR);
	long r = attempt(e, op);
	if (likely(r >= 0))
		return r;
	return run_op_slow(e, op, r);
}

/* ---- what the detector is told, and whole calls ---- */

static inline void came(int fd, const void *p, size_t n, const void *pc)
{
	if (!GORO_RACE)
		return;
	RaceCtx *me = race_self();
	int saved = os_errno();
	FdOrder order = fd_order(fd);
	for (int i = 0; i < FD_INS && order.in[i]; i++)
		hook_acquire(me, order.in[i]);
	if (n > 0 && p)
		hook_write(me, p, n, pc);
	os_set_errno(saved);
}

static inline void goes(int fd, const void *p, size_t n, const void *pc)
{
	if (!GORO_RACE)
		return;
	RaceCtx *me = race_self();
	int saved = os_errno();
	if (n > 0 && p)
		hook_read(me, p, n, pc);
	FdOrder order = fd_order(fd);
	for (int i = 0; i < FD_OUTS && order.out[i]; i++)
		hook_release_merge(me, order.out[i]);
	os_set_errno(saved);
}

/* Of a call that gave r. Before netpoll_leave: who closes may then free the buffer. */
static inline void took(const PollFd *e, const Op *op, long r, const void *pc)
{
	if (!GORO_RACE || r < 0)
		return;
	size_t got = (size_t)r;
	switch (op->kind) {
	case OP_READ:
	case OP_RECV: /* MSG_TRUNC answers more than it gives */
		came(e->fd, op->p, got < op->n ? got : op->n, pc);
		break;
	case OP_ACCEPT:
		came(e->fd, op->p, op->p && *op->len < op->n ? *op->len : op->n, pc);
		if (op->p)
			hook_write(race_self(), op->len, sizeof *op->len, pc);
		break;
	default:
		break;
	}
}

/* A whole call on fd: op, again and again while `whole` and there is something left. */
static long call(int fd, Op *op, bool whole, const void *pc)
{
	int err;
	PollFd *e = netpoll_enter(fd, &err);
	if (unlikely(!e))
		return err;
	long total = 0;
	for (;;) {
		long r = run_op(e, op);
		if (unlikely(r < 0)) {
			if (r == -EBADF)
				netpoll_gone(e);
			total = total ? total : r;
			break;
		}
		took(e, op, r, pc);
		total += r;
		if (likely(!whole) || r == 0 || (size_t)r >= op->n)
			break;
		op->p = (char *)op->p + r;
		op->n -= (size_t)r;
	}
	netpoll_leave(e);
	return total;
}

/* ---- the public ones ---- */

intptr_t goro_read(int fd, void *buf, size_t n)
{
	Op op = {.kind = OP_READ, .p = buf, .n = n};
	long r = call(fd, &op, false, PC);
	preempt_check();
	return r;
}

intptr_t goro_write(int fd, const void *buf, size_t n)
{
	Op op = {.kind = OP_WRITE, .p = (void *)(uintptr_t)buf, .n = n};
	goes(fd, buf, n, PC);
	long r = call(fd, &op, true, PC);
	preempt_check();
	return r;
}

intptr_t goro_recv(int fd, void *buf, size_t n, int flags)
{
	Op op = {.kind = OP_RECV, .flags = flags, .p = buf, .n = n};
	long r =
	    call(fd, &op, (flags & (MSG_WAITALL | MSG_PEEK | MSG_DONTWAIT)) == MSG_WAITALL, PC);
	preempt_check();
	return r;
}

intptr_t goro_send(int fd, const void *buf, size_t n, int flags)
{
	Op op = {.kind = OP_SEND, .flags = flags, .p = (void *)(uintptr_t)buf, .n = n};
	goes(fd, buf, n, PC);
	long r = call(fd, &op, !(flags & MSG_DONTWAIT), PC);
	preempt_check();
	return r;
}

int goro_accept(int fd, struct sockaddr *addr, uint32_t *len)
{
	if (addr && !len)
		return -EFAULT;
	Op op = {.kind = OP_ACCEPT, .p = addr, .n = addr ? *len : 0, .len = len};
	int r = (int)call(fd, &op, false, PC);
	if (GORO_RACE && r >= 0)
		fd_order_accepted(r);
	int err = r >= 0 ? netpoll_fresh(r, true) : 0;
	if (err) {
		(void)os_fd_close(r);
		r = err;
	}
	preempt_check();
	return r;
}

/* A Unix socket whose listener's queue is full answers EAGAIN, and no event tells when it has room: ask again
 * after a while, at first 50 us. */
static int connect_full(int fd, Op *op)
{
	int64_t ns = 50 * GORO_MICROSECOND;
	for (;;) {
		int err;
		PollFd *e = netpoll_enter(fd, &err);
		if (!e)
			return err == -EBADF ? -ECANCELED : err;
		err = netpoll_expired(e, IO_WRITE);
		int64_t left = load_rlx(&e->dir[IO_WRITE].deadline);
		netpoll_leave(e);
		if (err)
			return err;
		if (left && (left -= sched_now()) < ns)
			ns = left > 0 ? left : 1;
		goro_sleep(ns);
		ns = ns < 5 * GORO_MILLISECOND ? 2 * ns : ns;
		err = (int)call(fd, op, false, NULL);
		if (err != -EAGAIN)
			return err;
	}
}

int goro_connect(int fd, const struct sockaddr *addr, uint32_t len)
{
	Op op = {.kind = OP_CONNECT, .p = (void *)(uintptr_t)addr, .n = len};
	goes(fd, addr, len, PC);
	if (addr && len >= sizeof addr->sa_family && addr->sa_family == AF_UNIX)
		op.flags = MSG_DONTWAIT;
	int r = (int)call(fd, &op, false, PC);
	if (op.flags && r == -EAGAIN)
		r = connect_full(fd, &op);
	preempt_check();
	return r;
}

int goro_close(int fd)
{
	goes(fd, NULL, 0, PC);
	if (GORO_RACE)
		fd_order_close(fd);
	int r = netpoll_close(fd, netpoll_can_park() || !g_self());
	preempt_check();
	return r;
}
