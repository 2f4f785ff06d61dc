/*
 * readers.c: many readers of one variable, of whom some are ordered before the writer and one is not. It
 * is found whichever it is; so is each of two.
 */
#include "case.h"

enum { READERS = 500 };

static goro_waitgroup wg;
static int outsider = -1;

ACCESS(read_x_outside, USE(x))

static void reader(int i)
{
	after(i);
	if (i == outsider)
		read_x_outside();
	else
		read_x();
	step(i + 1);
	if (i != outsider)
		goro_waitgroup_done(&wg);
}
static APART void readers_then_write(int who)
{
	outsider = who;
	goro_waitgroup_add(&wg, who >= 0 ? READERS - 1 : READERS);
	for (int i = 0; i < READERS; i++)
		go(reader, i);
	goro_waitgroup_wait(&wg);
	after(READERS);
	write_x();
}
static void norace_readers_all_ordered(void)
{
	readers_then_write(-1);
}
static void race_readers_first_unordered(void)
{
	readers_then_write(0);
}
static void race_readers_middle_unordered(void)
{
	readers_then_write(250);
}
static void race_readers_last_unordered(void)
{
	readers_then_write(READERS - 1);
}

/* Each reader reads its own byte of the word, and all read the whole. */
static union {
	unsigned char bytes[8];
	long long word;
} w;
ACCESS(write_byte_3, w.bytes[3] = 1)
ACCESS(read_byte_3, USE(w.bytes[3]))
ACCESS(read_word, USE(w.word))
static void byte_reader(int i)
{
	USE(w.bytes[i % 8]);
	read_word();
	goro_waitgroup_done(&wg);
}
static void byte_3_reader(void)
{
	read_byte_3();
	step(1);
}
static void race_readers_of_bytes(void)
{
	go(byte_3_reader);
	after(1);
	goro_waitgroup_add(&wg, 100);
	for (int i = 0; i < 100; i++)
		go(byte_reader, i);
	goro_waitgroup_wait(&wg);
	write_byte_3();
}
static void norace_readers_of_bytes(void)
{
	goro_waitgroup_add(&wg, 100);
	for (int i = 0; i < 100; i++)
		go(byte_reader, i);
	goro_waitgroup_wait(&wg);
	write_byte_3();
}

/* After the write all is forgotten: the readers before it are not before the next write twice. */
static void read_round(void)
{
	for (int i = 0; i < 10; i++)
		read_x();
	goro_waitgroup_done(&wg);
}
static void norace_readers_rounds(void)
{
	for (int round = 0; round < 20; round++) {
		goro_waitgroup_add(&wg, 20);
		for (int i = 0; i < 20; i++)
			go(read_round);
		goro_waitgroup_wait(&wg);
		write_x();
	}
}

/* A write that many readers may race with: each reader's stack is the same, so it is one report. */
static void late_reader(int i)
{
	after(i);
	read_x();
	step(i + 1);
}
static void race_readers_behind_write(void)
{
	for (int i = 1; i <= 50; i++)
		go(late_reader, i);
	write_x();
	step(1);
	after(51);
}

#define W(case_) "write write_x<readers_then_write<" case_ " / read read_x_outside<reader / global x"
CASES(
    NORACE(norace_readers_all_ordered)
    RACE(race_readers_first_unordered, W("race_readers_first_unordered"))
    RACE(race_readers_middle_unordered, W("race_readers_middle_unordered"))
    RACE(race_readers_last_unordered, W("race_readers_last_unordered"))
    RACE(race_readers_of_bytes, "write write_byte_3<race_readers_of_bytes / read read_byte_3<byte_3_reader / global w")
    NORACE(norace_readers_of_bytes)
    NORACE(norace_readers_rounds)
    RACE(race_readers_behind_write,
	"read read_x<late_reader / write write_x<race_readers_behind_write / global x")
)
