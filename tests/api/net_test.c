/*
 * net_test.c: what descriptors, goro_dial and goro_listen answer, through goro.h: transfers, closing,
 * deadlines, errors, contexts, kinds of file. (Who looks at the poller meanwhile: net_poll_test.c.)
 */
#include "net_help.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void accept_once(Call *c) { chan_send(c->result, goro_accept(c->fd, NULL, NULL)); }

GoTest(net, pipe_read_parks_until_there_is_something)
{
	int fd[2];
	Call c = {.result = chan_make(int)};
	cr_assert_eq(pipe(fd), 0);
	c.fd = fd[0];
	go(read_once, &c);
	let_them_wait();
	cr_assert_eq(goro_write(fd[1], "hello", 5), 5);
	cr_assert_eq(chan_recv(c.result), 5);
	cr_assert_eq(memcmp(c.buf, "hello", 5), 0);
	cr_assert_eq(goro_close(fd[1]), 0);
	cr_assert_eq(goro_read(fd[0], c.buf, 1), 0);
	cr_assert_eq(goro_close(fd[0]), 0);
	chan_free(c.result);
	return 0;
}

/* Far more than the socket's buffer: both sides wait in turn. */
enum { LARGE = 8 << 20 };
static char large_in[LARGE], large_out[LARGE];

static void write_large(int fd, chan(int) done)
{
	chan_send(done, (int)goro_write(fd, large_out, LARGE));
}

GoTest(net, a_write_goes_on_until_all_is_written)
{
	int fd[2];
	chan(int) done = chan_make(int, 1);
	pair(fd);
	for (int i = 0; i < LARGE; i++)
		large_out[i] = (char)(i * 31 >> 5);
	go(write_large, fd[1], done);
	for (intptr_t n = 0, r; n < LARGE; n += r) {
		r = goro_read(fd[0], large_in + n, (size_t)(LARGE - n));
		cr_assert_gt(r, 0, "%d", (int)r);
	}
	cr_assert_eq(chan_recv(done), LARGE);
	cr_assert_eq(memcmp(large_in, large_out, LARGE), 0);
	go(write_large, fd[1], done);
	cr_assert_eq(goro_recv(fd[0], large_in, LARGE, MSG_WAITALL), LARGE);
	(void)chan_recv(done);
	goro_close(fd[0]);
	goro_close(fd[1]);
	chan_free(done);
	return 0;
}

static void echo(int fd)
{
	char buf[256];
	intptr_t n;
	while ((n = goro_read(fd, buf, sizeof buf)) > 0)
		cr_assert_eq(goro_write(fd, buf, (size_t)n), n);
	goro_close(fd);
}

static void echo_server(int fd)
{
	int c;
	while ((c = goro_accept(fd, NULL, NULL)) >= 0)
		go(echo, c);
	cr_assert(c == -ECANCELED || c == -EBADF, "%d", c); /* before or in accept */
}

static void echo_client(const char *network, const char *address, goro_waitgroup *wg, int rounds)
{
	char out[32], in[32];
	int fd = goro_dial(network, address);
	cr_assert_geq(fd, 0, "%s: %d", address, fd);
	for (int i = 0; i < rounds; i++) {
		int n = snprintf(out, sizeof out, "%d says %d", fd, i);
		cr_assert_eq(goro_write(fd, out, (size_t)n), n);
		cr_assert_eq(goro_recv(fd, in, (size_t)n, MSG_WAITALL), n);
		cr_assert_eq(memcmp(in, out, (size_t)n), 0);
	}
	cr_assert_eq(goro_close(fd), 0);
	goro_waitgroup_done(wg);
}

static void serve(const char *network, const char *address, int clients, int rounds)
{
	goro_waitgroup wg = {0};
	char real[128];
	int fd = goro_listen(network, address);
	cr_assert_geq(fd, 0, "%s %s: %d", network, address, fd);
	cr_assert_eq(goro_socket_address(fd, false, real, sizeof real), 0);
	go(echo_server, fd);
	go(echo_server, fd);
	goro_waitgroup_add(&wg, clients);
	for (int i = 0; i < clients; i++)
		go(echo_client, network, real, &wg, rounds);
	goro_waitgroup_wait(&wg);
	cr_assert_eq(goro_close(fd), 0);
}

