/*
 * signal.c: signals: handlers whose accesses count, what orders them, and what the calls around them fill.
 *
 * A handler runs on the goroutine or thread that it interrupts, as a call from its innermost function.
 * One thing it must not interrupt is the detector itself (RaceThread.busy): its accesses and locks could
 * not be taken down there. So the program's handlers are run by a stand-in, on_signal. Where that finds
 * the detector busy, it sends the signal, with all that came with it, to its own thread once more, leaves
 * it blocked in the mask it returns to, and notes it (RaceThread.held). race_leave opens the mask, and
 * the kernel delivers it then and there: a signal is late by no more than the rest of one check, and
 * everything else about it (mask, alternate stack, restarted calls) is the kernel's own. No call is
 * interrupted that would not have been: the detector is not busy in any that waits for the program.
 * Faults cannot wait; they are run at once, and what they do inside the detector is counted as lost.
 *
 * Order. Setting a handler is before its runs; so is sending a signal (kill, raise, pthread_kill,
 * sigqueue), also before the return of a sigwait or the read of a signalfd that takes it, and so is arming
 * a timer. All of that by the signal's number: which of two equal ones came is nobody's knowledge.
 *
 * What a handler is, and how it was asked for, is one word a signal, so that on_signal, which may come
 * while another thread changes it, sees one or the other.
 */
#include <errno.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "fill.h"

#include "../../runtime/os/os.h"
#include "../lock/misuse.h"

#define SIGNALS 65

#define WITH_INFO (UINT64_C(1) << 62) /* SA_SIGINFO: three arguments */
#define ONCE      (UINT64_C(1) << 63) /* SA_RESETHAND */
#define ADDRESS   (WITH_INFO - 1)

static uint64_t handlers[SIGNALS]; /* atomic */
static char order[SIGNALS];        /* identities */
static char armed;                 /* identity of all timers */
static const void *signalfds;      /* atomic; identity of all signalfds; NULL before the first */

static inline bool known(int sig)
{
	return sig > 0 && sig < SIGNALS;
}

/* ---- who sends ---- */

static void sends(int sig)
{
	RaceCtx *g = known(sig) ? self() : NULL;
	const void *fds = load_acq(&signalfds); /* pairs with store_rel in signalfd */

	if (!g)
		return;
	hook_release_merge(g, &order[sig]);
	if (fds)
		hook_release_merge(g, fds);
}

static void arrives(RaceCtx *g, int sig)
{
	if (!g || !known(sig))
		return;
	hook_acquire(g, &order[sig]);
	hook_acquire(g, &armed);
}

void signal_armed(RaceCtx *g)
{
	const void *fds = load_acq(&signalfds); /* pairs with store_rel in signalfd */

	if (!g)
		return;
	hook_release_merge(g, &armed);
	if (fds)
		hook_release_merge(g, fds);
}

void signal_fires(RaceCtx *g)
{
	if (g)
		hook_acquire(g, &armed);
}

/* While a thread sends, the handlers that run on it were asked for. */
static __thread int sending __attribute__((tls_model("initial-exec")));

#define SENDER(name, params, args, to_us)                                                          \
	INTERCEPT int name params                                                                  \
	{                                                                                          \
		int r;                                                                             \
		if (to_us)                                                                         \
			sends(sig);                                                                \
		sending++;                                                                         \
		r = goro_real_##name args;                                                         \
		sending--;                                                                         \
		return r;                                                                          \
	}
SENDER(kill, (pid_t pid, int sig), (pid, sig), pid <= 0 || pid == getpid())
SENDER(killpg, (pid_t pid, int sig), (pid, sig), true)
SENDER(raise, (int sig), (sig), true)
SENDER(tgkill, (pid_t pid, pid_t tid, int sig), (pid, tid, sig), true)
SENDER(pthread_kill, (pthread_t th, int sig), (th, sig), true)
SENDER(sigqueue, (pid_t pid, int sig, const union sigval v), (pid, sig, v), pid == getpid())
SENDER(pthread_sigqueue, (pthread_t th, int sig, const union sigval v), (th, sig, v), true)

/* ---- who takes ---- */

__thread int signal_running __attribute__((tls_model("initial-exec")));

