/*
 * solo_test.c: processors come and go while channels are in use: what ran alone, without locked instructions, is
 * no longer alone from one moment to the next (runtime/sched/solo.h).
 *
 * A few tokens wander through channels. Who takes one marks it as its own, and unmarks it before it passes it
 * on: a channel that two were inside of at once loses a token or gives it to both. One goroutine never stops; the others
 * sleep for some microseconds after every few operations, so that a processor falls idle and comes back thousands of
 * times a second. All threads share one CPU: who wakes takes it from the one that runs, most often in the middle of an
 * operation, as tokens are large and take long to copy. (Without solo_settle the first
 * test fails in each run, the second, where it happens once in a process, in most.)
 */
#include "stress.h"

#include <pthread.h>
#include <sched.h>

enum { TOKENS = 6, CHANS = 2, BUSY = 1, SLEEPERS = 3, BURST = 8, WORDS = 512 };

typedef struct Token {
	int number[WORDS]; /* all the same */
} Token;

static goro_chan *c[CHANS];
static int owned[TOKENS];

static void take(const Token *t)
{
	int n = t->number[0];
	stress_check(n >= 0 && n < TOKENS);
	for (int i = 1; i < WORDS; i++)
		stress_check(t->number[i] == n);
	stress_check(__atomic_exchange_n(&owned[n], 1, __ATOMIC_ACQ_REL) == 0);
}

static void give(const Token *t)
{
	stress_check(__atomic_exchange_n(&owned[t->number[0]], 0, __ATOMIC_ACQ_REL) == 1);
}

/* Two counters that only the owner of a mutex may see apart. */
static void count_one(uint64_t *rnd)
{
	static goro_mutex mu;
	static volatile long a, b;
	if (stress_random(rnd, 2))
		goro_mutex_lock(&mu);
	else if (!goro_mutex_trylock(&mu))
		return;
	stress_check(a == b);
	a = a + 1;
	if (stress_random(rnd, 64) == 0)
		goro_gosched();
	b = b + 1;
	goro_mutex_unlock(&mu);
}

static void pass_one(uint64_t *rnd)
{
	Token token;
	count_one(rnd);
	int from = (int)stress_random(rnd, CHANS), how = (int)stress_random(rnd, 3);
	if (how == 0) {
		if (!goro_chan_try_recv(c[from], &token))
			return;
	} else { /* that of one channel would wait while all tokens are in the other */
		goro_case cs[CHANS];
		for (int i = 0; i < CHANS; i++)
			cs[i] = (goro_case){c[i], false, &token, false, NULL};
		int i = goro_select(cs, CHANS, how == 1);
		if (i < 0)
			return;
		stress_check(cs[i].ok);
	}
	take(&token);
	give(&token);
	goro_chan_send(c[stress_random(rnd, CHANS)], &token); /* there is room for all */
	stress_progress();
}

static void busy(void *wg)
{
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	while (!stress_over())
		pass_one(&rnd);
	goro_waitgroup_done(wg);
}

static void sleeper(void *wg)
{
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	while (!stress_over()) {
		for (int i = 0; i < BURST; i++)
			pass_one(&rnd);
		goro_sleep((1 + stress_random(&rnd, 60)) * GORO_MICROSECOND);
	}
	goro_waitgroup_done(wg);
}

static void begin(void)
{
	cpu_set_t first;
	CPU_ZERO(&first);
	CPU_SET(sched_getcpu(), &first);
	(void)sched_setaffinity(0, sizeof first, &first); /* threads to come inherit it */
	for (int i = 0; i < CHANS; i++)
		c[i] = goro_chan_make(sizeof(Token), TOKENS);
	for (int n = 0; n < TOKENS; n++) {
		Token t;
		for (int i = 0; i < WORDS; i++)
			t.number[i] = n;
		goro_chan_send(c[n % CHANS], &t);
	}
}

static void all_are_there(void)
{
	int n = 0;
	Token token;
	for (int i = 0; i < CHANS; i++)
		while (goro_chan_try_recv(c[i], &token)) {
			take(&token); /* and keeps it */
			n++;
		}
	stress_check(n == TOKENS);
}

/* A token of one's own for each, or all might wait for what nobody has. */
_Static_assert(BUSY + SLEEPERS < TOKENS, "somebody always finds one");

StressTest(solo, tokens_stay_whole_while_processors_come_and_go)
{
	goro_waitgroup wg = {0};
	begin();
	goro_waitgroup_add(&wg, BUSY + SLEEPERS);
	for (int i = 0; i < BUSY; i++)
		goro_go(busy, &wg);
	for (int i = 0; i < SLEEPERS; i++)
		goro_go(sleeper, &wg);
	goro_waitgroup_wait(&wg);
	all_are_there();
	return 0;
}

static void *thread(void *unused)
{
	uint64_t rnd = 0x9E3779B97F4A7C15;
	(void)unused;
	while (!stress_over())
		pass_one(&rnd);
	return NULL;
}

/* Also where there is one processor. */
StressTest(solo, tokens_stay_whole_when_a_thread_comes_beside)
{
	goro_waitgroup wg = {0};
	pthread_t t;
	uint64_t rnd = 1;
	begin();
	goro_waitgroup_add(&wg, BUSY);
	for (int i = 0; i < BUSY; i++)
		goro_go(busy, &wg);
	for (int i = 0; i < 100; i++) /* they run */
		pass_one(&rnd);
	stress_check(pthread_create(&t, NULL, thread, NULL) == 0);
	goro_waitgroup_wait(&wg);
	goro_enter_syscall();
	pthread_join(t, NULL);
	goro_exit_syscall();
	all_are_there();
	return 0;
}
