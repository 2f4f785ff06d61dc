/*
 * once.c: pthread_once, C11's call_once, and the guards of C++ function-local statics: the one run is
 * before every return.
 *
 * The release must come right after the function, before the libc lets others by; so the libc runs a
 * stand-in, which finds what to run in a Call on its caller's stack, through a thread-local. It is
 * taken off before the function runs: whatever way the function leaves, nothing is left behind, and an
 * inner once has its own.
 *
 * The stand-in stays on its thread: it runs inside the libc's pthread_once.
 */
#include "core.h"

#include "../../runtime/os/os.h"

typedef struct Call {
	const void *flag;
	void (*fn)(void);
	bool in; /* blocking_enter: somebody else was at it */
} Call;

static __thread Call *calling __attribute__((tls_model("initial-exec")));

static void run(void)
{
	Call c = *calling;
	RaceCtx *g;

	blocking_leave(c.in); /* who was at it gave up: it is ours after all */
	calling->in = false;
	calling = NULL;
	c.fn();
	g = self();
	if (g)
		hook_release(g, c.flag);
}

/* The libc's flag: bit 0 while the function runs, bit 1 once it has. A hint: whether to wait for another
 * with or without a P. */
static bool busy_once(const uint32_t *flag)
{
	return (load_rlx(flag) & 3) == 1;
}

#define ONCE(flag, fn, real)                                                                       \
	do {                                                                                       \
		Call c = {(const void *)(flag), fn, false}, *outer = calling;                      \
		RaceCtx *g;                                                                        \
		if (unlikely(busy_once((const uint32_t *)(const void *)(flag))))                   \
			c.in = blocking_enter();                                                   \
		calling = &c;                                                                      \
		real;                                                                              \
		blocking_leave(c.in);                                                              \
		calling = outer;                                                                   \
		g = self();                                                                        \
		if (g)                                                                             \
			hook_acquire(g, (const void *)(flag));                                     \
	} while (0)

INTERCEPT int pthread_once(pthread_once_t *flag, void (*fn)(void))
{
	int r;

	ONCE(flag, fn, r = goro_real_pthread_once(flag, run));
	return r;
}

INTERCEPT void call_once(once_flag *flag, void (*fn)(void))
{
	ONCE(flag, fn, goro_real_call_once(flag, run));
}

/* ---- C++ guards ---- */

/*
 * The guard of a function-local static: 8 bytes, of which compiled code looks at the first, and finds
 * 1 there once the object stands. The rest of the first word is this file's (and laid out as in
 * libstdc++, in case a library keeps to its own): somebody initialises; somebody sleeps on that.
 * Ours altogether, since a C++ library linked as an archive could not be found behind us.
 */
enum { GUARD_DONE = 1, GUARD_BUSY = 1 << 8, GUARD_ASLEEP = 1 << 16 };

int __cxa_guard_acquire(uint32_t *guard);
void __cxa_guard_release(uint32_t *guard);
void __cxa_guard_abort(uint32_t *guard);

static void wait_guard(uint32_t *guard, uint32_t seen)
{
	bool in = blocking_enter();

	os_futex_wait(guard, seen, -1);
	blocking_leave(in);
}

/* 1: the caller is to initialise, and then to call release or abort. */
INTERCEPT int __cxa_guard_acquire(uint32_t *guard)
{
	RaceCtx *g = self();
	uint32_t seen;

	for (;;) {
		seen = load_acq(guard); /* pairs with swap_ar in leave_guard */
		if (seen & GUARD_DONE)
			break;
		if (!seen && cas_acq(guard, 0u, (uint32_t)GUARD_BUSY))
			break;
		if (!seen)
			continue;
		if ((seen & GUARD_ASLEEP) ||
		    cas_rlx(guard, seen, seen | GUARD_ASLEEP)) /* relaxed: a futex */
			wait_guard(guard, seen | GUARD_ASLEEP);
	}
	if (g)
		hook_acquire(g, guard); /* of the run that made it, or of those that gave up */
	return !(seen & GUARD_DONE);
}

static void leave_guard(uint32_t *guard, uint32_t state)
{
	RaceCtx *g = self();

	if (g)
		hook_release(g, guard);
	if (swap_ar(guard, state) & GUARD_ASLEEP) /* pairs with load_acq in __cxa_guard_acquire */
		os_futex_wake(guard, INT32_MAX);
}

INTERCEPT void __cxa_guard_release(uint32_t *guard)
{
	leave_guard(guard, GUARD_DONE);
}

INTERCEPT void __cxa_guard_abort(uint32_t *guard)
{
	leave_guard(guard, 0);
}