void signal_unsafe_call(const char *name, const void *pc)
{
	RaceCtx *g = self();

	if (g && module_counts(pc)) /* what libc calls inside, the call of libc stands for */
		misuse_signal(g, REPORT_SIGNAL_UNSAFE, ACCESS_CALL, name, signal_running, pc);
}

/* The detector is busy on this thread: have the signal come again, when it is no more. False: it cannot be sent. */
static bool hold(RaceThread *t, int sig, siginfo_t *info, void *uc)
{
	int saved = os_errno();
	bool again =
	    syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)os_thread_id(), sig, info) == 0;

	os_set_errno(saved);
	if (!again)
		return false;
	/* The bit itself: sigaddset knows no signals of the libc's own. */
	*(uint64_t *)(void *)&((ucontext_t *)uc)->uc_sigmask |= UINT64_C(1) << (sig - 1);
	or_ar(&t->held, UINT64_C(1) << (sig - 1)); /* pairs with race_leave */
	return true;
}

/* The stand-in of every handler. */
static void on_signal(int sig, siginfo_t *info, void *uc)
{
	RaceThread *t = &race_thread;
	uint64_t what = load_acq(&handlers[sig]); /* pairs with store_rel in change */
	bool fault = info->si_code > 0 && info->si_code != SI_KERNEL &&
		     (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
			 sig == SIGTRAP || sig == SIGSYS);

	if (unlikely(load_rlx(&t->busy)) && !fault && hold(t, sig, info, uc)) /* relaxed: own */
		return;
	if (what & ONCE) {
		struct sigaction none = {.sa_handler = SIG_DFL};

		goro_real_sigaction(sig, &none, NULL);
	}
	arrives(self(), sig);

	int outer = signal_running, before = os_errno();
	RaceCtx *g;

	signal_running = fault ? 0 : sig;
	if (race_seed && !fault)
		race_seed->note(SEED_SIGNALS);
	uint32_t nested = t->handlers++;
	if (what & WITH_INFO)
		((void (*)(int, siginfo_t *, void *))(uintptr_t)(what & ADDRESS))(sig, info, uc);
	else
		((void (*)(int))(uintptr_t)(what & ADDRESS))(sig);
	race_thread_now()->handlers = nested;
	signal_running = outer;
	/* SIGTERM's often sends itself once more, and ends the process: as TSan has it. */
	if (unlikely(os_errno() != before) && !fault && !sending && sig != SIGTERM &&
	    (g = self()) != NULL) {
		int spoilt = os_errno();

		misuse_signal(g, REPORT_SIGNAL_ERRNO, ACCESS_HANDLER, NULL, sig,
		    (const char *)(uintptr_t)(what & ADDRESS) + 1);
		os_set_errno(spoilt);
	}
}

/* ---- the stand-in in its place ---- */

static Lock change_lock = LOCK_INIT(RACE_SYNC);

static uint64_t word_of(const struct sigaction *a)
{
	return (uint64_t)(uintptr_t)a->sa_handler | (a->sa_flags & SA_SIGINFO ? WITH_INFO : 0) |
	       (a->sa_flags & (int)SA_RESETHAND ? ONCE : 0);
}

/* What the kernel has, as the program gave it. */
static void as_given(struct sigaction *a, uint64_t what)
{
	if (a->sa_sigaction != on_signal)
		return;
	a->sa_handler = (void (*)(int))(uintptr_t)(what & ADDRESS);
	if (!(what & WITH_INFO))
		a->sa_flags &= ~SA_SIGINFO;
	if (what & ONCE)
		a->sa_flags |= (int)SA_RESETHAND;
}

