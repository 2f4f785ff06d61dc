/*
 * atexit.c: registering an exit handler is before its call (C++ [support.start.term]; in C the libc's
 * list says so by its lock). Destructors of C++ statics are such handlers: what they destroy may have
 * been made by a thread nobody joined.
 *
 * The libc gets a stand-in which takes the order and runs the handler: the registering clock is joined
 * into one identity, all handlers acquire it.
 */
#include "core.h"

typedef struct Handler {
	void (*fn)(void *);
	void (*fn_status)(int, void *);
	void *arg;
} Handler;

static char order; /* its address is the identity */

static Handler *handler_new(void (*fn)(void *), void (*fn_status)(int, void *), void *arg)
{
	RaceCtx *g = self();
	Handler *h = g ? goro_real_malloc(sizeof *h) : NULL;

	if (h) {
		*h = (Handler){fn, fn_status, arg};
		hook_release_merge(g, &order);
	}
	return h;
}

static Handler handler_take(void *which)
{
	Handler h = *(Handler *)which;
	RaceCtx *g = self();

	if (g)
		hook_acquire(g, &order);
	goro_real_free(which);
	return h;
}

static void run(void *which)
{
	Handler h = handler_take(which);

	h.fn(h.arg);
}

static void run_status(int status, void *which)
{
	Handler h = handler_take(which);

	h.fn_status(status, h.arg);
}

/* atexit is a call of this, and so is every destructor of a C++ static. */
int __cxa_atexit(void (*fn)(void *), void *arg, void *dso);
INTERCEPT int __cxa_atexit(void (*fn)(void *), void *arg, void *dso)
{
	Handler *h = handler_new(fn, NULL, arg);

	return h ? goro_real___cxa_atexit(run, h, dso) : goro_real___cxa_atexit(fn, arg, dso);
}

INTERCEPT int on_exit(void (*fn)(int, void *), void *arg)
{
	Handler *h = handler_new(NULL, fn, arg);

	return h ? goro_real_on_exit(run_status, h) : goro_real_on_exit(fn, arg);
}
