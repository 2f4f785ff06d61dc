/*
 * shutdown_plain.c: stop goroutines with a flag, the wrong way: a plain variable that one goroutine writes
 * while others read it. It may seem to work. The sleeps make the write come before some of the reads in
 * time, but time orders nothing: the compiler may keep the flag in a register for ever, and the detector
 * says so. shutdown.c is the right way.
 *
 * Expected. Prints as shutdown.c does. Plain build: exit 0. Race build: WARNING: DATA RACE on the global
 * 'shutdown_flag' between the write in main and the read in do_work, exit 66.
 */
#include <goro.h>
#include <stdio.h>

static int64_t shutdown_flag;
static goro_waitgroup wg;

static void do_work(const char *name)
{
	for (;;) {
		printf("Doing %s Work\n", name);
		goro_sleep(10 * GORO_MILLISECOND);

		/* Do we need to shut down? (race) */
		if (shutdown_flag == 1) {
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
	goro_sleep(40 * GORO_MILLISECOND);

	/* Flag that it is time to shut down. (race) */
	printf("Shutdown Now\n");
	shutdown_flag = 1;

	goro_waitgroup_wait(&wg);
	return 0;
}
