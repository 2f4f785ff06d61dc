/*
 * time.h: shared by the clocks and sleeps of time/.
 */
#ifndef GORO_TIME_TIME_H
#define GORO_TIME_TIME_H

#include "../sched/runtime.h"

/* now + ns, at most the end of time; ns < 0 counts as 0. */
static inline int64_t time_after(int64_t ns)
{
	int64_t when;
	if (ns < 0)
		ns = 0;
	return __builtin_add_overflow(sched_now(), ns, &when) ? INT64_MAX : when;
}

#endif
