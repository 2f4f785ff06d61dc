/*
 * subject.c: programs for seeded runs, by name: what a seed is to find, to repeat, or to leave alone.
 */
#include <goro.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOUR (INT64_C(3600) * 1000000000)

static goro_waitgroup wg;
static goro_mutex m1, m2;

/* ---- rare: a race behind a value that is there for a moment; by rights nobody sees it ---- */

static int stage, data;

static void passes_through(int n)
{
	for (int i = 1; i <= n; i++) {
		goro_mutex_lock(&m1);
		stage = i;
		goro_mutex_unlock(&m1);
	}
	goro_waitgroup_done(&wg);
}

static void writes_at(int wanted)
{
	goro_mutex_lock(&m1);
	int seen = stage;
	goro_mutex_unlock(&m1);
	if (seen == wanted)
		data = wanted;
	goro_waitgroup_done(&wg);
}

static void rare(void)
{
	goro_waitgroup_add(&wg, 3);
	go(passes_through, 3);
	go(writes_at, 2);
	go(writes_at, 2);
	goro_waitgroup_wait(&wg);
}

/* ---- busy: much of everything, and a race somewhere ---- */

static void worker(chan(int) in, chan(int) out)
{
	chan_range(v, in) {
		if (v % 3 == 0)
			goro_gosched();
		goro_mutex_lock(&m1);
		stage += v;
		goro_mutex_unlock(&m1);
		chan_send(out, v * 2);
	}
	data++;
	goro_waitgroup_done(&wg);
}

static void feeds(chan(int) in)
{
	for (int i = 0; i < 40; i++)
		chan_send(in, i);
	chan_close(in);
}

static void busy(void)
{
	chan(int) in = chan_make(int), out = chan_make(int, 4);
	goro_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(worker, in, out);
	go(feeds, in);
	goro_ticker *tick = goro_ticker_new(1000000);
	int sum = 0, ticks = 0;
	for (int n = 0; n < 40;) {
		int v;
		int64_t now;
		switch (chan_select(on_recv(out, &v), on_recv(tick->c, &now))) {
		case 0:
			sum = sum * 31 + v;
			n++;
			break;
		case 1:
			ticks++;
		}
	}
	goro_waitgroup_wait(&wg);
	printf("%d %d\n", sum, ticks);
}

/* ---- two locks in two orders ---- */

static void locks(goro_mutex *a, goro_mutex *b)
{
	goro_mutex_lock(a);
	goro_mutex_lock(b);
	goro_mutex_unlock(b);
	goro_mutex_unlock(a);
	goro_waitgroup_done(&wg);
}

static void two_orders(void)
{
	goro_waitgroup_add(&wg, 2);
	go(locks, &m1, &m2);
	go(locks, &m2, &m1);
	goro_waitgroup_wait(&wg);
}

/* ---- order: a bug of depth 2: the use before the setting, both atomic ---- */

static int ready_, used;

static void sets(int unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++)
		__atomic_fetch_add(&used, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ready_, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ready_, 0, __ATOMIC_SEQ_CST); /* no longer: whoever looks between is wrong */
	goro_waitgroup_done(&wg);
}

static void looks(int unused)
{
	(void)unused;
	if (__atomic_load_n(&ready_, __ATOMIC_SEQ_CST))
		goro_panic("between");
	goro_waitgroup_done(&wg);
}

static void depth_2(void)
{
	goro_waitgroup_add(&wg, 2);
	go(looks, 0);
	go(sets, 0);
	goro_waitgroup_wait(&wg);
}

/* ---- time ---- */

static void hours(void)
{
	struct timespec from, to, ten = {10, 0};
	time_t began = time(NULL);
	int64_t start = goro_now(), when;
	clock_gettime(CLOCK_MONOTONIC, &from);
	goro_sleep(5 * HOUR);
	(void)sleep(3600);
	usleep(500000);
	nanosleep(&ten, NULL);
	goro_context *ctx = goro_with_timeout(goro_background(), 24 * HOUR);
	(void)chan_recv(goro_context_done(ctx));
	when = chan_recv(goro_after(HOUR));
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%ld %ld %ld %ld %ld\n", (long)((goro_now() - start) / 1000000000),
	    (long)((when - start) / 1000000000), (long)(to.tv_sec - from.tv_sec), (long)(time(NULL) - began),
	    (long)began);
}

