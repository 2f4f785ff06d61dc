/*
 * signal.c: goro_signal_*: signals as messages on channels.
 *
 *   handler (any thread, any moment)   sets the signal's bit in `pending` and rings `bell`, a futex: two
 *                                      atomics and a raw system call, nothing else, so it may interrupt anything
 *   the thread (goro-signal)           takes the bits and sends each number, without blocking, to the
 *                                      channels that want it
 * A bit and not a count: a signal that comes twice before the thread looks is sent once, as in Go. A pipe
 * or eventfd would cost descriptors that a program which closes all it does not know would close.
 *
 * The list of channels and what the kernel was told are guarded by `list_lock` (rank OUTER: the thread
 * sends under it, so no channel gets anything once stop has the lock and took it off).
 *
 * Stop loses no signal: it first gives the signal back (sigaction), then waits until the thread has sent
 * what came before (quiet reaches the bell rung last), and only then takes the channel off.
 *
 * The thread counts as one of goro's own, which no goroutine waits for; that a signal may come is said
 * to deadlock.c by one in sched.npolling while any channel is listed.
 *
 * Edges: notify -> a receive of what it let through; a value sent -> the stop that comes after it. Through
 * the entry of the channel: notify merges its clock there, the thread (which has a clock, as any thread
 * of the program) acquires it before it sends and merges its own afterwards, stop acquires that.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define SIGNALS 64 /* 1 .. 64; bit sig - 1 */

typedef struct Entry Entry;
struct Entry {
	Entry *next;
	goro_chan *c;
	uint64_t wants;
	bool stopping; /* a stop waits for the thread: it wants nothing new */
};

static Lock list_lock = LOCK_INIT(OUTER);
static Entry *entries;                   /* list_lock; as the next four */
static uint64_t caught;                  /* our handler is in place */
static uint64_t ignored;                 /* by goro_signal_ignore */
static struct sigaction before[SIGNALS]; /* of what is in caught or ignored */
static bool running;                     /* the thread */
static uint64_t pending;                 /* atomic: or in handler, swap in the thread */
static uint32_t bell;                    /* atomic, futex: rung by handler */
static uint32_t quiet;                   /* atomic: everything up to this bell has been sent */
static uint32_t catching;                /* atomic: handlers between their first and last step */

static inline uint64_t bit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

/* Faults of the program's own, which a handler cannot put aside, and what no process may catch; libc's
 * own two; what the runtime uses. */
static bool may_be_had(int sig)
{
	switch (sig) {
	case SIGKILL:
	case SIGSTOP:
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
		return false;
	default:
		return sig > 0 && sig <= SIGNALS && (sig < 32 || sig >= SIGRTMIN);
	}
}

static void handler(int sig)
{
	(void)add_ar(&catching, 1);
	(void)or_ar(&pending, bit(sig)); /* pairs with swap_ar in thread_main */
	(void)add_ar(&bell, 1); /* after the bit: the thread that reads the bell finds it */
	os_futex_wake(&bell, 1);
	(void)sub_rel(&catching, 1); /* pairs with load_acq in wait_quiet */
}

/* ---- the thread ---- */

static void deliver(uint64_t set)
{
	RaceCtx *me = race_self();
	if (SEEDED)
		seed_note(SEED_SIGNALS);
	lock(&list_lock);
	for (int sig = 1; sig <= SIGNALS; sig++) {
		if (!(set & bit(sig)))
			continue;
		for (Entry *e = entries; e; e = e->next) {
			if (!(e->wants & bit(sig)))
				continue;
			hook_acquire(me, e);
			(void)goro_chan_try_send(e->c, &sig);
			hook_release_merge(me, e);
		}
	}
	unlock(&list_lock);
}

static void thread_main(void *unused)
{
	(void)unused;
	for (;;) {
		uint32_t rung = load_acq(&bell); /* pairs with add_ar in handler */
		uint64_t set = swap_ar(&pending, 0);
		if (set) {
			deliver(set);
			continue;
		}
		store_rel(&quiet, rung); /* pairs with load_acq in wait_quiet */
		os_futex_wait(&bell, rung, -1);
	}
}

/* Until all that was caught before this call is sent. */
static void wait_quiet(void)
{
	while (load_acq(&catching)) /* pairs with sub_rel in handler */
		os_yield();
	uint32_t rung = load_acq(&bell);
	while ((int32_t)(load_acq(&quiet) - rung) < 0) /* pairs with store_rel in thread_main */
		os_yield();
}

/* ---- what the kernel is told; list_lock held ---- */

static uint64_t wanted(void)
{
	uint64_t all = 0;
	for (const Entry *e = entries; e; e = e->next)
		if (!e->stopping)
			all |= e->wants;
	return all;
}

static void install(int sig, void (*fn)(int))
{
	struct sigaction sa;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = fn;
	sa.sa_flags = SA_RESTART | SA_ONSTACK;
	sigfillset(&sa.sa_mask);
	bool ours = (caught | ignored) & bit(sig);
	(void)sigaction(sig, &sa, ours ? NULL : &before[sig - 1]); /* cannot fail: may_be_had */
}

