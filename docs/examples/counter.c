/*
 * counter.c: a data race, on purpose. Two goroutines increment one counter with nothing between them.
 *
 *     goro-cc -race counter.c -o counter && ./counter
 *
 * Expected. The sum should be 4 and is at most 4: an update is lost whenever both goroutines read the
 * same old value. goro_gosched between the read and the write makes that likely; it orders nothing.
 * Plain build: prints "Final Counter: N", exit 0. Race build: WARNING: DATA RACE on the global
 * 'counter', both accesses in inc_counter, the same last line, exit 66.
 *
 * Three ways to mend it: counter_atomic.c, counter_mutex.c, counter_chan.c.
 */
#include <goro.h>
#include <stdio.h>

/* What the goroutines share, unprotected. */
static int counter;

/* Lets main wait for the two. */
static goro_waitgroup wg;

static void inc_counter(int id)
{
	(void)id;
	for (int count = 0; count < 2; count++) {
		/* Take the value of counter. */
		int value = counter;

		/* Give way to the other goroutine, which takes the same value. */
		goro_gosched();

		/* Increment our own copy, */
		value++;

		/* and store it: what the other stored in between is lost. */
		counter = value;
	}
	goro_waitgroup_done(&wg);
}

int main(void)
{
	goro_waitgroup_add(&wg, 2);

	go(inc_counter, 1);
	go(inc_counter, 2);

	/* Each Done is before the return of this Wait: reading counter here is no race. */
	goro_waitgroup_wait(&wg);
	printf("Final Counter: %d\n", counter);
	return 0;
}
