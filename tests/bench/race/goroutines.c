/*
 * goroutines.c: the kinds of work that goroutines and channels are used for, and the cost of each synchronisation by
 * itself. work.go holds the same in Go. Usage: goroutines KIND prints the kind's checksum; goroutines ROW prints CPU
 * nanoseconds per operation.
 *
 * Kinds. gshmap: a hash map of 64 shards under goro mutexes, 8 goroutines. gpipe: 8 stages, buffered channels
 * between them, records passed by pointer and written to in each stage. gfan: a producer, 8 workers that compute over
 * a buffer each, results collected in one channel. gpool: jobs from a queue under mutex and condition, a wait group
 * for each batch. gsieve: primes by a chain of filters, unbuffered channels.
 *
 * Rows run on one processor, so that they are of the operation and not of the meeting of two caches.
 */
#include <goro.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* xorshift64*: the same numbers everywhere. */
static inline uint64_t next_random(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * UINT64_C(2685821657736338717);
}

/* ---- gshmap ---- */
enum { SHARDS = 64, BUCKETS = 1024, MAPPERS = 8, MAP_OPS = 800000, KEYS = 100000 };
struct entry {
	struct entry *next;
	uint64_t key, value;
};
static struct shard {
	goro_mutex lock;
	struct entry *bucket[BUCKETS];
	char pad[64];
} shards[SHARDS];
static void mapper(int id, goro_waitgroup *wg)
{
	uint64_t seed = 77 + (uint64_t)id;
	for (int i = 0; i < MAP_OPS; i++) {
		uint64_t key = next_random(&seed) % KEYS, h = key * UINT64_C(0x9e3779b97f4a7c15);
		struct shard *s = &shards[h >> 58];
		goro_mutex_lock(&s->lock);
		struct entry **b = &s->bucket[(h >> 40) % BUCKETS], *e = *b;
		while (e != NULL && e->key != key)
			e = e->next;
		if (e == NULL) {
			e = malloc(sizeof *e);
			*e = (struct entry){*b, key, 0};
			*b = e;
		}
		e->value++;
		goro_mutex_unlock(&s->lock);
	}
	goro_waitgroup_done(wg);
}
static double gshmap(void)
{
	goro_waitgroup wg = {0};
	uint64_t sum = 0;
	goro_waitgroup_add(&wg, MAPPERS);
	for (int i = 0; i < MAPPERS; i++)
		go(mapper, i, &wg);
	goro_waitgroup_wait(&wg);
	for (int i = 0; i < SHARDS; i++)
		for (int b = 0; b < BUCKETS; b++)
			for (struct entry *e = shards[i].bucket[b]; e != NULL; e = e->next)
				sum += e->value;
	return (double)sum;
}

/* ---- gpipe ---- */
enum { STAGES = 8, DEPTH = 64, RECORDS = 600000 };
struct record {
	uint64_t id, sum;
	uint32_t hops;
};
static void stage(chan(struct record *) in, chan(struct record *) out)
{
	struct record *r;
	while (chan_recv_ok(in, &r)) {
		r->sum = r->sum * 31 + r->id;
		r->hops++;
		chan_send(out, r);
	}
	chan_close(out);
}
static void source(chan(struct record *) out, chan(struct record *) spare)
{
	for (uint64_t i = 0; i < RECORDS; i++) {
		struct record *r = chan_recv(spare);
		*r = (struct record){i, 1, 0};
		chan_send(out, r);
	}
	chan_close(out);
}
static double gpipe(void)
{
	static struct record pool[STAGES * DEPTH];
	chan(struct record *) spare = chan_make(struct record *, STAGES * DEPTH);
	chan(struct record *) in = chan_make(struct record *, DEPTH);
	uint64_t sum = 0;
	for (int i = 0; i < STAGES * DEPTH; i++)
		chan_send(spare, &pool[i]);
	go(source, in, spare);
	for (int i = 0; i < STAGES; i++) {
		chan(struct record *) out = chan_make(struct record *, DEPTH);
		go(stage, in, out);
		in = out;
	}
	struct record *r;
	while (chan_recv_ok(in, &r)) {
		sum = (sum + r->sum + r->hops) % 1000003;
		chan_send(spare, r);
	}
	return (double)sum;
}

