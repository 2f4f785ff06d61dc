/*
 * chan_test.c: channels under load. Values carry who sent them and their number there: none is
 * lost, none comes twice, and each receiver sees those of one sender on one channel in the order of
 * sending.
 */
#include "stress.h"

#include <stdlib.h>
#include <string.h>

enum { SENDERS = 6, RECEIVERS = 5, CHANS = 3, BATCH = 400 };

typedef struct Value {
	uint32_t sender, number;
} Value;

static goro_chan *c[CHANS];
static goro_waitgroup senders, receivers;
static uint8_t taken[CHANS][SENDERS][BATCH];
static uint32_t sent[CHANS][SENDERS];

static void note(int ch, Value v, uint32_t last[CHANS][SENDERS])
{
	stress_check(v.sender < SENDERS && v.number >= 1 && v.number <= BATCH);
	stress_check(
	    __atomic_add_fetch(&taken[ch][v.sender][v.number - 1], 1, __ATOMIC_RELAXED) == 1);
	stress_check(v.number > last[ch][v.sender]);
	last[ch][v.sender] = v.number;
	stress_progress();
}

static void send_batch(void *p)
{
	uint32_t me = (uint32_t)(uintptr_t)p;
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	uint32_t next[CHANS] = {0};
	for (int i = 0; i < BATCH; i++) {
		int ch = (int)stress_random(&rnd, CHANS), how = (int)stress_random(&rnd, 4);
		Value v = {me, next[ch] + 1};
		if (how == 0) {
			if (!goro_chan_try_send(c[ch], &v))
				goro_chan_send(c[ch], &v);
		} else if (how == 1) { /* any of the channels */
			Value each[CHANS];
			goro_case cs[CHANS];
			for (int k = 0; k < CHANS; k++) {
				each[k] = (Value){me, next[k] + 1};
				cs[k] = (goro_case){c[k], true, &each[k], false, NULL};
			}
			ch = goro_select(cs, CHANS, true);
			stress_check(!cs[ch].ok);
		} else {
			goro_chan_send(c[ch], &v);
		}
		next[ch]++;
		if (stress_random(&rnd, 16) == 0)
			goro_gosched();
	}
	for (int ch = 0; ch < CHANS; ch++)
		sent[ch][me] = next[ch];
}

static void receive_all(void *unused)
{
	uint64_t rnd = goro_id() * 0x9E3779B97F4A7C15 + 1;
	uint32_t last[CHANS][SENDERS] = {{0}};
	bool closed[CHANS] = {false};
	(void)unused;
	for (int open = CHANS; open > 0;) {
		int ch = (int)stress_random(&rnd, CHANS), how = (int)stress_random(&rnd, 4);
		Value v = {99, 99};
		if (closed[ch])
			continue;
		if (how == 0) {
			if (goro_chan_try_recv(c[ch], &v))
				note(ch, v, last);
			else if (stress_random(&rnd, 4) == 0)
				goro_gosched();
		} else {
			Value each[CHANS];
			goro_case cs[CHANS];
			for (int k = 0; k < CHANS; k++)
				cs[k] = (goro_case){
				    closed[k] ? NULL : c[k], false, &each[k], false, NULL};
			ch = goro_select(cs, CHANS, how != 1);
			if (ch < 0)
				goro_gosched();
			else if (cs[ch].ok)
				note(ch, each[ch], last);
			else {
				stress_check(each[ch].sender == 0 && each[ch].number == 0);
				closed[ch] = true;
				open--;
			}
		}
	}
}

StressTest(chan, each_value_once_in_order)
{
	uint64_t rnd = 88172645463325252;
	while (!stress_over()) {
		memset(taken, 0, sizeof(taken));
		for (int ch = 0; ch < CHANS; ch++)
			c[ch] = goro_chan_make(
			    sizeof(Value), stress_random(&rnd, 2) * stress_random(&rnd, 9));
		for (int i = 0; i < RECEIVERS; i++)
			goro_waitgroup_go(&receivers, receive_all, NULL);
		for (int i = 0; i < SENDERS; i++)
			goro_waitgroup_go(&senders, send_batch, (void *)(uintptr_t)i);
		goro_waitgroup_wait(&senders);
		for (int ch = 0; ch < CHANS; ch++)
			goro_chan_close(c[ch]);
		goro_waitgroup_wait(&receivers);
		for (int ch = 0; ch < CHANS; ch++) {
			for (int s = 0; s < SENDERS; s++)
				for (uint32_t n = 0; n < BATCH; n++)
					stress_check(taken[ch][s][n] == (n < sent[ch][s]));
			goro_chan_free(c[ch]);
		}
	}
	return 0;
}

/* ---- freed by the receiver of the last value ---- */

static void send_once(void *p)
{
	Value v = {1, 2};
	goro_chan_send(p, &v);
}

static void select_once(void *p)
{
	goro_chan **both = p;
	Value v = {1, 2};
	goro_case cs[] = {{both[0], true, &v, false, NULL}, {both[1], true, &v, false, NULL}};
	goro_select(cs, 2, true);
	goro_waitgroup_done(&senders);
}

StressTest(chan, freed_while_its_sender_leaves)
{
	uint64_t rnd = 1234567;
	while (!stress_over()) {
		goro_chan *both[2];
		Value v = {0, 0};
		for (int k = 0; k < 2; k++)
			both[k] = goro_chan_make(sizeof(Value), stress_random(&rnd, 2));
		goro_go(send_once, both[0]);
		goro_chan_recv(both[0], &v);
		stress_check(v.sender == 1 && v.number == 2);
		goro_chan_free(both[0]);
		goro_chan_free(both[1]);

		for (int k = 0; k < 2; k++)
			both[k] = goro_chan_make(sizeof(Value), 0);
		goro_waitgroup_add(&senders, 1);
		goro_go(select_once, both);
		goro_case cs[] = {
		    {both[1], false, &v, false, NULL}, {both[0], false, &v, false, NULL}};
		stress_check(goro_select(cs, 2, true) >= 0 && v.number == 2);
		goro_chan_free(both[0]);
		goro_chan_free(both[1]);
		goro_waitgroup_wait(&senders);
		stress_progress();
	}
	return 0;
}

/* ---- ping-pong, rings ---- */

static void relay(void *p)
{
	goro_chan **link = p;
	int v;
	while (goro_chan_recv(link[0], &v)) {
		v++;
		goro_chan_send(link[1], &v);
	}
	goro_chan_close(link[1]);
	goro_waitgroup_done(&receivers);
}

StressTest(chan, a_ring_keeps_its_token)
{
	enum { RING = 50 };
	while (!stress_over()) {
		goro_chan *link[RING + 1];
		for (int i = 0; i <= RING; i++)
			link[i] = goro_chan_make(sizeof(int), (size_t)(i % 3));
		goro_waitgroup_add(&receivers, RING);
		for (int i = 0; i < RING; i++)
			goro_go(relay, &link[i]);
		for (int round = 0; round < 100; round++) {
			int v = 0;
			goro_chan_send(link[0], &v);
			stress_check(goro_chan_recv(link[RING], &v) && v == RING);
			stress_progress();
		}
		goro_chan_close(link[0]);
		stress_check(!goro_chan_recv(link[RING], NULL));
		goro_waitgroup_wait(&receivers);
		for (int i = 0; i <= RING; i++)
			goro_chan_free(link[i]);
	}
	return 0;
}