GoTest(net, echo_tcp) { return serve("tcp", "127.0.0.1:0", 20, 50), 0; }
GoTest(net, echo_tcp_name) { return serve("tcp4", "localhost:0", 4, 5), 0; }
GoTest(net, echo_unix_abstract)
{
	char name[64];
	snprintf(name, sizeof name, "@goro-net-test-%d", (int)getpid());
	return serve("unix", name, 10, 50), 0;
}
GoTest(net, echo_every_interface)
{
	int fd = goro_listen("tcp", ":0");
	char a[64], port[72];
	cr_assert_geq(fd, 0);
	cr_assert_eq(goro_socket_address(fd, false, a, sizeof a), 0);
	go(echo_server, fd);
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, 1);
	snprintf(port, sizeof port, "127.0.0.1%s", strrchr(a, ':'));
	echo_client("tcp", port, &wg, 3);
	goro_close(fd);
	return 0;
}

static int echo_many(void *unused)
{
	(void)unused;
	serve("tcp", "127.0.0.1:0", 100, 20);
	return 0;
}
Test(net, echo_p1) { in_goro(1, echo_many); }
Test(net, echo_p2) { in_goro(2, echo_many); }
Test(net, echo_p8) { in_goro(8, echo_many); }

/* One edge for many connections: every acceptor that may go on does. */
GoTest(net, waiters_are_woken_one_after_the_other)
{
	enum { N = 50 };
	static Call c[N];
	char address[64];
	int fd = listen_on(address, sizeof address), client[N];
	chan(int) result = chan_make(int, N);
	for (int i = 0; i < N; i++) {
		c[i] = (Call){.fd = fd, .result = result};
		go(accept_once, &c[i]);
	}
	let_them_wait();
	for (int i = 0; i < N; i++)
		cr_assert_geq(client[i] = goro_dial("tcp", address), 0);
	for (int i = 0; i < N; i++) {
		int got = chan_recv(result);
		cr_assert_geq(got, 0);
		goro_close(got);
		goro_close(client[i]);
	}
	goro_close(fd);
	chan_free(result);
	return 0;
}

GoTest(net, close_wakes_who_waits)
{
	int fd[2];
	Call c[3];
	chan(int) result = chan_make(int);
	pair(fd);
	for (int i = 0; i < 3; i++) {
		c[i] = (Call){.fd = fd[0], .result = result};
		go(read_once, &c[i]);
	}
	let_them_wait();
	/* close returns when the three have left: nobody receives, so they leave before they send. */
	cr_assert_eq(goro_close(fd[0]), 0);
	cr_assert_eq(goro_close(fd[0]), -EBADF);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(chan_recv(result), -ECANCELED);
	cr_assert_eq(goro_read(fd[0], c[0].buf, 1), -EBADF);
	cr_assert_eq(goro_read(fd[1], c[0].buf, 1), 0);
	cr_assert_eq(goro_write(fd[1], "x", 1), -EPIPE); /* and no signal */
	goro_close(fd[1]);
	chan_free(result);
	return 0;
}

#ifndef CRITERION_TSAN_H /* there close and usleep are ThreadSanitizer's, not goro's */
GoTest(net, libc_close_wakes_who_waits)
{
	int fd[2];
	Call c = {.result = chan_make(int)};
	pair(fd);
	c.fd = fd[0];
	go(read_once, &c);
	let_them_wait();
	cr_assert_eq(close(fd[0]), 0);
	cr_assert_eq(chan_recv(c.result), -ECANCELED);
	cr_assert_eq(close(fd[0]), -1);
	cr_assert_eq(errno, EBADF);
	close(fd[1]);
	chan_free(c.result);
	return 0;
}
#endif

GoTest(net, a_number_used_again_is_another_file)
{
	for (int i = 0; i < 200; i++) {
		int fd[2];
		Call c = {.result = chan_make(int)};
		if (i & 1)
			pair(fd);
		else
			cr_assert_eq(pipe(fd), 0);
		c.fd = fd[0];
		go(read_once, &c);
		if (i & 2)
			goro_gosched();
		if (i & 4) {
			cr_assert_eq(goro_write(fd[1], "x", 1), 1);
			cr_assert_eq(chan_recv(c.result), 1);
		} else {
			goro_close(fd[0]);
			int r = chan_recv(c.result);
			cr_assert(r == -ECANCELED || r == -EBADF, "%d", r);
		}
		goro_close(fd[1]);
		if (i & 4)
			goro_close(fd[0]);
		chan_free(c.result);
	}
	return 0;
}

/* ---- deadlines ---- */

