/*
 * select.c: the case that is taken has the edges of its send or receive; the others, and a default, have
 * none.
 */
#include "case.h"

static chan(int) a, b;

static void make_both(int cap)
{
	a = chan_make(int, cap);
	b = chan_make(int, cap);
}

static void write_send_a(void)
{
	write_x();
	chan_send(a, 1);
	arrive();
}
static void select_receive_read(void)
{
	int v;
	switch (chan_select(on_recv(a, &v), on_recv(b, &v))) {
	case 0:
		read_x();
		break;
	}
	arrive();
}
static void norace_select_receive(void)
{
	make_both(0);
	go(write_send_a);
	go(select_receive_read);
	arrived(2);
}
static void norace_select_receive_buffered(void)
{
	make_both(1);
	go(write_send_a);
	arrived(1);
	go(select_receive_read);
	arrived(2);
}
/* The select is parked when the send comes. */
static void norace_select_parked_receive(void)
{
	make_both(0);
	go(select_receive_read);
	settle(100);
	write_send_a();
	arrived(2);
}

static void select_send_read(void)
{
	int v;
	chan_select(on_send(a, 1), on_recv(b, &v));
	read_x();
	arrive();
}
static void write_receive_a(void)
{
	write_x();
	chan_recv(a);
	arrive();
}
static void norace_select_send(void)
{
	make_both(0);
	go(select_send_read);
	go(write_receive_a);
	arrived(2);
}
static void norace_select_parked_send(void)
{
	make_both(0);
	go(select_send_read);
	settle(100);
	write_receive_a();
	arrived(2);
}
static void norace_select_send_to_full(void)
{
	make_both(1);
	chan_send(a, 0);
	go(select_send_read);
	settle(100);
	write_receive_a();
	arrived(2);
}

/* A sender that waits on the case not taken orders nothing. */
static void write_step_send_b(void)
{
	write_x();
	step(1);
	chan_send(b, 1);
}
static void select_a_read(void)
{
	int v;
	after(1);
	settle(100);
	if (chan_select(on_recv(a, &v), on_send(a, 2)) >= 0)
		read_x();
	step(2);
}
static void race_select_case_not_taken(void)
{
	make_both(0);
	a = chan_make(int, 1);
	go(write_step_send_b);
	go(select_a_read);
	after(2);
}

static void select_send_a_write(void)
{
	chan_select(on_send(a, 1));
	write_x();
	step(1);
}
static void receive_a_read_late(void)
{
	chan_recv(a);
	after(1);
	read_x();
	step(2);
}
static void race_select_write_after_send(void)
{
	make_both(0);
	go(select_send_a_write);
	go(receive_a_read_late);
	after(2);
}

static void write_then_default(void)
{
	int v;
	write_x();
	if (chan_select_default(on_recv(a, &v), on_recv(b, &v)) == -1)
		step(1);
}
static void default_then_read(void)
{
	int v;
	after(1);
	if (chan_select_default(on_recv(a, &v), on_recv(b, &v)) == -1)
		read_x();
	step(2);
}
static void race_select_default_orders_nothing(void)
{
	make_both(1);
	go(write_then_default);
	go(default_then_read);
	after(2);
}

/* A case that was looked at counts as a send beside a close, whether it was taken or not (Go's rule). */
static void default_instead_of_send(void)
{
	USE(chan_select_default(on_send(a, 1), on_send(b, 1)));
	step(1);
}
static void close_b(void)
{
	after(1);
	chan_close(b);
	step(2);
}
static void race_select_close_and_default(void)
{
	make_both(0);
	go(default_instead_of_send);
	go(close_b);
	after(2);
}
static void default_instead_of_receive(void)
{
	int v;
	USE(chan_select_default(on_recv(a, &v), on_recv(b, &v)));
	step(1);
}
static void norace_select_close_and_default_of_receives(void)
{
	make_both(0);
	go(default_instead_of_receive);
	go(close_b);
	after(2);
}

