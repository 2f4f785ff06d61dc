/*
 * fail_test.c: a program of goroutines, channels, timers and connections, again and again, each time with another of
 * the runtime's system calls or allocations failing. Each time it comes through (its own calls may answer errors), or
 * ends with exit code 2 and a text that says why. It never dies by a signal and never hangs.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <goro.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/os_fail.h"

/* ---- the program: what fails is let go, never waited for ---- */

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fail_test: %s\n", what);
	_exit(4);
}

static goro_waitgroup wg;
static goro_mutex mu;
static int64_t sum;

static void adds(void *p)
{
	goro_mutex_lock(&mu);
	sum += (int64_t)(intptr_t)p;
	goro_mutex_unlock(&mu);
	goro_gosched();
	goro_waitgroup_done(&wg);
}

static void many(void)
{
	int64_t want = 0;
	sum = 0;
	for (int i = 1; i <= 200; i++) {
		goro_waitgroup_add(&wg, 1);
		int r = i % 20 ? goro_go(adds, (void *)(intptr_t)i)
			       : goro_go_with(&(goro_attr){.stack_size = (size_t)32 << 10}, adds, (void *)(intptr_t)i);
		demand(r == 0 || r == -ENOMEM, "goro_go answers something else than -ENOMEM");
		if (r)
			goro_waitgroup_done(&wg);
		else
			want += i;
	}
	goro_waitgroup_wait(&wg);
	demand(sum == want, "a goroutine was lost");
}

static void producer(void *p)
{
	goro_chan **c = p;
	for (int i = 1; i <= 50; i++)
		goro_select((goro_case[]){{c[0], true, &i, false, NULL}, {c[1], true, &i, false, NULL}}, 2, true);
	goro_chan_close(c[0]);
	goro_chan_close(c[1]);
	goro_waitgroup_done(&wg);
}

static void channels(void)
{
	goro_chan *c[2] = {goro_chan_make(sizeof(int), 0), goro_chan_make(sizeof(int), 3)};
	int total = 0, v = 0;
	goro_waitgroup_add(&wg, 1);
	if (goro_go(producer, c) == 0) {
		goro_case cs[20]; /* more than lie on select's stack */
		for (int open = 2; open;) {
			for (int i = 0; i < 20; i++)
				cs[i] = (goro_case){c[i % 2], false, &v, false, NULL};
			int k = goro_select(cs, 20, true);
			if (cs[k].ok)
				total += v;
			else
				c[k % 2] = NULL, open--;
		}
		goro_waitgroup_wait(&wg);
		demand(total == 50 * 51 / 2, "a value was lost");
	} else {
		goro_waitgroup_done(&wg);
	}
}

static void fired(void *p)
{
	goro_chan_send(*(goro_chan **)p, NULL);
}

static void timers(void)
{
	goro_chan *done = goro_chan_make(0, 1);
	goro_timer *f = goro_after_func(GORO_MILLISECOND, fired, &done);
	goro_timer *t = goro_timer_new(GORO_MILLISECOND);
	goro_context *ctx = goro_with_timeout(goro_background(), 2 * GORO_MILLISECOND);
	goro_sleep(GORO_MILLISECOND);
	(void)GORO_CHAN_RECV(t->c);
	goro_chan_recv((goro_chan *)(uintptr_t)goro_context_done(ctx), NULL);
	demand(goro_context_err(ctx) == -ETIMEDOUT, "a context has another error");
	goro_chan_recv(done, NULL);
	goro_timer_free(f);
	goro_timer_free(t);
	goro_context_free(ctx);
}

static void echo(void *p)
{
	int fd = (int)(intptr_t)p;
	char buf[64];
	intptr_t n;
	while ((n = goro_read(fd, buf, sizeof buf)) > 0 && goro_write(fd, buf, (size_t)n) == n)
		;
	goro_close(fd);
	goro_waitgroup_done(&wg);
}

static void server(void *p)
{
	int listener = (int)(intptr_t)p;
	goro_set_deadline(listener, goro_now() + 200 * GORO_MILLISECOND); /* should nobody come */
	for (int i = 0; i < 3; i++) {
		int fd = goro_accept(listener, NULL, NULL);
		if (fd < 0)
			break;
		goro_waitgroup_add(&wg, 1);
		if (goro_go(echo, (void *)(intptr_t)fd) != 0) {
			goro_close(fd);
			goro_waitgroup_done(&wg);
		}
	}
	goro_close(listener); /* who is still to be accepted is refused */
	goro_waitgroup_done(&wg);
}