GoTest(net, deadline_ends_a_wait)
{
	int fd[2];
	char b;
	pair(fd);
	int64_t t = goro_now();
	cr_assert_eq(goro_set_deadline(fd[0], t + 20 * MS), 0);
	cr_assert_eq(goro_read(fd[0], &b, 1), -ETIMEDOUT);
	cr_assert_geq(goro_now() - t, 20 * MS);
	cr_assert_eq(goro_read(fd[0], &b, 1), -ETIMEDOUT);
	cr_assert_eq(goro_write(fd[0], &b, 1), -ETIMEDOUT);
	/* There is something, but the time is over. */
	cr_assert_eq(goro_write(fd[1], "x", 1), 1);
	cr_assert_eq(goro_read(fd[0], &b, 1), -ETIMEDOUT);
	cr_assert_eq(goro_set_deadline(fd[0], 0), 0);
	cr_assert_eq(goro_read(fd[0], &b, 1), 1);
	cr_assert_eq(goro_set_read_deadline(fd[0], 1), 0);
	cr_assert_eq(goro_read(fd[0], &b, 1), -ETIMEDOUT);
	cr_assert_eq(goro_write(fd[0], &b, 1), 1);
	goro_close(fd[0]);
	goro_close(fd[1]);
	return 0;
}

GoTest(net, deadline_moves)
{
	int fd[2];
	Call c = {.result = chan_make(int)};
	pair(fd);
	c.fd = fd[0];
	goro_set_read_deadline(fd[0], goro_now() + GORO_HOUR);
	go(read_once, &c);
	let_them_wait();
	int64_t t = goro_now();
	goro_set_read_deadline(fd[0], t + 60 * MS); /* earlier */
	goro_set_read_deadline(fd[0], t + 90 * MS); /* later: the timer fires in vain */
	bool in_time = goro_now() - t < 60 * MS;
	cr_assert_eq(chan_recv(c.result), -ETIMEDOUT);
	cr_assert_geq(goro_now() - t, (in_time ? 90 : 60) * MS);
	goro_set_read_deadline(fd[0], 0);
	go(read_once, &c);
	let_them_wait();
	goro_set_read_deadline(fd[0], goro_now()); /* at once */
	cr_assert_eq(chan_recv(c.result), -ETIMEDOUT);
	/* A number used again has none. */
	goro_close(fd[0]);
	goro_close(fd[1]);
	pair(fd);
	cr_assert_eq(goro_write(fd[1], "x", 1), 1);
	cr_assert_eq(goro_read(fd[0], c.buf, 1), 1);
	goro_close(fd[0]);
	goro_close(fd[1]);
	chan_free(c.result);
	return 0;
}

/* ---- errors ---- */

GoTest(net, errors_come_back)
{
	char b, a[64];
	errno = 77;
	cr_assert_eq(goro_read(-1, &b, 1), -EBADF);
	cr_assert_eq(goro_read(987654, &b, 1), -EBADF);
	cr_assert_eq(goro_close(987654), -EBADF);
	cr_assert_eq(goro_set_deadline(987654, 0), -EBADF);
	cr_assert_eq(goro_listen("tcp", "127.0.0.1"), -EINVAL);
	cr_assert_eq(goro_listen("tcp", "127.0.0.1:99999"), -EINVAL);
	cr_assert_eq(goro_listen("tcp", "::1:80"), -EINVAL);
	cr_assert_eq(goro_listen("ip", "127.0.0.1:1"), -EAFNOSUPPORT);
	cr_assert_eq(goro_dial(NULL, "x"), -EINVAL);
	cr_assert_eq(goro_dial("unix", "/nonexistent/socket"), -ENOENT);
	int fd = listen_on(a, sizeof a);
	cr_assert_eq(goro_listen("tcp", a), -EADDRINUSE);
	cr_assert_eq(goro_accept(fd, (struct sockaddr *)&a, NULL), -EFAULT);
	goro_close(fd);
	cr_assert_eq(goro_dial("tcp", a), -ECONNREFUSED);
	cr_assert_eq(errno, 77);
	cr_assert_lt(goro_dial("tcp", "no-such-host.invalid:80"), 0);
	return 0;
}

GoTest(net, emfile_comes_back)
{
	char a[64];
	int fd = listen_on(a, sizeof a), client = goro_dial("tcp", a), server = goro_accept(fd, NULL, NULL);
	struct rlimit was, tight;
	cr_assert_eq(goro_dial("tcp", a) >= 0, true);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	tight = was;
	tight.rlim_cur = 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	cr_assert_eq(goro_accept(fd, NULL, NULL), -EMFILE);
	cr_assert_eq(goro_dial("tcp", a), -EMFILE);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	int late = goro_accept(fd, NULL, NULL); /* it was not lost */
	cr_assert_geq(late, 0);
	goro_close(late);
	goro_close(server);
	goro_close(client);
	goro_close(fd);
	return 0;
}

