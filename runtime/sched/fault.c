/*
 * fault.c: signals that end a program, on a goroutine: they come on an alternate stack, which every M has.
 *
 *   the guard of its own stack     named, in Go's words: "stack overflow", exit 2
 *   any other fault, and abort     words and traceback; then the signal has its ordinary end, so that
 *                                  wait status and core dump are what they are without goro
 *
 * The program comes first: a handler that was there before gets what is no stack overflow, one installed
 * later replaces ours. What happens on no goroutine, or is sent by kill, goes by in silence.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "internal.h"

#define ALT_SIZE ((size_t)64 << 10) /* fatal() prints on a stack of its own */

static struct sigaction before; /* of SIGSEGV; constant after fault_init */

/* Back to the instruction, which faults again; a signal that was sent is sent again. */
static void ordinary_end(int sig, const siginfo_t *si)
{
	struct sigaction dfl;
	memset(&dfl, 0, sizeof dfl);
	dfl.sa_handler = SIG_DFL;
	sigaction(sig, &dfl, NULL);
	if (si->si_code <= 0)
		raise(sig);
}

static bool is_overflow(const G *g, int sig, const siginfo_t *si)
{
	uintptr_t addr = (uintptr_t)si->si_addr;
	return sig == SIGSEGV && si->si_code > 0 && addr < g->stack_lo && addr >= stack_base(g);
}

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	G *g = g_self();
	if (g && is_overflow(g, sig, si)) {
		print_fd(2, "runtime: goroutine stack exceeds %zu-byte limit\n",
		    (size_t)1 << g->stack_class);
		fatal("stack overflow");
	}
	if (sig == SIGSEGV && before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, si, uc);
		return;
	}
	if (sig == SIGSEGV && before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
		return;
	}
	/* abort is sent, too, but by the thread itself. */
	if (g && (si->si_code > 0 || (sig == SIGABRT && si->si_code == SI_TKILL)))
		fault_print(sig, si, uc);
	ordinary_end(sig, si);
}

void fault_init(void)
{
	static const int sigs[] = {SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct sigaction sa, old;
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = on_fault;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGSEGV, &sa, &before);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		if (sigaction(sigs[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
		    old.sa_handler == SIG_DFL)
			sigaction(sigs[i], &sa, NULL);
}

bool altstack_init(void)
{
	stack_t old, ss;
	if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE))
		return false; /* the program's own will do */
	memset(&ss, 0, sizeof ss);
	ss.ss_sp = os_map(ALT_SIZE);
	ss.ss_size = ALT_SIZE;
	return ss.ss_sp && sigaltstack(&ss, NULL) == 0;
}

void altstack_fini(void)
{
	stack_t old, off;
	memset(&off, 0, sizeof off);
	off.ss_flags = SS_DISABLE;
	if (sigaltstack(&off, &old) == 0 && !(old.ss_flags & SS_DISABLE))
		os_unmap(old.ss_sp, old.ss_size);
}