/* ---- select ---- */

static void choice(void)
{
	chan(int) c[4];
	int got = 0;
	for (int i = 0; i < 4; i++) {
		c[i] = chan_make(int, 1);
		chan_send(c[i], i);
	}
	for (int n = 0; n < 3; n++)
		got = got * 10 + chan_select(on_recv(c[0], NULL), on_recv(c[1], NULL), on_recv(c[2], NULL), on_recv(c[3], NULL));
	printf("%03d\n", got);
}

/* ---- what is not the seed's ---- */

static void *sends(void *c)
{
	goro_chan_send(c, &(int){7});
	return NULL;
}

static void thread(void)
{
	pthread_t t;
	goro_chan *c = goro_chan_make(sizeof(int), 0);
	int v;
	pthread_create(&t, NULL, sends, c);
	goro_chan_recv(c, &v);
	pthread_join(t, NULL);
	goro_waitgroup_add(&wg, 1);
	go(writes_at, 0);
	goro_sleep(1);
	data = 2;
}

static int fds[2];

static void reads_from_pipe(int n)
{
	char c;
	for (int i = 0; i < n; i++)
		if (goro_read(fds[0], &c, 1) != 1)
			abort();
	goro_waitgroup_done(&wg);
}

static void in_a_pipe(void)
{
	if (pipe(fds))
		abort();
	goro_waitgroup_add(&wg, 1);
	go(reads_from_pipe, 3);
	for (int i = 0; i < 3; i++) {
		goro_gosched();
		if (goro_write(fds[1], "x", 1) != 1)
			abort();
	}
	goro_waitgroup_wait(&wg);
	goro_panic("to see what is said");
}

/* ---- a handler ---- */

static int handled;

static void handler(int sig)
{
	for (int i = 0; i < 100; i++)
		handled += sig > 0;
}

static void in_a_handler(void)
{
	signal(SIGUSR1, handler);
	goro_waitgroup_add(&wg, 2);
	go(passes_through, 100);
	go(passes_through, 100);
	for (int i = 0; i < 50; i++) {
		raise(SIGUSR1);
		goro_gosched();
	}
	goro_waitgroup_wait(&wg);
	goro_panic("%d", handled);
}

/* ---- a child ---- */

static void forks(void)
{
	goro_gosched();
	pid_t pid = fork();
	if (pid == 0) {
		data++;
		_exit(7);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
}

/* ---- waiting for a variable ---- */

static int go_on;

static void spins(int unused)
{
	(void)unused;
	while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE))
		;
	goro_waitgroup_done(&wg);
}

static void spin(void)
{
	goro_waitgroup_add(&wg, 2);
	go(spins, 0);
	go(spins, 0);
	goro_sleep(1000);
	__atomic_store_n(&go_on, 1, __ATOMIC_RELEASE);
	goro_waitgroup_wait(&wg);
}

/* ---- those left behind ---- */

static void never(chan(int) c)
{
	chan_recv(c);
}

static void late(int unused)
{
	(void)unused;
	goro_sleep(500000000);
	data = 1;
}

static void leaves(void)
{
	chan(int) c = chan_make(int);
	go(never, c);
	go(late, 0);
	data = 2;
	exit(5);
}

static void procs(void)
{
	int was = goro_gomaxprocs(0);
	int before = goro_gomaxprocs(4), now = goro_gomaxprocs(0);
	printf("%d %d %d\n", before == was, now, goro_gomaxprocs(2));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} all[] = {{"rare", rare}, {"busy", busy}, {"two_orders", two_orders}, {"depth_2", depth_2},
	    {"hours", hours}, {"choice", choice}, {"thread", thread}, {"in_a_pipe", in_a_pipe}, {"spin", spin}, {"in_a_handler", in_a_handler}, {"forks", forks},
	    {"leaves", leaves}, {"procs", procs}};
	for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
		if (!strcmp(argv[1], all[i].name)) {
			all[i].fn();
			return 0;
		}
	return 99;
}
