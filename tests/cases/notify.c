/*
 * notify.c: signals on channels: notify is before the receive of what it let through, a value sent before
 * the stop that follows. Sending a signal to oneself is before nothing.
 */
#include "case.h"

#include <signal.h>

static chan(int) c;

static void listen(void)
{
	write_x();
	goro_signal_notify(c, SIGUSR1, 0);
	step(1);
}
static void receive_read(void)
{
	after(1);
	raise(SIGUSR1);
	chan_recv(c);
	read_x();
	step(2);
}
static void norace_notify_before_receive(void)
{
	c = chan_make(int, 1);
	go(receive_read);
	go(listen);
	after(2);
}

static void write_and_raise(void)
{
	write_x();
	raise(SIGUSR1);
	step(1);
}
static void wait_and_read(void)
{
	chan_recv(c);
	after(1);
	read_x();
	step(2);
}
static void race_notify_raise_orders_nothing(void)
{
	c = chan_make(int, 1);
	goro_signal_notify(c, SIGUSR1, 0);
	go(wait_and_read);
	go(write_and_raise);
	after(2);
}

static void norace_notify_stop_close_free(void)
{
	for (int i = 0; i < 50; i++) {
		c = chan_make(int, 1);
		goro_signal_notify(c, SIGUSR1, 0);
		raise(SIGUSR1);
		if (i % 2)
			chan_recv(c);
		goro_signal_stop(c);
		chan_close(c);
		chan_free(c);
	}
}

CASES(
    NORACE(norace_notify_before_receive)
    RACE(race_notify_raise_orders_nothing, "read read_x<wait_and_read / write write_x<write_and_raise / global x")
    NORACE(norace_notify_stop_close_free)
)
