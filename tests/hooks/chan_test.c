/*
 * chan_test.c: the hooks of channels and select. 1 is the main goroutine, which records; 2 the
 * other.
 */
#include "hooktest.h"

#include <stdio.h>

static int v, w;

static void sender(void *c)
{
	goro_chan_send(c, &w);
}

static void receiver(void *c)
{
	goro_chan_recv(c, &w);
}

static void parked(void (*f)(void *), goro_chan *c)
{
	goro_go(f, c);
	let_run();
}

HookTest(chan, buffered_each_slot_is_acquired_and_released)
{
	goro_chan *c = goro_chan_make(sizeof(int), 2);
	record();
	goro_chan_send(c, &v);
	goro_chan_send(c, &v);
	expect("1 acquire a; 1 release a; 1 acquire b; 1 release b");
	record();
	goro_chan_recv(c, &v);
	goro_chan_send(c, &v);
	goro_chan_recv(c, NULL);
	goro_chan_recv(c, &v);
	expect("1 acquire a; 1 release a; 1 acquire a; 1 release a; 1 acquire b; 1 release b; "
	       "1 acquire a; 1 release a");
	return 0;
}

HookTest(chan, slots_of_empty_elements_differ)
{
	goro_chan *c = goro_chan_make(0, 2);
	record();
	goro_chan_send(c, NULL);
	goro_chan_send(c, NULL);
	goro_chan_recv(c, NULL);
	expect("1 acquire a; 1 release a; 1 acquire b; 1 release b; 1 acquire a; 1 release a");
	return 0;
}

HookTest(chan, unbuffered_send_meets_receiver)
{
	goro_chan *c = goro_chan_make(sizeof(int), 0);
	parked(receiver, c);
	record();
	goro_chan_send(c, &v);
	let_run();
	expect("1 handoff 2; 2 handback 1");
	return 0;
}

HookTest(chan, unbuffered_receive_meets_sender)
{
	goro_chan *c = goro_chan_make(sizeof(int), 0);
	parked(sender, c);
	record();
	goro_chan_recv(c, &v);
	let_run();
	expect("2 handoff 1; 1 handback 2");
	return 0;
}

HookTest(chan, buffered_send_meets_receiver)
{
	goro_chan *c = goro_chan_make(sizeof(int), 2);
	parked(receiver, c);
	record();
	goro_chan_send(c, &v);
	let_run();
	goro_chan_send(c, &v); /* the ring has moved on */
	expect("1 acquire a; 1 release a; 2 acquire a; 2 release a; 1 acquire b; 1 release b");
	return 0;
}

HookTest(chan, buffered_receive_meets_sender)
{
	goro_chan *c = goro_chan_make(sizeof(int), 1);
	goro_chan_send(c, &v);
	parked(sender, c);
	record();
	goro_chan_recv(c, &v);
	let_run();
	expect("1 acquire a; 1 release a; 2 acquire a; 2 release a");
	return 0;
}

HookTest(chan, close_is_before_receives_that_answer_by_it)
{
	goro_chan *c = goro_chan_make(sizeof(int), 1);
	parked(receiver, c);
	record();
	goro_chan_close(c);
	let_run();
	expect("1 release a; 2 acquire a");
	record();
	goro_chan_recv(c, &v);
	goro_chan_try_recv(c, &v);
	expect("1 acquire a; 1 acquire a");
	return 0;
}

HookTest(chan, value_before_close_orders_by_its_slot_alone)
{
	goro_chan *c = goro_chan_make(sizeof(int), 1);
	goro_chan_send(c, &v);
	goro_chan_close(c);
	record();
	goro_chan_recv(c, &v);
	expect("1 acquire a; 1 release a");
	return 0;
}

HookTest(chan, failed_tries_len_and_cap_say_nothing)
{
	goro_chan *u = goro_chan_make(sizeof(int), 0), *b = goro_chan_make(sizeof(int), 1);
	goro_chan_send(b, &v);
	record();
	goro_chan_try_send(u, &v);
	goro_chan_try_recv(u, &v);
	goro_chan_try_send(b, &v);
	goro_chan_len(b);
	goro_chan_cap(b);
	goro_case cs[] = {{u, true, &v, false, NULL}, {u, false, &v, false, NULL}};
	goro_select(cs, 2, false);
	expect("");
	return 0;
}

