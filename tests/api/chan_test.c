/*
 * chan_test.c: channels through goro.h: values, order, blocking, closing, freeing, and how misuse
 * dies.
 */
#include "help.h"

#include <string.h>

typedef struct Point {
	int x, y, z;
	char name[20];
} Point;

static void send_ints(void *p)
{
	chan(int) c = *(chan(int) *)p;
	for (int i = 0; i < 100; i++)
		chan_send(c, i);
	chan_close(c);
}

static int receive_all(int cap)
{
	chan(int) c = chan_make(int, cap);
	int want = 0;
	cr_assert_eq(chan_cap(c), cap);
	cr_assert_eq(goro_go(send_ints, &c), 0);
	chan_range(v, c)
	{
		cr_assert_eq(v, want);
		want++;
	}
	cr_assert_eq(want, 100);
	chan_free(c);
	return 0;
}

GoTest(chan, unbuffered_keeps_order)
{
	return receive_all(0);
}

GoTest(chan, buffered_keeps_order)
{
	return receive_all(1) || receive_all(7) || receive_all(200);
}

GoTest(chan, range_breaks_and_continues)
{
	chan(int) c = chan_make(int, 10);
	int sum = 0;
	for (int i = 0; i < 10; i++)
		chan_send(c, i);
	chan_range(v, c)
	{
		if (v % 2)
			continue;
		if (v == 8)
			break;
		sum += v;
	}
	cr_assert_eq(sum, 0 + 2 + 4 + 6);
	cr_assert_eq(chan_recv(c), 9);
	chan_free(c);
	return 0;
}

GoTest(chan, carries_structs)
{
	chan(Point) c = chan_make(Point, 2);
	Point p = {1, 2, 3, "first"};
	chan_send(c, p);
	chan_send(c, (Point){4, 5, 6, "second"});
	Point q = chan_recv(c);
	cr_assert(memcmp(&p, &q, sizeof(p)) == 0);
	q = chan_recv(c);
	cr_assert_eq(q.y, 5);
	cr_assert_str_eq(q.name, "second");
	chan_free(c);
	return 0;
}

static void close_it(void *c)
{
	goro_chan_close(c);
}

GoTest(chan, element_size_zero)
{
	goro_chan *c = goro_chan_make(0, 3);
	for (int i = 0; i < 3; i++)
		goro_chan_send(c, NULL);
	cr_assert_eq(goro_chan_len(c), 3);
	cr_assert_not(goro_chan_try_send(c, NULL));
	for (int i = 0; i < 3; i++)
		cr_assert(goro_chan_recv(c, NULL));
	goro_go(close_it, c);
	cr_assert_not(goro_chan_recv(c, NULL));
	goro_chan_free(c);
	return 0;
}

GoTest(chan, len_counts_what_waits)
{
	chan(char) c = chan_make(char, 4);
	cr_assert_eq(chan_len(c), 0);
	chan_send(c, 'a');
	chan_send(c, 'b');
	cr_assert_eq(chan_len(c), 2);
	cr_assert_eq(chan_recv(c), 'a');
	cr_assert_eq(chan_len(c), 1);
	cr_assert_eq(goro_chan_len(NULL), 0);
	cr_assert_eq(goro_chan_cap(NULL), 0);
	chan_free(c);
	return 0;
}

GoTest(chan, closed_gives_the_rest_then_zero)
{
	chan(int) c = chan_make(int, 2);
	int v = 99;
	chan_send(c, 5);
	chan_close(c);
	cr_assert(chan_recv_ok(c, &v));
	cr_assert_eq(v, 5);
	v = 99;
	cr_assert_not(chan_recv_ok(c, &v));
	cr_assert_eq(v, 0);
	cr_assert_eq(chan_recv(c), 0);
	chan_free(c);
	return 0;
}

typedef struct Waiting {
	goro_chan *c;
	int waiting, zeroed;
} Waiting;

static void wait_for_close(void *p)
{
	Waiting *k = p;
	int v = 7;
	goro_atomic_add_int32(&k->waiting, 1);
	if (!goro_chan_recv(k->c, &v) && v == 0)
		goro_atomic_add_int32(&k->zeroed, 1);
}

GoTest(chan, close_wakes_all_receivers)
{
	Waiting k = {goro_chan_make(4, 0), 0, 0};
	goro_waitgroup wg = {0};
	for (int i = 0; i < 10; i++)
		goro_waitgroup_go(&wg, wait_for_close, &k);
	while (goro_atomic_load_int32(&k.waiting) < 10)
		goro_gosched();
	goro_chan_close(k.c);
	goro_waitgroup_wait(&wg);
	cr_assert_eq(k.zeroed, 10);
	goro_chan_free(k.c);
	return 0;
}

