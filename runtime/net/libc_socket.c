/*
 * libc_socket.c: libc.c for sockets: addresses, messages and their parts.
 */
#include "libc.h"

static void came_in(
    int fd, int r, const struct sockaddr *a, const socklen_t *n, socklen_t room, const void *pc)
{
	if (!GORO_RACE || r < 0)
		return;
	int e = os_errno();
	fd_order_accepted(r);
	os_set_errno(e);
	fd_in(fd);
	came_from(a, n, room, pc);
}

GORO_API int accept(int fd, struct sockaddr *a, socklen_t *n)
{
	socklen_t room = n ? *n : 0;
	int r = BLOCKING(accept, (fd, a, n), SYS_accept, fd, a, n);
	came_in(fd, r, a, n, room, PC);
	return r;
}

GORO_API int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	socklen_t room = n ? *n : 0;
	int r = BLOCKING(accept4, (fd, a, n, flags), SYS_accept4, fd, a, n, flags);
	came_in(fd, r, a, n, room, PC);
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
	socklen_t given = an ? *an : 0;
	ssize_t r =
	    BLOCKING(recvfrom, (fd, p, n, flags, a, an), SYS_recvfrom, fd, p, n, flags, a, an);
	came(fd, p, r > (ssize_t)n ? (ssize_t)n : r, PC);
	if (r >= 0)
		came_from(a, an, given, PC);
	return r;
}

GORO_API ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	socklen_t room = m ? m->msg_namelen : 0;
	ssize_t r = BLOCKING(recvmsg, (fd, m, flags), SYS_recvmsg, fd, m, flags);
	came_msg(fd, m, room, r, PC);
	return r;
}

GORO_API int recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *t)
{
	/* Names share one size as a rule; said is what came, at most. */
	socklen_t room = n && m ? m->msg_hdr.msg_namelen : 0;
	int r = BLOCKING(recvmmsg, (fd, m, n, flags, t), SYS_recvmmsg, fd, m, n, flags, t);
	for (int i = 0; GORO_RACE && i < r; i++) {
		came_msg(fd, &m[i].msg_hdr, room, m[i].msg_len, PC);
		fills(&m[i].msg_len, sizeof m[i].msg_len, PC);
	}
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
	takes(a, an, PC);
	takes(p, n, PC);
	fd_out_to(fd, a, an);
	return BLOCKING(sendto, (fd, p, n, flags, a, an), SYS_sendto, fd, p, n, flags, a, an);
}

GORO_API ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	goes_msg(fd, m, PC);
	return BLOCKING(sendmsg, (fd, m, flags), SYS_sendmsg, fd, m, flags);
}

GORO_API int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	for (unsigned i = 0; GORO_RACE && m && i < n; i++)
		goes_msg(fd, &m[i].msg_hdr, PC);
	int r = BLOCKING(sendmmsg, (fd, m, n, flags), SYS_sendmmsg, fd, m, n, flags);
	for (int i = 0; GORO_RACE && i < r; i++)
		fills(&m[i].msg_len, sizeof m[i].msg_len, PC);
	return r;
}
