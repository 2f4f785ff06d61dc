/*
 * fd_kinds_test.c: every kind of descriptor that goroutines wait on: half-closed and Unix sockets, IPv6, terminals, signalfd,
 * timerfd; who waits parks, and the rest goes on (GOMAXPROCS=1).
 */
#include "help.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <sys/wait.h>
#include <unistd.h>

#define OneTest(name)                                                                              \
	static int name##_body(void *);                                                            \
	Test(fd_kinds, name) { in_goro(1, name##_body); }                                          \
	static int name##_body(void *unused __attribute__((unused)))

typedef struct Reading {
	int fd;
	size_t size;
	char buf[256];
	intptr_t n;
	goro_waitgroup wg;
} Reading;

static void reads(void *p)
{
	Reading *r = p;
	__atomic_store_n(&r->n, goro_read(r->fd, r->buf, r->size), __ATOMIC_RELAXED);
	goro_waitgroup_done(&r->wg);
}

/* A goroutine that waits in goro_read; it has parked when this returns. */
static void start(Reading *r, int fd, size_t size)
{
	memset(r, 0, sizeof *r);
	r->fd = fd;
	r->size = size;
	r->n = -1;
	goro_waitgroup_add(&r->wg, 1);
	cr_assert_eq(goro_go(reads, r), 0);
	for (int i = 0; i < 20; i++)
		goro_gosched();
	cr_assert_eq(__atomic_load_n(&r->n, __ATOMIC_RELAXED), -1);
}

static void echoes_and_ends(int server, const char *network, const char *address)
{
	Reading r, s;
	int a = goro_dial(network, address);
	cr_assert_geq(a, 0, "%d", a);
	int b = goro_accept(server, NULL, NULL);
	cr_assert_geq(b, 0);
	start(&r, b, 200);
	cr_assert_eq(goro_write(a, "hello", 5), 5);
	goro_waitgroup_wait(&r.wg);
	cr_assert(r.n == 5 && !memcmp(r.buf, "hello", 5));
	/* Half-closed: b reads the end, and a still hears b. */
	start(&r, b, 200);
	start(&s, a, 200);
	cr_assert_eq(shutdown(a, SHUT_WR), 0);
	goro_waitgroup_wait(&r.wg);
	cr_assert_eq(r.n, 0);
	cr_assert_eq(goro_write(a, "x", 1), -EPIPE);
	cr_assert_eq(goro_write(b, "bye", 3), 3);
	goro_waitgroup_wait(&s.wg);
	cr_assert(s.n == 3 && !memcmp(s.buf, "bye", 3));
	goro_close(a);
	goro_close(b);
	goro_close(server);
}

OneTest(tcp_half_closed)
{
	char at[64];
	int server = goro_listen("tcp", "127.0.0.1:0");
	cr_assert_eq(goro_socket_address(server, false, at, sizeof at), 0);
	echoes_and_ends(server, "tcp", at);
	return 0;
}

OneTest(ipv6_half_closed)
{
	char at[64];
	int server = goro_listen("tcp6", "[::1]:0");
	if (server == -EADDRNOTAVAIL || server == -EAFNOSUPPORT) {
		fprintf(stderr, "fd_kinds: no IPv6 here: left out\n");
		return 0;
	}
	cr_assert_geq(server, 0, "%d", server);
	cr_assert_eq(goro_socket_address(server, false, at, sizeof at), 0);
	cr_assert(!strncmp(at, "[::1]:", 6), "%s", at);
	echoes_and_ends(server, "tcp6", at);
	return 0;
}

OneTest(unix_half_closed)
{
	char at[64];
	snprintf(at, sizeof at, "/tmp/goro-kinds-%d", (int)getpid());
	unlink(at);
	int server = goro_listen("unix", at);
	cr_assert_geq(server, 0, "%d", server);
	echoes_and_ends(server, "unix", at);
	unlink(at);
	return 0;
}

OneTest(terminal)
{
	Reading r;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int tty = open(ptsname(master), O_RDWR | O_NOCTTY);
	cr_assert_geq(tty, 0);
	start(&r, tty, 200);
	cr_assert_eq(goro_write(master, "line\n", 5), 5);
	goro_waitgroup_wait(&r.wg);
	cr_assert(r.n == 5 && !memcmp(r.buf, "line\n", 5));
	/* Others share it: it is left as it was. */
	cr_assert_not(fcntl(tty, F_GETFL) & O_NONBLOCK);
	goro_set_deadline(tty, goro_now() + GORO_MILLISECOND);
	char c;
	cr_assert_eq(goro_read(tty, &c, 1), -ETIMEDOUT);
	goro_close(tty);
	goro_close(master);
	return 0;
}

static int reads_a_signal(void *unused)
{
	Reading r;
	sigset_t s;
	(void)unused;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	int fd = signalfd(-1, &s, 0);
	start(&r, fd, sizeof(struct signalfd_siginfo));
	kill(getpid(), SIGUSR1);
	goro_waitgroup_wait(&r.wg);
	goro_close(fd);
	if (r.n != (intptr_t)sizeof(struct signalfd_siginfo))
		return 2;
	return ((struct signalfd_siginfo *)(void *)r.buf)->ssi_signo == SIGUSR1 ? 0 : 3;
}

/* It is to be blocked in all threads, and a signal to one thread is seen by that thread alone (of signalfd and of epoll):
 * so before the runtime begins, and in a process that has not got Criterion's threads. Not a child of fork: where those
 * had a lock of AddressSanitizer's allocator at that moment, it would hang (1 of 400 do beside a thread that
 * allocates). */
__attribute__((constructor)) static void alone(void)
{
	sigset_t s;
	if (!getenv("FD_KINDS_SIGNALS"))
		return;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	alarm(60);
	_exit(goro_run(reads_a_signal, NULL));
}

Test(fd_kinds, signals)
{
	int status;
	pid_t pid;
	char *argv[] = {(char *)"fd_kinds", NULL};
	setenv("FD_KINDS_SIGNALS", "1", 1);
	setenv("GOMAXPROCS", "1", 1);
	cr_assert_eq(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "%#x", (unsigned)status);
}

OneTest(timers)
{
	Reading r;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec t = {.it_value = {0, 1000000}};
	start(&r, fd, 8);
	cr_assert_eq(timerfd_settime(fd, 0, &t, NULL), 0);
	goro_waitgroup_wait(&r.wg);
	cr_assert_eq(r.n, 8);
	goro_close(fd);
	return 0;
}