static void network(void)
{
	char at[64];
	int listener = goro_listen("tcp", "127.0.0.1:0");
	if (listener < 0)
		return;
	if (goro_socket_address(listener, false, at, sizeof at) != 0) {
		goro_close(listener);
		return;
	}
	goro_waitgroup_add(&wg, 1);
	if (goro_go(server, (void *)(intptr_t)listener) != 0) {
		goro_close(listener);
		goro_waitgroup_done(&wg);
		return;
	}
	for (int i = 0; i < 3; i++) {
		int fd = goro_dial_deadline("tcp", at, goro_now() + GORO_SECOND);
		char buf[8] = "";
		if (fd < 0)
			continue;
		goro_set_deadline(fd, goro_now() + GORO_SECOND);
		if (goro_write(fd, "hello", 5) == 5) {
			intptr_t n = 0, k = 0;
			while (n < 5 && (k = goro_read(fd, buf + n, sizeof buf - (size_t)n)) > 0)
				n += k;
			demand(k <= 0 || !memcmp(buf, "hello", 5), "the echo is another");
		}
		goro_close(fd);
	}
	goro_waitgroup_wait(&wg);
}

/* A libc call that blocks, and a pipe's end of goro's own. */
static void waits(void *p)
{
	char c;
	if (read(*(int *)p, &c, 1) != 1)
		demand(false, "libc's read");
	goro_waitgroup_done(&wg);
}

static void calls(void)
{
	int fd[2];
	if (pipe(fd) != 0)
		return;
	goro_waitgroup_add(&wg, 1);
	if (goro_go(waits, fd) == 0) {
		struct pollfd never = {.fd = fd[0]};
		poll(&never, 1, 2);
		demand(write(fd[1], "x", 1) == 1, "libc's write");
		goro_waitgroup_wait(&wg);
	} else {
		goro_waitgroup_done(&wg);
	}
	close(fd[0]);
	close(fd[1]);
}

static int program(void *unused)
{
	(void)unused;
	many();
	channels();
	timers();
	network();
	calls();
	int was = goro_gomaxprocs(4);
	many();
	goro_gomaxprocs(was);
	return 0;
}

/* ---- around it ---- */

static OsFailed *shared;

static _Noreturn void child(OsFail how, long n)
{
	alarm(20);
	setenv("GOMAXPROCS", "2", 1);
	unsetenv("GOTRACEBACK");
	os_fail_arm(how, n, shared);
	_exit(goro_run(program, NULL));
}

/* True: something failed, so there may be more. */
static bool one(OsFail how, long n)
{
	static char text[1 << 16];
	int out[2], status;
	size_t len = 0;
	ssize_t k;
	cr_assert_eq(pipe(out), 0);
	memset(shared, 0, sizeof *shared);
	pid_t pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		dup2(out[1], 2);
		close(out[0]);
		close(out[1]);
		child(how, n);
	}
	close(out[1]);
	while ((k = read(out[0], text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)k;
	text[len] = '\0';
	close(out[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "call %ld (%s): %s: %s", n, shared->what,
	    WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)), text);
	int code = WEXITSTATUS(status);
	bool clear = !strncmp(text, "fatal error: ", 13) || !strncmp(text, "panic: ", 7) || strstr(text, "\nfatal error: ");
	cr_assert(code == 0 || (code == 2 && clear), "call %ld (%s): exit code %d: %s", n, shared->what, code, text);
	return shared->what[0] != '\0';
}

static void make_shared(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(shared != MAP_FAILED);
}

static void each(OsFail how)
{
	make_shared();
	cr_assert_not(one(how, 0));
	cr_assert_gt(shared->calls, 50, "only %ld calls", shared->calls);
	for (long n = 1; one(how, n); n++)
		;
}

Test(fail, each_call_refused_once, .timeout = 200) { each(OS_FAIL_ERROR); }
Test(fail, each_wait_interrupted_once, .timeout = 200) { each(OS_FAIL_INTERRUPT); }
Test(fail, nothing_to_be_had_any_more, .timeout = 200) { each(OS_FAIL_FOR_GOOD); }

Test(fail, no_call_of_a_kind_works, .timeout = 200)
{
	int failed = 0;
	make_shared();
	for (long n = 1; n <= 40; n++)
		failed += one(OS_FAIL_KIND, n);
	cr_assert_gt(failed, 14, "only %d kinds", failed);
}
