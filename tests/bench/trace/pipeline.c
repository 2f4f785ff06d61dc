/*
 * pipeline.c: what tracing costs: blocks go through a chain of stages, each of which does some work on them. Prints the
 * processor time, user and system, in nanoseconds a block and stage. Usage: pipeline [GOMAXPROCS [CAPACITY [BYTES]]].
 *
 * BYTES (2048) of each block are hashed at each stage, about 2 us; CAPACITY (16) is that of the channels. With 0 and 0
 * nothing is left but the switches: the worst case.
 */
#include <goro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { STAGES = 6, IN_FLIGHT = 128, BYTES_MOST = 1 << 16 };

typedef struct Block {
	unsigned long hash;
	unsigned char data[BYTES_MOST];
} Block;

static int bytes = 2048;

static void stage(chan(Block *) in, chan(Block *) out)
{
	chan_range(b, in) {
		for (int i = 0; i < bytes; i++)
			b->hash = (b->hash ^ b->data[i]) * 1099511628211u;
		chan_send(out, b);
	}
	chan_close(out);
}

static void source(chan(Block *) spare, chan(Block *) out, int blocks)
{
	for (int i = 0; i < blocks; i++)
		chan_send(out, chan_recv(spare));
	chan_close(out);
}

static double cpu_ns(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		goro_gomaxprocs(atoi(argv[1]));
	int capacity = argc > 2 ? atoi(argv[2]) : 16;
	bytes = argc > 3 ? atoi(argv[3]) : bytes;
	if (bytes < 0 || bytes > BYTES_MOST || capacity < 0)
		return 1;
	int blocks = bytes ? 60000000 / bytes : 300000;
	chan(Block *) spare = chan_make(Block *, IN_FLIGHT);
	for (int i = 0; i < IN_FLIGHT; i++)
		chan_send(spare, calloc(1, sizeof(Block)));
	chan(Block *) c = chan_make(Block *, capacity);
	double before = cpu_ns();
	go(source, spare, c, blocks);
	for (int i = 0; i < STAGES; i++) {
		chan(Block *) next = chan_make(Block *, capacity);
		go(stage, c, next);
		c = next;
	}
	unsigned long sum = 0;
	chan_range(b, c) {
		sum += b->hash;
		chan_send(spare, b);
	}
	printf("%.2f\n", (cpu_ns() - before) / ((double)blocks * STAGES));
	return sum == 1; /* keeps the work */
}
