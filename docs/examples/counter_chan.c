/*
 * counter_chan.c: the counter mended by not sharing it.
 *
 * "Do not communicate by sharing memory; share memory by communicating." One goroutine owns the counter
 * as a local variable. The others send it what to add; when they are done main closes the channel, and
 * the owner answers with the sum.
 *
 * Expected. "Final Counter: 4", exit 0, in both builds; no report.
 */
#include <goro.h>
#include <stdio.h>

static goro_waitgroup wg;

/* The owner: adds up what comes until the channel is closed. */
static void own_counter(chan(int) increments, chan(int) result)
{
	int counter = 0;

	chan_range(n, increments) {
		counter += n;
	}
	chan_send(result, counter);
}

static void inc_counter(int id, chan(int) increments)
{
	(void)id;
	for (int count = 0; count < 2; count++) {
		chan_send(increments, 1);
		goro_gosched();
	}
	goro_waitgroup_done(&wg);
}

int main(void)
{
	chan(int) increments = chan_make(int);
	chan(int) result = chan_make(int);

	go(own_counter, increments, result);

	goro_waitgroup_add(&wg, 2);
	go(inc_counter, 1, increments);
	go(inc_counter, 2, increments);

	goro_waitgroup_wait(&wg);
	chan_close(increments);
	printf("Final Counter: %d\n", chan_recv(result));

	chan_free(increments);
	chan_free(result);
	return 0;
}
