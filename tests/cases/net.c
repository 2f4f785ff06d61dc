/*
 * net.c: goro_read and the others touch the caller's buffers; what is written into a socket or pipe is before
 * what is read out of it; a close is before the calls that it ends, and those before its return.
 */
#include "case.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd[2];
char buffer[64];

ACCESS(call_read, if (goro_read(fd[0], buffer, 10) < 0) abort())
ACCESS(call_write, if (goro_write(fd[1], buffer, 10) < 0) abort())
ACCESS(call_recv, if (goro_recv(fd[0], buffer, 10, 0) < 0) abort())
ACCESS(call_send, if (goro_send(fd[1], buffer, 10, 0) < 0) abort())
ACCESS(read_byte, USE(buffer[9]))
ACCESS(write_byte, buffer[9] = 1)
ACCESS(write_beyond, buffer[10] = 1)

static void first(void (*f)(void))
{
	f();
	step(1);
}
static void second(void (*f)(void))
{
	after(1);
	f();
	step(2);
}
static void prepare(void)
{
	if (pipe(fd) != 0 || write(fd[1], "0123456789", 10) != 10)
		abort();
}
static void prepare_socket(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 || write(fd[1], "0123456789", 10) != 10)
		abort();
}
#define PAIR_WITH(case_, before, a, b)                                                             \
	static void case_(void)                                                                    \
	{                                                                                          \
		before();                                                                          \
		go(first, a);                                                                      \
		go(second, b);                                                                     \
		after(2);                                                                          \
	}
#define PAIR(case_, a, b) PAIR_WITH(case_, prepare, a, b)

PAIR(race_net_read, call_read, read_byte)
PAIR(norace_net_read_beyond, call_read, write_beyond)
PAIR(race_net_write, write_byte, call_write)
PAIR(norace_net_write_beyond, write_beyond, call_write)
PAIR_WITH(race_net_recv, prepare_socket, call_recv, read_byte)
PAIR_WITH(race_net_send, prepare_socket, write_byte, call_send)

/* What is written into a pipe comes out of it, with all that was before. */
static void send_x(void)
{
	write_x();
	if (goro_write(fd[1], "x", 1) != 1)
		abort();
}
static void norace_net_pipe_orders(void)
{
	char b;
	if (pipe(fd) != 0)
		abort();
	go(send_x);
	if (goro_read(fd[0], &b, 1) != 1)
		abort();
	read_x();
}
static void send_then_x(void)
{
	if (goro_write(fd[1], "x", 1) != 1)
		abort();
	write_x();
	step(1);
}
static void race_net_write_after_pipe(void)
{
	char b;
	if (pipe(fd) != 0)
		abort();
	go(send_then_x);
	if (goro_read(fd[0], &b, 1) != 1)
		abort();
	after(1);
	read_x();
}

/* goro_close -> -ECANCELED. */
static void read_until_closed(chan(int) done)
{
	char b;
	intptr_t r = goro_read(fd[0], &b, 1);
	if (r != -ECANCELED && r != -EBADF)
		abort();
	if (r == -ECANCELED)
		read_x();
	chan_send(done, 1);
}
static void norace_net_close_orders(void)
{
	chan(int) done = chan_make(int);
	if (pipe(fd) != 0)
		abort();
	go(read_until_closed, done);
	goro_sleep(5 * GORO_MILLISECOND);
	write_x();
	goro_close(fd[0]);
	(void)chan_recv(done);
}

/* The buffer of a call that close has ended is free to be used once close has returned. */
static void read_into_buffer(void)
{
	goro_read(fd[0], buffer, 10);
}
static void norace_net_buffer_after_close(void)
{
	if (pipe(fd) != 0)
		abort();
	go(read_into_buffer);
	goro_sleep(5 * GORO_MILLISECOND);
	if (write(fd[1], "0123456789", 10) != 10)
		abort();
	goro_close(fd[0]);
	write_byte();
}

/* Setting a deadline -> its -ETIMEDOUT. */
static void read_until_late(chan(int) done)
{
	char b;
	if (goro_read(fd[0], &b, 1) != -ETIMEDOUT)
		abort();
	read_x();
	chan_send(done, 1);
}
static void norace_net_deadline_orders(void)
{
	chan(int) done = chan_make(int);
	if (pipe(fd) != 0)
		abort();
	go(read_until_late, done);
	write_x();
	goro_set_read_deadline(fd[0], goro_now() + GORO_MILLISECOND);
	(void)chan_recv(done);
}