static void write_close_a(void)
{
	write_x();
	chan_close(a);
	step(1);
}
static void select_closed_read(void)
{
	int v;
	bool ok = true;
	if (chan_select(on_recv_ok(a, &v, &ok), on_recv(b, &v)) == 0 && !ok)
		read_x();
	arrive();
}
static void norace_select_closed(void)
{
	make_both(0);
	go(write_close_a);
	go(select_closed_read);
	go(select_closed_read);
	arrived(2);
}
static void norace_select_parked_closed(void)
{
	make_both(0);
	go(select_closed_read);
	go(select_closed_read);
	settle(100);
	write_close_a();
	arrived(2);
}

/* golang/go#36714: the quick way out of a select with default must not miss the edge of the close. */
static void poll_closed_read(void)
{
	int v;
	bool ok = true;
	after(1);
	while (chan_select_default(on_recv_ok(a, &v, &ok)) == -1 || ok)
		goro_gosched();
	read_x();
	arrive();
}
static void norace_select_default_closed(void)
{
	make_both(0);
	go(write_close_a);
	go(poll_closed_read);
	arrived(1);
}

static void poll_value_read(void)
{
	int v;
	while (chan_select_default(on_recv(a, &v)) == -1)
		goro_gosched();
	read_x();
	arrive();
}
static void norace_select_default_receive(void)
{
	make_both(0);
	go(write_send_a);
	go(poll_value_read);
	arrived(2);
}

static void array_receive_read(void)
{
	int v[8];
	goro_chan *chans[8];
	goro_case cases[8];

	for (int i = 0; i < 8; i++) {
		chans[i] = i == 5 ? GORO_CHAN_PTR_(a) : i == 6 ? NULL : goro_chan_make(sizeof(int), 0);
		cases[i] = (goro_case){.chan = chans[i], .elem = &v[i]};
	}
	if (goro_select(cases, 8, true) == 5 && cases[5].ok)
		read_x();
	arrive();
}
static void norace_select_array(void)
{
	make_both(0);
	go(array_receive_read);
	go(write_send_a);
	arrived(2);
}

/* The element that select receives is written, that which it sends is read. */
static int element;
ACCESS(select_element, chan_select(on_recv(a, &element)))
ACCESS(read_element, USE(element))
static void select_into_element(void)
{
	select_element();
	step(1);
}
static void read_element_late(void)
{
	after(1);
	read_element();
	step(2);
}
static void race_select_writes_its_element(void)
{
	make_both(1);
	chan_send(a, 1);
	go(select_into_element);
	go(read_element_late);
	after(2);
}

static void select_sender(int n)
{
	for (int i = 0; i < n; i++)
		chan_select(on_send(a, i), on_send(b, i));
	arrive();
}
static void select_receiver(int n)
{
	int v;
	for (int i = 0; i < n; i++)
		chan_select(on_recv(a, &v), on_recv(b, &v));
	arrive();
}
static void norace_select_crowd(void)
{
	make_both(2);
	for (int i = 0; i < 4; i++) {
		go(select_sender, 100);
		go(select_receiver, 100);
	}
	arrived(8);
}

CASES(
    NORACE(norace_select_receive)
    NORACE(norace_select_receive_buffered)
    NORACE(norace_select_parked_receive)
    NORACE(norace_select_send)
    NORACE(norace_select_parked_send)
    NORACE(norace_select_send_to_full)
    RACE(race_select_case_not_taken,
	"read read_x<select_a_read / write write_x<write_step_send_b / global x")
    RACE(race_select_write_after_send,
	"read read_x<receive_a_read_late / write write_x<select_send_a_write / global x")
    RACE(race_select_default_orders_nothing,
	"read read_x<default_then_read / write write_x<write_then_default / global x")
    RACE(race_select_close_and_default, "write close_b / read default_instead_of_send / heap")
    NORACE(norace_select_close_and_default_of_receives)
    NORACE(norace_select_closed)
    NORACE(norace_select_parked_closed)
    NORACE(norace_select_default_closed)
    NORACE(norace_select_default_receive)
    NORACE(norace_select_array)
    RACE(race_select_writes_its_element,
	"read read_element<read_element_late / write select_element<select_into_element / global element")
    NORACE(norace_select_crowd)
)
