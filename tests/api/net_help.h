/*
 * net_help.h: what the tests of descriptors share: pairs, listeners, and a call that waits.
 */
#ifndef TESTS_API_NET_HELP_H
#define TESTS_API_NET_HELP_H

#include "help.h"

#include <sys/socket.h>

#define MS GORO_MILLISECOND

static inline void pair(int fd[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
}

/* A listener on a free port of 127.0.0.1, and its address. */
static inline int listen_on(char *address, size_t size)
{
	int fd = goro_listen("tcp", "127.0.0.1:0");
	cr_assert_geq(fd, 0, "%d", fd);
	cr_assert_eq(goro_socket_address(fd, false, address, size), 0);
	return fd;
}

/* One call in a goroutine of its own; its result comes out of a channel. */
typedef struct Call {
	int fd;
	chan(int) result;
	char buf[64];
} Call;

static inline void read_once(Call *c) { chan_send(c->result, (int)goro_read(c->fd, c->buf, sizeof c->buf)); }

/* Until n goroutines wait in IO there is nothing to see from here: give them time to, on every P. */
static inline void let_them_wait(void)
{
	goro_sleep(5 * MS);
}

#endif
