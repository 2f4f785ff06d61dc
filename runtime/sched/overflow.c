/*
 * overflow.c: a goroutine that runs into the guard of its stack is named, in Go's words. SIGSEGV comes on
 * an alternate stack, which every M has; a fault that is none of ours goes to whoever handled SIGSEGV
 * before, or has its ordinary end.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "internal.h"

#define ALT_SIZE ((size_t)64 << 10) /* fatal() prints on a stack of its own */

static struct sigaction before;

static void pass_on(int sig, siginfo_t *si, void *uc)
{
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, si, uc);
		return;
	}
	if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
		return;
	}
	/* Back to the instruction, which faults again; a signal that was sent is sent again. */
	struct sigaction dfl;
	memset(&dfl, 0, sizeof dfl);
	dfl.sa_handler = SIG_DFL;
	sigaction(sig, &dfl, NULL);
	if (si->si_code <= 0)
		raise(sig);
}

static void on_segv(int sig, siginfo_t *si, void *uc)
{
	uintptr_t addr = (uintptr_t)si->si_addr;
	G *g = g_self();
	if (si->si_code > 0 && g && addr < g->stack_lo && addr >= stack_base(g)) {
		print_fd(2, "runtime: goroutine stack exceeds %zu-byte limit\n", (size_t)1 << g->stack_class);
		fatal("stack overflow");
	}
	pass_on(sig, si, uc);
}

void overflow_init(void)
{
	struct sigaction sa;
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = on_segv;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGSEGV, &sa, &before);
}

bool overflow_init_thread(void)
{
	stack_t old, ss;
	if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE))
		return false; /* the program's own will do */
	memset(&ss, 0, sizeof ss);
	ss.ss_sp = os_map(ALT_SIZE);
	ss.ss_size = ALT_SIZE;
	return ss.ss_sp && sigaltstack(&ss, NULL) == 0;
}

void overflow_fini_thread(void)
{
	stack_t old, off;
	memset(&off, 0, sizeof off);
	off.ss_flags = SS_DISABLE;
	if (sigaltstack(&off, &old) == 0 && !(old.ss_flags & SS_DISABLE))
		os_unmap(old.ss_sp, old.ss_size);
}
