/*
 * sieve.c: the sieve of Eratosthenes as a pipeline. A generator sends 2, 3, 4, ... down a channel. The
 * first number to arrive at the end is prime; main then hangs a filter for it onto the pipeline, a
 * goroutine that passes on what the prime does not divide.
 *
 *     ./sieve        the first ten primes
 *     ./sieve 100    the first hundred
 *
 * Expected. The primes, one a line; exit 0, in both builds; no report. The generator and the filters still
 * run when main returns: the program ends all the same, as main is the main goroutine.
 */
#include <goro.h>
#include <stdio.h>
#include <stdlib.h>

/* Send 2, 3, 4, ... for ever. */
static void generate(chan(int) out)
{
	for (int i = 2;; i++)
		chan_send(out, i);
}

/* Copy from in to out what prime does not divide. */
static void filter(chan(int) in, chan(int) out, int prime)
{
	for (;;) {
		int i = chan_recv(in);
		if (i % prime != 0)
			chan_send(out, i);
	}
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 10;
	chan(int) end = chan_make(int);

	go(generate, end);
	for (int i = 0; i < n; i++) {
		int prime = chan_recv(end);
		printf("%d\n", prime);

		chan(int) next = chan_make(int);
		go(filter, end, next, prime);
		end = next;
	}
	return 0;
}
