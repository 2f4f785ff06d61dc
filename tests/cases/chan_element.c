/*
 * chan_element.c: the element of a message as memory: the send reads it and the receive writes it, each
 * as an access of its own goroutine, whoever of the two makes the copy.
 */
#include "case.h"

static goro_chan *raw;
static int element;
ACCESS(send_element, goro_chan_send(raw, &element))
ACCESS(receive_element, goro_chan_recv(raw, &element))
ACCESS(write_element, element = 3)
ACCESS(read_element, USE(element))

static void element_sender(void)
{
	send_element();
	step(1);
}
static void element_writer(void)
{
	after(1);
	write_element();
	step(2);
}
static void race_chan_send_reads_its_element(void)
{
	raw = goro_chan_make(sizeof(int), 1);
	go(element_sender);
	go(element_writer);
	after(2);
}

static void element_receiver(void)
{
	receive_element();
	step(1);
}
static void element_reader(void)
{
	after(1);
	read_element();
	step(2);
}
static void race_chan_receive_writes_its_element(void)
{
	int v = 4;
	raw = goro_chan_make(sizeof(int), 1);
	goro_chan_send(raw, &v);
	go(element_receiver);
	go(element_reader);
	after(2);
}
/* The receiver is parked: the sender writes the element on its behalf. */
static void race_chan_parked_receive_writes_its_element(void)
{
	int v = 4;
	raw = goro_chan_make(sizeof(int), 0);
	go(element_receiver);
	go(element_reader);
	settle(100);
	goro_chan_send(raw, &v);
	after(2);
}
/* The sender is parked: the receiver reads the element on its behalf. */
static void race_chan_parked_send_reads_its_element(void)
{
	raw = goro_chan_make(sizeof(int), 0);
	go(element_sender);
	go(element_writer);
	settle(100);
	goro_chan_recv(raw, NULL);
	after(2);
}
static void norace_chan_element_handed_back(void)
{
	raw = goro_chan_make(sizeof(int), 0);
	element = 1;
	go(element_sender);
	goro_chan_recv(raw, NULL);
	write_element();
}

typedef struct Big {
	char bytes[200];
} Big;
static chan(Big) bigs;
static void big_sender(void)
{
	Big b;
	memset(&b, 1, sizeof b);
	for (int i = 0; i < 50; i++) {
		chan_send(bigs, b);
		b.bytes[i] = 2;
	}
	chan_close(bigs);
}
static void norace_chan_struct_elements(void)
{
	bigs = chan_make(Big, 3);
	go(big_sender);
	chan_range(b, bigs)
		USE(b.bytes[7]);
}

CASES(
    RACE(race_chan_send_reads_its_element,
	"write write_element<element_writer / read send_element<element_sender / global element")
    RACE(race_chan_receive_writes_its_element,
	"read read_element<element_reader / write receive_element<element_receiver / global element")
    RACE(race_chan_parked_receive_writes_its_element,
	"read read_element<element_reader / write receive_element<element_receiver / global element")
    RACE(race_chan_parked_send_reads_its_element,
	"write write_element<element_writer / read send_element<element_sender / global element")
    NORACE(norace_chan_element_handed_back)
    NORACE(norace_chan_struct_elements)
)
