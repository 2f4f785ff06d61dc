/*
 * fatal.c: the ways to end for good: fatal, panic, throw.
 *
 * One thread ends the process; others that come meanwhile wait for it. The words go out first, by
 * plain write(2); then the tracebacks, which need libdw, hence malloc and locks that may be held by
 * whoever we interrupted: a fault can be anywhere. So an alarm watches over that part, and ends the
 * process when nothing is printed for WATCH_SECONDS. A second failure of the same thread, while it
 * prints, ends it at once.
 *
 * SIGQUIT ends in the same way, with all goroutines, as in Go. A fault that nobody handles prints the same,
 * and leaves the end to the signal.
 *
 * May be called on goroutine stacks of 16 KiB and in signal handlers on an alternate stack: the
 * printing switches to a stack of its own.
 */
#include "debug.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCH_SECONDS 15 /* reading the DWARF of a program of 1 GB took 4 s */
#define FAULT_SECONDS                                                                              \
	5 /* likelier to be in the middle of malloc, and somebody waits for the core */
#define EXIT_FATAL 2

typedef enum Ending { END_FATAL, END_FATAL_ALL, END_PANIC, END_THROW, END_QUIT, END_FAULT } Ending;

static struct {
	uint32_t tid; /* who ends the process, 0 nobody; atomic */
	Ending how;   /* by tid alone, as the rest */
	char text[2048];
	TraceSelf self;
	unw_context_t regs;
	uint32_t seen_progress;
	int sig; /* END_FAULT: what it ends by; else 0 */
} dying;

bool fatal_in_progress(void)
{
	return load_rlx(&dying.tid) != 0; /* relaxed: asked by the dying thread itself */
}

static unsigned patience(void)
{
	return dying.sig ? FAULT_SECONDS : WATCH_SECONDS;
}

static void on_alarm(int sig)
{
	(void)sig;
	if (dying.seen_progress != load_rlx(&trace_progress)) {
		dying.seen_progress = load_rlx(&trace_progress);
		alarm(patience());
		return;
	}
	static const char text[] = "\ngoro: the traceback does not come to an end; giving up\n";
	os_write(2, text, sizeof text - 1);
	if (dying.sig) { /* for the process: this may be another thread, where it is not blocked */
		signal(dying.sig, SIG_DFL);
		kill(getpid(), dying.sig);
		os_sleep(INT64_C(1000000000));
	}
	os_exit(EXIT_FATAL);
}

static void watch(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	sigset_t set;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	(void)os_signal_mask_call(SIG_UNBLOCK, &set, NULL);
	alarm(patience());
}

static void print_traces(void *arg)
{
	(void)arg;
	TraceLevel level = trace_level();
	G *g = dying.self.g;
	if (level == TRACE_NONE)
		return;
	if (dying.how == END_THROW)
		level = TRACE_SYSTEM;
	bool all = dying.how == END_FATAL_ALL || dying.how == END_QUIT || level >= TRACE_ALL;
	if (!g && (dying.how == END_THROW || !m_self())) {
		os_write(2, "\n", 1);
		trace_thread(2, &dying.self, level);
	} else if (!g) {
		all = true; /* the scheduler speaks for all of them */
	}
	if (all) {
		trace_all(2, g, &dying.self, level, true);
	} else if (g) {
		os_write(2, "\n", 1);
		trace_one(2, g, &dying.self, level);
	}
}

static void print_all(void)
{
	watch();
	dying.self.regs = &dying.regs;
	dying.self.g = g_self();
	if (!debug_on_stack(print_traces, NULL))
		os_write(2, "\ngoro: failed while printing a traceback; no more is known\n", 59);
	if (TRACED)
		trace_end();
	alarm(0);
}

