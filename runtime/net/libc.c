/*
 * libc.c: libc calls that may block, on a goroutine: the thread stays in the call, its P moves on
 * (sched/syscall.c). Elsewhere they are libc's. Results and errno are libc's in every case: a goroutine
 * that comes back on another thread finds errno there.
 *
 * The names are weak in the archive: a program that defines its own keeps them. libc's own calls among
 * each other (printf's write) do not come here; such a call holds its P, as any long computation does.
 *
 * For the detector (race build): the bytes a call takes or gives are the goroutine's reads and writes, and
 * what is written to a descriptor is before what reads it. Two descriptors are one channel of order when
 * they are one file (device and inode: both ends of a pipe, a file opened twice). All sockets are one,
 * since nothing tells which two are connected: that may hide a race between unrelated connections, and
 * never invents one (TSan and Go do the same).
 */
#include "../os/real.h"
#include "../sched/runtime.h" /* before <fcntl.h>, whose LOCK_READ is another */
#include "fdorder.h"
#include "netpoll.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PC __builtin_return_address(0)

/* On a goroutine, on its own stack (not on a signal's or another private one, which cannot park), and not
 * inside such a call already (goro_blocking). */
static inline bool enter(void)
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

/* What came in through fd: n bytes at p (n < 0: failed). */
static inline void came(int fd, const void *p, ssize_t n, const void *pc)
{
	if (!GORO_RACE || n < 0)
		return;
	RaceCtx *me = race_self();
	int e = os_errno();
	const void *order = fd_order(fd);
	if (order)
		hook_acquire(me, order);
	if (n > 0 && p)
		hook_write(me, p, (size_t)n, pc);
	os_set_errno(e);
}

static inline void goes(int fd, const void *p, size_t n, const void *pc)
{
	if (!GORO_RACE)
		return;
	RaceCtx *me = race_self();
	int e = os_errno();
	if (n > 0 && p)
		hook_read(me, p, n, pc);
	const void *order = fd_order(fd);
	if (order)
		hook_release_merge(me, order);
	os_set_errno(e);
}

static inline void came_iov(int fd, const struct iovec *v, size_t nv, ssize_t n, const void *pc)
{
	if (!GORO_RACE || n < 0)
		return;
	came(fd, NULL, 0, pc);
	for (size_t i = 0; i < nv && n > 0; i++) {
		size_t k = v[i].iov_len < (size_t)n ? v[i].iov_len : (size_t)n;
		if (k)
			hook_write(race_self(), v[i].iov_base, k, pc);
		n -= (ssize_t)k;
	}
}

static inline void goes_iov(int fd, const struct iovec *v, size_t nv, const void *pc)
{
	if (!GORO_RACE)
		return;
	for (size_t i = 0; i < nv; i++)
		if (v[i].iov_len)
			hook_read(race_self(), v[i].iov_base, v[i].iov_len, pc);
	goes(fd, NULL, 0, pc);
}

/* ---- files ---- */

GORO_API ssize_t read(int fd, void *p, size_t n)
{
	ssize_t r = BLOCKING(read, (fd, p, n), SYS_read, fd, p, n);
	came(fd, p, r, PC);
	return r;
}

GORO_API ssize_t write(int fd, const void *p, size_t n)
{
	goes(fd, p, n, PC);
	return BLOCKING(write, (fd, p, n), SYS_write, fd, p, n);
}

/* The end of a file is news as well: what was done before the close is before the read that meets it. */
GORO_API int close(int fd)
{
	goes(fd, NULL, 0, PC);
	if (netpoll_knows(fd)) { /* others may wait for it */
		int r = netpoll_close(fd, netpoll_can_park() || !g_self());
		if (r < 0)
			os_set_errno(-r);
		return r < 0 ? -1 : 0;
	}
	return BLOCKING(close, (fd), SYS_close, fd);
}

GORO_API int shutdown(int fd, int how)
{
	goes(fd, NULL, 0, PC);
	return BLOCKING(shutdown, (fd, how), SYS_shutdown, fd, how);
}

GORO_API ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	ssize_t r = BLOCKING(pread, (fd, p, n, at), SYS_pread64, fd, p, n, at);
	came(fd, p, r, PC);
	return r;
}

GORO_API ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
	ssize_t r = BLOCKING(pread64, (fd, p, n, at), SYS_pread64, fd, p, n, at);
	came(fd, p, r, PC);
	return r;
}

GORO_API ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	goes(fd, p, n, PC);
	return BLOCKING(pwrite, (fd, p, n, at), SYS_pwrite64, fd, p, n, at);
}

GORO_API ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	goes(fd, p, n, PC);
	return BLOCKING(pwrite64, (fd, p, n, at), SYS_pwrite64, fd, p, n, at);
}

GORO_API ssize_t readv(int fd, const struct iovec *v, int nv)
{
	ssize_t r = BLOCKING(readv, (fd, v, nv), SYS_readv, fd, v, nv);
	came_iov(fd, v, (size_t)(nv < 0 ? 0 : nv), r, PC);
	return r;
}

