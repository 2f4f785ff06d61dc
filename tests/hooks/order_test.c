/*
 * order_test.c: what is before what, by the recorder's vector clocks: the edges that must be, and
 * as many that must not. step() and after() force a sequence that the recorder does not see.
 */
#include "hooktest.h"

static goro_chan *c;
static goro_waitgroup wg;
static goro_rwmutex rw;
static goro_mutex mu;
static Mark m[8];
static bool saw[8];

/* ---- channels ---- */

static void send_three(void *unused)
{
	(void)unused;
	goro_chan_send(c, NULL);
	goro_chan_send(c, NULL);
	after(1); /* one receive has been made, and a second */
	goro_chan_send(c, NULL);
	saw[0] = rec_before(m[0]);
	saw[1] = rec_before(m[1]);
	step(2);
}

HookTest(order, receive_k_is_before_send_k_plus_capacity_and_no_other)
{
	c = goro_chan_make(0, 2);
	goro_go(send_three, NULL);
	let_run();
	m[0] = rec_mark();
	goro_chan_recv(c, NULL);
	m[1] = rec_mark();
	goro_chan_recv(c, NULL);
	step(1);
	after(2);
	cr_assert(saw[0], "receive 1 -> send 3");
	cr_assert_not(saw[1], "receive 2 is not before send 3");
	return 0;
}

static void mark_and_send(void *unused)
{
	(void)unused;
	m[0] = rec_mark();
	goro_chan_send(c, NULL);
	m[1] = rec_mark();
	goro_chan_send(c, NULL);
	step(1);
}

HookTest(order, send_k_is_before_receive_k_not_later_sends)
{
	c = goro_chan_make(0, 4);
	goro_go(mark_and_send, NULL);
	after(1);
	goro_chan_len(c);
	cr_assert_not(rec_before(m[0]), "len orders nothing");
	goro_chan_recv(c, NULL);
	cr_assert(rec_before(m[0]));
	cr_assert_not(rec_before(m[1]), "what came after send 1");
	goro_chan_recv(c, NULL);
	cr_assert(rec_before(m[1]));
	return 0;
}

static void two_buffered_senders(void *p)
{
	int i = (int)(intptr_t)p;
	after(i);
	m[i] = rec_mark();
	goro_chan_send(c, NULL);
	saw[i] = i > 0 && rec_before(m[i - 1]);
	step(i + 1);
}

HookTest(order, sends_do_not_order_each_other)
{
	c = goro_chan_make(0, 4);
	for (int i = 0; i < 3; i++)
		goro_go(two_buffered_senders, (void *)(intptr_t)i);
	after(3);
	cr_assert_not(saw[1]);
	cr_assert_not(saw[2]);
	goro_chan_recv(c, NULL);
	cr_assert(rec_before(m[0]));
	cr_assert_not(rec_before(m[1]), "receive 1 knows of send 1 alone");
	return 0;
}

static void receive_then_mark(void *unused)
{
	(void)unused;
	m[0] = rec_mark();
	goro_chan_recv(c, NULL);
	m[1] = rec_mark();
	step(1);
}

HookTest(order, unbuffered_orders_both_ways_up_to_the_operation)
{
	c = goro_chan_make(0, 0);
	goro_go(receive_then_mark, NULL);
	let_run();
	goro_chan_send(c, NULL);
	after(1);
	cr_assert(rec_before(m[0]), "receive -> completion of send");
	cr_assert_not(rec_before(m[1]), "what follows the receive");
	return 0;
}

static void close_it(void *unused)
{
	(void)unused;
	m[0] = rec_mark();
	goro_chan_close(c);
	m[1] = rec_mark();
	step(1);
}

HookTest(order, close_is_before_what_it_answers)
{
	c = goro_chan_make(0, 1);
	goro_chan_send(c, NULL);
	goro_go(close_it, NULL);
	after(1);
	goro_chan_recv(c, NULL); /* a value: sent by ourselves */
	cr_assert_not(rec_before(m[0]));
	goro_chan_recv(c, NULL);
	cr_assert(rec_before(m[0]));
	cr_assert_not(rec_before(m[1]));
	return 0;
}

HookTest(order, new_channel_in_old_memory_has_no_past)
{
	for (int i = 0; i < 20; i++) {
		c = goro_chan_make(0, 1);
		goro_go(mark_and_send, NULL);
		let_run();
		goro_chan_recv(c, NULL);
		goro_chan_recv(c, NULL);
		let_run();
		goro_chan_free(c);
	}
	return 0;
}

/* ---- wait groups ---- */

static void done_in_round(void *p)
{
	int i = (int)(intptr_t)p;
	m[i] = rec_mark();
	goro_waitgroup_done(&wg);
	m[4 + i] = rec_mark();
	step(i + 1);
}

HookTest(order, done_is_before_wait_what_follows_is_not)
{
	goro_waitgroup_add(&wg, 1);
	goro_go(done_in_round, (void *)0);
	after(1);
	goro_waitgroup_wait(&wg);
	cr_assert(rec_before(m[0]));
	cr_assert_not(rec_before(m[4]));
	return 0;
}