GoTest(net, accept_tells_the_peer)
{
	char a[64], peer[64], own[64];
	int fd = listen_on(a, sizeof a), client = goro_dial("tcp", a);
	struct sockaddr_in in;
	uint32_t len = sizeof in;
	int server = goro_accept(fd, (struct sockaddr *)&in, &len);
	cr_assert_geq(server, 0);
	cr_assert_eq(in.sin_family, AF_INET);
	cr_assert_eq(goro_socket_address(server, true, peer, sizeof peer), 0);
	cr_assert_eq(goro_socket_address(client, false, own, sizeof own), 0);
	cr_assert_str_eq(peer, own);
	cr_assert(fcntl(server, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(server, F_GETFD) & FD_CLOEXEC);
	goro_close(server);
	goro_close(client);
	goro_close(fd);
	return 0;
}

/* ---- contexts ---- */

static void cancels(void *ctx)
{
	goro_sleep(20 * MS);
	goro_cancel(ctx);
}

/* Nobody accepts, and the queue of those that wait for it is full: the kernel answers no more. */
GoTest(net, a_context_ends_a_connect)
{
	char at[64];
	int full[8], n = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 0) == 0);
	cr_assert_eq(goro_socket_address(fd, false, at, sizeof at), 0);
	while ((full[n] = goro_dial_deadline("tcp", at, goro_now() + 100 * MS)) >= 0)
		cr_assert_lt(++n, 8);
	cr_assert_eq(full[n], -ETIMEDOUT);
	goro_context *ctx = goro_with_cancel(goro_background());
	goro_go(cancels, ctx);
	cr_assert_eq(goro_dial_context(ctx, "tcp", at), -ECANCELED);
	goro_context *late = goro_with_timeout(goro_background(), 20 * MS);
	cr_assert_eq(goro_dial_context(late, "tcp", at), -ETIMEDOUT);
	goro_context_free(late);
	goro_context_free(ctx);
	while (n)
		goro_close(full[--n]);
	close(fd);
	return 0;
}

DieTest(net, dial_without_a_context, "panic: context: use of a NULL context")
{
	return goro_dial_context(NULL, "tcp", "127.0.0.1:9");
}

/* ---- other kinds of file ---- */

GoTest(net, files_have_no_poller)
{
	char name[] = "/tmp/goro-net-XXXXXX", buf[16];
	int fd = mkstemp(name);
	cr_assert_geq(fd, 0);
	unlink(name);
	cr_assert_eq(goro_write(fd, "twelve bytes", 12), 12);
	lseek(fd, 0, SEEK_SET);
	cr_assert_eq(goro_read(fd, buf, sizeof buf), 12);
	cr_assert_eq(goro_read(fd, buf, sizeof buf), 0);
	cr_assert_eq(goro_set_deadline(fd, 5), -EINVAL);
	cr_assert_eq(goro_close(fd), 0);
	fd = open("/dev/null", O_RDWR);
	cr_assert_eq(goro_read(fd, buf, sizeof buf), 0);
	cr_assert_eq(goro_write(fd, buf, sizeof buf), (intptr_t)sizeof buf);
	cr_assert_eq(goro_close(fd), 0);
	return 0;
}

GoTest(net, eventfd_and_standard_input)
{
	uint64_t v = 3;
	int p[2], saved = dup(0);
	Call c = {.fd = eventfd(0, 0), .result = chan_make(int)};
	go(read_once, &c);
	let_them_wait();
	cr_assert_eq(goro_write(c.fd, &v, sizeof v), 8);
	cr_assert_eq(chan_recv(c.result), 8);
	cr_assert_eq(goro_close(c.fd), 0);
	/* 0 stays blocking, as others share it. */
	cr_assert_eq(pipe(p), 0);
	dup2(p[0], 0);
	c.fd = 0;
	go(read_once, &c);
	let_them_wait();
	cr_assert_eq(goro_write(p[1], "in", 2), 2);
	cr_assert_eq(chan_recv(c.result), 2);
	cr_assert_eq(fcntl(0, F_GETFL) & O_NONBLOCK, 0);
	dup2(saved, 0);
	goro_close(p[0]);
	goro_close(p[1]);
	chan_free(c.result);
	return 0;
}

/* A child that closes what it does not need leaves its parent's descriptors alone. */
GoTest(net, a_child_closes_its_own)
{
	int fd[2], status;
	Call c = {.result = chan_make(int)};
	pair(fd);
	c.fd = fd[0];
	go(read_once, &c);
	let_them_wait();
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		close(fd[1]);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(goro_write(fd[1], "x", 1), 1);
	cr_assert_eq(chan_recv(c.result), 1);
	goro_close(fd[0]);
	goro_close(fd[1]);
	chan_free(c.result);
	return 0;
}