GORO_API ssize_t writev(int fd, const struct iovec *v, int nv)
{
	goes_iov(fd, v, (size_t)(nv < 0 ? 0 : nv), PC);
	return BLOCKING(writev, (fd, v, nv), SYS_writev, fd, v, nv);
}

/* The mode of an open, which is there only when it may make a file. */
#define OPEN_MODE(flags, mode)                                                                     \
	mode_t mode = 0;                                                                           \
	if ((flags)&O_CREAT || ((flags)&O_TMPFILE) == O_TMPFILE) {                                 \
		va_list ap_;                                                                       \
		va_start(ap_, flags);                                                              \
		mode = va_arg(ap_, mode_t);                                                        \
		va_end(ap_);                                                                       \
	}

GORO_API int open(const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return BLOCKING(open, (path, flags, mode), SYS_openat, AT_FDCWD, path, flags, mode);
}

GORO_API int open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return BLOCKING(
	    open64, (path, flags, mode), SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

GORO_API int openat(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return BLOCKING(openat, (dir, path, flags, mode), SYS_openat, dir, path, flags, mode);
}

GORO_API int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return BLOCKING(
	    openat64, (dir, path, flags, mode), SYS_openat, dir, path, flags | O_LARGEFILE, mode);
}

GORO_API int fsync(int fd)
{
	return BLOCKING(fsync, (fd), SYS_fsync, fd);
}

GORO_API int fdatasync(int fd)
{
	return BLOCKING(fdatasync, (fd), SYS_fdatasync, fd);
}

GORO_API int flock(int fd, int op)
{
	if (GORO_RACE && (op & LOCK_UN))
		goes(fd, NULL, 0, PC);
	int r = BLOCKING(flock, (fd, op), SYS_flock, fd, op);
	if (GORO_RACE && !(op & LOCK_UN))
		came(fd, NULL, r, PC);
	return r;
}

/* ---- sockets ---- */

GORO_API int accept(int fd, struct sockaddr *a, socklen_t *n)
{
	int r = BLOCKING(accept, (fd, a, n), SYS_accept, fd, a, n);
	came(fd, NULL, r < 0 ? -1 : 0, PC);
	return r;
}

GORO_API int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	int r = BLOCKING(accept4, (fd, a, n, flags), SYS_accept4, fd, a, n, flags);
	came(fd, NULL, r < 0 ? -1 : 0, PC);
	return r;
}

GORO_API int connect(int fd, const struct sockaddr *a, socklen_t n)
{
	goes(fd, a, n, PC);
	return BLOCKING(connect, (fd, a, n), SYS_connect, fd, a, n);
}

GORO_API ssize_t recv(int fd, void *p, size_t n, int flags)
{
	ssize_t r = BLOCKING(recv, (fd, p, n, flags), SYS_recvfrom, fd, p, n, flags, NULL, NULL);
	came(fd, p, r > (ssize_t)n ? (ssize_t)n : r, PC); /* MSG_TRUNC answers more than it gives */
	return r;
}

GORO_API ssize_t recvfrom(int fd, void *p, size_t n, int flags, struct sockaddr *a, socklen_t *an)
{
	ssize_t r =
	    BLOCKING(recvfrom, (fd, p, n, flags, a, an), SYS_recvfrom, fd, p, n, flags, a, an);
	came(fd, p, r > (ssize_t)n ? (ssize_t)n : r, PC);
	return r;
}

GORO_API ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t r = BLOCKING(recvmsg, (fd, m, flags), SYS_recvmsg, fd, m, flags);
	if (r >= 0)
		came_iov(fd, m->msg_iov, m->msg_iovlen, r, PC);
	return r;
}

GORO_API ssize_t send(int fd, const void *p, size_t n, int flags)
{
	goes(fd, p, n, PC);
	return BLOCKING(send, (fd, p, n, flags), SYS_sendto, fd, p, n, flags, NULL, 0);
}

GORO_API ssize_t sendto(
    int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t an)
{
	goes(fd, p, n, PC);
	return BLOCKING(sendto, (fd, p, n, flags, a, an), SYS_sendto, fd, p, n, flags, a, an);
}

GORO_API ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (m)
		goes_iov(fd, m->msg_iov, m->msg_iovlen, PC);
	return BLOCKING(sendmsg, (fd, m, flags), SYS_sendmsg, fd, m, flags);
}

/* ---- waiting ---- */

GORO_API int poll(struct pollfd *p, nfds_t n, int ms)
{
	return BLOCKING(poll, (p, n, ms), SYS_poll, p, n, ms);
}

GORO_API int ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	/* By number the kernel writes the rest of the time back; libc's does not. */
	struct timespec left = t ? *t : (struct timespec){0, 0};
	return BLOCKING(ppoll, (p, n, t, mask), SYS_ppoll, p, n, t ? &left : NULL, mask, 8L);
}

GORO_API int select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t)
{
	return BLOCKING(select, (n, r, w, x, t), SYS_select, n, r, w, x, t);
}

GORO_API int epoll_wait(int ep, struct epoll_event *ev, int n, int ms)
{
	return BLOCKING(epoll_wait, (ep, ev, n, ms), SYS_epoll_wait, ep, ev, n, ms);
}

