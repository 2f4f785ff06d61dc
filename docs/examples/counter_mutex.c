/*
 * counter_mutex.c: the counter mended with a mutex.
 *
 * The lines between lock and unlock are a critical section: one goroutine at a time. Each unlock is
 * before every later lock, so each goroutine sees what the one before it stored, even though it yields
 * right in the middle: the other then waits for the mutex, parked, and costs nothing.
 *
 * Expected. "Final Counter: 4", exit 0, in both builds; no report.
 */
#include <goro.h>
#include <stdio.h>

static int counter;
static goro_waitgroup wg;

/* Guards counter. A zeroed mutex is ready for use. */
static goro_mutex mutex;

static void inc_counter(int id)
{
	(void)id;
	for (int count = 0; count < 2; count++) {
		goro_mutex_lock(&mutex);
		{
			int value = counter;
			goro_gosched();
			value++;
			counter = value;
		}
		goro_mutex_unlock(&mutex);
	}
	goro_waitgroup_done(&wg);
}

int main(void)
{
	goro_waitgroup_add(&wg, 2);
	go(inc_counter, 1);
	go(inc_counter, 2);
	goro_waitgroup_wait(&wg);
	printf("Final Counter: %d\n", counter);
	return 0;
}