/* The registers are taken in the caller's frame, which stays: nobody returns. */
static _Noreturn void end(void)
{
	print_all();
	if (dying.how == END_THROW || trace_crash()) {
		if (dying.how != END_THROW)
			hook_fini(EXIT_FATAL);
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	os_exit(hook_fini(EXIT_FATAL));
}

/* While the tracebacks are printed the others run on, and main may return: the process must not end
 * by that, silently and with its code. */
static __attribute__((destructor)) void wait_for_dying(void)
{
	uint32_t tid = load_rlx(&dying.tid);
	if (tid && tid != os_thread_id())
		for (;;)
			os_sleep(INT64_C(3600000000000));
}

/* One thread gets through, once. */
static void begin(Ending how, const char *head, const char *fmt, va_list ap)
{
	uint32_t tid = os_thread_id();
	if (!cas_ar(&dying.tid, 0, tid)) {
		if (load_rlx(&dying.tid) != tid)
			for (;;)
				os_sleep(INT64_C(3600000000000));
		print_fd(2, "\ngoro: while ending: ");
		vprint_fd(2, fmt, ap);
		print_fd(2, "\n");
		os_exit(EXIT_FATAL);
	}
	dying.how = how;
	int n = snprintf(dying.text, sizeof dying.text - 1, "%s", head);
	n += vsnprintf(dying.text + n, sizeof dying.text - 1 - (size_t)n, fmt, ap);
	if (n > (int)sizeof dying.text - 2)
		n = sizeof dying.text - 2;
	dying.text[n++] = '\n';
	os_write(2, dying.text, (size_t)n);
}

#define END(how, head)                                                                             \
	va_list ap;                                                                                \
	va_start(ap, fmt);                                                                         \
	begin(how, head, fmt, ap);                                                                 \
	va_end(ap);                                                                                \
	unw_getcontext(&dying.regs);                                                               \
	end()

_Noreturn void fatal(const char *fmt, ...)
{
	END(END_FATAL, "fatal error: ");
}

_Noreturn void fatal_all(const char *fmt, ...)
{
	END(END_FATAL_ALL, "fatal error: ");
}

_Noreturn void panic(const char *fmt, ...)
{
	END(END_PANIC, "panic: ");
}

_Noreturn void vpanic(const char *fmt, va_list ap)
{
	begin(END_PANIC, "panic: ", fmt, ap);
	unw_getcontext(&dying.regs);
	end();
}

_Noreturn void throw(const char *fmt, ...)
{
	END(END_THROW, "goro: internal error: ");
}

_Noreturn void goro_panic(const char *fmt, ...)
{
	END(END_PANIC, "panic: ");
}

/* ---- SIGQUIT: all goroutines, then the end ---- */

static void begin_quit(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void begin_quit(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	begin(END_QUIT, "SIGQUIT: quit\n", fmt, ap);
	va_end(ap);
}

static void on_quit(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	M *m = m_self();
	begin_quit("PC=0x%zx m=%d sigcode=%d", (size_t)trace_pc(uc), m ? m->id : -1, si->si_code);
	unw_getcontext(&dying.regs);
	end();
}

/* ---- faults ---- */

static void begin_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void begin_fault(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	begin(END_FAULT, "fatal error: ", fmt, ap);
	va_end(ap);
}

/* What happened, and Go's name of the signal. */
static const char *fault_words(int sig, const siginfo_t *si, const char **name)
{
	switch (sig) {
	case SIGSEGV:
		*name = "SIGSEGV: segmentation violation";
		return (uintptr_t)si->si_addr < os_page_size() && si->si_code != SI_KERNEL
			   ? "invalid memory address or nil pointer dereference"
			   : "unexpected fault address";
	case SIGBUS:
		*name = "SIGBUS: bus error";
		return "unexpected fault address";
	case SIGFPE:
		*name = "SIGFPE: floating-point exception";
		return si->si_code == FPE_INTDIV ? "integer divide error" : "floating point error";
	case SIGILL:
		*name = "SIGILL: illegal instruction";
		return "illegal instruction";
	default:
		*name = "SIGABRT: abort";
		return "abort";
	}
}

void fault_print(int sig, const siginfo_t *si, const void *uc)
{
	const char *name, *words = fault_words(sig, si, &name);
	void *addr = sig == SIGABRT ? NULL : si->si_addr;
	begin_fault("%s\n[signal %s code=0x%x addr=0x%zx pc=0x%zx]", words, name,
	    (unsigned)si->si_code, (size_t)addr, (size_t)trace_pc(uc));
	dying.sig = sig;
	dying.self.exact = trace_fault_regs(
	    uc, sig == SIGSEGV && si->si_code > 0 ? addr : (void *)-1, g_self(), &dying.regs);
	print_all();
	(void)hook_fini(128 + sig);
}

void quit_init(void)
{
	struct sigaction sa, old;
	if (sigaction(SIGQUIT, NULL, &old) != 0 || old.sa_handler != SIG_DFL)
		return; /* the program's own business, or ignored by its parent's wish (nohup) */
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = on_quit;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGQUIT, &sa, NULL);
}
