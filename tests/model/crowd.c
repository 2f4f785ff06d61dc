/*
 * crowd.c: many check the same granules at once, and every race there is, is found: no more, no fewer.
 *
 *	crowd threads|goroutines ROUNDS      exit 1 with a line for each pair that is lost or invented
 *
 * A round has GRANULES fresh granules and CROWD threads (or goroutines, on as many Ps), which go through them
 * side by side, one batch after the other; nothing orders them. What each does to a granule is known by the granule's
 * number, and so are the pairs that race in it:
 *
 *	two of them    each writes a byte of its own, but one writes another's: that pair
 *	a writer       all read the whole word, one writes it: the writer with each reader
 *	all            all write the whole word: every pair
 *	mixed          half add to it by an atomic operation, one reads it plainly: that one with each of those
 *
 * Who is second in a pair is left to chance, and is the point: each check finds a granule's state changed by
 * others a moment ago, or while it looks: on two processors because two run, and because they are preempted in the
 * midst of it. Small batches bring threads together again and again; goroutines take longer to meet, and have larger
 * ones. With a block_lock that does nothing, threads lost 42 to 237 of four rounds' 20480 pairs in each of six runs,
 * goroutines up to 3 in a third of them.
 *
 * Each member has functions of its own for the accesses, so that a report's return addresses say who it was.
 * __tsan_on_report notes the pair; the text goes nowhere.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <goro.h>

#define UNSEEN __attribute__((no_sanitize("thread"), noinline))

enum { CROWD = 8, GRANULES = 512, WAYS = 4 };

int __tsan_get_report_mop(void *report, unsigned long idx, int *tid, void **addr, int *size, int *write,
    int *atomic, void **trace, unsigned long trace_size);

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "log_path=/dev/null suppress_equal_stacks=0 suppress_equal_addresses=0 max_reports=0 symbolize=0 "
	       "source=0 exitcode=0 atexit_sleep_ms=0";
}

static uint64_t *word;                     /* GRANULES of them, new in each round */
static unsigned char found[GRANULES][CROWD][CROWD];
static volatile int here[CROWD];           /* batches that each has begun; no atomics: clang shows them always */
static volatile int bad;

/* ---- the accesses, one function for each member ---- */

#define ACCESSES(i)                                                                                \
	__attribute__((noinline, section("text_of_" #i))) static void access_##i(int way, int n)   \
	{                                                                                          \
		volatile uint64_t *w = &word[n];                                                   \
		volatile unsigned char *b = (volatile unsigned char *)w;                           \
		int one = n / WAYS % CROWD, two = (n / WAYS / CROWD + one + 1) % CROWD;            \
		if (two == one)                                                                    \
			two = (two + 1) % CROWD;                                                   \
		if (way == 0)                                                                      \
			b[(i) == two ? one : (i)] = 1;                                             \
		else if (way == 1 && (i) != one)                                                   \
			(void)*w;                                                                  \
		else if (way < 3)                                                                  \
			*w = 1;                                                                    \
		else if ((i) == one)                                                               \
			(void)*w;                                                                  \
		else if ((i) % 2)                                                                  \
			__atomic_fetch_add((uint64_t *)w, 1, __ATOMIC_RELAXED);                    \
	}                                                                                          \
	extern const char __start_text_of_##i[], __stop_text_of_##i[];
#define MEMBERS(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
MEMBERS(ACCESSES)

static void (*const access_of[])(int, int) = {
#define FUNCTION(i) access_##i,
    MEMBERS(FUNCTION)
};

UNSEEN static int member_of(const void *pc)
{
	const char *p = pc;
#define IS(i)                                                                                      \
	if (p >= __start_text_of_##i && p <= __stop_text_of_##i)                                   \
		return i;
	MEMBERS(IS)
	return -1;
}

UNSEEN static bool expected(int n, int a, int b)
{
	int way = n % WAYS, one = n / WAYS % CROWD, two = (n / WAYS / CROWD + one + 1) % CROWD;

	if (two == one)
		two = (two + 1) % CROWD;
	switch (way) {
	case 0: return (a == one && b == two) || (a == two && b == one);
	case 1: return a != b && (a == one || b == one);
	case 2: return a != b;
	default: return a != b && ((a == one && b % 2) || (b == one && a % 2));
	}
}

void __tsan_on_report(void *report);
UNSEEN void __tsan_on_report(void *report)
{
	int tid, size, write, atomic, who[2];
	void *addr = NULL, *trace[2];

	for (unsigned long i = 0; i < 2; i++) {
		trace[0] = NULL;
		if (!__tsan_get_report_mop(report, i, &tid, &addr, &size, &write, &atomic, trace, 2))
			return;
		who[i] = member_of(trace[0]);
	}
	uintptr_t n = ((uintptr_t)addr - (uintptr_t)word) / sizeof *word;
	if (n >= GRANULES || who[0] < 0 || who[1] < 0) {
		bad = 1;
		fprintf(stderr, "a report of another place: granule %zu, members %d and %d\n", (size_t)n,
		    who[0], who[1]);
		return;
	}
	found[n][who[0]][who[1]] = found[n][who[1]][who[0]] = 1;
}

/* ---- the crowd ---- */

static bool goroutines;

UNSEEN static void yield(void)
{
	if (goroutines)
		goro_gosched();
	else
		sched_yield();
}

/* Behind the detector's back: all have begun batch n. */
UNSEEN static void together(int me, int n)
{
	here[me] = n;
	for (int i = 0; i < CROWD; i++)
		while (here[i] < n)
			yield();
}

static void go_through(void *arg)
{
	int me = (int)(uintptr_t)arg;

	int batch = goroutines ? 64 : 2;

	for (int n = 0; n < GRANULES; n++) {
		if (n % batch == 0)
			together(me, n / batch + 1);
		access_of[me](n % WAYS, n);
	}
	together(me, GRANULES / batch + 1);
}

static void *thread_body(void *arg)
{
	go_through(arg);
	return NULL;
}

UNSEEN static void judge(int round)
{
	for (int n = 0; n < GRANULES; n++)
		for (int a = 0; a < CROWD; a++)
			for (int b = a + 1; b < CROWD; b++)
				if (expected(n, a, b) != found[n][a][b]) {
					printf("round %d, granule %d (%d): %d and %d %s\n", round, n, n % WAYS,
					    a, b, found[n][a][b] ? "INVENTED" : "LOST");
					bad = 1;
				}
	memset(found, 0, sizeof found);
	for (int i = 0; i < CROWD; i++)
		here[i] = 0;
}

static void play(int round)
{
	pthread_t th[CROWD];
	goro_waitgroup wg = {0};

	word = calloc(GRANULES, sizeof *word);
	if (!word)
		abort();
	for (uintptr_t i = 0; i < CROWD; i++) {
		if (goroutines)
			goro_waitgroup_go(&wg, go_through, (void *)i);
		else if (pthread_create(&th[i], NULL, thread_body, (void *)i) != 0)
			abort();
	}
	for (int i = 0; i < CROWD && !goroutines; i++)
		pthread_join(th[i], NULL);
	goro_waitgroup_wait(&wg);
	judge(round);
	free(word);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 1;

	goroutines = argc > 1 && strcmp(argv[1], "goroutines") == 0;
	goro_gomaxprocs(CROWD);
	for (int i = 0; i < rounds; i++)
		play(i);
	printf("%d rounds\n", rounds);
	fflush(stdout);
	return bad;
}
