/*
 * program.c: a program's main as main goroutine (main.c hands it over).
 *
 * As in Go the program ends when main returns, whatever else runs: the main goroutine itself calls exit,
 * on whatever thread it is, and the other Ms freeze at their next pick (sched.ended), so that exit handlers
 * and destructors do not run beside goroutines that use what they take down. If a handler waits for a
 * goroutine all the same, they go on.
 */
#include <stdlib.h>

#include "internal.h"

/* Run real_main as main goroutine and end the process with its result. Not for programs: exported, as
 * main.o lies outside the joined object of the archive. */
GORO_API int goro_run_main(
    int (*real_main)(int, char **, char **), int argc, char **argv, char **envp);

typedef struct Args {
	int (*real_main)(int, char **, char **);
	int argc;
	char **argv, **envp;
} Args;

/* A goroutine that is late may yet race: it gets our P for that. Also the first exit handler, that is,
 * nearly the last to run, of a goroutine that calls exit. */
static void linger(void *frame)
{
	G *g = g_self();
	bool gives = g && !g->m->in_syscall;
	if (!GORO_RACE)
		return;
	if (SEEDED) {
		static bool done; /* by the one goroutine that ends the process */
		if (gives && g->m->p && !done) {
			done = true;
			seed_linger();
			leaks_find(frame);
		}
		return;
	}
	if (gives)
		syscall_enter();
	hook_linger();
	if (gives) {
		syscall_exit_now();
		leaks_find(frame);
	}
}

static void linger_at_exit(void)
{
	linger(__builtin_frame_address(0));
}

static CALLS_PROGRAM int run_main(void *p)
{
	Args *a = p;
	int code = a->real_main(a->argc, a->argv, a->envp);
	linger(__builtin_frame_address(0)); /* what main left below is no root */
	store_rel(&sched.ended, 1);         /* pairs with load_acq in sched_loop */
	procs_attention();
	exit(code);
}

int goro_run_main(int (*real_main)(int, char **, char **), int argc, char **argv, char **envp)
{
	Args a = {real_main, argc, argv, envp};
	hook_init();
	if (GORO_RACE)
		(void)atexit(linger_at_exit);
	return goro_run(run_main, &a);
}
