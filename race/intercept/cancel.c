/*
 * cancel.c: cancellation of threads. See runtime/base/cancel.h, which the calls that block use as well.
 *
 * A request is released before it is made; the points acquire it. One that comes to a thread which has ended, or
 * never asks, orders nothing; the identity is forgotten with the thread (thread.c), as its descriptor comes
 * again.
 */
#include "core.h"

INTERCEPT int pthread_cancel(pthread_t th)
{
	RaceCtx *g = self();

	if (g)
		hook_release_merge(g, cancel_identity(th));
	return goro_real_pthread_cancel(th);
}

#define POINT(call)                                                                                \
	do {                                                                                       \
		struct _pthread_cleanup_buffer w;                                                  \
		CANCEL_POINT_BEGIN(&w);                                                            \
		call;                                                                              \
		CANCEL_POINT_END(&w);                                                              \
	} while (0)

INTERCEPT void pthread_testcancel(void)
{
	POINT(goro_real_pthread_testcancel());
}

/* One that waits is acted upon as soon as it may. */
INTERCEPT int pthread_setcancelstate(int state, int *old)
{
	int r;

	POINT(r = goro_real_pthread_setcancelstate(state, old));
	if (r == 0 && old)
		writes(self(), old, sizeof *old, CALLER);
	return r;
}

INTERCEPT int pthread_setcanceltype(int type, int *old)
{
	int r;

	POINT(r = goro_real_pthread_setcanceltype(type, old));
	if (r == 0 && old)
		writes(self(), old, sizeof *old, CALLER);
	return r;
}