GORO_API int epoll_pwait(int ep, struct epoll_event *ev, int n, int ms, const sigset_t *mask)
{
	return BLOCKING(
	    epoll_pwait, (ep, ev, n, ms, mask), SYS_epoll_pwait, ep, ev, n, ms, mask, 8L);
}

GORO_API int nanosleep(const struct timespec *t, struct timespec *left)
{
	return BLOCKING(nanosleep, (t, left), SYS_nanosleep, t, left);
}

GORO_API int clock_nanosleep(
    clockid_t c, int flags, const struct timespec *t, struct timespec *left)
{
	/* The one that answers an error number and leaves errno alone. */
	__typeof__(&clock_nanosleep) real = REAL(clock_nanosleep);
	int e = os_errno(), r;
	bool in = enter();
	if (likely(real != NULL))
		r = real(c, flags, t, left);
	else
		r = syscall(SYS_clock_nanosleep, c, flags, t, left) == 0 ? 0 : os_errno();
	leave_(in);
	os_set_errno(e);
	return r;
}

GORO_API unsigned sleep(unsigned s)
{
	struct timespec t = {s, 0}, left = {0, 0};
	int e = os_errno();
	if (nanosleep(&t, &left) == 0)
		return 0;
	os_set_errno(e); /* an interrupted sleep is no error */
	return (unsigned)left.tv_sec + (left.tv_nsec >= 500000000);
}

GORO_API int usleep(useconds_t us)
{
	struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};
	return nanosleep(&t, NULL);
}

GORO_API pid_t wait4(pid_t pid, int *status, int options, struct rusage *u)
{
	return BLOCKING(wait4, (pid, status, options, u), SYS_wait4, pid, status, options, u);
}

GORO_API pid_t waitpid(pid_t pid, int *status, int options)
{
	return BLOCKING(waitpid, (pid, status, options), SYS_wait4, pid, status, options, NULL);
}

GORO_API pid_t wait(int *status)
{
	return waitpid(-1, status, 0);
}

/* What system is in a program without a dynamic libc, but for the signals it holds off. */
static int system_static(const char *command)
{
	char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
	pid_t pid;
	int status;
	if (!command)
		return access("/bin/sh", X_OK) == 0;
	int e = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
	if (e) {
		os_set_errno(e);
		return -1;
	}
	while (syscall(SYS_wait4, pid, &status, 0, NULL) < 0)
		if (os_errno() != EINTR)
			return -1;
	return status;
}

GORO_API int system(const char *command)
{
	__typeof__(&system) real = REAL(system);
	if (GORO_RACE && command)
		hook_read(race_self(), command, strlen(command) + 1, PC);
	bool in = enter();
	int r = likely(real != NULL) ? real(command) : system_static(command);
	leave_(in);
	return r;
}

GORO_API int getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	__typeof__(&getaddrinfo) real = REAL(getaddrinfo);
	if (!real) { /* statically linked: libc's is hidden by ours */
		os_set_errno(ENOSYS);
		return EAI_SYSTEM;
	}
	bool in = enter();
	int r = real(name, service, hints, out);
	leave_(in);
	return r;
}

/* ---- the names that -D_FORTIFY_SOURCE makes of them ---- */

_Noreturn void __chk_fail(void);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at, size_t room);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(
    int fd, void *p, size_t n, size_t room, int flags, struct sockaddr *a, socklen_t *an);
int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t room);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

GORO_API ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	if (n > room)
		__chk_fail();
	ssize_t r = BLOCKING(read, (fd, p, n), SYS_read, fd, p, n);
	came(fd, p, r, PC);
	return r;
}

GORO_API ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room)
{
	if (n > room)
		__chk_fail();
	ssize_t r = BLOCKING(pread, (fd, p, n, at), SYS_pread64, fd, p, n, at);
	came(fd, p, r, PC);
	return r;
}

GORO_API ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at, size_t room)
{
	return __pread_chk(fd, p, n, at, room);
}

GORO_API ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags)
{
	if (n > room)
		__chk_fail();
	ssize_t r = BLOCKING(recv, (fd, p, n, flags), SYS_recvfrom, fd, p, n, flags, NULL, NULL);
	came(fd, p, r > (ssize_t)n ? (ssize_t)n : r, PC);
	return r;
}

GORO_API ssize_t __recvfrom_chk(
    int fd, void *p, size_t n, size_t room, int flags, struct sockaddr *a, socklen_t *an)
{
	if (n > room)
		__chk_fail();
	ssize_t r =
	    BLOCKING(recvfrom, (fd, p, n, flags, a, an), SYS_recvfrom, fd, p, n, flags, a, an);
	came(fd, p, r > (ssize_t)n ? (ssize_t)n : r, PC);
	return r;
}

GORO_API int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t room)
{
	if (n > room / sizeof *p)
		__chk_fail();
	return poll(p, n, ms);
}

GORO_API int __open_2(const char *path, int flags)
{
	return open(path, flags, 0);
}

GORO_API int __open64_2(const char *path, int flags)
{
	return open64(path, flags, 0);
}
