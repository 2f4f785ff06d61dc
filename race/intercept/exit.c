/*
 * exit.c: the ways a process ends, so that what was found is told and the detector's exit code stands.
 *
 * exit and a return from main: the libc runs exit handlers, then destructors, newest first. Ours is the
 * program's last destructor (priority 1), so that all others' accesses count; the code, which
 * destructors are not told, was left by an on_exit handler, which has to be registered after the libc's own
 * that runs destructors. That is between the constructors of shared libraries and the program's: an instrumented library
 * brings exit_init too early, and the program's first constructor does it again. When the detector wants another code, exit
 * is called once more: the libc goes on with what is left, flushing the streams, and ends with that.
 * (Destructors of shared libraries are skipped then.)
 *
 * _exit, _Exit, quick_exit, abort: told on the way. A child made by vfork or a bare clone shares this
 * memory, or believes so: it is known by its process id, and ends without a word.
 *
 * A signal that kills, and _exit inside the libc, cannot be seen here.
 *
 * fork: no thread is inside the detector while the process is copied; the child goes on with the one
 * thread it has. The handlers are registered first, so that they run next to the copy: those of the
 * program run outside.
 */
#include "core.h"

#include <signal.h>

#include "../../runtime/os/os.h"
#include "../thread.h"

static pid_t process; /* whose report it is */
static int exit_code; /* what exit was called with */
static bool exiting;

static bool is_ours(void)
{
	return intercept_ready && getpid() == process;
}

static void on_way_out(int code, void *arg)
{
	(void)arg;
	exit_code = code;
	exiting = true;
}

#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored                                                                     \
    "-Wprio-ctor-dtor" /* the first hundred are the implementation's: that is us */
#endif
/* Before exit_init, where no library came first: then that does it, and before whatever the program registers. */
__attribute__((constructor(1))) static void first_constructor(void)
{
	if (intercept_ready)
		goro_real_on_exit(on_way_out, NULL);
}

__attribute__((destructor(1))) static void last_destructor(void)
{
	int code;

	if (!exiting || !is_ours())
		return;
	exiting = false;
	thread_leaks();
	code = hook_fini(exit_code);
	if (code != exit_code)
		exit(code);
}
#pragma GCC diagnostic pop

INTERCEPT void _exit(int code)
{
	if (is_ours()) {
		thread_leaks();
		code = hook_fini(code);
	}
	os_exit(code);
}

INTERCEPT void _Exit(int code)
{
	if (is_ours()) {
		thread_leaks();
		code = hook_fini(code);
	}
	os_exit(code);
}

INTERCEPT void quick_exit(int code)
{
	if (is_ours()) {
		thread_leaks();
		code = hook_fini(code);
	}
	goro_real_quick_exit(code);
	__builtin_unreachable();
}

INTERCEPT void abort(void)
{
	if (is_ours())
		hook_fini(128 + SIGABRT);
	goro_real_abort();
	__builtin_unreachable();
}

/* ---- fork ---- */

static void before_fork(void)
{
	race_fork_before();
}

static void after_fork(void)
{
	race_fork_after(false);
}

static void in_child(void)
{
	process = getpid();
	thread_forked();
	race_fork_after(true);
}

void exit_init(void)
{
	process = getpid();
	goro_real_on_exit(on_way_out, NULL);
	pthread_atfork(before_fork, after_fork, in_child);
}
