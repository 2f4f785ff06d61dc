/*
 * rt.c: the runtime's workloads, one per name; rt.go holds the same work in Go. Prints one number, in the
 * unit that run.sh states for the row. Usage: rt WORKLOAD [GOMAXPROCS [COUNT]].
 *
 * Each workload measures one thing and nothing else: sizes are fixed here, so that all peers do the same
 * work. COUNT is the number of goroutines where one stands in brackets below; the work in all stays the same.
 */
#include <goro.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int count; /* goroutines, from the command line; 0: the workload's own number */

static int goroutines(int otherwise)
{
	return count > 0 ? count : otherwise;
}

static double since(int64_t t0)
{
	return (double)(goro_now() - t0);
}

/* ---- yield: goroutines (two) that only give way ---- */
enum { YIELDS = 10000000 };
static void yielder(int n, goro_waitgroup *wg)
{
	for (int i = 0; i < n; i++)
		goro_gosched();
	goro_waitgroup_done(wg);
}
static double yield_(void)
{
	int n = goroutines(2);
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, n);
	int64_t t0 = goro_now();
	for (int i = 0; i < n; i++)
		go(yielder, YIELDS / n, &wg);
	goro_waitgroup_wait(&wg);
	return since(t0) / YIELDS;
}

/* ---- spawn: batches (of 10 000), joined by a wait group ---- */
enum { SPAWNS = 1000000 };
static void spawned(goro_waitgroup *wg)
{
	goro_waitgroup_done(wg);
}
static double spawn(void)
{
	int batch = goroutines(10000);
	int64_t t0 = goro_now();
	for (int b = 0; b < SPAWNS / batch; b++) {
		goro_waitgroup wg = {0};
		goro_waitgroup_add(&wg, batch);
		for (int i = 0; i < batch; i++)
			go(spawned, &wg);
		goro_waitgroup_wait(&wg);
	}
	return since(t0) / SPAWNS;
}

/* ---- pingpong: unbuffered round trips of pairs (one) ---- */
enum { TRIPS = 2000000 };
static void ponger(chan(int) ping, chan(int) pong)
{
	chan_range(v, ping)
		chan_send(pong, v);
}
static void pinger(int trips, goro_waitgroup *wg)
{
	chan(int) ping = chan_make(int), pong = chan_make(int);
	go(ponger, ping, pong);
	for (int i = 0; i < trips; i++) {
		chan_send(ping, i);
		(void)chan_recv(pong);
	}
	chan_close(ping);
	goro_waitgroup_done(wg);
}
static double pingpong(void)
{
	int pairs = (goroutines(2) + 1) / 2;
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, pairs);
	int64_t t0 = goro_now();
	for (int i = 1; i < pairs; i++)
		go(pinger, TRIPS / pairs, &wg);
	pinger(TRIPS / pairs, &wg);
	goro_waitgroup_wait(&wg);
	return since(t0) / TRIPS;
}

/* ---- spsc: one producer, one consumer, capacity 128 ---- */
enum { ITEMS = 10000000 };
static void producer(chan(int) c, int n)
{
	for (int i = 0; i < n; i++)
		chan_send(c, i);
	chan_close(c);
}
static double spsc(void)
{
	chan(int) c = chan_make(int, 128);
	int64_t t0 = goro_now();
	go(producer, c, ITEMS);
	long sum = 0;
	chan_range(v, c)
		sum += v;
	return since(t0) / ITEMS;
}

/* ---- mpmc: as many producers as consumers (8), capacity 128 ---- */
static void produce_part(chan(int) c, int n, goro_waitgroup *wg)
{
	for (int i = 0; i < n; i++)
		chan_send(c, i);
	goro_waitgroup_done(wg);
}
static void consume(chan(int) c, goro_waitgroup *wg)
{
	long sum = 0;
	chan_range(v, c)
		sum += v;
	goro_waitgroup_done(wg);
}
static double mpmc(void)
{
	int each = (goroutines(16) + 1) / 2;
	chan(int) c = chan_make(int, 128);
	goro_waitgroup in = {0}, out = {0};
	goro_waitgroup_add(&in, each);
	goro_waitgroup_add(&out, each);
	int64_t t0 = goro_now();
	for (int i = 0; i < each; i++) {
		go(consume, c, &out);
		go(produce_part, c, ITEMS / each, &in);
	}
	goro_waitgroup_wait(&in);
	chan_close(c);
	goro_waitgroup_wait(&out);
	return since(t0) / ITEMS;
}

