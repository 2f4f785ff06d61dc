/*
 * traceback_test.c: goro_traceback while everything goes on: it shows what the others do, and they do not notice.
 * (What the text looks like: fatal/fatal_test.c.)
 */
#include "help.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int fd[2];            /* a pipe that stays empty until the end */
static int32_t begun, ended; /* goroutines */
static int32_t over;

/* All goroutines, as text. */
static const char *dump(void)
{
	static char s[1 << 16];
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	cr_assert_geq(fcntl(fds[1], F_SETPIPE_SZ, (int)sizeof s), (int)sizeof s);
	goro_traceback(fds[1], true);
	ssize_t n = read(fds[0], s, sizeof s - 1);
	cr_assert_gt(n, 0);
	s[n] = 0;
	close(fds[0]);
	close(fds[1]);
	return s;
}

static int devnull(void)
{
	int null = open("/dev/null", O_WRONLY);
	cr_assert_geq(null, 0);
	return null;
}

/* ---- calls ---- */

static int poll_errno = -1, sleep_errno = -1, number_errno = -1;

static void polls(void *unused)
{
	(void)unused;
	struct pollfd p = {.fd = fd[0], .events = POLLIN};
	goro_atomic_add_int32(&begun, 1);
	poll_errno = poll(&p, 1, 20000) == 1 ? 0 : errno;
	goro_atomic_add_int32(&ended, 1);
}

static void sleeps(void *unused)
{
	(void)unused;
	struct timespec t = {.tv_nsec = 300000000};
	goro_atomic_add_int32(&begun, 1);
	sleep_errno = nanosleep(&t, NULL) == 0 ? 0 : errno;
	goro_atomic_add_int32(&ended, 1);
}

/* goro does not know that it blocks. */
static void polls_by_number(void *unused)
{
	(void)unused;
	struct pollfd p = {.fd = fd[0], .events = POLLIN};
	goro_atomic_add_int32(&begun, 1);
	number_errno = syscall(SYS_poll, &p, 1, 20000) == 1 ? 0 : errno;
	goro_atomic_add_int32(&ended, 1);
}

static int calls(void *unused)
{
	(void)unused;
	int null = devnull();
	cr_assert_eq(pipe(fd), 0);
	goro_go(polls, NULL);
	goro_go(sleeps, NULL);
	goro_go(polls_by_number, NULL);
	while (goro_atomic_load_int32(&begun) < 3)
		goro_sleep(GORO_MILLISECOND);
	for (int64_t until = goro_now() + 200 * GORO_MILLISECOND; goro_now() < until;)
		goro_traceback(null, true);
	cr_assert_eq(write(fd[1], "x", 1), 1);
	while (goro_atomic_load_int32(&ended) < 3)
		goro_sleep(GORO_MILLISECOND);
	cr_assert_eq(poll_errno, 0, "%s", strerror(poll_errno));
	cr_assert_eq(sleep_errno, 0, "%s", strerror(sleep_errno));
	cr_assert_eq(number_errno, 0, "%s", strerror(number_errno));
	return 0;
}
Test(traceback, disturbs_no_call) { in_goro(4, calls); }

#if defined(__SANITIZE_ADDRESS__) || defined(CRITERION_TSAN_H)
#define NO_SIGNAL true /* in builds of goro under a sanitizer */
#else
#define NO_SIGNAL false
#endif

/* ---- one that runs ---- */

static volatile int turns;

__attribute__((noinline)) static void inner(int n)
{
	for (int i = 0; i < n; i++)
		turns = turns + 1;
}

static void outer(void *unused)
{
	(void)unused;
	goro_atomic_store_int32(&begun, 1);
	while (!goro_atomic_load_int32(&over))
		inner(1000);
	goro_atomic_store_int32(&ended, 1);
}

static int running(void *unused)
{
	(void)unused;
	goro_go(outer, NULL);
	while (!goro_atomic_load_int32(&begun))
		goro_gosched();
	for (int i = 0; i < 20; i++) {
		const char *s = dump(), *it = strstr(s, "\ngoroutine 2 [running]:\n");
		if (!it)
			it = strstr(s, "\ngoroutine 2 [runnable]:\n");
		cr_assert(it, "%s", s);
		cr_assert(strstr(it, "outer("), "%s", s);
	}
	goro_atomic_store_int32(&over, 1);
	while (!goro_atomic_load_int32(&ended))
		goro_gosched();
	return 0;
}
Test(traceback, shows_one_that_runs_without_end, .disabled = NO_SIGNAL) { in_goro(2, running); }
Test(traceback, shows_one_that_runs_without_end_p1, .disabled = NO_SIGNAL) { in_goro(1, running); }

/* ---- two that ask at once, of many that come and go ---- */

typedef struct Pair {
	goro_chan *there, *back;
} Pair;
static goro_chan *never;

static void bounces(void *arg)
{
	Pair *p = arg;
	int v;
	while (goro_chan_recv(p->there, &v))
		goro_chan_send(p->back, &v);
	goro_atomic_add_int32(&ended, 1);
}

static void selects(void *arg)
{
	Pair *p = arg;
	for (int v = 0, w; !goro_atomic_load_int32(&over); v++) {
		goro_case k[] = {{.chan = never, .elem = &w}, {.chan = p->back, .elem = &w}};
		goro_chan_send(p->there, &v);
		cr_assert_eq(goro_select(k, 2, true), 1);
		cr_assert_eq(w, v);
	}
	goro_chan_close(p->there);
	goro_atomic_add_int32(&ended, 1);
}

static void calls_often(void *unused)
{
	(void)unused;
	char c;
	while (!goro_atomic_load_int32(&over)) {
		(void)!pread(fd[0], &c, 1, 0);
		if (NO_SIGNAL) /* under TSan pread is not goro's */
			goro_gosched();
	}
	goro_atomic_add_int32(&ended, 1);
}

static void computes(void *unused)
{
	(void)unused;
	while (!goro_atomic_load_int32(&over)) {
		inner(100);
		if (NO_SIGNAL) /* nobody would stop it */
			goro_gosched();
	}
	goro_atomic_add_int32(&ended, 1);
}

static void dumps(void *unused)
{
	(void)unused;
	int null = devnull();
	while (!goro_atomic_load_int32(&over))
		goro_traceback(null, true);
	goro_atomic_add_int32(&ended, 1);
}

static int storm(void *unused)
{
	(void)unused;
	enum { PAIRS = 4 };
	Pair pair[PAIRS];
	cr_assert_eq(pipe(fd), 0);
	never = goro_chan_make(sizeof(int), 0);
	for (int i = 0; i < PAIRS; i++) {
		pair[i] = (Pair){goro_chan_make(sizeof(int), 0), goro_chan_make(sizeof(int), 0)};
		goro_go(bounces, &pair[i]);
		goro_go(selects, &pair[i]);
	}
	goro_go(calls_often, NULL);
	goro_go(computes, NULL);
	goro_go(dumps, NULL);
	goro_go(dumps, NULL);
	goro_sleep(700 * GORO_MILLISECOND);
	goro_atomic_store_int32(&over, 1);
	while (goro_atomic_load_int32(&ended) < 2 * PAIRS + 4)
		goro_sleep(GORO_MILLISECOND);
	return 0;
}
Test(traceback, of_what_comes_and_goes_does_no_harm) { in_goro(3, storm); }
Test(traceback, of_what_comes_and_goes_does_no_harm_p1) { in_goro(1, storm); }
