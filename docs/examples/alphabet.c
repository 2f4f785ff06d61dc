/*
 * alphabet.c: concurrency is not parallelism. Two goroutines print the alphabet three times each, one in
 * small letters, one in capitals.
 *
 *     ./alphabet        one processor: concurrent, never parallel
 *     ./alphabet 2      two processors: both may run at the same time
 *
 * On one processor the first goroutine is usually done before the second gets its turn, so the letters
 * come in two blocks; on two they may mix. Each letter is printed in order by its own goroutine either way.
 *
 * Expected. "Start Goroutines", "Waiting To Finish", each letter of both alphabets three times,
 * "Terminating Program"; exit 0, in both builds; no report (stdio has its own lock, and nothing else is shared).
 */
#include <goro.h>
#include <stdio.h>
#include <stdlib.h>

static goro_waitgroup wg;

static void print_alphabet(char first)
{
	for (int count = 0; count < 3; count++)
		for (int i = 0; i < 26; i++)
			printf("%c ", first + i);
	goro_waitgroup_done(&wg);
}

int main(int argc, char **argv)
{
	/* How many processors the scheduler may use at the same time. */
	goro_gomaxprocs(argc > 1 ? atoi(argv[1]) : 1);

	goro_waitgroup_add(&wg, 2);
	printf("Start Goroutines\n");
	go(print_alphabet, 'a');
	go(print_alphabet, 'A');

	printf("Waiting To Finish\n");
	goro_waitgroup_wait(&wg);
	printf("\nTerminating Program\n");
	return 0;
}