/* sigaction: may be called by a handler, hence all signals wait while the lock is held. */
static int change(int sig, const struct sigaction *to, struct sigaction *from)
{
	struct sigaction in, out;
	sigset_t all, before;
	uint64_t was;
	int r, e;

	sigfillset(&all);
	(void)os_signal_mask_call(SIG_SETMASK, &all, &before);
	lock(&change_lock);
	was = load_rlx(&handlers[sig]); /* relaxed: written under the lock */
	if (to) {
		in = *to;
		if (in.sa_handler != SIG_DFL && in.sa_handler != SIG_IGN &&
		    in.sa_sigaction != on_signal) {
			store_rel(
			    &handlers[sig], word_of(to)); /* pairs with load_acq in on_signal */
			in.sa_sigaction = on_signal;
			in.sa_flags = (in.sa_flags | SA_SIGINFO) & ~(int)SA_RESETHAND;
		}
	}
	r = goro_real_sigaction(sig, to ? &in : NULL, &out);
	e = os_errno();
	if (r != 0)
		store_rel(&handlers[sig], was);
	unlock(&change_lock);
	(void)os_signal_mask_call(SIG_SETMASK, &before, NULL);
	if (r == 0 && from) {
		as_given(&out, was);
		*from = out;
	}
	os_set_errno(e);
	return r;
}

INTERCEPT int sigaction(
    int sig, const struct sigaction *restrict to, struct sigaction *restrict from)
{
	RaceCtx *g = self();
	const void *pc = CALLER;
	int r;

	if (!known(sig) || !intercept_ready)
		return goro_real_sigaction(sig, to, from);
	IN(to);
	if (g && to)
		hook_release_merge(g, &order[sig]);
	r = change(sig, to, from);
	if (r == 0)
		OUT(from);
	return r;
}

static sighandler_t simple(int sig, sighandler_t fn, int flags)
{
	struct sigaction to = {.sa_handler = fn, .sa_flags = flags}, from;
	RaceCtx *g;

	if (!known(sig) || fn == SIG_ERR) {
		os_set_errno(EINVAL);
		return SIG_ERR;
	}
	if (!(flags & (int)SA_NODEFER))
		sigaddset(&to.sa_mask, sig);
	g = self();
	if (g)
		hook_release_merge(g, &order[sig]);
	return change(sig, &to, &from) == 0 ? from.sa_handler : SIG_ERR;
}

/* The two of the libc: BSD's, and System V's for programs that ask for it. */
INTERCEPT sighandler_t signal(int sig, sighandler_t fn)
{
	return intercept_ready ? simple(sig, fn, SA_RESTART) : goro_real_signal(sig, fn);
}

sighandler_t __sysv_signal(int, sighandler_t);
INTERCEPT sighandler_t __sysv_signal(int sig, sighandler_t fn)
{
	return intercept_ready ? simple(sig, fn, (int)(SA_RESETHAND | SA_NODEFER))
			       : goro_real___sysv_signal(sig, fn);
}

/* Called by race_leave: signals came while the detector was busy, and it is no more. */
void race_signals_held(RaceThread *t)
{
	uint64_t set[16] = {swap_ar(&t->held, 0)}; /* pairs with or_ar in on_signal */
	int saved = os_errno();

	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, set, NULL, 8);
	if (t->asynchronous) {
		t->asynchronous = false;
		goro_real_pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	}
	os_set_errno(saved);
}

/* ---- cancellation, which is a signal of the libc's own ---- */

/*
 * A request to cancel a thread that may be cancelled anywhere, or is in a call of libc that is a point, comes as signal
 * SIGCANCEL; its handler unwinds the stack from where it met the thread. Within the detector that left
 * it half done, with locks held. So that signal has a stand-in as well, which lets it wait as others do; from
 * race_leave the stack is unwound with nothing held. The libc sets its handler at the first request of the process,
 * whose signal is under way when pthread_cancel returns: for that to be harmless a thread of ours, which lets no
 * request disturb it, is the first to be cancelled. The libc's sigaction knows no such signal: the kernel's does.
 *
 * What the detector itself calls of libc could be a point, too. Reports are made, and symbols read, with
 * cancellation disabled (runtime/symbol/symbol.h: sym_shield).
 */
#define SIGCANCEL 32 /* the libc's number for it, on all of Linux */

typedef struct KernelAction {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
} KernelAction;

static void (*libc_cancels)(int, siginfo_t *, void *); /* constant once on_cancel may run */

static void on_cancel(int sig, siginfo_t *info, void *uc)
{
	RaceThread *t = &race_thread;

	if (unlikely(load_rlx(&t->busy)) && hold(t, sig, info, uc)) /* relaxed: own */
		return;
	libc_cancels(sig, info, uc);
}