static void done_at(void *p)
{
	int i = (int)(intptr_t)p;
	after(2 * i + 1);
	m[i] = rec_mark();
	goro_waitgroup_done(&wg);
	step(2 * i + 2);
}

static void wait_round_two(void *unused)
{
	(void)unused;
	after(4);
	goro_waitgroup_wait(&wg);
	saw[0] = rec_before(m[0]);
	saw[1] = rec_before(m[1]);
	step(5);
}

HookTest(order, reused_group_keeps_no_edge_of_the_round_before)
{
	goro_go(done_at, (void *)0);
	goro_go(done_at, (void *)1);
	goro_go(wait_round_two, NULL);
	goro_waitgroup_add(&wg, 1);
	step(1);
	after(2);
	goro_waitgroup_wait(&wg); /* round 1 is over */
	cr_assert(rec_before(m[0]));
	goro_waitgroup_add(&wg, 1);
	step(3);
	after(5);
	cr_assert(saw[1], "Done of round 2 -> its Wait");
	cr_assert_not(saw[0], "Done of round 1 is not");
	return 0;
}

/* Add, go, Add, go: the counter passes zero when the first is quick; both let the Wait go. */
HookTest(order, group_that_passes_zero_keeps_its_dones)
{
	goro_go(done_at, (void *)0);
	goro_go(done_at, (void *)1);
	goro_waitgroup_add(&wg, 1);
	step(1);
	after(2);
	goro_waitgroup_add(&wg, 1);
	step(3);
	after(4);
	goro_waitgroup_wait(&wg);
	cr_assert(rec_before(m[0]));
	cr_assert(rec_before(m[1]));
	return 0;
}

HookTest(order, add_orders_nothing)
{
	goro_waitgroup_add(&wg, 2);
	goro_go(done_in_round, (void *)0);
	after(1);
	goro_waitgroup_add(&wg, 1);
	cr_assert_not(rec_before(m[0]));
	return 0;
}

/* ---- locks ---- */

static void read_once(void *p)
{
	int i = (int)(intptr_t)p;
	after(i);
	goro_rwmutex_rlock(&rw);
	saw[i] = i > 0 && rec_before(m[i - 1]);
	m[i] = rec_mark();
	goro_rwmutex_runlock(&rw);
	step(i + 1);
}

HookTest(order, readers_order_the_next_writer_not_each_other)
{
	goro_go(read_once, (void *)0);
	goro_go(read_once, (void *)1);
	after(2);
	cr_assert_not(saw[1]);
	goro_rwmutex_rlock(&rw);
	cr_assert_not(rec_before(m[0]));
	goro_rwmutex_runlock(&rw);
	goro_rwmutex_lock(&rw);
	cr_assert(rec_before(m[0]));
	cr_assert(rec_before(m[1]));
	goro_rwmutex_unlock(&rw);
	return 0;
}

static void write_once(void *unused)
{
	(void)unused;
	goro_rwmutex_lock(&rw);
	m[0] = rec_mark();
	goro_rwmutex_unlock(&rw);
	m[1] = rec_mark();
	step(1);
}

HookTest(order, writer_is_before_later_readers)
{
	goro_go(write_once, NULL);
	after(1);
	goro_rwmutex_rlock(&rw);
	cr_assert(rec_before(m[0]));
	cr_assert_not(rec_before(m[1]));
	goro_rwmutex_runlock(&rw);
	return 0;
}

static void lock_once(void *unused)
{
	(void)unused;
	goro_mutex_lock(&mu);
	m[0] = rec_mark();
	goro_mutex_unlock(&mu);
	m[1] = rec_mark();
	step(1);
}

HookTest(order, trylock_that_fails_orders_nothing)
{
	goro_go(lock_once, NULL);
	after(1);
	cr_assert_not(rec_before(m[0]));
	goro_mutex_lock(&mu);
	cr_assert(rec_before(m[0]));
	cr_assert_not(rec_before(m[1]));
	Mark here = rec_mark();
	cr_assert_not(goro_mutex_trylock(&mu));
	cr_assert(rec_before(here), "one's own past");
	return 0;
}

/* ---- life and time ---- */

static void mark_and_end(void *unused)
{
	(void)unused;
	m[0] = rec_mark();
	goro_sleep(1000);
	goro_gosched();
	step(1);
}

static void look(void *unused)
{
	(void)unused;
	after(1);
	goro_sleep(1000);
	saw[0] = rec_before(m[0]);
	step(2);
}

HookTest(order, end_sleep_yield_and_stack_reuse_order_nothing)
{
	goro_go(mark_and_end, NULL);
	after(1);
	let_run();
	goro_go(look, NULL); /* on the stack of the one that ended */
	after(2);
	cr_assert_not(saw[0]);
	cr_assert_not(rec_before(m[0]));
	return 0;
}

static void arm(void *unused)
{
	(void)unused;
	m[0] = rec_mark();
	c = goro_after_chan(GORO_MILLISECOND);
	m[1] = rec_mark();
	step(1);
}

HookTest(order, arming_is_before_the_receive_what_follows_is_not)
{
	goro_go(arm, NULL);
	after(1);
	goro_chan_recv(c, NULL);
	cr_assert(rec_before(m[0]));
	cr_assert_not(rec_before(m[1]));
	goro_chan_free(c);
	return 0;
}
