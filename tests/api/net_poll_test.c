/*
 * net_poll_test.c: somebody looks at the poller: while every P computes, while the one P is in a system
 * call, beside timers; at what price (no epoll_ctl from the second exchange on); for threads of the
 * program too; and a wait for a descriptor is no deadlock.
 */
#include "net_help.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- beside other work ---- */

static int64_t stop;

static void compute(void)
{
	while (!goro_atomic_load_int64(&stop))
		goro_gosched();
}

/* Every P is busy: sysmon looks. */
static int beside_computation(void *unused)
{
	int fd[2];
	Call c = {.result = chan_make(int, 1)};
	(void)unused;
	pair(fd);
	c.fd = fd[0];
	go(compute);
	go(compute);
	go(read_once, &c);
	goro_sleep(5 * MS);
	goro_write(fd[1], "x", 1);
	int64_t t = goro_now();
	cr_assert_eq(chan_recv(c.result), 1);
	cr_assert_lt(goro_now() - t, GORO_SECOND);
	goro_atomic_store_int64(&stop, 1);
	goro_close(fd[0]);
	goro_close(fd[1]);
	chan_free(c.result);
	return 0;
}
Test(net, comes_through_beside_computation_p1) { in_goro(1, beside_computation); }
Test(net, comes_through_beside_computation_p2) { in_goro(2, beside_computation); }

static void *write_later(void *fd)
{
	usleep(50000);
	return (void *)(write(*(int *)fd, "x", 1) == 1 ? fd : NULL);
}

static void sleep_in_libc(chan(int) done)
{
	usleep(200000);
	chan_send(done, 1);
}

/* The one P is in a long system call: somebody must look nevertheless. */
static int beside_a_system_call(void *unused)
{
	int fd[2];
	chan(int) done = chan_make(int, 1);
	Call c = {.result = chan_make(int, 1)};
	pthread_t t;
	(void)unused;
	pair(fd);
	c.fd = fd[0];
	go(read_once, &c);
	goro_gosched();
	pthread_create(&t, NULL, write_later, &fd[1]);
	go(sleep_in_libc, done);
	cr_assert_eq(chan_recv(c.result), 1);
	cr_assert_eq(chan_len(done), 0, "it came after the sleep");
	(void)chan_recv(done);
	pthread_join(t, NULL);
	return 0;
}
#ifndef CRITERION_TSAN_H
Test(net, comes_through_beside_a_system_call_p1) { in_goro(1, beside_a_system_call); }
#endif
Test(net, comes_through_beside_a_system_call_p2) { in_goro(2, beside_a_system_call); }

/* Timers are on time while an M sleeps in the poller. */
GoTest(net, sleep_while_others_wait_for_io)
{
	int fd[2];
	Call c = {.result = chan_make(int, 1)};
	pair(fd);
	c.fd = fd[0];
	go(read_once, &c);
	let_them_wait();
	for (int i = 0; i < 20; i++) {
		int64_t t = goro_now();
		goro_sleep(2 * MS);
		cr_assert_geq(goro_now() - t, 2 * MS);
	}
	goro_close(fd[0]);
	cr_assert_eq(chan_recv(c.result), -ECANCELED);
	return 0;
}

/* ---- without epoll_ctl ---- */

#if !defined(CRITERION_TSAN_H) && defined(__x86_64__)
/* From now on, for all threads: who calls it dies of SIGSYS. */
static int forbid_epoll_ctl(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog all = {.len = sizeof code / sizeof code[0], .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &all);
}

static void echoes(void *p)
{
	char c;
	int fd = *(int *)p;
	while (goro_read(fd, &c, 1) == 1)
		goro_write(fd, &c, 1);
}

/* Both ends wait for each byte. */
static int exchanges(void *unused)
{
	char at[64], c = 0;
	(void)unused;
	int fd = listen_on(at, sizeof at), client = goro_dial("tcp", at);
	int server = goro_accept(fd, NULL, NULL);
	goro_go(echoes, &server);
	for (int i = 0; i < 500; i++) {
		if (i == 1 && forbid_epoll_ctl() != 0)
			return 3;
		if (goro_set_read_deadline(client, goro_now() + 10 * GORO_SECOND) != 0 ||
		    goro_write(client, &c, 1) != 1 || goro_read(client, &c, 1) != 1)
			return 4;
	}
	return 0;
}
Test(net, the_poller_is_told_of_a_descriptor_once) { dies(0, exchanges, NULL); }

static int exchanges_and_dials(void *unused)
{
	char at[64];
	(void)exchanges(unused);
	int fd = listen_on(at, sizeof at);
	goro_accept(fd, NULL, NULL);
	return 0;
}

/* The test can fail: a new descriptor that is waited for takes one. */
Test(net, forbidding_epoll_ctl_is_noticed)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(goro_run(exchanges_and_dials, NULL));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%x", status);
}
#endif

/* ---- threads of the program ---- */

static int32_t reader; /* its number */

static void *thread_reads(void *p)
{
	Call *c = p;
	__atomic_store_n(&reader, (int32_t)gettid(), __ATOMIC_RELEASE);
	return (void *)goro_read(c->fd, c->buf, sizeof c->buf);
}

/* The thread made last is in its wait by now: in the kernel, in a poll. */
static void thread_waits(void)
{
	char path[64];
	for (long call = -1; call != SYS_ppoll && call != SYS_poll;) {
		int32_t tid = __atomic_load_n(&reader, __ATOMIC_ACQUIRE);
		usleep(200);
		if (!tid)
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)tid);
		FILE *f = fopen(path, "r");
		if (!f || fscanf(f, "%ld", &call) != 1)
			call = -1;
		if (f)
			fclose(f);
	}
	__atomic_store_n(&reader, 0, __ATOMIC_RELEASE);
}

Test(net, threads_wait_too, .timeout = 20)
{
	int fd[2];
	pthread_t t;
	void *r;
	pair(fd);
	Call c = {.fd = fd[0]};
	pthread_create(&t, NULL, thread_reads, &c);
	thread_waits();
	cr_assert_eq(goro_write(fd[1], "abc", 3), 3);
	pthread_join(t, &r);
	cr_assert_eq((intptr_t)r, 3);
	pthread_create(&t, NULL, thread_reads, &c);
	thread_waits();
	cr_assert_eq(goro_set_read_deadline(fd[0], goro_now() + 5 * MS), 0);
	pthread_join(t, &r);
	cr_assert_eq((intptr_t)r, -ETIMEDOUT);
	cr_assert_eq(goro_set_read_deadline(fd[0], 0), 0);
	pthread_create(&t, NULL, thread_reads, &c);
	thread_waits();
	cr_assert_eq(goro_close(fd[0]), 0);
	pthread_join(t, &r);
	cr_assert_eq((intptr_t)r, -ECANCELED);
	goro_close(fd[1]);
}

/* Goroutines that wait for a descriptor are no deadlock; those that wait for nothing still are. */
DieTest(net, deadlock_after_io, "all goroutines are asleep - deadlock!")
{
	int fd[2];
	char b;
	cr_assert_eq(pipe(fd), 0);
	goro_set_deadline(fd[0], goro_now() + 5 * MS);
	cr_assert_eq(goro_read(fd[0], &b, 1), -ETIMEDOUT);
	chan(int) c = chan_make(int);
	(void)chan_recv(c);
	return 0;
}
