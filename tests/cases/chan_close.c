/*
 * chan_close.c: how channels end. A close is before a receive that answers because of it, and is to be
 * after every send; a new channel at the address of a freed one inherits no edge.
 */
#include "case.h"

static chan(int) c;

static void receive_then_read_late(void)
{
	chan_recv(c);
	after(1);
	read_x();
	step(2);
}
static void send_then_read(void)
{
	chan_send(c, 1);
	read_x();
	arrive();
}

/* ---- close ---- */

static void write_then_close(void)
{
	write_x();
	chan_close(c);
}
static void receive_closed_read(void)
{
	int v;
	while (chan_recv_ok(c, &v))
		;
	read_x();
	arrive();
}
static void norace_chan_close_before_receive(void)
{
	c = chan_make(int);
	go(write_then_close);
	for (int i = 0; i < 4; i++)
		go(receive_closed_read);
	arrived(4);
}
static void norace_chan_close_before_receive_buffered(void)
{
	c = chan_make(int, 2);
	chan_send(c, 1);
	go(write_then_close);
	go(receive_closed_read);
	arrived(1);
}

static void range_then_read(void)
{
	chan_range(v, c)
		USE(v);
	read_x();
	arrive();
}
static void norace_chan_close_before_end_of_range(void)
{
	c = chan_make(int, 2);
	go(range_then_read);
	chan_send(c, 1);
	write_then_close();
	arrived(1);
}

static void close_then_write(void)
{
	chan_close(c);
	write_x();
	step(1);
}
static void race_chan_write_after_close(void)
{
	c = chan_make(int);
	go(close_then_write);
	go(receive_then_read_late);
	after(2);
}

/* A value out of the buffer of a closed channel comes from its send, not from the close. */
static void send_write_close(void)
{
	chan_send(c, 1);
	write_x();
	chan_close(c);
	step(1);
}
static void receive_value_read(void)
{
	after(1);
	chan_recv(c);
	read_x();
	step(2);
}
static void race_chan_value_from_closed_channel(void)
{
	c = chan_make(int, 1);
	go(send_write_close);
	go(receive_value_read);
	after(2);
}

/* golang/go#36714: also where the receive does not block. */
static void try_receive_until_closed(void)
{
	int v = 1;
	after(1);
	while (chan_try_recv(c, &v))
		;
	read_x();
	arrive();
}
static void write_close_step(void)
{
	write_x();
	chan_close(c);
	step(1);
}
static void norace_chan_try_receive_from_closed(void)
{
	c = chan_make(int);
	go(write_close_step);
	go(try_receive_until_closed);
	arrived(1);
}

/* A close that no send is ordered before is a bug by itself: another run sends on a closed channel. */
static void sender(void)
{
	chan_send(c, 1);
	step(1);
}
static void closer(void)
{
	after(1);
	chan_close(c);
	step(2);
}
static void race_chan_close_and_send(void)
{
	c = chan_make(int, 1);
	go(sender);
	go(closer);
	after(2);
}
static goro_chan *empty;
static void sender_done(void)
{
	chan_send(c, 1);
	chan_send(c, 2);
	goro_chan_send(empty, NULL);
}
static void norace_chan_close_after_send(void)
{
	c = chan_make(int, 2);
	empty = goro_chan_make(0, 0);
	go(sender_done);
	goro_chan_recv(empty, NULL);
	chan_close(c);
}

/* Go's rule: trying is enough. */
static void tries_to_send_to_full(void)
{
	USE(chan_try_send(c, 2));
	step(1);
}
static void race_chan_close_and_failed_try_send(void)
{
	c = chan_make(int, 1);
	chan_send(c, 1);
	go(tries_to_send_to_full);
	go(closer);
	after(2);
}
static void race_chan_close_and_try_send_to_nobody(void)
{
	c = chan_make(int);
	go(tries_to_send_to_full);
	go(closer);
	after(2);
}
static void tries_to_receive(void)
{
	int v;
	USE(chan_try_recv(c, &v));
	USE(chan_len(c));
	USE(chan_cap(c));
	step(1);
}
static void norace_chan_close_and_failed_try_receive(void)
{
	c = chan_make(int);
	go(tries_to_receive);
	go(closer);
	after(2);
}
static void receives_until_closed(void)
{
	int v;
	step(1);
	while (chan_recv_ok(c, &v))
		;
	arrive();
}
static void norace_chan_close_and_receive(void)
{
	c = chan_make(int);
	go(receives_until_closed);
	go(closer);
	arrived(1);
}

/* ---- free ---- */

/* The same address, a new channel: no edge comes over from the old one. */
static void use_channels(void)
{
	for (int i = 0; i < 8; i++) {
		chan(int) fresh = chan_make(int, 1);
		chan_send(fresh, 1);
		chan_recv(fresh);
		chan_free(fresh);
	}
}
static void old_channels(void)
{
	write_x();
	use_channels();
	step(1);
}
static void new_channels(void)
{
	after(1);
	use_channels();
	read_x();
	step(2);
}
static void race_chan_freed_and_made_again(void)
{
	go(old_channels);
	go(new_channels);
	after(2);
}

/* Freed right after the last receive, while the sender may still be on its way out. */
static void norace_chan_free_after_last_receive(void)
{
	for (int i = 0; i < 200; i++) {
		c = chan_make(int);
		go(send_then_read);
		chan_recv(c);
		arrived(i + 1);
		chan_free(c);
	}
}

CASES(
    NORACE(norace_chan_close_before_receive)
    NORACE(norace_chan_close_before_receive_buffered)
    NORACE(norace_chan_close_before_end_of_range)
    RACE(race_chan_write_after_close,
	"read read_x<receive_then_read_late / write write_x<close_then_write / global x")
    RACE(race_chan_value_from_closed_channel,
	"read read_x<receive_value_read / write write_x<send_write_close / global x")
    NORACE(norace_chan_try_receive_from_closed)
    RACE(race_chan_close_and_send, "write closer / read sender / -")
    RACE(race_chan_close_and_failed_try_send, "write closer / read tries_to_send_to_full / heap")
    RACE(race_chan_close_and_try_send_to_nobody, "write closer / read tries_to_send_to_full / heap")
    NORACE(norace_chan_close_and_failed_try_receive)
    NORACE(norace_chan_close_and_receive)
    NORACE(norace_chan_close_after_send)
    RACE(race_chan_freed_and_made_again,
	"read read_x<new_channels / write write_x<old_channels / global x")
    NORACE(norace_chan_free_after_last_receive)
)