/* Make caught and ignored what they should be. */
static void update(uint64_t now_ignored)
{
	uint64_t now_caught = wanted(), changed = (now_caught ^ caught) | (now_ignored ^ ignored);
	for (int sig = 1; sig <= SIGNALS; sig++) {
		if (!(changed & bit(sig)))
			continue;
		if (now_caught & bit(sig))
			install(sig, handler);
		else if (now_ignored & bit(sig))
			install(sig, SIG_IGN);
		else
			(void)sigaction(sig, &before[sig - 1], NULL);
	}
	caught = now_caught;
	ignored = now_ignored;
}

/* Free the entries that want nothing. */
static void sweep(void)
{
	for (Entry **at = &entries, *e; (e = *at);) {
		if (e->wants) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		hook_forget(e);
		free(e);
		if (!entries)
			(void)add_sc(&sched.npolling, (uint32_t)-1);
	}
}

/* ---- lists of signals ---- */

/* The set of n signals, all that can be had when n == 0; 0: one of them can't. */
static uint64_t set_of(const int *sigs, int n)
{
	uint64_t set = 0;
	for (int i = 0; i < n; i++) {
		if (!may_be_had(sigs[i]))
			return 0;
		set |= bit(sigs[i]);
	}
	for (int sig = 1; n == 0 && sig <= SIGNALS; sig++)
		if (may_be_had(sig))
			set |= bit(sig);
	return set;
}

/* The same for a list that ends with 0. More than all of them is a list without an end. */
static uint64_t set_of_list(int sig, va_list ap)
{
	int sigs[4 * SIGNALS], n = 0;
	for (; sig; sig = va_arg(ap, int)) {
		if (n == 4 * SIGNALS)
			return 0;
		sigs[n++] = sig;
	}
	return set_of(sigs, n);
}

/* ---- the calls ---- */

static int notify(goro_chan *c, uint64_t set)
{
	if (!c)
		panic("os/signal: Notify using nil channel");
	if (!set)
		return -EINVAL;
	(void)g_current(); /* the runtime runs from here on, on a foreign thread too */
	Entry *fresh = malloc(sizeof(*fresh)), *e;
	if (!fresh)
		return -ENOMEM;
	lock(&list_lock);
	if (!running) {
		int err = os_thread_start(thread_main, NULL, 0, "goro-signal", true);
		if (err) {
			unlock(&list_lock);
			free(fresh);
			return err;
		}
		running = true;
	}
	for (e = entries; e && (e->c != c || e->stopping); e = e->next)
		;
	if (!e) {
		e = fresh;
		fresh = NULL;
		*e = (Entry){.next = entries, .c = c};
		if (!entries)
			(void)add_sc(&sched.npolling, 1);
		entries = e;
	}
	hook_release_merge(race_self(), e);
	e->wants |= set;
	update(ignored & ~set);
	unlock(&list_lock);
	free(fresh);
	return 0;
}

int goro_signal_notify(GORO_CHAN(int) c, int sig, ...)
{
	va_list ap;
	va_start(ap, sig);
	uint64_t set = set_of_list(sig, ap);
	va_end(ap);
	return notify((goro_chan *)(uintptr_t)c, set);
}

int goro_signal_notify_list(GORO_CHAN(int) c, const int *sigs, int n)
{
	if (n < 0 || (n && !sigs))
		return -EINVAL;
	return notify((goro_chan *)(uintptr_t)c, set_of(sigs, n));
}

void goro_signal_stop(GORO_CHAN(int) channel)
{
	goro_chan *c = (goro_chan *)(uintptr_t)channel;
	bool found = false;
	Entry *e;
	lock(&list_lock);
	for (e = entries; e; e = e->next)
		if (e->c == c)
			found = e->stopping = true;
	update(ignored);
	unlock(&list_lock);
	if (!found)
		return;
	wait_quiet();
	lock(&list_lock);
	for (e = entries; e; e = e->next) {
		if (e->c != c || !e->stopping)
			continue;
		hook_acquire(race_self(), e);
		e->wants = 0;
	}
	sweep();
	unlock(&list_lock);
}

/* No channel gets these any more; they are ignored, or as before. */
static int withdraw(uint64_t set, bool ignore)
{
	if (!set)
		return -EINVAL;
	lock(&list_lock);
	for (Entry *e = entries; e; e = e->next) {
		if (!(e->wants & set))
			continue;
		hook_acquire(race_self(), e);
		e->wants &= ~set;
	}
	update(ignore ? ignored | set : ignored & ~set);
	sweep();
	unlock(&list_lock);
	return 0;
}

int goro_signal_ignore(int sig, ...)
{
	va_list ap;
	va_start(ap, sig);
	uint64_t set = set_of_list(sig, ap);
	va_end(ap);
	return withdraw(set, true);
}

int goro_signal_reset(int sig, ...)
{
	va_list ap;
	va_start(ap, sig);
	uint64_t set = set_of_list(sig, ap);
	va_end(ap);
	return withdraw(set, false);
}

bool goro_signal_ignored(int sig)
{
	struct sigaction now;
	return sig > 0 && sig <= SIGNALS && sigaction(sig, NULL, &now) == 0 &&
	       !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN;
}