HookTest(chan, accesses_of_a_rendezvous)
{
	goro_chan *c = goro_chan_make(sizeof(int), 0);
	rec_name(&v, "v");
	rec_name(&w, "w");
	parked(receiver, c);
	rec_start(REC_MEMORY | REC_ORDER);
	goro_chan_send(c, &v); /* a: the channel lives, b: it is not being closed */
	expect("1 read a 1; 1 read b 1; 1 read v 4; 1 handoff 2; 2 write w 4; 2 handback 1");
	let_run();
	parked(sender, c);
	rec_start(REC_MEMORY | REC_ORDER);
	goro_chan_recv(c, &v);
	expect("1 read a 1; 3 read w 4; 3 handoff 1; 1 write v 4; 1 handback 3"); /* 3 read b when it parked */
	return 0;
}

HookTest(chan, accesses_of_a_buffered_channel)
{
	goro_chan *c = goro_chan_make(sizeof(int), 1);
	rec_name(&v, "v");
	rec_start(REC_MEMORY | REC_ORDER);
	goro_chan_send(c, &v);
	goro_chan_recv(c, &v);
	goro_chan_close(c);
	goro_chan_recv(c, &v);
	expect("1 read a 1; 1 read b 1; 1 acquire c; 1 read v 4; 1 release c; "
	       "1 read a 1; 1 acquire c; 1 write v 4; 1 release c; "
	       "1 read a 1; 1 write b 1; 1 release d; "
	       "1 read a 1; 1 acquire d; 1 write v 4");
	return 0;
}

HookTest(chan, make_and_free)
{
	rec_start(REC_MEMORY);
	goro_chan *c = goro_chan_make(1, 16);
	goro_chan_free(c);
	const char *text = rec_stop();
	size_t made, freed;
	cr_assert_eq(sscanf(text, "1 alloc a %zu; 1 free a %zu", &made, &freed), 2, "%s", text);
	cr_assert_eq(made, freed);
	return 0;
}

/* ---- select ---- */

HookTest(select, done_at_once)
{
	goro_chan *a = goro_chan_make(sizeof(int), 1), *b = goro_chan_make(sizeof(int), 0);
	goro_chan_send(a, &v);
	goro_case cs[] = {{b, false, &v, false, NULL}, {a, false, &v, false, NULL}};
	record();
	cr_assert_eq(goro_select(cs, 2, true), 1);
	expect("1 acquire a; 1 release a");
	cs[1].send = true;
	record();
	cr_assert_eq(goro_select(cs, 2, false), 1);
	expect("1 acquire a; 1 release a");
	return 0;
}

static goro_chan *ch[2];

static void selector(void *send)
{
	goro_case cs[] = {{ch[0], send != NULL, &w, false, NULL}, {ch[1], false, &w, false, NULL}};
	goro_select(cs, 2, true);
}

HookTest(select, waiting_and_served)
{
	ch[0] = goro_chan_make(sizeof(int), 0);
	ch[1] = goro_chan_make(sizeof(int), 3);
	goro_go(selector, NULL);
	let_run();
	record();
	goro_chan_send(ch[0], &v);
	let_run();
	expect("1 handoff 2; 2 handback 1");

	goro_go(selector, ch);
	let_run();
	record();
	goro_chan_recv(ch[0], &v);
	let_run();
	expect("3 handoff 1; 1 handback 3");

	goro_go(selector, NULL);
	let_run();
	record();
	goro_chan_send(ch[1], &v);
	let_run();
	expect("1 acquire a; 1 release a; 4 acquire a; 4 release a");

	goro_go(selector, NULL);
	let_run();
	record();
	goro_chan_close(ch[0]);
	let_run();
	expect("1 release a; 5 acquire a");
	return 0;
}

HookTest(select, accesses_only_of_the_case_done)
{
	ch[0] = goro_chan_make(sizeof(int), 0);
	ch[1] = goro_chan_make(sizeof(int), 0);
	rec_name(&v, "v");
	rec_name(&w, "w");
	goro_go(selector, ch);
	let_run();
	rec_start(REC_MEMORY);
	goro_chan_send(
	    ch[1], &v); /* its send on ch[0] has not happened: ch[0] may be closed unordered */
	let_run();
	expect("1 read a 1; 1 read b 1; 1 read v 4; 2 write w 4");
	return 0;
}

HookTest(select, default_on_closed_channel)
{
	goro_chan *c = goro_chan_make(sizeof(int), 0);
	goro_chan_close(c);
	goro_case cs[] = {{c, false, &v, false, NULL}};
	record();
	cr_assert_eq(goro_select(cs, 1, false), 0);
	expect("1 acquire a");
	return 0;
}