/* ---- select: receive from four unbuffered channels, among which senders (four) are shared out ---- */
enum { SELECTS = 2000000 };
static void feeder(chan(int) c)
{
	for (;;)
		chan_send(c, 1);
}
static double select_(void)
{
	chan(int) c[4];
	for (int i = 0; i < 4; i++)
		c[i] = chan_make(int);
	for (int i = 0, n = goroutines(4); i < n; i++)
		go(feeder, c[i % 4]);
	int v;
	int64_t t0 = goro_now();
	for (int i = 0; i < SELECTS; i++)
		chan_select(on_recv(c[0], &v), on_recv(c[1], &v), on_recv(c[2], &v), on_recv(c[3], &v));
	return since(t0) / SELECTS;
}

/* ---- sieve: the first 2000 primes through a chain of filters; seconds ---- */
static void generate(chan(int) out)
{
	for (int i = 2;; i++)
		chan_send(out, i);
}
static void filter(chan(int) in, chan(int) out, int prime)
{
	for (;;) {
		int i = chan_recv(in);
		if (i % prime != 0)
			chan_send(out, i);
	}
}
static double sieve(void)
{
	int64_t t0 = goro_now();
	chan(int) c = chan_make(int);
	go(generate, c);
	for (int i = 0; i < 2000; i++) {
		int prime = chan_recv(c);
		chan(int) next = chan_make(int);
		go(filter, c, next, prime);
		c = next;
	}
	return since(t0) / 1e9;
}

/* ---- skynet: a tree of 10^6 leaves, ten children each; seconds ---- */
static void skynet_node(chan(long) out, long num, long size)
{
	if (size == 1) {
		chan_send(out, num);
		return;
	}
	chan(long) in = chan_make(long);
	long sum = 0;
	for (int i = 0; i < 10; i++)
		go(skynet_node, in, num + i * (size / 10), size / 10);
	for (int i = 0; i < 10; i++)
		sum += chan_recv(in);
	chan_free(in);
	chan_send(out, sum);
}
static double skynet(void)
{
	int64_t t0 = goro_now();
	chan(long) c = chan_make(long);
	go(skynet_node, c, 0, 1000000);
	if (chan_recv(c) != 499999500000) {
		fprintf(stderr, "skynet: wrong sum\n");
		exit(1);
	}
	return since(t0) / 1e9;
}

/* ---- mutex: contenders (8) ---- */
enum { LOCKS = 10000000 };
static goro_mutex mu;
static long shared;
static void locker(int n, goro_waitgroup *wg)
{
	for (int i = 0; i < n; i++) {
		goro_mutex_lock(&mu);
		shared++;
		goro_mutex_unlock(&mu);
	}
	goro_waitgroup_done(wg);
}
static double mutex(void)
{
	int n = goroutines(8);
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, n);
	int64_t t0 = goro_now();
	for (int i = 0; i < n; i++)
		go(locker, LOCKS / n, &wg);
	goro_waitgroup_wait(&wg);
	return since(t0) / LOCKS;
}

/* ---- parked: goroutines (100 000) waiting on one channel ---- */
static long rss_bytes(void)
{
	long total = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f == NULL || fscanf(f, "%ld %ld", &total, &resident) != 2)
		exit(1);
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}
static void parked(chan(int) c)
{
	(void)chan_recv(c);
}
static double park_rss(void)
{
	int n = goroutines(100000);
	chan(int) c = chan_make(int);
	long before = rss_bytes();
	for (int i = 0; i < n; i++)
		go(parked, c);
	goro_gosched();
	goro_sleep(200 * GORO_MILLISECOND);
	return (double)(rss_bytes() - before) / n;
}
static double park_ns(void)
{
	int n = goroutines(100000);
	chan(int) c = chan_make(int);
	int64_t t0 = goro_now();
	for (int i = 0; i < n; i++)
		go(parked, c);
	return since(t0) / n;
}

/* ---- sleepers: goroutines (100 000) of 1..1000 ms; mean lateness in microseconds ---- */
static int64_t late_total;
static void sleeper(int64_t ns, goro_waitgroup *wg)
{
	int64_t due = goro_now() + ns;
	goro_sleep(ns);
	goro_atomic_add_int64(&late_total, goro_now() - due);
	goro_waitgroup_done(wg);
}
static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static double sleep_wall(void)
{
	int n = goroutines(100000);
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, n);
	int64_t t0 = goro_now();
	for (int i = 0; i < n; i++)
		go(sleeper, (i % 1000 + 1) * GORO_MILLISECOND, &wg);
	goro_waitgroup_wait(&wg);
	return since(t0) / 1e9;
}
static double sleepers(void)
{
	(void)sleep_wall();
	return (double)late_total / goroutines(100000) / 1e3;
}
static double sleep_cpu(void)
{
	double before = cpu_seconds();
	(void)sleep_wall();
	return cpu_seconds() - before;
}

