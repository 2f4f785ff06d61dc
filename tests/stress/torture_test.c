/*
 * torture_test.c: many goroutines and some threads do whatever channels can do, at random, and what came of it is held
 * against a sequential channel (history.h).
 *
 * A round: a few channels, some with a buffer. Senders send their quota; the mixed ones do too, and receive
 * meanwhile, but only in a select that may send or by a try; receivers go on until all channels are closed, and
 * each channel has one that never waits without it. So nobody may wait for ever by the rules, and who does has lost a wake-up: the watchdog then names the goroutine, what it
 * does and on which channel.
 *
 * GORO_STRESS: seconds per number of processors; GORO_STRESS_PROCS: one number only; GORO_SEED: the first round's
 * seed. `make soak` is this test for SOAK seconds each.
 */
#include "stress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

enum { CHANS = 4, ACTORS = 24, QUOTA = 100, EVENTS = 1200 };

typedef enum Role { SENDER, MIXED, RECEIVER } Role;

typedef struct Actor {
	Role role;
	bool thread;      /* one of the program's own */
	int home;         /* receiver: the channel it always waits for, -1: none */
	uint32_t number, quota, sent;
	uint64_t rnd;
	const char *doing; /* for the watchdog */
	int chan;
	bool done;
	struct {
		Event e;
		uint32_t chan;
	} log[EVENTS];
	uint32_t n;
} Actor;

static goro_chan *chans[CHANS];
static size_t caps[CHANS];
static int nchans, nactors;
static Actor actors[ACTORS + 1]; /* the last is the one that closes */
static uint64_t clock_, seed;
static goro_waitgroup senders, receivers;

static uint64_t tick(void)
{
	return __atomic_add_fetch(&clock_, 1, __ATOMIC_SEQ_CST);
}

static void note(Actor *a, EventKind kind, int chan, uint32_t value, uint64_t begin)
{
	/* What answered nothing may be left out when there is no room; values may not. */
	bool must = kind == EVENT_SEND || kind == EVENT_RECV || kind == EVENT_CLOSE;
	uint64_t end = tick();
	stress_check(!must || a->n < EVENTS);
	if (must || a->n < EVENTS / 4) {
		a->log[a->n].e = (Event){begin, end, value, kind};
		a->log[a->n++].chan = (uint32_t)chan;
	}
	stress_progress();
}

#define DOING(a, what, c) ((a)->doing = (what), (a)->chan = (c))

static uint32_t next_value(const Actor *a)
{
	return a->number * QUOTA + a->sent;
}

static void received(Actor *a, int c, bool ok, uint32_t v, uint64_t begin, bool closed[])
{
	if (!ok) {
		stress_check(v == 0);
		closed[c] = true;
	}
	note(a, ok ? EVENT_RECV : EVENT_RECV_CLOSED, c, v, begin);
}

/* A channel not known to be closed; a receiver's home if it has one. */
static int some_open(Actor *a, const bool closed[])
{
	int c = a->home >= 0 ? a->home : (int)stress_random(&a->rnd, (uint32_t)nchans);
	while (closed[c])
		c = (c + 1) % nchans;
	return c;
}

/* A select of up to 6 cases: sends of the one value on some channels, receives on others. */
static void select_some(Actor *a, bool sends, bool receives, bool block, bool closed[])
{
	goro_case cs[7];
	int of[7], n = 0;
	uint32_t got[7], v = next_value(a);
	goro_chan *timer = NULL;
	for (int i = 0; i < 6; i++) {
		int c = i == 0 ? some_open(a, closed) : (int)stress_random(&a->rnd, (uint32_t)nchans);
		bool send = sends && (!receives || n == 0 || stress_random(&a->rnd, 2));
		got[n] = 0xffffffff;
		cs[n] = (goro_case){closed[c] ? NULL : chans[c], send, send ? &v : &got[n], false, NULL};
		of[n++] = c;
	}
	if (block && stress_random(&a->rnd, 8) == 0) {
		timer = goro_after_chan(stress_random(&a->rnd, 200000));
		cs[n] = (goro_case){timer, false, NULL, false, NULL};
		of[n++] = -1;
	}
	DOING(a, "select", of[0]);
	uint64_t begin = tick();
	int i = goro_select(cs, n, block);
	if (i >= 0 && of[i] >= 0) {
		if (cs[i].send) {
			a->sent++;
			note(a, EVENT_SEND, of[i], v, begin);
		} else {
			received(a, of[i], cs[i].ok, got[i], begin, closed);
		}
	} else if (i < 0) {
		stress_check(!block);
		for (int k = 0; k < n; k++)
			if (cs[k].chan && caps[of[k]]) /* without a buffer it depends on who waits */
				note(a, cs[k].send ? EVENT_SEND_FULL : EVENT_RECV_EMPTY, of[k], 0, begin);
	}
	goro_chan_free(timer);
}

