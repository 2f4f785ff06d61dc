/*
 * gtimer.h: what lies behind a goro_timer or goro_ticker handle: a Timer with its channel or function,
 * and the lock that makes start, stop and reset one operation at a time.
 */
#ifndef GORO_TIME_GTIMER_H
#define GORO_TIME_GTIMER_H

#include "../chan/chan.h"

typedef struct Shot Shot;

typedef struct GTimer {
	union { /* first: the handle is the address; the program reads c */
		goro_timer timer;
		goro_ticker ticker;
	} pub;
	Lock lock; /* rank OUTER: held by who starts or stops it, never by what fires */
	Timer timer;
	goro_chan *c;      /* constant; NULL: runs f */
	void (*f)(void *); /* constant */
	void *arg;         /* constant */
	const void *pc;    /* who made it; constant */
	Shot *shot;        /* f: of the arming under way; lock while not armed, then what fires */
} GTimer;

/* A channel's (f NULL) or a function's, not armed. */
GTimer *gtimer_new(void (*f)(void *), void *arg, const void *pc);
/* Arm it for `when`, then every `period` if > 0, after taking back what came before: true, when that was
 * armed or its value not yet received. */
bool gtimer_reset(GTimer *t, int64_t when, int64_t period, const void *pc);
bool gtimer_stop(GTimer *t, const void *pc);
void gtimer_free(GTimer *t, const void *pc);

#endif