GoTest(chan, try_never_blocks)
{
	chan(int) u = chan_make(int), b = chan_make(int, 1);
	int v = 3;
	cr_assert_not(chan_try_send(u, 1));
	cr_assert_not(chan_try_recv(u, &v));
	cr_assert(chan_try_send(b, 1));
	cr_assert_not(chan_try_send(b, 2));
	cr_assert(chan_try_recv(b, &v));
	cr_assert_eq(v, 1);
	cr_assert_not(chan_try_recv(b, &v));
	cr_assert_eq(v, 1, "left alone when nothing is there");
	chan_close(b);
	cr_assert_not(chan_try_recv(b, &v));
	cr_assert_eq(v, 0, "zero value when closed");
	cr_assert_not(goro_chan_try_send(NULL, &v));
	cr_assert_not(goro_chan_try_recv(NULL, &v));
	chan_free(u);
	chan_free(b);
	return 0;
}

static goro_chan *shared;

static void recv_one(void *p)
{
	goro_chan_recv(shared, p);
	goro_chan_send(shared, p);
}

GoTest(chan, waiters_are_served_in_order)
{
	int got[5] = {0};
	shared = goro_chan_make(sizeof(int), 0);
	goro_gomaxprocs(1);
	for (int i = 0; i < 5; i++) {
		goro_go(recv_one, &got[i]);
		goro_gosched(); /* it runs, and parks */
	}
	for (int i = 0; i < 5; i++) {
		int v = i + 1;
		goro_chan_send(shared, &v);
	}
	for (int i = 0; i < 5; i++) {
		int v;
		goro_chan_recv(shared, &v);
	}
	for (int i = 0; i < 5; i++)
		cr_assert_eq(got[i], i + 1);
	goro_chan_free(shared);
	return 0;
}

static void send_last(void *c)
{
	int v = 42;
	goro_chan_send(c, &v);
}

GoTest(chan, free_right_after_the_last_receive)
{
	for (int cap = 0; cap < 2; cap++) {
		for (int i = 0; i < 20000; i++) {
			goro_chan *c = goro_chan_make(sizeof(int), (size_t)cap);
			int v;
			goro_go(send_last, c);
			goro_chan_recv(c, &v);
			goro_chan_free(c);
			cr_assert_eq(v, 42);
		}
	}
	goro_chan_free(NULL);
	return 0;
}

static chan(int) typed(chan(int) c)
{
	return c;
}

GoTest(chan, is_parameter_and_result)
{
	chan(int) c = chan_make(int, 1);
	struct {
		chan(int) field;
	} s = {typed(c)};
	chan_send(typed(s.field), 8);
	cr_assert_eq(chan_recv(c), 8);
	chan_free(c);
	return 0;
}

DieTest(chan, send_on_closed_panics, "panic: send on closed channel\n", "goroutine 1 [running")
{
	chan(int) c = chan_make(int, 1);
	chan_close(c);
	chan_send(c, 1);
	return 0;
}

DieTest(chan, try_send_on_closed_panics, "panic: send on closed channel\n")
{
	chan(int) c = chan_make(int);
	chan_close(c);
	chan_try_send(c, 1);
	return 0;
}

DieTest(chan, waiting_sender_panics_on_close, "panic: send on closed channel\n")
{
	goro_chan *c = goro_chan_make(sizeof(int), 0);
	goro_go(close_it, c);
	int v = 1;
	goro_chan_send(c, &v);
	return 0;
}

DieTest(chan, close_twice_panics, "panic: close of closed channel\n")
{
	chan(int) c = chan_make(int);
	chan_close(c);
	chan_close(c);
	return 0;
}

DieTest(chan, close_of_nil_panics, "panic: close of nil channel\n")
{
	goro_chan_close(NULL);
	return 0;
}

DieTest(chan, size_overflow_panics, "panic: makechan: size out of range\n")
{
	goro_chan_make(1 << 20, SIZE_MAX / 2);
	return 0;
}

DieTest(chan, negative_capacity_panics, "panic: makechan: size out of range\n")
{
	chan_make(int, -1);
	return 0;
}

DieTest(chan, free_while_waited_on_is_fatal, "fatal error: free of channel with waiting goroutines")
{
	goro_chan *c = goro_chan_make(sizeof(int), 0);
	goro_gomaxprocs(1);
	goro_go(send_last, c);
	goro_gosched();
	goro_chan_free(c);
	return 0;
}

DieTest(chan, send_of_null_panics, "panic: send of a NULL element")
{
	goro_chan_send(goro_chan_make(4, 1), NULL);
	return 0;
}

DieTest(chan, nil_receive_deadlocks, "all goroutines are asleep - deadlock!",
    "[chan receive (nil chan)]")
{
	goro_chan_recv(NULL, NULL);
	return 0;
}

DieTest(chan, nil_send_deadlocks, "all goroutines are asleep - deadlock!", "[chan send (nil chan)]")
{
	int v = 1;
	goro_chan_send(NULL, &v);
	return 0;
}

DieTest(
    chan, receive_deadlocks, "all goroutines are asleep - deadlock!", "goroutine 1 [chan receive]:")
{
	chan(int) c = chan_make(int);
	chan_recv(c);
	return 0;
}
