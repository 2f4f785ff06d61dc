/*
 * notify.c: goro_signal_context: a context that a signal cancels. A goroutine waits for the signal or for
 * the context's end, and has the context's memory, not a reference: the last goro_context_free still
 * cancels it, which ends the goroutine.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "../chan/chan.h"
#include "../sync/context.h"

typedef struct Listener {
	goro_context *ctx; /* held, not referenced */
	goro_chan *signals;
	goro_chan *done; /* ctx's */
} Listener;

static void stop(goro_chan *signals)
{
	goro_signal_stop((GORO_CHAN(int))(uintptr_t)signals);
	goro_chan_free(signals);
}

static void listen(void *p)
{
	Listener l = *(Listener *)p;
	int sig = 0;
	goro_case cases[] = {{.chan = l.signals, .elem = &sig}, {.chan = l.done}};
	free(p);
	if (goro_select(cases, 2, true) == 0)
		context_cancel_cause(l.ctx, sig);
	stop(l.signals);
	context_let_go(l.ctx);
}

goro_context *goro_signal_context(goro_context *parent, int sig, ...)
{
	const void *pc = __builtin_return_address(0);
	int sigs[64], n = 0;
	va_list ap;
	va_start(ap, sig);
	for (; sig && n < 64; sig = va_arg(ap, int))
		sigs[n++] = sig;
	va_end(ap);
	if (!parent)
		panic("cannot create context from nil parent");
	goro_chan *signals = chan_new(sizeof(int), 1, pc);
	if (sig || goro_signal_notify_list((GORO_CHAN(int))(uintptr_t)signals, sigs, n) != 0) {
		goro_chan_free(signals);
		return NULL;
	}
	Listener *l = malloc(sizeof(*l));
	G *g = l ? go_new(listen, l, 0, pc) : NULL;
	if (!g) {
		free(l);
		stop(signals);
		return NULL;
	}
	goro_context *ctx = context_with_cancel(parent, pc);
	*l = (Listener){context_hold(ctx), signals, (goro_chan *)(uintptr_t)goro_context_done(ctx)};
	go_start(g);
	return ctx;
}
