/*
 * bad_input_test.c: what a program may get wrong with descriptors, deadlines, timers, contexts, sizes and the environment: a
 * negative errno, a warning or Go's fatal text; nothing lost, nothing hung. (Channels, locks and the like: beside their tests.)
 */
#include "help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- descriptors ---- */

GoTest(bad_input, descriptors_of_the_wrong_type)
{
	int fd[2], dir = open("/", O_RDONLY | O_DIRECTORY), any = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr a = {.sa_family = AF_INET};
	char b = 'x';
	cr_assert_eq(pipe(fd), 0);
	cr_assert_eq(goro_accept(fd[0], NULL, NULL), -ENOTSOCK);
	cr_assert_eq(goro_recv(fd[0], &b, 1, 0), -ENOTSOCK);
	cr_assert_eq(goro_send(fd[1], &b, 1, 0), -ENOTSOCK);
	cr_assert_eq(goro_connect(fd[0], &a, sizeof a), -ENOTSOCK);
	cr_assert_eq(goro_write(fd[0], &b, 1), -EBADF); /* the end that reads */
	cr_assert_eq(goro_read(fd[1], &b, 1), -EBADF);
	cr_assert_eq(goro_read(dir, &b, 1), -EISDIR);
	cr_assert_eq(goro_set_deadline(dir, 1), -EINVAL);
	cr_assert_eq(goro_accept(any, NULL, NULL), -EINVAL); /* does not listen */
	char name[8];
	cr_assert_eq(goro_socket_address(fd[0], false, name, sizeof name), -ENOTSOCK);
	goro_close(fd[0]);
	goro_close(fd[1]);
	goro_close(dir);
	goro_close(any);
	return 0;
}

GoTest(bad_input, closed_and_negative_descriptors)
{
	int fd[2];
	char b = 'x';
	cr_assert_eq(pipe(fd), 0);
	cr_assert_eq(goro_close(fd[0]), 0);
	cr_assert_eq(goro_close(fd[0]), -EBADF);
	errno = 0;
	cr_assert(close(fd[0]) == -1 && errno == EBADF);
	int bad[] = {fd[0], -1, INT32_MIN, INT32_MAX};
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(goro_read(bad[i], &b, 1), -EBADF);
		cr_assert_eq(goro_write(bad[i], &b, 1), -EBADF);
		cr_assert_eq(goro_recv(bad[i], &b, 1, 0), -EBADF);
		cr_assert_eq(goro_send(bad[i], &b, 1, 0), -EBADF);
		cr_assert_eq(goro_accept(bad[i], NULL, NULL), -EBADF);
		cr_assert_eq(goro_connect(bad[i], NULL, 0), -EBADF);
		cr_assert_eq(goro_close(bad[i]), -EBADF);
		cr_assert_eq(goro_set_deadline(bad[i], 0), -EBADF);
	}
	signal(SIGPIPE, SIG_IGN); /* a pipe raises it, as libc's write does; sockets do not */
	cr_assert_eq(goro_write(fd[1], &b, 1), -EPIPE);
	goro_close(fd[1]);
	return 0;
}

GoTest(bad_input, bad_addresses)
{
	int fd[2];
	char *bad = (char *)8, b;
	cr_assert_eq(pipe(fd), 0);
	if (!goro_race_enabled()) { /* there the detector looks at the bytes first */
		cr_assert_eq(goro_write(fd[1], bad, 4), -EFAULT);
		cr_assert_eq(goro_write(fd[1], "x", 1), 1);
		cr_assert_eq(goro_read(fd[0], bad, 1), -EFAULT);
	} else {
		cr_assert_eq(goro_write(fd[1], "x", 1), 1);
	}
	cr_assert_eq(goro_read(fd[0], &b, 1), 1); /* the byte is not lost */
	goro_close(fd[0]);
	goro_close(fd[1]);
	return 0;
}

GoTest(bad_input, deadlines_in_the_past)
{
	int fd[2];
	char b;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	int64_t past[] = {goro_now() - 1, 1, -1, INT64_MIN};
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(goro_write(fd[1], "x", 1), 1);
		cr_assert_eq(goro_set_deadline(fd[0], past[i]), 0);
		cr_assert_eq(goro_read(fd[0], &b, 1), -ETIMEDOUT);
		cr_assert_eq(goro_write(fd[0], "y", 1), -ETIMEDOUT);
		cr_assert_eq(goro_set_deadline(fd[0], 0), 0);
		cr_assert_eq(goro_read(fd[0], &b, 1), 1); /* nothing was lost */
		cr_assert_eq(goro_dial_deadline("tcp", "127.0.0.1:9", past[i]), -ETIMEDOUT);
	}
	goro_close(fd[0]);
	goro_close(fd[1]);
	return 0;
}

/* ---- timers, contexts ---- */

static void never(void *p)
{
	(void)p;
	abort();
}

