/*
 * select_test.c: select through goro.h: which case, with what value, how often, and when none.
 */
#include "help.h"

GoTest(select, takes_the_ready_one)
{
	chan(int) a = chan_make(int, 1), b = chan_make(int, 1);
	int v = 0, w = 0;
	bool ok = false;
	chan_send(b, 7);
	cr_assert_eq(chan_select(on_recv(a, &v), on_recv_ok(b, &w, &ok)), 1);
	cr_assert_eq(w, 7);
	cr_assert(ok);
	cr_assert_eq(chan_select(on_send(a, 3), on_recv(b, &w)), 0);
	cr_assert_eq(chan_recv(a), 3);
	chan_free(a);
	chan_free(b);
	return 0;
}

GoTest(select, default_when_none_is_ready)
{
	chan(int) a = chan_make(int), b = chan_make(int, 1);
	int v = 5;
	chan_send(b, 1);
	cr_assert_eq(chan_select_default(on_recv(a, &v), on_send(b, 2), on_send(a, 3)), -1);
	cr_assert_eq(v, 5);
	cr_assert_eq(goro_select(NULL, 0, false), -1);
	chan_free(a);
	chan_free(b);
	return 0;
}

GoTest(select, nil_is_never_ready)
{
	chan(int) nil = NULL, b = chan_make(int, 1);
	int v;
	cr_assert_eq(chan_select_default(on_recv(nil, &v), on_send(nil, 1)), -1);
	cr_assert_eq(chan_select(on_recv(nil, &v), on_send(b, 4)), 1);
	cr_assert_eq(chan_recv(b), 4);
	chan_free(b);
	return 0;
}

GoTest(select, closed_is_ready_with_zero)
{
	chan(int) a = chan_make(int), b = chan_make(int);
	int v = 9;
	bool ok = true;
	chan_close(b);
	cr_assert_eq(chan_select(on_recv(a, &v), on_recv_ok(b, &v, &ok)), 1);
	cr_assert_eq(v, 0);
	cr_assert_not(ok);
	ok = true;
	v = 9;
	cr_assert_eq(chan_select_default(on_recv_ok(b, &v, &ok)), 0);
	cr_assert_not(ok);
	cr_assert_eq(v, 0);
	chan_free(a);
	chan_free(b);
	return 0;
}

static void feed(void *c)
{
	int v = 11;
	goro_chan_send(c, &v);
}

static void drain(void *c)
{
	int v;
	goro_chan_recv(c, &v);
	cr_assert_eq(v, 12);
}

GoTest(select, blocks_until_one_is)
{
	for (int i = 0; i < 2000; i++) {
		goro_chan *a = goro_chan_make(4, 0), *b = goro_chan_make(4, 0);
		int v = 0, w = 12;
		goro_case cs[] = {{a, false, &v, false, NULL}, {b, true, &w, true, NULL}};
		goro_go(i % 2 ? feed : drain, i % 2 ? a : b);
		int k = goro_select(cs, 2, true);
		cr_assert_eq(k, i % 2 ? 0 : 1);
		cr_assert_eq(cs[k].ok, k == 0);
		if (k == 0)
			cr_assert_eq(v, 11);
		goro_chan_free(a);
		goro_chan_free(b);
	}
	return 0;
}

static void send_by_select(void *p)
{
	goro_chan **c = p;
	int v = 1, w;
	goro_case cs[] = {{c[0], true, &v, false, NULL}, {c[1], false, &w, false, NULL}};
	cr_assert_eq(goro_select(cs, 2, true), 0);
}

/* The select has been served; its other channel goes too, while it is still on its way out. */
GoTest(select, free_all_its_channels_once_served)
{
	for (int i = 0; i < 20000; i++) {
		goro_chan *c[2] = {goro_chan_make(4, 0), goro_chan_make(4, 0)};
		goro_waitgroup wg = {0};
		int v;
		goro_waitgroup_go(&wg, send_by_select, c);
		goro_chan_recv(c[0], &v);
		goro_chan_free(c[0]);
		if (i % 2) /* by now it may or may not be past its select */
			goro_gosched();
		goro_chan_free(c[1]);
		goro_waitgroup_wait(&wg);
	}
	return 0;
}