/* Not even ignored, as posix_spawn leaves it for its child. */
static bool is_set(const KernelAction *a)
{
	return (uintptr_t)a->handler > (uintptr_t)SIG_IGN;
}

static long cancel_action(const KernelAction *to, KernelAction *from)
{
	return syscall(SYS_rt_sigaction, SIGCANCEL, to, from, sizeof to->mask);
}

static void *uncancellable(void *ready)
{
	uint32_t *state = ready;

	goro_real_pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	store_rel(state, 1u); /* pairs with load_acq in have_handler */
	os_futex_wake(state, 1);
	while (load_acq(state) == 1) /* pairs with store_rel there */
		os_futex_wait(state, 1, -1);
	return NULL;
}

/* The libc's handler is set from here on, unless there can be no thread more. */
static void have_handler(void)
{
	pthread_t th;
	uint32_t state = 0; /* atomic */

	if (goro_real_pthread_create(&th, NULL, uncancellable, &state) != 0)
		return;
	while (load_acq(&state) == 0) /* pairs with store_rel in uncancellable */
		os_futex_wait(&state, 0, -1);
	goro_real_pthread_cancel(th);
	store_rel(&state, 2u); /* pairs with load_acq there */
	os_futex_wake(&state, 1);
	goro_real_pthread_join(th, NULL);
}

void signal_cancels(void)
{
	static bool done; /* written under the lock */
	KernelAction a = {0};
	sigset_t all, before;
	int saved = os_errno();

	if (load_acq(&done)) /* pairs with store_rel below */
		return;
	sigfillset(&all);
	(void)os_signal_mask_call(SIG_SETMASK, &all, &before); /* for the thread as well */
	lock(&change_lock);
	if (!load_rlx(&done)) { /* relaxed: written under the lock */
		if (cancel_action(NULL, &a) == 0 && !is_set(&a))
			have_handler();
		if (cancel_action(NULL, &a) == 0 && is_set(&a)) {
			libc_cancels = a.handler;
			a.handler = on_cancel;
			(void)cancel_action(&a, NULL);
		}
		store_rel(&done, a.handler == on_cancel);
	}
	unlock(&change_lock);
	(void)os_signal_mask_call(SIG_SETMASK, &before, NULL);
	os_set_errno(saved);
}

/* ---- waiting for one: the thread's P moves on meanwhile ---- */

#define WAITS(name, params, args, said, told)                                                      \
	INTERCEPT int name params                                                                  \
	{                                                                                          \
		const void *pc = CALLER;                                                           \
		RaceCtx *g = self();                                                               \
		int r;                                                                             \
		said;                                                                              \
		r = BLOCKS(goro_real_##name args);                                                 \
		told;                                                                              \
		return r;                                                                          \
	}
WAITS(
    sigwait, (const sigset_t *restrict set, int *restrict out), (set, out), IN(set), if (r == 0) {
	    arrives(g, *out);
	    OUT(out);
    })
WAITS(
    sigwaitinfo, (const sigset_t *restrict set, siginfo_t *restrict out), (set, out), IN(set),
    if (r > 0) {
	    arrives(g, r);
	    OUT(out);
    })
WAITS(
    sigtimedwait,
    (const sigset_t *restrict set, siginfo_t *restrict out, const struct timespec *restrict t),
    (set, out, t), IN(set);
    IN(t), if (r > 0) {
	    arrives(g, r);
	    OUT(out);
    })
WAITS(sigsuspend, (const sigset_t *set), (set), IN(set), (void)0)
WAITS(pause, (void), (), (void)pc; (void)g, (void)0)

INTERCEPT int signalfd(int fd, const sigset_t *set, int flags)
{
	RaceCtx *g = self();
	const void *pc = CALLER;
	int r;

	IN(set);
	r = goro_real_signalfd(fd, set, flags);
	if (r >= 0 && fd_order) {
		int saved = os_errno();

		store_rel(&signalfds, fd_order(r).in[0]); /* pairs with load_acq in sends */
		os_set_errno(saved);
	}
	return r;
}

/* ---- what else is filled ---- */

CALL(int, sigpending, (sigset_t * out), (out), , r == 0, OUT(out))
CALL(int, sigaltstack, (const stack_t *restrict in, stack_t *restrict out), (in, out), IN(in),
    r == 0, OUT(out))
