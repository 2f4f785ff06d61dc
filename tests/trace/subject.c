/*
 * subject.c: programs whose traces trace_test.c looks at, by the name of what they do.
 */
#define _GNU_SOURCE
#include <goro.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- each way to wait, each once at least ---- */

static goro_mutex mu;
static goro_waitgroup wg;
static int pipes[2];

static void receiver(chan(int) c, chan(int) done)
{
	goro_trace_region_begin("receiving");
	int v = chan_recv(c);
	goro_trace_region_end("receiving");
	chan_send(done, v);
}

static void locker(chan(int) done)
{
	goro_mutex_lock(&mu);
	goro_mutex_unlock(&mu);
	chan_send(done, 1);
}

static void selector(chan(int) a, chan(int) b, chan(int) done)
{
	int v = 0;
	(void)chan_select(on_recv(a, &v), on_recv(b, &v));
	chan_send(done, v);
}

static void counted(void)
{
	goro_set_name("count\"ed\\\n\xff");
	goro_sleep(2 * GORO_MILLISECOND);
	goro_waitgroup_done(&wg);
}

static void caller(chan(int) done)
{
	usleep(2000);
	chan_send(done, 1);
}

static void reader(chan(int) done)
{
	char c;
	chan_send(done, (int)goro_read(pipes[0], &c, 1));
}

/* A dump, which says of each goroutine what it waits for. */
static const char *dump(void)
{
	static char text[1 << 16];
	int fd = memfd_create("dump", MFD_CLOEXEC);
	goro_traceback(fd, true);
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static bool all_wait(void)
{
	const char *text = dump();
	return strstr(text, "[chan receive") && strstr(text, "[select") && strstr(text, "[sync.Mutex.Lock") &&
	    strstr(text, "[IO wait");
}

static int all(void)
{
	chan(int) c = chan_make(int), d = chan_make(int), e = chan_make(int), done = chan_make(int, 8);
	if (pipe(pipes) != 0)
		return 1;
	goro_trace_region_begin("main's \"work\"");
	goro_trace_region_begin("starting");
	goro_mutex_lock(&mu);
	goro_waitgroup_add(&wg, 1);
	go(receiver, c, done);
	go(locker, done);
	go(selector, d, e, done);
	go(counted);
	go(caller, done);
	go(reader, done);
	goro_trace_region_end("starting");
	while (!all_wait())
		goro_sleep(GORO_MILLISECOND);
	goro_sleep(6 * GORO_MILLISECOND);
	goro_trace_log("progress", "half of it is done: %d %s", 50, "\"%\"\t\xc3\xa9");
	goro_mutex_unlock(&mu);
	chan_send(c, 1);
	chan_send(d, 2);
	if (goro_write(pipes[1], "x", 1) != 1)
		return 1;
	for (int i = 0; i < 5; i++)
		(void)chan_recv(done);
	goro_waitgroup_wait(&wg);
	goro_trace_region_end("main's \"work\"");
	puts(goro_trace_enabled() ? "traced" : "not traced");
	return 0;
}

/* ---- many events ---- */

static void ponger(chan(int) ping, chan(int) pong)
{
	chan_range(v, ping)
		chan_send(pong, v);
	chan_close(pong);
}

static void trips(int n)
{
	chan(int) ping = chan_make(int), pong = chan_make(int);
	go(ponger, ping, pong);
	for (int i = 0; i < n; i++) {
		chan_send(ping, i);
		(void)chan_recv(pong);
	}
	chan_close(ping);
}

static void waits_for_ever(chan(int) c)
{
	goro_set_name("patient");
	(void)chan_recv(c);
}

static int overflow(void)
{
	go(waits_for_ever, chan_make(int));
	while (!strstr(dump(), "[chan receive")) /* another processor may take it, and take its time */
		goro_sleep(GORO_MILLISECOND);
	goro_trace_region_begin("outer");
	goro_trace_region_begin("first");
	goro_trace_region_end("first");
	trips(5000);
	goro_trace_region_begin("last");
	goro_trace_region_end("last");
	goro_trace_region_end("outer");
	return 0;
}

/* ---- who computes ---- */

static uint32_t stop, begun;

static void spinner(void)
{
	__atomic_add_fetch(&begun, 1, __ATOMIC_RELAXED);
	for (volatile long i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++)
		;
}

static int spin(void)
{
	for (int i = 0; i < 3; i++)
		go(spinner);
	do
		goro_sleep(60 * GORO_MILLISECOND); /* comes about only if they are stopped */
	while (__atomic_load_n(&begun, __ATOMIC_RELAXED) < 3);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	return 0;
}

/* ---- snapshots ---- */

static void *thread(void *name)
{
	return (void *)(intptr_t)goro_trace_snapshot(name);
}

static void busy(goro_waitgroup *w)
{
	__atomic_add_fetch(&begun, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		trips(100);
	goro_waitgroup_done(w);
}

static int snapshots(void)
{
	goro_waitgroup w = {0};
	goro_waitgroup_add(&w, 4);
	for (int i = 0; i < 4; i++)
		go(busy, &w);
	do
		goro_sleep(5 * GORO_MILLISECOND);
	while (__atomic_load_n(&begun, __ATOMIC_RELAXED) < 4);
	int r[4];
	r[0] = goro_trace_snapshot("one.json");
	r[1] = goro_trace_snapshot("two.json");
	int fd = open("three.json", O_CREAT | O_TRUNC | O_RDWR, 0666);
	r[2] = goro_trace_snapshot_fd(fd);
	pthread_t t;
	void *result = NULL;
	pthread_create(&t, NULL, thread, (char[]){"four.json"});
	pthread_join(t, &result);
	r[3] = (int)(intptr_t)result;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	goro_waitgroup_wait(&w);
	printf("%d %d %d %d; %d %d %d %d\n", r[0], r[1], r[2], r[3], goro_trace_snapshot("/nowhere/x"),
	    goro_trace_snapshot(NULL), goro_trace_snapshot_fd(-1), goro_trace_snapshot_fd(1000));
	return 0;
}

/* ---- ways to end ---- */

static void deep(int i)
{
	volatile char room[4096];
	room[0] = (char)i;
	deep(i + 1 + room[0] * 0);
}

static void go_exit_from(void)
{
	exit(3);
}

static int ends(const char *how)
{
	trips(10);
	if (!strcmp(how, "panic"))
		goro_panic("as asked");
	if (!strcmp(how, "deadlock"))
		(void)chan_recv(chan_make(int));
	if (!strcmp(how, "exit")) {
		goro_go_with(&(goro_attr){.stack_size = 16 << 10}, (void (*)(void *))go_exit_from, NULL);
		(void)chan_recv(chan_make(int));
	}
	if (!strcmp(how, "_exit"))
		_exit(3);
	if (!strcmp(how, "quick_exit"))
		quick_exit(3);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "quit"))
		kill(getpid(), SIGQUIT), pause();
	if (!strcmp(how, "fault"))
		*(volatile int *)8 = 1;
	if (!strcmp(how, "overflow"))
		deep(1);
	return 3;
}