static void send_one(Actor *a, bool closed[])
{
	int c = (int)stress_random(&a->rnd, (uint32_t)nchans);
	uint32_t v = next_value(a);
	uint64_t begin;
	switch (stress_random(&a->rnd, a->role == MIXED ? 4 : 6)) {
	case 0: {
		DOING(a, "try_send", c);
		begin = tick();
		bool ok = goro_chan_try_send(chans[c], &v);
		if (ok)
			a->sent++;
		if (ok || caps[c])
			note(a, ok ? EVENT_SEND : EVENT_SEND_FULL, c, v, begin);
		break;
	}
	case 1:
		select_some(a, true, a->role == MIXED, false, closed);
		break;
	case 2:
	case 3:
		select_some(a, true, a->role == MIXED, true, closed);
		break;
	default:
		DOING(a, "send", c);
		begin = tick();
		goro_chan_send(chans[c], &v);
		a->sent++;
		note(a, EVENT_SEND, c, v, begin);
	}
}

static void recv_one(Actor *a, bool closed[])
{
	int c = some_open(a, closed);
	uint32_t v = 0xffffffff;
	uint64_t begin;
	switch (stress_random(&a->rnd, a->role == MIXED ? 1 : 6)) {
	case 0:
		DOING(a, "try_recv", c);
		begin = tick();
		/* false: empty, or closed, which the next receive tells */
		if (goro_chan_try_recv(chans[c], &v))
			note(a, EVENT_RECV, c, v, begin);
		break;
	case 1:
		select_some(a, false, true, false, closed);
		break;
	case 2:
	case 3:
		select_some(a, false, true, true, closed);
		break;
	default: {
		DOING(a, "recv", c);
		begin = tick();
		bool ok = goro_chan_recv(chans[c], &v);
		received(a, c, ok, v, begin, closed);
	}
	}
}

static void between(Actor *a)
{
	int c = (int)stress_random(&a->rnd, (uint32_t)nchans);
	uint64_t begin;
	switch (stress_random(&a->rnd, 40)) {
	case 0:
	case 1:
	case 2:
		goro_gosched();
		break;
	case 3:
		DOING(a, "sleep", -1);
		goro_sleep(stress_random(&a->rnd, 100000));
		break;
	case 4:
	case 5: {
		begin = tick();
		int n = goro_chan_len(chans[c]);
		stress_check(n >= 0 && goro_chan_cap(chans[c]) == (int)caps[c]);
		note(a, EVENT_LEN, c, (uint32_t)n, begin);
	}
	}
}

static void live(Actor *a)
{
	bool closed[CHANS] = {false};
	char name[24];
	snprintf(name, sizeof name, "%s %u", (const char *[]){"sender", "mixed", "receiver"}[a->role], a->number);
	goro_set_name(name);
	if (a->role != RECEIVER) {
		while (a->sent < a->quota) {
			if (a->role == MIXED && stress_random(&a->rnd, 3) == 0)
				recv_one(a, closed);
			else
				send_one(a, closed);
			between(a);
		}
		a->done = true;
		goro_waitgroup_done(&senders);
		return;
	}
	for (int open = nchans; open;) {
		recv_one(a, closed);
		between(a);
		if (a->home >= 0 && closed[a->home])
			a->home = -1; /* the others have theirs */
		open = 0;
		for (int c = 0; c < nchans; c++)
			open += !closed[c];
	}
	a->done = true;
	goro_waitgroup_done(&receivers);
}

