/*
 * shutdown.c: stop goroutines with a flag, the right way: main stores it atomically, the workers load it
 * atomically. The store is before every load that sees its value, so no worker can miss it for ever.
 *
 * shutdown_plain.c is the same with a plain variable, and a race.
 *
 * Expected. Lines "Doing A Work" and "Doing B Work", "Shutdown Now", one "Shutting A Down" and one
 * "Shutting B Down"; exit 0, in both builds; no report.
 */
#include <goro.h>
#include <stdio.h>

/* Set to 1 when the workers are to stop; only touched by atomic operations. */
static int64_t shutdown_flag;
static goro_waitgroup wg;

static void do_work(const char *name)
{
	for (;;) {
		printf("Doing %s Work\n", name);
		goro_sleep(10 * GORO_MILLISECOND);

		/* Do we need to shut down? */
		if (goro_atomic_load_int64(&shutdown_flag) == 1) {
			printf("Shutting %s Down\n", name);
			break;
		}
	}
	goro_waitgroup_done(&wg);
}

int main(void)
{
	goro_waitgroup_add(&wg, 2);
	go(do_work, "A");
	go(do_work, "B");

	/* Give the goroutines time to run. */
	goro_sleep(40 * GORO_MILLISECOND);

	/* Safely flag that it is time to shut down. */
	printf("Shutdown Now\n");
	goro_atomic_store_int64(&shutdown_flag, 1);

	goro_waitgroup_wait(&wg);
	return 0;
}
