/*
 * chan.c: messages. A send is before the completion of its receive; a receive from an unbuffered channel
 * is before the completion of its send; the k-th receive of capacity C is before the completion of send
 * k+C. Nothing else. (How channels end: chan_close.c; what of the element is touched: chan_element.c.)
 */
#include "case.h"

static chan(int) c;

/* ---- unbuffered ---- */

static void send_after_write(void)
{
	write_x();
	chan_send(c, 1);
	arrive();
}
static void receive_then_read(void)
{
	chan_recv(c);
	read_x();
	arrive();
}
static void norace_chan_unbuffered_send_before_receive(void)
{
	c = chan_make(int);
	go(send_after_write);
	go(receive_then_read);
	arrived(2);
}

static void write_then_receive(void)
{
	write_x();
	chan_recv(c);
	arrive();
}
static void send_then_read(void)
{
	chan_send(c, 1);
	read_x();
	arrive();
}
static void norace_chan_unbuffered_receive_before_send_completes(void)
{
	c = chan_make(int);
	go(write_then_receive);
	go(send_then_read);
	arrived(2);
}

static void send_then_write(void)
{
	chan_send(c, 1);
	write_x();
	step(1);
}
static void receive_then_read_late(void)
{
	chan_recv(c);
	after(1);
	read_x();
	step(2);
}
static void race_chan_unbuffered_write_after_send(void)
{
	c = chan_make(int);
	go(send_then_write);
	go(receive_then_read_late);
	after(2);
}

static void receive_then_write(void)
{
	chan_recv(c);
	write_x();
	step(1);
}
static void send_then_read_late(void)
{
	chan_send(c, 1);
	after(1);
	read_x();
	step(2);
}
static void race_chan_unbuffered_write_after_receive(void)
{
	c = chan_make(int);
	go(receive_then_write);
	go(send_then_read_late);
	after(2);
}

/* ---- buffered ---- */

static void norace_chan_buffered_send_before_receive(void)
{
	c = chan_make(int, 3);
	go(send_after_write);
	go(receive_then_read);
	arrived(2);
}

static void race_chan_buffered_write_after_send(void)
{
	c = chan_make(int, 3);
	go(send_then_write);
	go(receive_then_read_late);
	after(2);
}

/* The first receive of capacity 1 orders the second send, not the first. */
static void write_and_receive_first(void)
{
	write_x();
	chan_recv(c);
	step(1);
}
static void send_one_read(void)
{
	chan_send(c, 1);
	after(1);
	read_x();
	step(2);
}
static void race_chan_buffered_receive_before_its_send(void)
{
	c = chan_make(int, 1);
	go(write_and_receive_first);
	go(send_one_read);
	after(2);
}

static void send_two_read(void)
{
	chan_send(c, 1);
	chan_send(c, 2);
	read_x();
	arrive();
}
static void norace_chan_buffered_receive_before_send_k_plus_c(void)
{
	c = chan_make(int, 1);
	go(write_and_receive_first);
	go(send_two_read);
	arrived(1);
}

/* Capacity 2: receive 1 orders send 3. Send 2, though later in time, is not ordered by it. */
static void send_one_wait_send_two_read(void)
{
	chan_send(c, 1);
	after(1);
	chan_send(c, 2);
	read_x();
	step(2);
}
static void race_chan_buffered_send_before_k_plus_c(void)
{
	c = chan_make(int, 2);
	go(write_and_receive_first);
	go(send_one_wait_send_two_read);
	after(2);
}

/* golang/go#42598: elements of size 0 share one address; the edges must be those of any other size. */
static goro_chan *empty;
static void empty_write_and_receive(void)
{
	write_x();
	goro_chan_recv(empty, NULL);
	step(1);
}
static void empty_send_two_read(void)
{
	goro_chan_send(empty, NULL);
	goro_chan_send(empty, NULL);
	read_x();
	arrive();
}
static void norace_chan_empty_elements_receive_before_send_k_plus_c(void)
{
	empty = goro_chan_make(0, 1);
	go(empty_write_and_receive);
	go(empty_send_two_read);
	arrived(1);
}
static void empty_send_wait_send_read(void)
{
	goro_chan_send(empty, NULL);
	after(1);
	goro_chan_send(empty, NULL);
	read_x();
	step(2);
}
static void race_chan_empty_elements_send_before_k_plus_c(void)
{
	empty = goro_chan_make(0, 2);
	go(empty_write_and_receive);
	go(empty_send_wait_send_read);
	after(2);
}

