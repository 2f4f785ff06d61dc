/*
 * context.h: what waits that a context may end need of it: be told when it is cancelled. Implemented by
 * time/context.c; it lies here since sync/ may not look up to time/.
 */
#ifndef GORO_SYNC_CONTEXT_H
#define GORO_SYNC_CONTEXT_H

#include "../sched/runtime.h"

typedef struct ContextWatch ContextWatch;
struct ContextWatch {
	List link; /* the context's mutex; as the next */
	bool linked;
	/* Run once, by who cancels, under the context's mutex: short, no park, may ready(). */
	void (*fn)(ContextWatch *);
};

/* ctx could end a wait: it is not NULL and can be cancelled. */
bool context_can_end(const goro_context *ctx);
/* Have w->fn run when ctx is cancelled. Its error when it is already: then nothing is registered. */
int context_watch(goro_context *ctx, ContextWatch *w);
/* On return fn neither runs nor will run. */
void context_unwatch(goro_context *ctx, ContextWatch *w);
/* As goro_with_cancel, for a public function called at pc. */
goro_context *context_with_cancel(goro_context *parent, const void *pc);
/* For the runtime's own goroutines: keep ctx's memory, but not it from being cancelled with its last
 * reference; and cancel it as the last holder may. */
goro_context *context_hold(goro_context *ctx);
void context_let_go(goro_context *ctx);
void context_cancel_cause(goro_context *ctx, int cause);

#endif