/* ---- gfan ---- */
enum { FAN = 8, TASKS = 200000, WORDS = 1024 };
static void fan_worker(chan(int) tasks, chan(uint64_t) results)
{
	uint32_t *buf = malloc(WORDS * sizeof *buf);
	int task;
	while (chan_recv_ok(tasks, &task)) {
		uint64_t sum = 0;
		for (uint32_t i = 0; i < WORDS; i++)
			buf[i] = (uint32_t)task * 2654435761u + i;
		for (uint32_t i = 1; i < WORDS; i++) {
			buf[i] ^= buf[i - 1] >> 3;
			sum += buf[i];
		}
		chan_send(results, sum);
	}
	free(buf);
}
static void fan_source(chan(int) tasks)
{
	for (int i = 0; i < TASKS; i++)
		chan_send(tasks, i);
	chan_close(tasks);
}
static double gfan(void)
{
	chan(int) tasks = chan_make(int, 16);
	chan(uint64_t) results = chan_make(uint64_t, 16);
	uint64_t sum = 0;
	go(fan_source, tasks);
	for (int i = 0; i < FAN; i++)
		go(fan_worker, tasks, results);
	for (int i = 0; i < TASKS; i++)
		sum += chan_recv(results);
	return (double)(sum % 1000003);
}

