/*
 * libc.c: libc calls that may block, on a goroutine: the thread stays in the call, its P moves on
 * (sched/syscall.c). Elsewhere they are libc's. Results and errno are libc's in every case: a goroutine
 * that comes back on another thread finds errno there.
 *
 * The names are weak in the archive: a program that defines its own keeps them. libc's own calls among
 * each other (printf's write) do not come here; such a call holds its P, as any long computation does.
 *
 * Here stand files and fortified names; sockets in libc_socket.c, waiting (for descriptors, time, other
 * processes) and resolving in libc_wait.c.
 *
 * For the detector (race build): the bytes a call takes or gives are the goroutine's reads and writes, and
 * what is written to a descriptor is before what reads it. Two descriptors are one channel of order when
 * they are one file (device and inode: both ends of a pipe, a file opened twice), one eventfd, or the ends of
 * one connection where that is known (fdorder.c). Other sockets are all one: that may hide a race between
 * unrelated ones, and never invents one (TSan and Go do the same for all of them).
 */
#include "libc.h"

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
	if (GORO_RACE) {
		int e = os_errno();
		fd_order_close(fd);
		os_set_errno(e);
	}
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

/* Vectors at a place, by either name of off_t; then those with flags, for which a place of -1 is the file's
 * own, so that they serve pipes and sockets too. (The system's calls take a place in two halves.) */
#define VECTORS_AT(in, out, place)                                                                 \
	GORO_API ssize_t in(int fd, const struct iovec *v, int nv, place at)                       \
	{                                                                                          \
		ssize_t r = BLOCKING(in, (fd, v, nv, at), SYS_preadv, fd, v, nv, at, 0);           \
		came_iov(fd, v, (size_t)(nv < 0 ? 0 : nv), r, PC);                                 \
		return r;                                                                          \
	}                                                                                          \
	GORO_API ssize_t out(int fd, const struct iovec *v, int nv, place at)                      \
	{                                                                                          \
		goes_iov(fd, v, (size_t)(nv < 0 ? 0 : nv), PC);                                    \
		return BLOCKING(out, (fd, v, nv, at), SYS_pwritev, fd, v, nv, at, 0);              \
	}
VECTORS_AT(preadv, pwritev, off_t)
VECTORS_AT(preadv64, pwritev64, off64_t)

#define VECTORS_HOW(in, out, place)                                                                \
	GORO_API ssize_t in(int fd, const struct iovec *v, int nv, place at, int how)              \
	{                                                                                          \
		ssize_t r =                                                                        \
		    BLOCKING(in, (fd, v, nv, at, how), SYS_preadv2, fd, v, nv, at, 0, how);        \
		came_iov(fd, v, (size_t)(nv < 0 ? 0 : nv), r, PC);                                 \
		return r;                                                                          \
	}                                                                                          \
	GORO_API ssize_t out(int fd, const struct iovec *v, int nv, place at, int how)             \
	{                                                                                          \
		goes_iov(fd, v, (size_t)(nv < 0 ? 0 : nv), PC);                                    \
		return BLOCKING(out, (fd, v, nv, at, how), SYS_pwritev2, fd, v, nv, at, 0, how);   \
	}
VECTORS_HOW(preadv2, pwritev2, off_t)
VECTORS_HOW(preadv64v2, pwritev64v2, off64_t)

/* From memory into a pipe, or by the pipe's other end back: what the descriptor is open for says which. */
GORO_API ssize_t vmsplice(int fd, const struct iovec *v, size_t nv, unsigned flags)
{
	bool out = false;
	if (GORO_RACE) {
		int e = os_errno(), mode = fcntl(fd, F_GETFL);
		out = mode >= 0 && (mode & O_ACCMODE) != O_RDONLY;
		os_set_errno(e);
	}
	if (out)
		goes_iov(fd, v, nv, PC);
	ssize_t r = BLOCKING(vmsplice, (fd, v, nv, flags), SYS_vmsplice, fd, v, nv, flags);
	if (!out)
		came_iov(fd, v, nv, r, PC);
	return r;
}

/* Bytes that go from file to file, and through no memory of the program. */
GORO_API ssize_t sendfile(int out, int in, off_t *at, size_t n)
{
	fd_out(out);
	takes(at, sizeof *at, PC);
	ssize_t r = BLOCKING(sendfile, (out, in, at, n), SYS_sendfile, out, in, at, n);
	if (r >= 0) {
		fd_in(in);
		fills(at, sizeof *at, PC);
	}
	return r;
}

GORO_API ssize_t splice(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags)
{
	fd_out(out);
	takes(from, sizeof *from, PC);
	takes(to, sizeof *to, PC);
	ssize_t r = BLOCKING(
	    splice, (in, from, out, to, n, flags), SYS_splice, in, from, out, to, n, flags);
	if (r >= 0) {
		fd_in(in);
		fd_out(out); /* what was before the bytes is before who reads them there */
		fills(from, sizeof *from, PC);
		fills(to, sizeof *to, PC);
	}
	return r;
}

GORO_API ssize_t copy_file_range(
    int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags)
{
	fd_out(out);
	takes(from, sizeof *from, PC);
	takes(to, sizeof *to, PC);
	ssize_t r = BLOCKING(copy_file_range, (in, from, out, to, n, flags), SYS_copy_file_range,
	    in, from, out, to, n, flags);
	if (r >= 0) {
		fd_in(in);
		fills(from, sizeof *from, PC);
		fills(to, sizeof *to, PC);
	}
	return r;
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
	takes_text(path, PC);
	return BLOCKING(open, (path, flags, mode), SYS_openat, AT_FDCWD, path, flags, mode);
}

GORO_API int open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	takes_text(path, PC);
	return BLOCKING(
	    open64, (path, flags, mode), SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

GORO_API int openat(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	takes_text(path, PC);
	return BLOCKING(openat, (dir, path, flags, mode), SYS_openat, dir, path, flags, mode);
}

GORO_API int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	takes_text(path, PC);
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

/* ---- the names that -D_FORTIFY_SOURCE makes of them ---- */

_Noreturn void __chk_fail(void);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at, size_t room);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(
    int fd, void *p, size_t n, size_t room, int flags, struct sockaddr *a, socklen_t *an);
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
	socklen_t given = an ? *an : 0;
	ssize_t r =
	    BLOCKING(recvfrom, (fd, p, n, flags, a, an), SYS_recvfrom, fd, p, n, flags, a, an);
	came(fd, p, r > (ssize_t)n ? (ssize_t)n : r, PC);
	if (r >= 0)
		came_from(a, an, given, PC);
	return r;
}

GORO_API int __open_2(const char *path, int flags)
{
	return open(path, flags, 0);
}

GORO_API int __open64_2(const char *path, int flags)
{
	return open64(path, flags, 0);
}
