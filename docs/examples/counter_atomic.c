/*
 * counter_atomic.c: the counter mended with an atomic add.
 *
 * An atomic operation reads, changes and writes in one step that no other goroutine can cut in two, so
 * yielding around it does no harm. It also orders: what is before the add is before whatever observes it.
 *
 * Expected. "Final Counter: 4", exit 0, in both builds; no report.
 */
#include <goro.h>
#include <stdio.h>

static int64_t counter;
static goro_waitgroup wg;

static void inc_counter(int id)
{
	(void)id;
	for (int count = 0; count < 2; count++) {
		/* Safely add one to counter. */
		goro_atomic_add_int64(&counter, 1);

		/* Give way to the other goroutine. */
		goro_gosched();
	}
	goro_waitgroup_done(&wg);
}

int main(void)
{
	goro_waitgroup_add(&wg, 2);
	go(inc_counter, 1);
	go(inc_counter, 2);
	goro_waitgroup_wait(&wg);
	printf("Final Counter: %lld\n", (long long)goro_atomic_load_int64(&counter));
	return 0;
}