/* ---- gpool ---- */
enum { WORKERS = 8, BATCHES = 12000, JOBS = 64 };
struct job {
	struct job *next;
	uint32_t n;
	uint64_t result;
};
static struct {
	goro_mutex lock;
	goro_cond ready;
	struct job *first;
	bool closed;
	goro_waitgroup done;
} pool;
static void pool_worker(goro_waitgroup *wg)
{
	for (;;) {
		goro_mutex_lock(&pool.lock);
		while (pool.first == NULL && !pool.closed)
			goro_cond_wait(&pool.ready);
		struct job *j = pool.first;
		if (j != NULL)
			pool.first = j->next;
		goro_mutex_unlock(&pool.lock);
		if (j == NULL)
			break;
		uint64_t steps = 0;
		for (uint64_t n = j->n; n > 1; steps++)
			n = n & 1 ? 3 * n + 1 : n / 2;
		j->result = steps;
		goro_waitgroup_done(&pool.done);
	}
	goro_waitgroup_done(wg);
}
static double gpool(void)
{
	static struct job jobs[JOBS];
	goro_waitgroup wg = {0};
	uint64_t sum = 0;
	goro_cond_init(&pool.ready, &pool.lock);
	goro_waitgroup_add(&wg, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		go(pool_worker, &wg);
	for (uint32_t b = 0; b < BATCHES; b++) {
		goro_waitgroup_add(&pool.done, JOBS);
		for (uint32_t i = 0; i < JOBS; i++) {
			goro_mutex_lock(&pool.lock);
			jobs[i] = (struct job){pool.first, 1 + b * JOBS + i, 0};
			pool.first = &jobs[i];
			goro_mutex_unlock(&pool.lock);
			goro_cond_signal(&pool.ready);
		}
		goro_waitgroup_wait(&pool.done);
		for (int i = 0; i < JOBS; i++)
			sum += jobs[i].result;
	}
	goro_mutex_lock(&pool.lock);
	pool.closed = true;
	goro_mutex_unlock(&pool.lock);
	goro_cond_broadcast(&pool.ready);
	goro_waitgroup_wait(&wg);
	return (double)sum;
}

/* ---- gsieve ---- */
enum { PRIMES = 2300 };
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
static double gsieve(void)
{
	chan(int) c = chan_make(int);
	int prime = 0;
	go(generate, c);
	for (int i = 0; i < PRIMES; i++) {
		prime = chan_recv(c);
		chan(int) next = chan_make(int);
		go(filter, c, next, prime);
		c = next;
	}
	return prime;
}

/* ---- rows: CPU nanoseconds an operation, the loop's own cost included ---- */
static double cpu_ns(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

enum { LOCKS = 5000000, ADDS = 10000000, SPAWNS = 500000, BATCH = 100, TRIPS = 1000000, ITEMS = 400000, HOPS = 10,
	PARKED = 100000 };
static double lock_row(void)
{
	static goro_mutex m;
	double t0 = cpu_ns();
	for (int i = 0; i < LOCKS; i++) {
		goro_mutex_lock(&m);
		goro_mutex_unlock(&m);
	}
	return (cpu_ns() - t0) / LOCKS;
}
static double pthread_lock_row(void)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	double t0 = cpu_ns();
	for (int i = 0; i < LOCKS; i++) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return (cpu_ns() - t0) / LOCKS;
}
static double add_row(void)
{
	static atomic_ullong n;
	double t0 = cpu_ns();
	for (int i = 0; i < ADDS; i++)
		atomic_fetch_add(&n, 1);
	return (cpu_ns() - t0) / ADDS;
}
static void nothing(goro_waitgroup *wg)
{
	goro_waitgroup_done(wg);
}
static double spawn_row(void)
{
	double t0 = cpu_ns();
	for (int b = 0; b < SPAWNS / BATCH; b++) {
		goro_waitgroup wg = {0};
		goro_waitgroup_add(&wg, BATCH);
		for (int i = 0; i < BATCH; i++)
			go(nothing, &wg);
		goro_waitgroup_wait(&wg);
	}
	return (cpu_ns() - t0) / SPAWNS;
}
static void ponger(chan(int) ping, chan(int) pong)
{
	chan_range(v, ping)
		chan_send(pong, v);
}
static double pingpong_row(void)
{
	chan(int) ping = chan_make(int), pong = chan_make(int);
	go(ponger, ping, pong);
	double t0 = cpu_ns();
	for (int i = 0; i < TRIPS; i++) {
		chan_send(ping, i);
		(void)chan_recv(pong);
	}
	return (cpu_ns() - t0) / TRIPS;
}
static void pass_on(chan(int) in, chan(int) out)
{
	chan_range(v, in)
		chan_send(out, v + 1);
	chan_close(out);
}
static void number(chan(int) out)
{
	for (int i = 0; i < ITEMS; i++)
		chan_send(out, i);
	chan_close(out);
}
static double pipeline_row(void)
{
	chan(int) c = chan_make(int, 128);
	double t0 = cpu_ns();
	go(number, c);
	for (int i = 1; i < HOPS; i++) {
		chan(int) next = chan_make(int, 128);
		go(pass_on, c, next);
		c = next;
	}
	int64_t sum = 0;
	chan_range(v, c)
		sum += v;
	if (sum != (int64_t)ITEMS * (ITEMS - 1) / 2 + (int64_t)ITEMS * (HOPS - 1))
		abort();
	return (cpu_ns() - t0) / ((double)ITEMS * HOPS);
}
static void waits(chan(int) c)
{
	(void)chan_recv(c);
}
/* Their memory is what is measured, from without. */
static double parked_row(void)
{
	chan(int) c = chan_make(int);
	double t0 = cpu_ns();
	for (int i = 0; i < PARKED; i++)
		go(waits, c);
	goro_gosched();
	return (cpu_ns() - t0) / PARKED;
}
static double empty_row(void)
{
	return 0;
}

static const struct {
	const char *name;
	double (*run)(void);
	bool row;
} kinds[] = {{"gshmap", gshmap, false}, {"gpipe", gpipe, false}, {"gfan", gfan, false}, {"gpool", gpool, false},
    {"gsieve", gsieve, false}, {"lock", lock_row, true}, {"pthread-lock", pthread_lock_row, true}, {"add", add_row, true},
    {"spawn", spawn_row, true}, {"pingpong", pingpong_row, true}, {"pipeline", pipeline_row, true},
    {"parked", parked_row, true}, {"empty", empty_row, true}};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		if (kinds[i].row) {
			goro_gomaxprocs(1);
			printf("%.1f\n", kinds[i].run());
		} else {
			printf("%s %.0f\n", argv[1], kinds[i].run());
		}
		return 0;
	}
	fprintf(stderr, "usage: goroutines KIND|ROW\n");
	return 1;
}
