/*
 * libc.h: what the files libc*.c share: a libc call that may block, made by a goroutine, and what the
 * detector is told of it.
 */
#ifndef GORO_NET_LIBC_H
#define GORO_NET_LIBC_H

#include "../os/real.h"
#include "../os/sanitizer.h"
#include "../sched/runtime.h" /* before <fcntl.h>, whose LOCK_READ is another */
#include "../base/fdorder.h"
#include "netpoll.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PC __builtin_return_address(0)

/* On a goroutine, on its own stack (not on a signal's or another private one, which cannot park), and not
 * inside such a call already (goro_blocking). Inlined: who calls syscall_enter must not return before it is over. */
__attribute__((always_inline)) static inline bool enter(void)
{
	G *g = g_self();
	if (!g || g->m->in_syscall || !g->m->p)
		return false;
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	if (sp < g->stack_lo || sp >= g->stack_hi)
		return false;
	syscall_enter();
	return true;
}

static inline void leave_(bool in)
{
	if (in)
		syscall_exit();
}

/* The call, by libc or (statically linked) by its number. */
#define BLOCKING(name, args, nr, ...)                                                              \
	__extension__({                                                                            \
		__typeof__(&name) real_ = REAL(name);                                              \
		bool in_ = enter();                                                                \
		__typeof__(name args) r_ = likely(real_ != NULL)                                   \
					       ? real_ args                                        \
					       : (__typeof__(name args))syscall(nr, __VA_ARGS__);  \
		leave_(in_);                                                                       \
		r_;                                                                                \
	})

/* ---- calls that have no number of their own ----
 *
 * A static program has no dlsym. libc.a has each function under a second, strong name as well, in the same
 * member, which `-u NAME` brings in (STATIC_LIBS in the Makefile): `inner`. Not there: the call is fatal. */

static _Noreturn inline void libc_missing(const char *name)
{
	fatal("%s: a static program must be linked with -Wl,-u,%s", name, name);
}

/* libc's `name`; inner: as said above. */
#define LIBC(name, inner)                                                                          \
	__extension__({                                                                            \
		extern __typeof__(name) inner __attribute__((weak));                               \
		__typeof__(&name) libc_ = REAL(name);                                              \
		if (unlikely(!libc_) && !(libc_ = inner))                                          \
			libc_missing(#inner);                                                      \
		libc_;                                                                             \
	})

/* The call, with the P given away. */
#define WAITS(name, inner, args)                                                                   \
	__extension__({                                                                            \
		__typeof__(&name) real_ = LIBC(name, inner);                                       \
		bool in_ = syscall_enter_here();                                                   \
		__typeof__(name args) r_ = real_ args;                                             \
		if (in_)                                                                           \
			syscall_exit_here();                                                       \
		r_;                                                                                \
	})

/* The same where `try` may have it at once: `busy` is its answer when not. */
#define TRIES(try, busy, name, inner, args)                                                        \
	__extension__({                                                                            \
		__typeof__(name args) tried_ = g_self() ? (try) : (busy);                          \
		tried_ == (busy) ? WAITS(name, inner, args) : tried_;                              \
	})

/* ---- what the detector is told ---- */

static inline void fills(const void *p, size_t n, const void *pc)
{
	if (GORO_RACE && p && n && hook_counts(pc))
		hook_write(race_self(), p, n, pc);
}

static inline void takes(const void *p, size_t n, const void *pc)
{
	if (GORO_RACE && p && n && hook_counts(pc))
		hook_read(race_self(), p, n, pc);
}

static inline void takes_text(const char *s, const void *pc)
{
	if (GORO_RACE && s)
		takes(s, strlen(s) + 1, pc);
}

static inline void fd_in(int fd)
{
	if (!GORO_RACE)
		return;
	int e = os_errno();
	FdOrder order = fd_order(fd);
	for (int i = 0; i < FD_INS && order.in[i]; i++)
		hook_acquire(race_self(), order.in[i]);
	os_set_errno(e);
}

/* A message to that address; NULL: none is given. */
static inline void fd_out_to(int fd, const void *addr, socklen_t len)
{
	if (!GORO_RACE)
		return;
	int e = os_errno();
	FdOrder order = fd_order_to(fd, addr, len);
	for (int i = 0; i < FD_OUTS && order.out[i]; i++)
		hook_release_merge(race_self(), order.out[i]);
	os_set_errno(e);
}

static inline void fd_out(int fd)
{
	fd_out_to(fd, NULL, 0);
}

/* What came in through fd: n bytes at p (n < 0: failed). */
static inline void came(int fd, const void *p, ssize_t n, const void *pc)
{
	if (!GORO_RACE || n < 0)
		return;
	fd_in(fd);
	fills(p, (size_t)n, pc);
}

static inline void goes(int fd, const void *p, size_t n, const void *pc)
{
	takes(p, n, pc);
	fd_out(fd);
}

static inline void came_iov(int fd, const struct iovec *v, size_t nv, ssize_t n, const void *pc)
{
	if (!GORO_RACE || n < 0)
		return;
	fd_in(fd);
	takes(v, nv * sizeof *v, pc);
	for (size_t i = 0; i < nv && n > 0; i++) {
		size_t k = v[i].iov_len < (size_t)n ? v[i].iov_len : (size_t)n;
		fills(v[i].iov_base, k, pc);
		n -= (ssize_t)k;
	}
}

static inline void goes_iov_to(
    int fd, const struct iovec *v, size_t nv, const void *to, socklen_t len, const void *pc)
{
	if (!GORO_RACE)
		return;
	takes(v, nv * sizeof *v, pc);
	for (size_t i = 0; v && i < nv; i++)
		takes(v[i].iov_base, v[i].iov_len, pc);
	fd_out_to(fd, to, len);
}

static inline void goes_iov(int fd, const struct iovec *v, size_t nv, const void *pc)
{
	goes_iov_to(fd, v, nv, NULL, 0, pc);
}

/* An address and its length, which was `room` before the call. */
static inline void came_from(const void *a, const socklen_t *n, socklen_t room, const void *pc)
{
	if (!GORO_RACE || !a || !n)
		return;
	fills(n, sizeof *n, pc);
	fills(a, *n < room ? *n : room, pc);
}

/* The fields of a message that a call fills besides the bytes; room: of the name, before the call. */
static inline void came_msg(
    int fd, const struct msghdr *m, socklen_t room, ssize_t n, const void *pc)
{
	if (!GORO_RACE || n < 0)
		return;
	came_iov(fd, m->msg_iov, m->msg_iovlen, n, pc);
	came_from(m->msg_name, &m->msg_namelen, room, pc);
	fills(m->msg_control, m->msg_controllen, pc);
	fills(&m->msg_controllen, sizeof m->msg_controllen, pc);
	fills(&m->msg_flags, sizeof m->msg_flags, pc);
}

static inline void goes_msg(int fd, const struct msghdr *m, const void *pc)
{
	if (!GORO_RACE || !m)
		return;
	takes(m, sizeof *m, pc);
	takes(m->msg_name, m->msg_namelen, pc);
	takes(m->msg_control, m->msg_controllen, pc);
	goes_iov_to(fd, m->msg_iov, m->msg_iovlen, m->msg_name, m->msg_namelen, pc);
}

#endif
