/*
 * interrupt.c: see interrupt.h. (Go preempts with SIGURG, too.)
 *
 * os_interrupt: step goes 0 -> 1 (sent) -> 2 (it stands still) or 3 (it said no) -> 4 (it may go). The registers live
 * on the interrupted thread's signal frame, hence it waits. A signal that comes too late finds a step
 * of another turn, or its tid not asked for, and returns.
 */
#include "interrupt.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/atomic.h"
#include "os.h"
#include "raw.h"

/* A thread that gets no processor for so long must be stopped itself. */
#define PATIENCE INT64_C(2000000000)

static struct {
	uint32_t tid;  /* asked; before step 1 */
	uint32_t step; /* futex */
	bool (*ask)(void);
	void *uc;
} turn;

static void on_signal(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)si;
	int error = os_errno();
	if (load_acq(&turn.step) == 1 &&
	    load_rlx(&turn.tid) == os_thread_id()) { /* pairs with store_rel below */
		turn.uc = uc;
		bool yes = turn.ask();
		store_rel(&turn.step, yes ? 2 : 3); /* publishes uc */
		os_futex_wake(&turn.step, 1);
		while (load_acq(&turn.step) == 2)
			os_futex_wait(&turn.step, 2, PATIENCE);
	}
	os_set_errno(error);
}

bool os_interrupt(
    uint32_t tid, bool (*ask)(void), void (*look)(void *ucontext, void *arg), void *arg)
{
	struct sigaction sa;
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = on_signal;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGURG, &sa, NULL);

	store_rlx(&turn.tid, tid); /* published by step */
	turn.ask = ask;
	store_rel(&turn.step, 1);
	if (raw_call(SYS_tgkill, getpid(), (long)tid, SIGURG, 0, 0, 0) < 0)
		return false;
	int64_t until = os_now() + PATIENCE;
	while (
	    load_acq(&turn.step) == 1 && os_now() < until) /* pairs with store_rel in on_signal */
		os_futex_wait(&turn.step, 1, PATIENCE);
	if (cas_ar(&turn.step, 1, 0))
		return false; /* it did not come */
	bool there = load_acq(&turn.step) == 2;
	if (there)
		look(turn.uc, arg);
	store_rel(&turn.step, 4);
	os_futex_wake(&turn.step, 1);
	return there;
}

/* ---- os_poke ---- */

static void (*poked)(void *uc); /* constant after os_poke_init */

static void on_poke(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)si;
	int error = os_errno();
	poked(uc);
	os_set_errno(error);
}

/* Whom the kernel calls: nothing that a program may interpose is asked. */
static void *listener(void)
{
	struct {
		void *fn;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} sa = {0};
	raw_call(SYS_rt_sigaction, SIGURG, 0, (long)&sa, sizeof sa.mask, 0, 0);
	return sa.fn;
}

bool os_poke_init(void (*fn)(void *))
{
	void *now = listener();
	if ((now != (void *)SIG_DFL && now != (void *)SIG_IGN) || !os_barrier_init())
		return false;
	poked = fn;
	struct sigaction sa;
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = on_poke;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigfillset(&sa.sa_mask);
	return sigaction(SIGURG, &sa, NULL) == 0;
}

bool os_poke(uint32_t tid)
{
	return listener() == (void *)(uintptr_t)on_poke &&
	       raw_call(SYS_tgkill, os_process_id(), (long)tid, SIGURG, 0, 0, 0) == 0;
}