GoTest(select, is_uniform_among_the_ready)
{
	enum { N = 4, ROUNDS = 40000 };
	goro_chan *c[N];
	int count[N] = {0}, v = 1;
	goro_case cs[N];
	for (int i = 0; i < N; i++) {
		c[i] = goro_chan_make(4, 1);
		goro_chan_send(c[i], &v);
		cs[i] = (goro_case){c[i], false, &v, false, NULL};
	}
	for (int i = 0; i < ROUNDS; i++) {
		int k = goro_select(cs, N, true);
		count[k]++;
		goro_chan_send(c[k], &v);
	}
	for (int i = 0; i < N; i++) { /* 10000 expected, deviation 87: seven of them */
		cr_assert(count[i] > 10000 - 610 && count[i] < 10000 + 610, "%d: %d", i, count[i]);
		goro_chan_free(c[i]);
	}
	return 0;
}

GoTest(select, many_cases)
{
	enum { N = 300 };
	goro_chan *c[N];
	goro_case cs[N];
	int v[N], sum = 0;
	for (int i = 0; i < N; i++) {
		c[i] = goro_chan_make(4, 1);
		cs[i] = (goro_case){c[i], false, &v[i], false, NULL};
	}
	for (int round = 0; round < N; round++) {
		goro_go(feed, c[round]);
		int k = goro_select(cs, N, true);
		cr_assert_eq(k, round);
		sum += v[k];
	}
	cr_assert_eq(sum, N * 11);
	for (int i = 0; i < N; i++)
		goro_chan_free(c[i]);
	return 0;
}

GoTest(select, same_channel_twice)
{
	goro_chan *c = goro_chan_make(4, 0);
	int seen[2] = {0}, v, w;
	for (int i = 0; i < 200; i++) {
		goro_case cs[] = {{c, false, &v, false, NULL}, {c, false, &w, false, NULL}};
		goro_go(feed, c);
		seen[goro_select(cs, 2, true)]++;
	}
	cr_assert_eq(seen[0] + seen[1], 200);
	cr_assert(seen[0] > 0 && seen[1] > 0);
	goro_chan_free(c);
	return 0;
}

/* Most times they wait: all three stand in one queue. */
GoTest(select, same_channel_three_times_is_uniform)
{
	enum { ROUNDS = 6000 };
	goro_chan *c = goro_chan_make(4, 0), *other = goro_chan_make(4, 0);
	int seen[4] = {0};
	for (int i = 0; i < ROUNDS; i++) {
		int v[4] = {0};
		goro_case cs[] = {{c, false, &v[0], false, NULL}, {c, false, &v[1], false, NULL},
		    {other, false, &v[2], false, NULL}, {c, false, &v[3], false, NULL}};
		goro_go(feed, c);
		int k = goro_select(cs, 4, true);
		seen[k]++;
		for (int j = 0; j < 4; j++)
			cr_assert_eq(v[j], j == k ? 11 : 0);
	}
	cr_assert_eq(seen[2], 0);
	for (int i = 0; i < 4; i++) /* 2000 expected, deviation 37: seven of them */
		cr_assert(i == 2 || (seen[i] > 2000 - 260 && seen[i] < 2000 + 260), "%d: %d", i,
		    seen[i]);
	goro_chan_free(c);
	goro_chan_free(other);
	return 0;
}

DieTest(select, negative_count_panics, "panic: select: negative number of cases")
{
	goro_select(NULL, -1, true);
	return 0;
}

DieTest(select, send_on_closed_panics, "panic: send on closed channel")
{
	chan(int) a = chan_make(int);
	chan_close(a);
	chan_select(on_send(a, 1));
	return 0;
}

static void close_it(void *c)
{
	goro_chan_close(c);
}

DieTest(select, waiting_send_panics_on_close, "panic: send on closed channel")
{
	chan(int) a = chan_make(int), b = chan_make(int);
	int v;
	goro_go(close_it, (void *)a);
	chan_select(on_send(a, 1), on_recv(b, &v));
	return 0;
}

DieTest(select, none_deadlocks, "all goroutines are asleep - deadlock!",
    "goroutine 1 [select (no cases)]:")
{
	goro_select(NULL, 0, true);
	return 0;
}

DieTest(select, blocked_deadlocks, "all goroutines are asleep - deadlock!", "goroutine 1 [select]:")
{
	chan(int) a = chan_make(int);
	int v;
	chan_select(on_recv(a, &v));
	return 0;
}