/* ---- steal: 1000 pieces of about 1 ms from one goroutine; wall over ideal ---- */
static double work_sink;
static void piece(long spins, goro_waitgroup *wg)
{
	volatile double x = 1;
	for (long i = 0; i < spins; i++)
		x = x * 1.0000001 + 1e-9;
	work_sink = x;
	if (wg != NULL)
		goro_waitgroup_done(wg);
}
static double steal(void)
{
	long spins = 1000;
	double ns;
	for (;; spins *= 2) {
		int64_t t0 = goro_now();
		piece(spins, NULL);
		ns = since(t0);
		if (ns > 1e6)
			break;
	}
	goro_waitgroup wg = {0};
	goro_waitgroup_add(&wg, 1000);
	int64_t t0 = goro_now();
	for (int i = 0; i < 1000; i++)
		go(piece, spins, &wg);
	goro_waitgroup_wait(&wg);
	return since(t0) / (1000 * ns / goro_gomaxprocs(0));
}

/* ---- blocking: 50 goroutines in read(2) of empty pipes, what takes 500 ms on one processor computed by two
 * others; wall over ideal ---- */
static int pipes[50][2];
static void blocked(int i, goro_waitgroup *wg)
{
	char c;
	if (read(pipes[i][0], &c, 1) != 1)
		exit(1);
	goro_waitgroup_done(wg);
}
static void compute(long spins, goro_waitgroup *wg)
{
	for (int i = 0; i < 250; i++)
		piece(spins, NULL);
	goro_waitgroup_done(wg);
}
static double blocking(void)
{
	long spins = 100000;
	int64_t t0 = goro_now();
	piece(spins, NULL);
	spins = (long)((double)spins * 1e6 / since(t0));
	double ns = 1e18;
	for (int i = 0; i < 20; i++) { /* the least of some: the others were interrupted */
		t0 = goro_now();
		piece(spins, NULL);
		ns = since(t0) < ns ? since(t0) : ns;
	}
	goro_waitgroup readers = {0}, computers = {0};
	goro_waitgroup_add(&readers, 50);
	goro_waitgroup_add(&computers, 2);
	for (int i = 0; i < 50; i++) {
		if (pipe(pipes[i]) != 0)
			exit(1);
		go(blocked, i, &readers);
	}
	goro_sleep(50 * GORO_MILLISECOND); /* until they are in their calls */
	t0 = goro_now();
	go(compute, spins, &computers);
	go(compute, spins, &computers);
	goro_waitgroup_wait(&computers);
	double wall = since(t0);
	for (int i = 0; i < 50; i++)
		if (write(pipes[i][1], "", 1) != 1)
			exit(1);
	goro_waitgroup_wait(&readers);
	return wall / (500 * ns / goro_gomaxprocs(0));
}

/* ---- echo: 64 connections of a client of its own process ($ECHO_CLIENT); the server's CPU, us a request ---- */
extern char **environ;
static void echo_one(int fd)
{
	char buf[4096];
	ssize_t n;
	while ((n = goro_read(fd, buf, sizeof buf)) > 0 && goro_write(fd, buf, (size_t)n) == n)
		;
	goro_close(fd);
}
static void echo_accept(int l)
{
	for (int fd; (fd = goro_accept(l, NULL, NULL)) >= 0;)
		go(echo_one, fd);
}
static double echo(void)
{
	char name[64], *client = getenv("ECHO_CLIENT");
	int l = goro_listen("tcp", "127.0.0.1:0"), status;
	pid_t pid;
	if (l < 0 || !client || goro_socket_address(l, false, name, sizeof name) != 0)
		exit(1);
	go(echo_accept, l);
	char *argv[] = {client, strrchr(name, ':') + 1, (char *)"64", (char *)"400000", NULL};
	double before = cpu_seconds();
	if (posix_spawn(&pid, client, NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid || status != 0)
		exit(1);
	return (cpu_seconds() - before) * 1e6 / 400000;
}

static const struct {
	const char *name;
	double (*run)(void);
} workloads[] = {{"yield", yield_}, {"spawn", spawn}, {"pingpong", pingpong}, {"spsc", spsc}, {"mpmc", mpmc},
    {"select", select_}, {"sieve", sieve}, {"skynet", skynet}, {"mutex", mutex}, {"parked-rss", park_rss},
    {"parked-ns", park_ns}, {"sleepers", sleepers}, {"sleep-wall", sleep_wall}, {"sleep-cpu", sleep_cpu},
    {"steal", steal}, {"blocking", blocking}, {"echo", echo}};

int main(int argc, char **argv)
{
	if (argc > 2)
		goro_gomaxprocs(atoi(argv[2]));
	if (argc > 3)
		count = atoi(argv[3]);
	for (size_t i = 0; argc > 1 && i < sizeof workloads / sizeof workloads[0]; i++) {
		if (strcmp(argv[1], workloads[i].name) == 0) {
			printf("%.4g\n", workloads[i].run());
			return 0;
		}
	}
	fprintf(stderr, "usage: rt WORKLOAD [GOMAXPROCS [COUNT]]\n");
	return 1;
}