static void live_here(void *p)
{
	live(p);
}

static void *live_there(void *p)
{
	live(p);
	return NULL;
}

/* On the watchdog's thread: nothing moves. */
static void hung(void)
{
	fprintf(stderr, "torture: a wake-up was lost in the round of seed %llu:\n", (unsigned long long)seed);
	for (int i = 0; i < nactors; i++)
		if (!actors[i].done && actors[i].doing)
			fprintf(stderr, "torture: %s%s %d waits in %s of channel %d (capacity %zu, %d there)\n",
			    actors[i].thread ? "thread " : "goroutine ",
			    (const char *[]){"sender", "mixed", "receiver"}[actors[i].role], i, actors[i].doing,
			    actors[i].chan, actors[i].chan < 0 ? 0 : caps[actors[i].chan],
			    actors[i].chan < 0 ? 0 : goro_chan_len(chans[actors[i].chan]));
}

static Event events[(ACTORS + 1) * EVENTS];

static void check_round(void)
{
	for (int c = 0; c < nchans; c++) {
		size_t n = 0;
		for (int i = 0; i <= ACTORS; i++)
			for (uint32_t k = 0; k < actors[i].n; k++)
				if (actors[i].log[k].chan == (uint32_t)c)
					events[n++] = actors[i].log[k].e;
		const char *broken = history_check(events, n, caps[c], ACTORS * QUOTA);
		if (broken)
			fprintf(stderr, "torture: seed %llu, channel %d of capacity %zu: %s\n",
			    (unsigned long long)seed, c, caps[c], broken);
		stress_check(!broken);
	}
}

