/*
 * cancel.c: cancellation of threads. See race/cancel.h.
 */
#include "core.h"

#include "../thread.h"

INTERCEPT int pthread_cancel(pthread_t th)
{
	if (intercept_ready)
		signal_cancels();
	race_thread_cancel(self(), (uintptr_t)th);
	return goro_real_pthread_cancel(th);
}

/* What is enabled may be acted upon within the call; what is disabled, until it returns. */
INTERCEPT int pthread_setcancelstate(int state, int *old)
{
	RaceCtx *me = self();
	int r;

	if (state == PTHREAD_CANCEL_ENABLE)
		race_thread_cancellable(me, true);
	r = goro_real_pthread_setcancelstate(state, old);
	if (r == 0 && state == PTHREAD_CANCEL_DISABLE)
		race_thread_cancellable(me, false);
	if (r == 0 && old)
		writes(me, old, sizeof *old, CALLER);
	return r;
}

INTERCEPT int pthread_setcanceltype(int type, int *old)
{
	int r = goro_real_pthread_setcanceltype(type, old);

	if (r == 0 && old)
		writes(self(), old, sizeof *old, CALLER);
	return r;
}
