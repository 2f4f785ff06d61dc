/*
 * regress.c: what other detectors got wrong once, by the number of the report, where no other file has it.
 * docs/race.md lists all of them.
 */
#include "case.h"

void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreSyncBegin(const char *file, int line);

/* golang/go#36794: copies of many bytes. */
static struct Big {
	char bytes[200];
} big, one, two;
ACCESS(copy_one, memcpy(&big, &one, sizeof big))
ACCESS(copy_two, memmove(&big, &two, sizeof big))
ACCESS(assign_one, big = one)
ACCESS(read_last, USE(big.bytes[199]))
static void copies_one(void)
{
	copy_one();
	step(1);
}
static void copies_two(void)
{
	after(1);
	copy_two();
	step(2);
}
static void race_regress_copies(void)
{
	go(copies_one);
	go(copies_two);
	after(2);
}
static void assigns_one(void)
{
	assign_one();
	step(1);
}
static void reads_last(void)
{
	after(1);
	read_last();
	step(2);
}
static void race_regress_assignment_of_a_struct(void)
{
	go(assigns_one);
	go(reads_last);
	after(2);
}

/* golang/go#60934: a goroutine that ends while it ignores takes that with it. */
static void ignores_and_ends(void)
{
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
	arrive();
	goro_goexit();
}
static void writes_x(void)
{
	write_x();
	step(1);
}
static void reads_x(void)
{
	after(1);
	read_x();
	step(2);
}
static void race_regress_goroutine_ends_ignoring(void)
{
	for (int i = 0; i < 20; i++)
		go(ignores_and_ends);
	arrived(20);
	go(writes_x);
	go(reads_x);
	after(2);
}

/* golang/go#37355: with capacity 1 a send is not before another goroutine's send that came after it by time
 * alone: only the receive between them is. */
static chan(int) c, d;
static void sends_then_writes(void)
{
	chan_send(c, 1);
	write_x();
	step(1);
}
static void receives(void)
{
	after(1);
	chan_recv(c);
	step(2);
}
static void sends_then_reads(void)
{
	after(2);
	chan_send(c, 2);
	read_x();
	step(3);
}
static void race_regress_sends_do_not_order_each_other(void)
{
	c = chan_make(int, 1);
	go(sends_then_writes);
	go(receives);
	go(sends_then_reads);
	after(3);
}

/* golang/go#69821: each value comes from its own send, whoever else receives. */
static void writes_and_sends(void)
{
	write_x();
	chan_send(c, 1);
	chan_send(d, 1);
}
static void receives_one(void)
{
	chan_recv(c);
	arrive();
}
static void receives_other_then_reads(void)
{
	chan_recv(d);
	read_x();
	arrive();
}
static void norace_regress_two_receivers(void)
{
	c = chan_make(int, 2);
	d = chan_make(int, 2);
	go(receives_one);
	go(receives_other_then_reads);
	go(writes_and_sends);
	arrived(2);
}

CASES(
    RACE(race_regress_copies, "write copy_two<copies_two / write copy_one<copies_one / global big")
    RACE(race_regress_assignment_of_a_struct, "read read_last<reads_last / write assign_one<assigns_one / global big")
    RACE(race_regress_goroutine_ends_ignoring, "read read_x<reads_x / write write_x<writes_x / global x")
    RACE(race_regress_sends_do_not_order_each_other, "read read_x<sends_then_reads / write write_x<sends_then_writes / global x")
    NORACE(norace_regress_two_receivers)
)