static void round_(uint64_t *rnd)
{
	static const size_t sizes[] = {0, 0, 0, 1, 1, 2, 3, 7, 64};
	pthread_t threads[ACTORS];
	int nthreads = 0;
	bool hosts = stress_random(rnd, 4) == 0;
	memset(actors, 0, sizeof actors);
	clock_ = 0;
	nchans = 1 + (int)stress_random(rnd, CHANS);
	nactors = nchans + 1 + (int)stress_random(rnd, (uint32_t)(ACTORS - nchans));
	for (int c = 0; c < nchans; c++) {
		caps[c] = sizes[stress_random(rnd, sizeof sizes / sizeof *sizes)];
		chans[c] = goro_chan_make(sizeof(uint32_t), caps[c]);
	}
	for (int i = 0; i < nactors; i++) {
		Actor *a = &actors[i];
		a->number = (uint32_t)i;
		a->role = i < nchans ? RECEIVER : i == nchans ? SENDER : (Role)stress_random(rnd, 3);
		a->home = i < nchans ? i : -1;
		a->quota = 1 + stress_random(rnd, QUOTA - 1);
		a->rnd = *rnd ^ (uint64_t)(i + 1) * 0x9E3779B97F4A7C15;
		a->thread = hosts && i >= 1 && i <= 3;
		goro_waitgroup_add(a->role == RECEIVER ? &receivers : &senders, 1);
	}
	for (int i = 0; i < nactors; i++)
		if (actors[i].thread)
			stress_check(pthread_create(&threads[nthreads++], NULL, live_there, &actors[i]) == 0);
		else
			stress_check(goro_go(live_here, &actors[i]) == 0);
	goro_waitgroup_wait(&senders);
	for (int c = 0; c < nchans; c++) {
		uint64_t begin = tick();
		goro_chan_close(chans[c]);
		note(&actors[ACTORS], EVENT_CLOSE, c, 0, begin);
		if (stress_random(rnd, 2))
			goro_gosched();
	}
	goro_waitgroup_wait(&receivers);
	goro_enter_syscall();
	for (int i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	goro_exit_syscall();
	check_round();
	for (int c = 0; c < nchans; c++)
		goro_chan_free(chans[c]);
}

StressTest(torture, does_as_a_sequential_channel)
{
	const char *first = getenv("GORO_SEED");
	uint64_t rounds = 0;
	seed = first ? strtoull(first, NULL, 0) : (uint64_t)goro_now();
	stress_on_hang(hung);
	for (; !stress_over() || !rounds; rounds++, seed++) {
		uint64_t rnd = seed * 0x9E3779B97F4A7C15 + 1;
		round_(&rnd);
	}
	if (getenv("GORO_STRESS"))
		fprintf(stderr, "torture: %llu rounds on %d processors, last seed %llu\n", (unsigned long long)rounds,
		    goro_gomaxprocs(0), (unsigned long long)seed - 1);
	return 0;
}

/* ---- the checker itself ---- */

#define HISTORY(cap, ...)                                                                          \
	history_check((const Event[]){__VA_ARGS__}, sizeof((const Event[]){__VA_ARGS__}) / sizeof(Event), cap, 3)
#define BREAKS(want, cap, ...)                                                                     \
	do {                                                                                       \
		const char *broken_ = HISTORY(cap, __VA_ARGS__);                                   \
		cr_assert(broken_ && strstr(broken_, want), "%s", broken_ ? broken_ : "found well"); \
	} while (0)
#define SENT(b, e, v) {b, e, v, EVENT_SEND}
#define RECV(b, e, v) {b, e, v, EVENT_RECV}

Test(torture, the_checker_finds_each_fault)
{
	cr_assert_null(HISTORY(1, SENT(1, 2, 0), RECV(3, 4, 0), SENT(5, 6, 1), {7, 8, 1, EVENT_LEN}, RECV(9, 10, 1),
	    {11, 12, 0, EVENT_RECV_EMPTY}, {13, 14, 0, EVENT_CLOSE}, {15, 16, 0, EVENT_RECV_CLOSED}));
	cr_assert_null(HISTORY(0, SENT(1, 4, 0), RECV(2, 3, 0)));
	BREAKS("received twice", 2, SENT(1, 2, 0), RECV(3, 4, 0), RECV(5, 6, 0));
	BREAKS("not received", 2, SENT(1, 2, 0), SENT(3, 4, 1), RECV(5, 6, 1));
	BREAKS("not sent", 2, RECV(5, 6, 1));
	BREAKS("before it was sent", 2, RECV(1, 2, 1), SENT(3, 4, 1));
	BREAKS("overtook", 2, SENT(1, 2, 0), SENT(3, 4, 1), RECV(5, 6, 1), RECV(7, 8, 0));
	BREAKS("capacity 1", 1, SENT(1, 2, 0), SENT(3, 4, 1), RECV(5, 6, 0), RECV(7, 8, 1));
	BREAKS("capacity 0", 0, SENT(1, 2, 0), RECV(5, 6, 0));
	BREAKS("try to send failed", 2, SENT(1, 2, 0), {3, 4, 0, EVENT_SEND_FULL}, RECV(5, 6, 0));
	BREAKS("try to receive failed", 2, SENT(1, 2, 0), {3, 4, 0, EVENT_RECV_EMPTY}, RECV(5, 6, 0));
	BREAKS("len answered 0", 2, SENT(1, 2, 0), {3, 4, 0, EVENT_LEN}, RECV(5, 6, 0));
	BREAKS("len answered 2", 2, SENT(1, 2, 0), {3, 4, 2, EVENT_LEN}, RECV(5, 6, 0));
	BREAKS("before the close", 2, {1, 2, 0, EVENT_RECV_CLOSED}, {3, 4, 0, EVENT_CLOSE});
	BREAKS("values still there", 2, SENT(1, 2, 0), {3, 4, 0, EVENT_CLOSE}, {5, 6, 0, EVENT_RECV_CLOSED}, RECV(7, 8, 0));
	BREAKS("closed twice", 2, {1, 2, 0, EVENT_CLOSE}, {3, 4, 0, EVENT_CLOSE});
}
