/*
 * fork.c: the child of fork. It has one thread, and copies of all goroutines: to run those would do their
 * work twice, and nobody is there to wake what sleeps. So the child's goroutine may do what needs no other
 * (plain code, libc, exec, _exit, uncontended locks, buffered channels), as if it were in a system call for
 * ever (in_syscall), and whatever would switch away from it, start or wake a goroutine is fatal.
 *
 * posix_spawn, popen and system make their children without this.
 */
#include <pthread.h>

#include "internal.h"

_Noreturn void fork_fatal(void)
{
	fatal("goro: fork without exec: the child has none of the threads that run goroutines, "
	      "so it can only compute, exec or _exit");
}

static void in_child(void)
{
	G *g = g_self();
	M *m = g ? g->m : m_self();
	trace_forked();
	if (sched.nm == 0) /* nothing ran yet: it may begin */
		return;
	sched.forked = 1;
	if (SEEDED)
		seed_forked();
	if (g)
		store_rlx(&g->preempt, 0);
	if (!m)
		return;
	m->p = NULL;
	m->in_syscall = M_FORKED;
	m->tid = os_thread_id();
}

void fork_init(void)
{
	pthread_atfork(NULL, NULL, in_child);
}