GoTest(bad_input, timers_stopped_twice)
{
	goro_timer *t = goro_timer_new(GORO_HOUR), *f = goro_after_func(GORO_HOUR, never, NULL);
	goro_ticker *k = goro_ticker_new(GORO_HOUR);
	cr_assert(goro_timer_stop(t));
	cr_assert_not(goro_timer_stop(t));
	cr_assert_not(goro_timer_stop(t));
	cr_assert(goro_timer_stop(f));
	cr_assert_not(goro_timer_stop(f));
	cr_assert_not(goro_timer_reset(t, 1));
	cr_assert_gt(chan_recv(t->c), 0);
	cr_assert_not(goro_timer_stop(t));
	goro_ticker_stop(k);
	goro_ticker_stop(k);
	goro_ticker_free(k);
	goro_timer_free(t);
	goro_timer_free(f);
	goro_timer_free(NULL);
	goro_ticker_free(NULL);
	return 0;
}

GoTest(bad_input, contexts_cancelled_twice)
{
	goro_context *ctx = goro_with_cancel(goro_background());
	goro_cancel_cause(ctx, -EPIPE);
	goro_cancel(ctx);
	goro_cancel_cause(ctx, -EIO);
	cr_assert_eq(goro_context_err(ctx), -ECANCELED);
	cr_assert_eq(goro_context_cause(ctx), -EPIPE); /* the first one's */
	goro_context_free(ctx);
	goro_context_free(NULL);
	return 0;
}

/* ---- sizes ---- */

static void deep(void *p)
{
	volatile char room[1024];
	room[0] = 1;
	__atomic_store_n((int *)p, room[0], __ATOMIC_RELAXED);
}

GoTest(bad_input, stack_sizes_of_one_and_a_tebibyte)
{
	int ran = 0;
	cr_assert_eq(goro_go_with(&(goro_attr){.stack_size = (size_t)1 << 40}, deep, &ran), -EINVAL);
	cr_assert_eq(goro_go_with(&(goro_attr){.stack_size = SIZE_MAX}, deep, &ran), -EINVAL);
	cr_assert_eq(goro_go_with(&(goro_attr){.stack_size = 1}, deep, &ran), 0); /* the least there is */
	while (!__atomic_load_n(&ran, __ATOMIC_RELAXED))
		goro_gosched();
	return 0;
}

/* ---- the environment ---- */

static int shows_procs(void *p)
{
	(void)p;
	fprintf(stderr, "procs: %s\n", goro_gomaxprocs(0) == 1024 ? "1024" : goro_gomaxprocs(0) == goro_num_cpu() ? "default" : "other");
	return 0;
}

Test(bad_input, gomaxprocs_of_the_environment)
{
	static const char *const bad[] = {"0", "-1", "abc", "12x", " "};
	char said[64];
	for (int i = 0; i < 5; i++) {
		setenv("GOMAXPROCS", bad[i], 1);
		snprintf(said, sizeof said, "goro: warning: GOMAXPROCS=%s is not a positive number: using ", bad[i]);
		dies(0, shows_procs, said, "procs: default\n", NULL);
	}
	setenv("GOMAXPROCS", "100000", 1);
	dies(0, shows_procs, "procs: 1024\n", NULL);
	setenv("GOMAXPROCS", "", 1);
	dies(0, shows_procs, "procs: default\n", NULL);
}

GoTest(bad_input, gomaxprocs_by_call)
{
	int was = goro_gomaxprocs(0);
	cr_assert_eq(goro_gomaxprocs(-1), was);
	cr_assert_eq(goro_gomaxprocs(INT32_MIN), was);
	cr_assert_eq(goro_gomaxprocs(0), was);
	return 0;
}

static int runs(void *p)
{
	int ran = 0;
	(void)p;
	if (goro_go(deep, &ran) != 0)
		return 1;
	while (!__atomic_load_n(&ran, __ATOMIC_RELAXED))
		goro_gosched();
	fprintf(stderr, "it ran\n");
	return 0;
}

Test(bad_input, stack_sizes_of_the_environment)
{
	static const char *const bad[] = {"1T", "1099511627776", "-1", "0", "big"};
	char said[80];
	for (int i = 0; i < 5; i++) {
		setenv("GORO_STACK_SIZE", bad[i], 1);
		snprintf(said, sizeof said, "goro: warning: GORO_STACK_SIZE=%s is not a stack size: using 262144\n", bad[i]);
		dies(0, runs, said, "it ran\n", NULL);
	}
	setenv("GORO_STACK_SIZE", "1", 1);
	dies(0, runs, "it ran\n", NULL);
}

/* ---- threads ---- */

static void sleeps(void *p)
{
	(void)p;
	goro_enter_syscall();
	usleep(5000000);
	goro_exit_syscall();
}

DieTest(bad_input, more_threads_than_allowed, "runtime: program exceeds 5-thread limit\nfatal error: thread exhaustion\n")
{
	cr_assert_eq(goro_set_max_threads(5), 10000);
	cr_assert_eq(goro_set_max_threads(0), 5);
	for (int i = 0; i < 20; i++)
		goro_go(sleeps, NULL);
	goro_sleep(GORO_SECOND);
	return 0;
}

static void reads_by_hand(void *p)
{
	goro_enter_syscall();
	goro_enter_syscall();
	(void)p;
}

DieTest(bad_input, a_system_call_entered_twice, "fatal error: goro_enter_syscall: nested\n")
{
	reads_by_hand(NULL);
	return 0;
}

DieTest(bad_input, a_system_call_left_without_entering, "fatal error: goro_exit_syscall without goro_enter_syscall\n")
{
	goro_exit_syscall();
	return 0;
}
