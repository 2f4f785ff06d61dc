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

typedef struct Call {
	const void *flag;
	void (*fn)(void);
} Call;

static __thread Call *calling __attribute__((tls_model("initial-exec")));

static void run(void)
{
	Call c = *calling;
	RaceCtx *g;

	calling = NULL;
	c.fn();
	g = self();
	if (g)
		hook_release(g, c.flag);
}

#define ONCE(flag, fn, real)                                                                       \
	do {                                                                                       \
		Call c = {(const void *)(flag), fn}, *outer = calling;                             \
		RaceCtx *g;                                                                        \
		calling = &c;                                                                      \
		real;                                                                              \
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

int __cxa_guard_acquire(void *guard);
void __cxa_guard_release(void *guard);
void __cxa_guard_abort(void *guard);

INTERCEPT int __cxa_guard_acquire(void *guard)
{
	int mine = goro_real___cxa_guard_acquire(guard);
	RaceCtx *g = self();

	if (g)
		hook_acquire(g, guard); /* of the run that made it, or of those that gave up */
	return mine;
}

INTERCEPT void __cxa_guard_release(void *guard)
{
	RaceCtx *g = self();

	if (g)
		hook_release(g, guard);
	goro_real___cxa_guard_release(guard);
}

INTERCEPT void __cxa_guard_abort(void *guard)
{
	RaceCtx *g = self();

	if (g)
		hook_release(g, guard);
	goro_real___cxa_guard_abort(guard);
}
