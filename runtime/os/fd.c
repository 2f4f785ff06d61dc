/*
 * fd.c: descriptors of os.h by raw system calls: negative errno, errno untouched, seen by no interposed name.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <asm/ioctls.h>

#include "os.h"
#include "raw.h"

long os_fd_read(int fd, void *p, size_t n)
{
	return raw_call(SYS_read, fd, (long)p, (long)n, 0, 0, 0);
}

long os_fd_write(int fd, const void *p, size_t n)
{
	return raw_call(SYS_write, fd, (long)p, (long)n, 0, 0, 0);
}

long os_fd_recv(int fd, void *p, size_t n, int flags)
{
	return raw_call(SYS_recvfrom, fd, (long)p, (long)n, flags, 0, 0);
}

long os_fd_send(int fd, const void *p, size_t n, int flags)
{
	return raw_call(SYS_sendto, fd, (long)p, (long)n, flags, 0, 0);
}

int os_fd_accept(int fd, void *addr, uint32_t *len)
{
	return (int)raw_call(
	    SYS_accept4, fd, (long)addr, (long)len, SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
}

int os_fd_connect(int fd, const void *addr, uint32_t len)
{
	return (int)raw_call(SYS_connect, fd, (long)addr, len, 0, 0, 0);
}

int os_fd_socket(int family, int type, int protocol)
{
	return (int)raw_call(
	    SYS_socket, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol, 0, 0, 0);
}

int os_fd_bind(int fd, const void *addr, uint32_t len)
{
	return (int)raw_call(SYS_bind, fd, (long)addr, len, 0, 0, 0);
}

int os_fd_listen(int fd, int backlog)
{
	return (int)raw_call(SYS_listen, fd, backlog, 0, 0, 0, 0);
}

int os_fd_set_option(int fd, int level, int name, int value)
{
	return (int)raw_call(SYS_setsockopt, fd, level, name, (long)&value, sizeof value, 0);
}

int os_fd_close(int fd)
{
	long r = raw_call(SYS_close, fd, 0, 0, 0, 0, 0);
	return r == -EINTR ? 0 : (int)r; /* on Linux it is closed nevertheless */
}

int os_fd_set_nonblock(int fd, bool on)
{
	long flags = raw_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	if (flags < 0)
		return (int)flags;
	if (on == !!(flags & O_NONBLOCK))
		return on;
	return (int)raw_call(SYS_fcntl, fd, F_SETFL, flags ^ O_NONBLOCK, 0, 0, 0);
}

int os_fd_kind(int fd)
{
	struct stat st;
	long r = raw_call(SYS_newfstatat, fd, (long)"", (long)&st, AT_EMPTY_PATH, 0, 0);
	if (r < 0)
		return (int)r;
	if (S_ISSOCK(st.st_mode))
		return OS_FD_SOCKET;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return OS_FD_FILE;
	struct termios t;
	if (S_ISCHR(st.st_mode) && raw_call(SYS_ioctl, fd, TCGETS, (long)&t, 0, 0, 0) == 0)
		return OS_FD_TERMINAL;
	return OS_FD_OTHER;
}

int os_fd_wait(int fd, uint32_t ready, int kick, int64_t ns)
{
	short want =
	    (short)((ready & OS_READABLE ? POLLIN : 0) | (ready & OS_WRITABLE ? POLLOUT : 0));
	struct pollfd p[2] = {
	    {.fd = fd, .events = want}, {.fd = kick, .events = POLLIN}}; /* fd < 0 is ignored */
	struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	long r = raw_call(SYS_ppoll, (long)p, 2, ns < 0 ? 0 : (long)&t, 0, 8, 0);
	return r > 0 && p[0].revents ? (int)ready : 0;
}

int os_kick_open(void)
{
	return (int)raw_call(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK, 0, 0, 0, 0);
}

void os_kick(int kick)
{
	uint64_t one = 1;
	(void)os_fd_write(kick, &one, sizeof one);
}
