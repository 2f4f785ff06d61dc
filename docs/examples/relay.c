/*
 * relay.c: a relay race of four runners over an unbuffered channel. The baton is the runner's number.
 * Each runner but the last starts the next one, who waits at the line, and hands over the baton: a
 * single value that exactly one goroutine holds at any time.
 *
 * Expected. Runner 1 runs, 2 to the line, exchange with 2, ... "Runner 4 Finished, Race Over"; exit 0, in
 * both builds; no report.
 */
#include <goro.h>
#include <stdio.h>

static goro_waitgroup wg;

static void runner(chan(int) baton)
{
	/* Wait for the baton. */
	int number = chan_recv(baton);

	/* Start running around the track. */
	printf("Runner %d Running With Baton\n", number);

	/* A new runner to the line. */
	int next = number + 1;
	if (number != 4) {
		printf("Runner %d To The Line\n", next);
		go(runner, baton);
	}

	/* Around the track. */
	goro_sleep(10 * GORO_MILLISECOND);

	/* Is the race over? */
	if (number == 4) {
		printf("Runner %d Finished, Race Over\n", number);
		goro_waitgroup_done(&wg);
		return;
	}

	/* Hand over the baton. */
	printf("Runner %d Exchange With Runner %d\n", number, next);
	chan_send(baton, next);
}

int main(void)
{
	chan(int) baton = chan_make(int);

	/* One to wait for: the last runner. */
	goro_waitgroup_add(&wg, 1);

	/* The first runner to his mark, */
	go(runner, baton);

	/* and start the race. */
	chan_send(baton, 1);

	goro_waitgroup_wait(&wg);
	chan_free(baton);
	return 0;
}