/* ---- processes ---- */

static int forks(const char *self)
{
	trips(10);
	pid_t child = fork();
	if (child == 0) {
		if (self)
			execl(self, self, "all", (char *)NULL);
		_exit(goro_trace_enabled() ? 1 : 0);
	}
	int status = 1;
	if (waitpid(child, &status, 0) != child)
		return 1;
	goro_trace_region_begin("the parent's");
	goro_trace_region_end("the parent's");
	return status;
}

static void maker(int n)
{
	if (n == 0)
		return;
	go(maker, n - 1);
	go(maker, n - 1);
}

static int hour(void)
{
	go(maker, 4);
	trips(5);
	goro_sleep(GORO_HOUR);
	return 0;
}

/* Where none is stopped, n of these end only if they run at once. */
static void meeter(goro_waitgroup *w, uint32_t n)
{
	__atomic_add_fetch(&begun, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&begun, __ATOMIC_RELAXED) < n)
		;
	goro_waitgroup_done(w);
}

static int procs(void)
{
	goro_waitgroup w = {0};
	for (int n = 1; n <= 4; n++) {
		goro_gomaxprocs(n);
		__atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
		goro_waitgroup_add(&w, 4);
		for (int i = 0; i < 4; i++)
			go(busy, &w);
		goro_sleep(5 * GORO_MILLISECOND);
		__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
		goro_waitgroup_wait(&w);
	}
	__atomic_store_n(&begun, 0, __ATOMIC_RELAXED);
	goro_waitgroup_add(&w, 4);
	for (int i = 0; i < 4; i++)
		go(meeter, &w, 4u);
	goro_waitgroup_wait(&w);
	goro_gomaxprocs(1);
	usleep(1000);
	return 0;
}


int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";
	if (!strcmp(what, "overflow") && argc == 2)
		return overflow();
	if (!strcmp(what, "spin"))
		return spin();
	if (!strcmp(what, "snapshots"))
		return snapshots();
	if (!strcmp(what, "fork"))
		return forks(NULL);
	if (!strcmp(what, "exec"))
		return forks(argv[0]);
	if (!strcmp(what, "hour"))
		return hour();
	if (!strcmp(what, "procs"))
		return procs();
	if (!strcmp(what, "end"))
		return ends(argv[2]);
	return all();
}
