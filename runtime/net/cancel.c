/*
 * cancel.c: what a cancelled thread does first. See base/cancel.h, which the detector's interceptors use as well.
 */
#include "../base/cancel.h"

#include "../hooks.h"

void cancel_seen(void *unused)
{
	(void)unused;
	hook_acquire(hook_self(), cancel_identity(pthread_self()));
}
