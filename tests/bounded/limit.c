/*
 * limit.c: more memory than the detector may remember, for bounded_test.c.
 *
 *	limit MODE      each prints the most that the process has had besides its 200 MB, in KiB
 *
 * What is forgotten is what was touched longest ago; `hot` is written again and again.
 */
#include <goro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../support/invisible.h"

enum { BYTES = 200000000, STEP = 1 << 20 };

static goro_mutex lock;
static long hot, ordered, *memory;

static long most(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f) && sscanf(line, "VmHWM: %ld", &kib) != 1)
		;
	if (!kib)
		exit(9);
	fclose(f);
	return kib;
}

/* An epoch of its own for each: the cell changes. */
static void write_hot(long v)
{
	goro_mutex_lock(&lock);
	hot = v;
	goro_mutex_unlock(&lock);
}

static void touch(size_t from, size_t to)
{
	for (size_t i = from / sizeof *memory; i < to / sizeof *memory; i++)
		memory[i] = (long)i;
}

static void by_steps(void)
{
	for (size_t at = 0; at < BYTES; at += STEP) {
		touch(at, at + STEP < BYTES ? at + STEP : BYTES);
		write_hot((long)at);
	}
}

static void read_hot(void)
{
	after(1);
	if (hot == -1)
		exit(9);
	arrive();
}

/* Found: both accesses are of late. */
static void race(void)
{
	go(read_hot);
	by_steps();
	step(1);
	arrived(1);
}

static void take_over(chan(int) c)
{
	chan_recv(c);
	long sum = ordered;
	for (size_t i = 0; i < BYTES / sizeof *memory; i++)
		sum += memory[i]++;
	goro_mutex_lock(&lock);
	sum += hot++;
	goro_mutex_unlock(&lock);
	chan_send(c, sum == 0);
}

/* Silent: the order between the two is older than all that is remembered, and counts. */
static void hand_over(void)
{
	chan(int) early = chan_make(int, 1), c = chan_make(int);

	ordered = 1;
	chan_send(early, 1);
	by_steps();
	go(take_over, c);
	chan_send(c, 1);
	chan_recv(c);
	chan_recv(early);
	ordered++;
	by_steps();
}

/* One access of everything. */
static void whole(void)
{
	memset(memory, 1, BYTES);
	write_hot(1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {{"race", race}, {"hand_over", hand_over}, {"whole", whole}};

	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	for (size_t i = 0; argc == 2 && memory != MAP_FAILED && i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(argv[1], modes[i].name))
			continue;
		modes[i].run();
		printf("%ld\n", most() - BYTES / 1024);
		return 0;
	}
	return 9;
}
