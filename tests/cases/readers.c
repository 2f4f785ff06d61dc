/*
 * readers.c: many readers of one variable, of whom some are ordered before the writer and one is not. It
 * is found whichever it is; so is each of two.
 */
#include "case.h"

static goro_waitgroup wg;
static int outsider = -1;

/* Which of 16 it was is told by its variable, and each is told. */
const char *__tsan_default_options(void)
{
	return "suppress_equal_stacks=0";
}

ACCESS(read_x_outside, USE(x))

static void reader(int i)
{
	if (i == outsider)
		read_x_outside();
	else
		read_x();
	step(i + 1);
	if (i != outsider)
		goro_waitgroup_done(&wg);
}
static APART void readers_then_write(int readers, int who)
{
	outsider = who;
	goro_waitgroup_add(&wg, who >= 0 ? readers - 1 : readers);
	for (int i = 0; i < readers; i++) {
		go(reader, i);
		after(i + 1);
	}
	goro_waitgroup_wait(&wg);
	write_x();
}
static void norace_readers_all_ordered(void)
{
	readers_then_write(500, -1);
}
static void race_readers_first_unordered(void)
{
	readers_then_write(500, 0);
}
static void race_readers_middle_unordered(void)
{
	readers_then_write(500, 250);
}
static void race_readers_last_unordered(void)
{
	readers_then_write(500, 499);
}
static void race_readers_one_of_10000(void)
{
	readers_then_write(10000, 7531);
}
static void norace_readers_10000(void)
{
	readers_then_write(10000, -1);
}

/* Sixteen readers of each of sixteen variables, of which the n-th one's n-th is unordered. */
static int sixteen[16];
#define ONE_BY_ONE __asm__ volatile("" : : : "memory") /* clang would join them to stores of 16 bytes */
ACCESS(write_sixteen, for (int k = 0; k < 16; k++) { sixteen[k] = 1; ONE_BY_ONE; })
static APART void read_but(int i)
{
	for (int k = 0; k < 16; k++)
		if (k != i)
			USE(sixteen[k]);
}
static APART void read_outside(int i)
{
	USE(sixteen[i]);
}
static void reader_of_sixteen(int i)
{
	after(2 * i);
	read_but(i);
	goro_waitgroup_done(&wg);
	step(2 * i + 1);
}
static void outsider_of_sixteen(int i)
{
	after(2 * i + 1);
	read_outside(i);
	step(2 * i + 2);
}
static void race_readers_each_of_16(void)
{
	goro_waitgroup_add(&wg, 16);
	for (int i = 0; i < 16; i++) {
		go(reader_of_sixteen, i);
		go(outsider_of_sixteen, i);
	}
	goro_waitgroup_wait(&wg);
	after(32);
	write_sixteen();
}

/* Eight words, each of whose bytes has a goroutine of its own that writes it; the n-th byte of the n-th word
 * unordered. */
static unsigned char words[8][8] __attribute__((aligned(8)));
ACCESS(read_words, for (int k = 0; k < 8; k++) USE(*(long long *)words[k]))
static APART void write_byte_of_all(int i)
{
	for (int k = 0; k < 8; k++)
		if (k != i)
			words[k][i] = 1;
}
static APART void write_byte_outside(int i)
{
	words[i][i] = 1;
}
static void byte_writer(int i)
{
	after(2 * i);
	write_byte_of_all(i);
	goro_waitgroup_done(&wg);
	step(2 * i + 1);
}
static void byte_outsider(int i)
{
	after(2 * i + 1);
	write_byte_outside(i);
	step(2 * i + 2);
}
static void race_readers_each_byte_of_8(void)
{
	goro_waitgroup_add(&wg, 8);
	for (int i = 0; i < 8; i++) {
		go(byte_writer, i);
		go(byte_outsider, i);
	}
	goro_waitgroup_wait(&wg);
	after(16);
	read_words();
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
    RACE(race_readers_one_of_10000, W("race_readers_one_of_10000"))
    NORACE(norace_readers_10000)
    RACE(race_readers_each_of_16,
	"16 times write write_sixteen / read read_outside<outsider_of_sixteen / global sixteen")
    RACE(race_readers_each_byte_of_8,
	"8 times read read_words / write write_byte_outside<byte_outsider / global words")
    RACE(race_readers_of_bytes, "write write_byte_3<race_readers_of_bytes / read read_byte_3<byte_3_reader / global w")
    NORACE(norace_readers_of_bytes)
    NORACE(norace_readers_rounds)
    RACE(race_readers_behind_write,
	"read read_x<late_reader / write write_x<race_readers_behind_write / global x")
)