/* An accept is after what its client did before it connected. */
static int listener;
static char address[64];
static void dial_with_x(void)
{
	write_x();
	if (goro_dial("tcp", address) < 0)
		abort();
}
static void norace_net_accept_orders(void)
{
	listener = goro_listen("tcp", "127.0.0.1:0");
	if (listener < 0 || goro_socket_address(listener, false, address, sizeof address) != 0)
		abort();
	go(dial_with_x);
	if (goro_accept(listener, NULL, NULL) < 0)
		abort();
	read_x();
}

/* Waiting beside each other orders nothing. */
static void read_and_x(int *p)
{
	char b;
	if (goro_read(p[0], &b, 1) != 1)
		abort();
	write_x();
	arrive();
}
static void race_net_wait_orders_nothing(void)
{
	static int p[2][2];
	if (pipe(p[0]) != 0 || pipe(p[1]) != 0)
		abort();
	go(read_and_x, p[0]);
	go(read_and_x, p[1]);
	if (write(p[0][1], "x", 1) != 1 || write(p[1][1], "x", 1) != 1)
		abort();
	arrived(2);
}

/* A datagram is before who gets it, and nobody else; bytes of a connection by path are before its other end alone. */
static int from[2], to[2]; /* what goes into to[i] comes out of from[i]; a byte lies in the second */
static void prepare_udp(void)
{
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t n = sizeof a;
		from[i] = socket(AF_INET, SOCK_DGRAM, 0);
		to[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (bind(from[i], (struct sockaddr *)&a, n) != 0 ||
		    getsockname(from[i], (struct sockaddr *)&a, &n) != 0 ||
		    goro_connect(to[i], (struct sockaddr *)&a, n) != 0)
			abort();
	}
	if (goro_write(to[1], "x", 1) != 1)
		abort();
}
static void prepare_path(void)
{
	char path[64];
	snprintf(path, sizeof path, "/tmp/goro-case-net-%d", getpid());
	listener = goro_listen("unix", path);
	for (int i = 0; i < 2; i++)
		if (listener < 0 || (to[i] = goro_dial("unix", path)) < 0 ||
		    (from[i] = goro_accept(listener, NULL, NULL)) < 0)
			abort();
	unlink(path);
	if (goro_write(to[1], "x", 1) != 1)
		abort();
}
static void write_x_and_send(void)
{
	write_x();
	if (goro_write(to[0], "x", 1) != 1)
		abort();
}
static void get_and_read_x(int i)
{
	char b;
	if (goro_read(from[i], &b, 1) != 1)
		abort();
	read_x();
}
static void get_and_read_x_of_first(void)
{
	get_and_read_x(0);
}
static void get_and_read_x_of_second(void)
{
	get_and_read_x(1);
}
PAIR_WITH(norace_net_udp, prepare_udp, write_x_and_send, get_and_read_x_of_first)
PAIR_WITH(race_net_udp_another, prepare_udp, write_x_and_send, get_and_read_x_of_second)
PAIR_WITH(norace_net_path, prepare_path, write_x_and_send, get_and_read_x_of_first)
PAIR_WITH(race_net_path_another, prepare_path, write_x_and_send, get_and_read_x_of_second)

CASES(
	RACE(race_net_read, "read read_byte<second / write call_read<first / global buffer")
	NORACE(norace_net_read_beyond)
	RACE(race_net_write, "read call_write<second / write write_byte<first / global buffer")
	NORACE(norace_net_write_beyond)
	RACE(race_net_recv, "read read_byte<second / write call_recv<first / global buffer")
	RACE(race_net_send, "read call_send<second / write write_byte<first / global buffer")
	NORACE(norace_net_pipe_orders)
	RACE(race_net_write_after_pipe, "read read_x<race_net_write_after_pipe / write write_x<send_then_x / global x")
	NORACE(norace_net_close_orders)
	NORACE(norace_net_buffer_after_close)
	NORACE(norace_net_deadline_orders)
	NORACE(norace_net_accept_orders)
	RACE(race_net_wait_orders_nothing, "write write_x<read_and_x / write write_x<read_and_x / global x")
	NORACE(norace_net_udp)
	RACE(race_net_udp_another, "read read_x<get_and_read_x / write write_x<write_x_and_send / global x")
	NORACE(norace_net_path)
	RACE(race_net_path_another, "read read_x<get_and_read_x / write write_x<write_x_and_send / global x")
)