/* The slots of a buffer are reused in turn: the second round's send to slot 0 orders its own receive only. */
static void reuse_sender(void)
{
	chan_send(c, 1);
	chan_send(c, 2);
	after(1);
	chan_send(c, 3);
	write_x();
	step(2);
}
static void reuse_receiver(void)
{
	chan_recv(c);
	chan_recv(c);
	step(1);
	after(2);
	chan_recv(c);
	read_x();
	step(3);
}
static void race_chan_buffered_slot_reuse(void)
{
	c = chan_make(int, 2);
	go(reuse_sender);
	go(reuse_receiver);
	after(3);
}

/* Two that share nothing but a buffer: what one put in and took out itself orders nobody else. */
static void put_and_take(void)
{
	write_x();
	chan_send(c, 1);
	chan_recv(c);
	step(1);
}
static void put_and_take_read(void)
{
	after(1);
	chan_send(c, 2);
	chan_recv(c);
	read_x();
	step(2);
}
static void race_chan_buffered_different_slots(void)
{
	c = chan_make(int, 2);
	go(put_and_take);
	go(put_and_take_read);
	after(2);
}
/* With one slot, the receive of the first is before the send of the second. */
static void norace_chan_buffered_same_slot(void)
{
	c = chan_make(int, 1);
	go(put_and_take);
	go(put_and_take_read);
	after(2);
}

/* ---- locks made of channels ---- */

static void lock_by_send(void)
{
	for (int i = 0; i < 20; i++) {
		chan_send(c, 1);
		write_x();
		goro_gosched();
		read_x();
		chan_recv(c);
	}
	arrive();
}
static void norace_chan_as_mutex_send_locks(void)
{
	c = chan_make(int, 1);
	for (int i = 0; i < 4; i++)
		go(lock_by_send);
	arrived(4);
}

static void lock_by_receive(void)
{
	for (int i = 0; i < 20; i++) {
		chan_recv(c);
		write_x();
		goro_gosched();
		read_x();
		chan_send(c, 1);
	}
	arrive();
}
static void norace_chan_as_mutex_receive_locks(void)
{
	c = chan_make(int, 1);
	chan_send(c, 1);
	for (int i = 0; i < 4; i++)
		go(lock_by_receive);
	arrived(4);
}

static void semaphore_write(void)
{
	chan_send(c, 1);
	write_x();
	step(1);
	chan_recv(c);
}
static void semaphore_read(void)
{
	after(1);
	chan_send(c, 1);
	read_x();
	step(2);
	chan_recv(c);
}
static void race_chan_semaphore_of_two(void)
{
	c = chan_make(int, 2);
	go(semaphore_write);
	go(semaphore_read);
	after(2);
}

/* ---- what orders nothing ---- */

static void write_then_send_late(void)
{
	write_x();
	chan_send(c, 1);
	step(1);
}
static void see_length_read(void)
{
	after(1);
	USE(chan_len(c));
	USE(chan_cap(c));
	read_x();
	step(2);
}
static void race_chan_len_orders_nothing(void)
{
	c = chan_make(int, 1);
	go(write_then_send_late);
	go(see_length_read);
	after(2);
}

static void write_then_fail_to_send(void)
{
	after(1);
	write_x();
	USE(chan_try_send(c, 2));
	step(2);
}
static void send_receive_read(void)
{
	chan_send(c, 1);
	step(1);
	after(2);
	chan_recv(c);
	read_x();
	step(3);
}
static void race_chan_failed_try_send(void)
{
	c = chan_make(int, 1);
	go(write_then_fail_to_send);
	go(send_receive_read);
	after(3);
}

static void write_then_fail_to_receive(void)
{
	int v;
	write_x();
	USE(chan_try_recv(c, &v));
	step(1);
}
static void send_late_read(void)
{
	after(1);
	chan_send(c, 1);
	read_x();
	step(2);
}
static void race_chan_failed_try_receive(void)
{
	c = chan_make(int, 1);
	go(write_then_fail_to_receive);
	go(send_late_read);
	after(2);
}

