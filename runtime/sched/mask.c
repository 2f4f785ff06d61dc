/*
 * mask.c: a goroutine's signal mask. pthread_sigmask and sigprocmask on a goroutine speak of that goroutine, as
 * elsewhere of the thread.
 *
 * Switches know nothing of masks: all of goro's threads have one and the same (sched.mask), and a goroutine whose
 * own differs is wired to its thread for as long (as by goro_lock_os_thread), so that nobody else runs there. The
 * price is paid by those who ask for it: a switch of threads at each park.
 *
 * sched.mask is that of the thread that called goro_run, or what main sets while it is the only goroutine and has
 * the only thread: so a program that blocks signals first of all and waits for them in one place (sigwait,
 * signalfd) has them blocked everywhere, as POSIX threads made after that have.
 *
 * What goes past these two functions is not seen: siglongjmp, swapcontext, sighold, a system call by number.
 *
 * Roads not taken. A word in G that each switch looks at: the path of 14 ns would pay for what hardly any program
 * does. Masks that new goroutines inherit, as threads do: a program that blocks SIGINT in main would wire all.
 */
#include <pthread.h>
#include <signal.h>

#include "../os/real.h"
#include "../os/sanitizer.h"
#include "internal.h"

void mask_init(void)
{
	store_rlx(&sched.mask, os_signal_mask());
	os_thread_mask(sched.mask);
}

void mask_end(G *g)
{
	g->masked = false;
	os_signal_mask_set(load_rlx(&sched.mask));
}

#if !defined(SAN_THREAD) /* which stands in front of them itself */

static bool is_alone(const G *g)
{
	/* Nobody else could change either. */
	return g->is_main && goroutines() == 1 && load_rlx(&sched.nm) == 1;
}

/* The mask of this thread was changed by the program. */
static void changed(void)
{
	G *g = g_self();
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	if (!g || here < g->stack_lo || here >= g->stack_hi) /* a handler on a stack of its own */
		return;
	uint64_t now = os_signal_mask();
	if (!g->masked && is_alone(g)) {
		store_rlx(&sched.mask, now); /* published by the start of the threads that use it */
		os_thread_mask(now);
		return;
	}
	bool differs = now != load_rlx(&sched.mask);
	if (differs == g->masked)
		return;
	g->masked = differs;
	if (differs)
		goro_lock_os_thread();
	else
		goro_unlock_os_thread();
}

GORO_API int pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
	__typeof__(&pthread_sigmask) real = REAL(pthread_sigmask);
	int e = real ? real(how, set, before) : os_signal_mask_call(how, set, before);
	if (e == 0 && set)
		changed();
	return e;
}

GORO_API int sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
	int e = pthread_sigmask(how, set, before);
	if (e == 0)
		return 0;
	os_set_errno(e);
	return -1;
}

#endif
