/*
 * time.c: the time functions beside those of system.c. The ones that answer from a variable of the
 * libc's (localtime, ctime, ...) write that, so that two goroutines in them, or one in them and one
 * still reading the answer, do race.
 */
#include "core.h"

#include <time.h>

/* time_t in, struct tm out. (The _r forms stand in system.c.) */
#define BROKEN_DOWN(name)                                                                          \
	INTERCEPT struct tm *name(const time_t *t)                                                 \
	{                                                                                          \
		RaceCtx *g = self();                                                               \
		struct tm *r;                                                                      \
		reads(g, t, sizeof *t, CALLER);                                                    \
		r = goro_real_##name(t);                                                           \
		if (r)                                                                             \
			writes(g, r, sizeof *r, CALLER);                                           \
		return r;                                                                          \
	}
BROKEN_DOWN(localtime)
BROKEN_DOWN(gmtime)

/* Text out, from `type`. */
#define AS_TEXT(name, type)                                                                        \
	INTERCEPT char *name##_r(const type *restrict t, char *restrict out)                       \
	{                                                                                          \
		RaceCtx *g = self();                                                               \
		char *r;                                                                           \
		reads(g, t, sizeof *t, CALLER);                                                    \
		r = goro_real_##name##_r(t, out);                                                  \
		if (g && r)                                                                        \
			writes(g, r, goro_real_strlen(r) + 1, CALLER);                             \
		return r;                                                                          \
	}                                                                                          \
	INTERCEPT char *name(const type *t)                                                        \
	{                                                                                          \
		RaceCtx *g = self();                                                               \
		char *r;                                                                           \
		reads(g, t, sizeof *t, CALLER);                                                    \
		r = goro_real_##name(t);                                                           \
		if (g && r)                                                                        \
			writes(g, r, goro_real_strlen(r) + 1, CALLER);                             \
		return r;                                                                          \
	}
AS_TEXT(asctime, struct tm)
AS_TEXT(ctime, time_t)

/* Both normalise what they are given. */
INTERCEPT time_t mktime(struct tm *t)
{
	writes(self(), t, sizeof *t, CALLER);
	return goro_real_mktime(t);
}

INTERCEPT time_t timegm(struct tm *t)
{
	writes(self(), t, sizeof *t, CALLER);
	return goro_real_timegm(t);
}