static void norace_chan_try_send_and_receive(void)
{
	int v;
	c = chan_make(int, 1);
	go(receive_then_read);
	write_x();
	while (!chan_try_send(c, 1))
		goro_gosched();
	arrived(1);
	chan_send(c, 1);
	while (!chan_try_recv(c, &v))
		goro_gosched();
}

/* Two senders are both before the receiver, and not before each other. */
static void write_step_send(void)
{
	write_x();
	step(1);
	chan_send(c, 1);
}
static void write_too_send(void)
{
	after(1);
	write_x_too();
	step(2);
	chan_send(c, 1);
}
static void race_chan_two_senders(void)
{
	c = chan_make(int);
	go(write_step_send);
	go(write_too_send);
	chan_recv(c);
	chan_recv(c);
}

/* ---- pipelines ---- */

static chan(int) links[20];
static void pass_on(int i)
{
	chan_recv(links[i]);
	chan_send(links[i + 1], 1);
}
static void norace_chan_chain(void)
{
	for (int i = 0; i < 20; i++)
		links[i] = chan_make(int, i % 3);
	for (int i = 0; i < 19; i++)
		go(pass_on, i);
	c = links[19];
	go(receive_then_read);
	write_x();
	chan_send(links[0], 1);
	arrived(1);
}

static void first_link(void)
{
	chan_send(links[0], 1);
	write_x();
	step(1);
}
static void race_chan_chain_write_behind(void)
{
	for (int i = 0; i < 20; i++)
		links[i] = chan_make(int, i % 3);
	for (int i = 0; i < 19; i++)
		go(pass_on, i);
	c = links[19];
	go(first_link);
	go(receive_then_read_late);
	after(2);
}

CASES(
    NORACE(norace_chan_unbuffered_send_before_receive)
    NORACE(norace_chan_unbuffered_receive_before_send_completes)
    RACE(race_chan_unbuffered_write_after_send,
	"read read_x<receive_then_read_late / write write_x<send_then_write / global x")
    RACE(race_chan_unbuffered_write_after_receive,
	"read read_x<send_then_read_late / write write_x<receive_then_write / global x")
    NORACE(norace_chan_buffered_send_before_receive)
    RACE(race_chan_buffered_write_after_send,
	"read read_x<receive_then_read_late / write write_x<send_then_write / global x")
    RACE(race_chan_buffered_receive_before_its_send,
	"read read_x<send_one_read / write write_x<write_and_receive_first / global x")
    NORACE(norace_chan_buffered_receive_before_send_k_plus_c)
    RACE(race_chan_buffered_send_before_k_plus_c,
	"read read_x<send_one_wait_send_two_read / write write_x<write_and_receive_first / global x")
    NORACE(norace_chan_empty_elements_receive_before_send_k_plus_c)
    RACE(race_chan_empty_elements_send_before_k_plus_c,
	"read read_x<empty_send_wait_send_read / write write_x<empty_write_and_receive / global x")
    RACE(race_chan_buffered_slot_reuse,
	"read read_x<reuse_receiver / write write_x<reuse_sender / global x")
    RACE(race_chan_buffered_different_slots,
	"read read_x<put_and_take_read / write write_x<put_and_take / global x")
    NORACE(norace_chan_buffered_same_slot)
    NORACE(norace_chan_as_mutex_send_locks)
    NORACE(norace_chan_as_mutex_receive_locks)
    RACE(race_chan_semaphore_of_two,
	"read read_x<semaphore_read / write write_x<semaphore_write / global x")
    RACE(race_chan_len_orders_nothing,
	"read read_x<see_length_read / write write_x<write_then_send_late / global x")
    RACE(race_chan_failed_try_send,
	"read read_x<send_receive_read / write write_x<write_then_fail_to_send / global x")
    RACE(race_chan_failed_try_receive,
	"read read_x<send_late_read / write write_x<write_then_fail_to_receive / global x")
    NORACE(norace_chan_try_send_and_receive)
    RACE(race_chan_two_senders,
	"write write_x_too<write_too_send / write write_x<write_step_send / global x")
    NORACE(norace_chan_chain)
    RACE(race_chan_chain_write_behind,
	"read read_x<receive_then_read_late / write write_x<first_link / global x")
)
