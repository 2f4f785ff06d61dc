/*
 * bytes.c: what reports tell of a conflict, byte by byte, where equal stacks are told again.
 *
 *	bytes      exit 1 with a line for each case that was told otherwise
 *
 * What a granule of 8 bytes remembers may be of several accesses that one line made side by side, and a write may
 * meet more of them than there are places for what was found (FOUND_MAX, race/slow.h). Each byte is told all
 * the same, by an access that was made.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <goro.h>

#include "../support/invisible.h"

enum { MANY = 300 };

int __tsan_get_report_mop(void *report, unsigned long idx, int *tid, void **addr, int *size, int *write,
    int *atomic, void **trace, unsigned long trace_size);

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "log_path=/dev/null suppress_equal_stacks=0 suppress_equal_addresses=0 max_reports=0 symbolize=0 "
	       "source=0 exitcode=0 atexit_sleep_ms=0";
}

typedef struct __attribute__((packed)) Half {
	uint16_t v;
} Half;
#define UNSEEN __attribute__((no_sanitize("thread"), noinline))

static unsigned char memory[64][64] __attribute__((aligned(64))), *m; /* one of its own for each case */
static int steps, bad, stranger;

/* ---- what was told ---- */

static char told[4000]; /* OFFSET:SIZE of each previous access, in the order of the reports */
static int reports;

void __tsan_on_report(void *report);
UNSEEN void __tsan_on_report(void *report)
{
	int tid, size, write, atomic;
	void *addr, *trace[2];
	size_t n = strlen(told);

	__tsan_get_report_mop(report, 1, &tid, &addr, &size, &write, &atomic, trace, 2);
	snprintf(told + n, sizeof told - n, "%s%td:%d", n ? " " : "", (unsigned char *)addr - m, size);
	reports++;
}

/* ---- accesses, to m ---- */

typedef long long Wide __attribute__((vector_size(16), aligned(4)));
#define APART __attribute__((noinline))
APART static void write_word(unsigned char *at) { *(volatile uint64_t *)at = 1; }
APART static void write_16(unsigned char *at) { *(volatile Wide *)(at + 4) = (Wide){1, 2}; }
/* One line, n accesses, each `stride` bytes behind the one before. */
APART static void write_bytes(unsigned char *at, int n, int stride)
{
	for (int i = 0; i < n; i++)
		((volatile unsigned char *)at)[i * stride] = 1;
}
APART static void write_halves(unsigned char *at, int n, int stride)
{
	for (int i = 0; i < n; i++)
		((volatile Half *)(at + i * stride))->v = 1;
}
APART static void read_byte(unsigned char *at, int n, int stride)
{
	(void)n, (void)stride;
	(void)*(volatile unsigned char *)at;
}

/* By a goroutine that nothing orders with us. */
UNSEEN static void run(void (*fn)(unsigned char *, int, int), unsigned char *at, int n, int stride)
{
	fn(at, n, stride);
	step(++steps);
}
UNSEEN static void begin(void (*fn)(unsigned char *, int, int), int from, int n, int stride)
{
	int next = steps + 1;

	go(run, fn, m + from, n, stride);
	after(next);
}

UNSEEN static void begin_case(void)
{
	m = m ? m + sizeof memory[0] : memory[0];
	told[0] = '\0';
	reports = 0;
}

UNSEEN static void expect(const char *what, const char *want)
{
	if (strcmp(told, want) == 0)
		return;
	bad = 1;
	printf("%s: told %s, not %s\n", what, told, want);
}

/* MANY readers of byte `common`, one of byte `own` before the n-th of them. */
UNSEEN static void crowd(const char *what, int common, int own, int nth, void (*last)(unsigned char *))
{
	char want[16];

	begin_case();
	for (int i = 0; i < MANY; i++) {
		if (i == nth)
			begin(read_byte, own, 0, 0);
		begin(read_byte, common, 0, 0);
	}
	last(m);
	snprintf(want, sizeof want, "%d:1", own);
	int times = 0;
	for (const char *s = told; (s = strstr(s, want)); s++)
		times += s == told || s[-1] == ' ';
	if (times == 1 && reports > 16)
		return;
	bad = 1;
	printf("%s: the reader of byte %d was told %d times in %d reports\n", what, own, times, reports);
}

/* WRITERS of the whole word that race with each other, then one of its first byte, who meets more of them than are
 * kept of what has raced. Of the other bytes it stands for nothing: who knows all of them but one races with that. */
enum { WRITERS = 17 };
static goro_waitgroup known;

UNSEEN static void write_and_tell(int i)
{
	write_word(m);
	if (i != stranger)
		goro_waitgroup_done(&known);
	step(++steps);
}

UNSEEN static void racy(const char *what, int who)
{
	begin_case();
	stranger = who;
	goro_waitgroup_add(&known, WRITERS - 1);
	for (int i = 0; i < WRITERS; i++) {
		int next = steps + 1;
		go(write_and_tell, i);
		after(next);
	}
	begin(write_bytes, 0, 1, 1);
	goro_waitgroup_wait(&known);
	told[0] = '\0';
	read_byte(m + 7, 0, 0);
	if (strcmp(told, "1:8") != 0) /* its first byte is not remembered: it is shown without */
		expect(what, "0:8");
}

int main(void);
UNSEEN int main(void)
{
	begin_case();
	begin(write_bytes, 2, 3, 1);
	write_word(m);
	expect("bytes side by side", "2:1 3:1 4:1");

	begin_case();
	begin(write_halves, 2, 2, 2);
	write_word(m);
	expect("halves side by side", "2:2 4:2");

	begin_case();
	begin(write_halves, 1, 2, 2);
	write_word(m);
	expect("unaligned halves side by side", "1:2 3:2");

	begin_case();
	begin(write_halves, 1, 3, 1);
	write_word(m);
	expect("halves that overlap", "1:2 3:2"); /* each byte */

	begin_case();
	begin(write_halves, 4, 3, 2);
	write_16(m);
	expect("halves in two granules", "4:2 6:2 8:2");

	crowd("one of many, first", 0, 7, 0, write_word);
	crowd("one of many, in the middle", 0, 7, MANY / 2, write_word);
	crowd("one of many, last", 0, 7, MANY - 1, write_word);
	crowd("one of many, in another granule", 4, 17, MANY / 2, write_16);
	for (int i = 0; i < WRITERS; i++)
		racy("many that race", i);
	return bad;
}
