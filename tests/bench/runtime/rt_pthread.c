/*
 * rt_pthread.c: the workloads of rt.c that plain threads can do, size for size where that ends in time: a
 * channel is a ring with a mutex and two conditions. The second argument is how many processors may be used.
 * Usage: rt WORKLOAD [PROCS]; exit code 2: no such workload here.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	if (pthread_create(&t, &a, fn, arg) != 0) {
		fprintf(stderr, "rt_pthread: no more threads\n");
		exit(1);
	}
	pthread_attr_destroy(&a);
	return t;
}

typedef struct Chan {
	pthread_mutex_t mu;
	pthread_cond_t filled, emptied;
	int cap, count, head, closed;
	int buf[128];
} Chan;

static void chan_init(Chan *c, int cap)
{
	memset(c, 0, sizeof *c);
	pthread_mutex_init(&c->mu, NULL);
	pthread_cond_init(&c->filled, NULL);
	pthread_cond_init(&c->emptied, NULL);
	c->cap = cap;
}

static void chan_put(Chan *c, int v)
{
	pthread_mutex_lock(&c->mu);
	while (c->count == c->cap)
		pthread_cond_wait(&c->emptied, &c->mu);
	c->buf[(c->head + c->count++) % c->cap] = v;
	pthread_cond_signal(&c->filled);
	pthread_mutex_unlock(&c->mu);
}

static int chan_get(Chan *c, int *v)
{
	pthread_mutex_lock(&c->mu);
	while (c->count == 0 && !c->closed)
		pthread_cond_wait(&c->filled, &c->mu);
	int ok = c->count > 0;
	if (ok) {
		*v = c->buf[c->head];
		c->head = (c->head + 1) % c->cap;
		c->count--;
		pthread_cond_signal(&c->emptied);
	}
	pthread_mutex_unlock(&c->mu);
	return ok;
}

static void chan_end(Chan *c)
{
	pthread_mutex_lock(&c->mu);
	c->closed = 1;
	pthread_cond_broadcast(&c->filled);
	pthread_mutex_unlock(&c->mu);
}

enum { YIELDS = 1000000 };
static void *yielder(void *arg)
{
	for (int i = 0; i < YIELDS; i++)
		sched_yield();
	return arg;
}
static double yield_(void)
{
	double t0 = now();
	pthread_t a = start(yielder, NULL), b = start(yielder, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return (now() - t0) / (2.0 * YIELDS);
}

enum { BATCH = 1000, BATCHES = 10 }; /* ten thousand at once is more than most limits allow */
static void *nothing(void *arg)
{
	return arg;
}
static double spawn(void)
{
	static pthread_t t[BATCH];
	double t0 = now();
	for (int b = 0; b < BATCHES; b++) {
		for (int i = 0; i < BATCH; i++)
			t[i] = start(nothing, NULL);
		for (int i = 0; i < BATCH; i++)
			pthread_join(t[i], NULL);
	}
	return (now() - t0) / (BATCH * BATCHES);
}

enum { TRIPS = 100000 };
static Chan ping, pong;
static void *ponger(void *arg)
{
	int v;
	while (chan_get(&ping, &v))
		chan_put(&pong, v);
	return arg;
}
static double pingpong(void)
{
	chan_init(&ping, 1);
	chan_init(&pong, 1);
	pthread_t t = start(ponger, NULL);
	double t0 = now();
	for (int i = 0, v; i < TRIPS; i++) {
		chan_put(&ping, i);
		chan_get(&pong, &v);
	}
	double d = (now() - t0) / TRIPS;
	chan_end(&ping);
	pthread_join(t, NULL);
	return d;
}

enum { ITEMS = 4000000 };
static Chan items;
static void *producer(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		chan_put(&items, (int)i);
	return NULL;
}
static void *consumer(void *arg)
{
	long sum = 0;
	int v;
	(void)arg;
	while (chan_get(&items, &v))
		sum += v;
	return (void *)sum;
}
static double through(int threads)
{
	pthread_t p[8], c[8];
	chan_init(&items, 128);
	double t0 = now();
	for (int i = 0; i < threads; i++) {
		c[i] = start(consumer, NULL);
		p[i] = start(producer, (void *)(long)(ITEMS / threads));
	}
	for (int i = 0; i < threads; i++)
		pthread_join(p[i], NULL);
	chan_end(&items);
	for (int i = 0; i < threads; i++)
		pthread_join(c[i], NULL);
	return (now() - t0) / ITEMS;
}
static double spsc(void)
{
	return through(1);
}
static double mpmc(void)
{
	return through(8);
}

enum { LOCKS = 10000000 };
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static long shared;
static void *locker(void *arg)
{
	for (int i = 0; i < LOCKS / 8; i++) {
		pthread_mutex_lock(&mu);
		shared++;
		pthread_mutex_unlock(&mu);
	}
	return arg;
}
static double mutex(void)
{
	pthread_t t[8];
	double t0 = now();
	for (int i = 0; i < 8; i++)
		t[i] = start(locker, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	return (now() - t0) / LOCKS;
}

/* As in rt.c: 50 in blocking reads, while what takes 500 ms on one processor is computed, in 50 pieces. */
static int pipes[50][2];
static long spins;
static double sink;
static double piece(void)
{
	volatile double x = 1;
	double t0 = now();
	for (long i = 0; i < spins; i++)
		x = x * 1.0000001 + 1e-9;
	sink = x;
	return now() - t0;
}
static void *reader(void *arg)
{
	char c;
	return read(pipes[(long)arg][0], &c, 1) == 1 ? NULL : arg;
}
static void *computer(void *arg)
{
	for (int i = 0; i < 25; i++)
		piece();
	return arg;
}
static double blocking(void)
{
	double each;
	for (spins = 1000; (each = piece()) < 1e7; spins = (long)((double)spins * 1.05 * (1e7 / each > 2 ? 2 : 1e7 / each)))
		;
	pthread_t r[50], c[2];
	for (long i = 0; i < 50; i++) {
		if (pipe(pipes[i]) != 0)
			exit(1);
		r[i] = start(reader, (void *)i);
	}
	double t0 = now();
	for (int i = 0; i < 2; i++)
		c[i] = start(computer, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(c[i], NULL);
	double wall = now() - t0;
	for (long i = 0; i < 50; i++) {
		if (write(pipes[i][1], "", 1) != 1)
			exit(1);
		pthread_join(r[i], NULL);
	}
	int procs = (int)sysconf(_SC_NPROCESSORS_ONLN) < 2 ? 1 : 2;
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1)
		procs = 1;
	return wall / (50 * each / procs);
}

static const struct {
	const char *name;
	double (*run)(void);
} workloads[] = {{"yield", yield_}, {"spawn", spawn}, {"pingpong", pingpong}, {"spsc", spsc}, {"mpmc", mpmc},
    {"mutex", mutex}, {"blocking", blocking}};

int main(int argc, char **argv)
{
	if (argc > 2) {
		cpu_set_t all, some;
		CPU_ZERO(&some);
		sched_getaffinity(0, sizeof all, &all);
		for (int cpu = 0, n = atoi(argv[2]); cpu < CPU_SETSIZE && n > 0; cpu++) {
			if (CPU_ISSET(cpu, &all)) {
				CPU_SET(cpu, &some);
				n--;
			}
		}
		sched_setaffinity(0, sizeof some, &some);
	}
	for (size_t i = 0; argc > 1 && i < sizeof workloads / sizeof workloads[0]; i++) {
		if (strcmp(argv[1], workloads[i].name) == 0) {
			printf("%.4g\n", workloads[i].run());
			return 0;
		}
	}
	return 2;
}
