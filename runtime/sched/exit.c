/*
 * exit.c: pthread_exit on a goroutine, which is no thread: the thread below it must live on.
 *
 * Main. As POSIX has it, the process ends with 0 when the last thread has ended, here: the last goroutine
 * and the last thread of the program's own. Main parks until deadlock.c finds it alone, and calls exit.
 * What waits for ever then is a deadlock like any other. Thread-specific data of main is not destroyed,
 * cleanup handlers of its frames (and C++ destructors) do not run.
 * Any other goroutine ends, as by goro_goexit.
 *
 * Edges: the end of each goroutine that ends after main's call is before the exit handlers.
 */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

#include "../os/real.h"
#include "internal.h"

/* On the other side of the switch: only now may main be readied. */
static void publish(G *g, void *unused)
{
	(void)unused;
	store_rel(&sched.main_left, g); /* pairs with load_acq in deadlock.c */
}

GORO_API _Noreturn void pthread_exit(void *value)
{
	G *g = g_self();
	if (!g) {
		__typeof__(&pthread_exit) real = REAL(pthread_exit);
		if (real)
			real(value);
		thrd_exit(
		    (int)(intptr_t)value); /* statically linked: a pointer loses its upper half */
	}
	if (!g->is_main)
		goro_goexit();
	park_fn(publish, NULL, WAIT_EXIT, NULL);
	hook_acquire(g_self()->race, &sched.main_left);
	exit(0);
}
