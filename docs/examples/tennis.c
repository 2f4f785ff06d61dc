/*
 * tennis.c: a game of tennis over an unbuffered channel.
 *
 * The ball is an int: the number of hits so far. A player waits to receive it, may miss it, or hits it
 * back. On an unbuffered channel send and receive happen together: a player who sends is held until the
 * other has taken the ball. A miss is told by closing the channel: the other's receive then answers false.
 *
 * Expected. "Player ... Hit 1", "... Hit 2", ... in order, the players taking turns, then
 * "Player ... Missed" and "Player ... Won"; exit 0, in both builds; no report.
 * The argument, if any, is the seed of the dice.
 */
#include <goro.h>
#include <stdio.h>
#include <stdlib.h>

static goro_waitgroup wg;

/* A small generator of random numbers, one state to each player, so that they share nothing. */
static unsigned dice(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

static void player(const char *name, unsigned seed, chan(int) court)
{
	for (;;) {
		/* Wait for the ball to be hit back to us. */
		int ball;
		bool ok = chan_recv_ok(court, &ball);
		if (!ok) {
			/* The channel was closed: we won. */
			printf("Player %s Won\n", name);
			break;
		}

		/* Do we miss the ball? */
		if (dice(&seed) % 100 % 13 == 0) {
			printf("Player %s Missed\n", name);

			/* Tell the other that we lost. */
			chan_close(court);
			break;
		}

		/* Show and count the hit. */
		printf("Player %s Hit %d\n", name, ball);
		ball++;

		/* Hit the ball back. */
		chan_send(court, ball);
	}
	goro_waitgroup_done(&wg);
}

int main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)goro_now();
	chan(int) court = chan_make(int);

	goro_waitgroup_add(&wg, 2);
	go(player, "Nadal", seed, court);
	go(player, "Djokovic", seed + 1, court);

	/* Start the set. */
	chan_send(court, 1);

	goro_waitgroup_wait(&wg);
	chan_free(court);
	return 0;
}
