/*
 * context.c: goro_context: Go's context.Context for a language without a collector.
 *
 * The tree. `parent` leads upwards through every context (values are searched that way). Only those made
 * by with_cancel, with_deadline can be cancelled; `canceller` is the nearest such, itself included. A
 * canceller lists its next cancellers below (children), wherever values lie in between.
 *
 * Cancelling. Under c->m: set err, take the children off, run the watches; then close done and go on
 * with the children, in a loop and not by recursion, since goroutines' stacks are small and trees may be
 * deep. Who clears a child's `linked`, under its parent's m, has it in hand: the canceller of its parent
 * (which takes a hold and threads it by `next`) or the child's own detach, never both. The mutexes are
 * goroutine mutexes without events, one at a time, so there is no order among them.
 *   err is stored before done is closed, so that who sees done closed finds err; and who finds err waits
 * for done to be closed, so that it may count on it the other way round too (as Go 1.25).
 *
 * Memory. refs: the program's references. holds: one for all refs together, one for each child, one for a
 * deadline that is armed, one for a cancel under way. When refs goes the context is cancelled, which
 * detaches it; when holds goes it is freed, and lets go of its parent.
 *
 * Edges. cancel -> receive from done, and -> err, cause not 0: both by the close of done. Deadline:
 * arming releases to &c->timer, the goroutine that cancels acquires it. Freeing: every hold let go is
 * before the free (id_holds), or the detector would take the free for a race with what others did to done.
 * A context's memory is the program's as far as use after free goes.
 */
#include "../sync/context.h"

#include <errno.h>
#include <stdlib.h>

#include "../chan/chan.h"
#include "../sync/sema.h"
#include "time.h"

struct goro_context {
	goro_context *parent;    /* a hold on it; constant; NULL: background */
	goro_context *canceller; /* nearest that can be cancelled; NULL: none; constant */
	goro_chan *done;         /* the canceller's; constant */
	const void *key;         /* with_value; constant, as the next */
	void *value;
	int64_t deadline; /* 0: none; constant */
	const void *pc;   /* who made it; constant */
	uint32_t refs;    /* atomic */
	uint32_t holds;   /* atomic */
	uint8_t id_holds; /* identity for the detector */

	/* Cancellers only. */
	goro_mutex m;       /* guards the following, where not said otherwise */
	int err;            /* 0, then once something else: store_rel under m, load_acq */
	int cause;          /* written before err */
	bool armed;         /* timer was armed, and nobody has stopped it yet */
	bool linked;        /* in the parent's canceller's children; its m */
	List sibling;       /* its m */
	goro_context *next; /* in the hands of who cleared linked */
	List children, watches;
	Timer timer; /* deadline */
};

static goro_context background;

static goro_context *check(goro_context *ctx, const void *pc)
{
	if (unlikely(!ctx))
		panic("context: use of a NULL context");
	if (GORO_RACE && ctx != &background)
		hook_read(race_self(), ctx, 1, pc);
	return ctx;
}

/* ---- memory ---- */

static void hold(goro_context *c)
{
	if (c != &background)
		(void)add_rlx(&c->holds, 1); /* relaxed: the caller has one, or what guards one */
}

static void let_go(goro_context *c, const void *pc)
{
	RaceCtx *me = race_self();
	while (c != &background) {
		hook_release_merge(me, &c->id_holds);
		if (sub_ar(&c->holds, 1) != 1) /* pairs with itself: all uses are before the free */
			return;
		goro_context *parent = c->parent;
		if (GORO_RACE)
			hook_acquire(me, &c->id_holds);
		if (c->canceller == c)
			goro_chan_free(c->done);
		if (GORO_RACE)
			hook_free(me, c, sizeof(*c), pc);
		free(c);
		c = parent;
	}
}

/* A context below parent, one reference, not yet in the tree. */
static goro_context *make(goro_context *parent, const void *pc)
{
	if (unlikely(!parent))
		panic("cannot create context from nil parent");
	(void)g_current(); /* the runtime runs from here on, on a foreign thread too */
	(void)check(parent, pc);
	goro_context *c = malloc(sizeof(*c));
	if (!c)
		fatal("out of memory: cannot make a context");
	*c = (goro_context){.parent = parent,
	    .canceller = parent->canceller,
	    .done = parent->done,
	    .deadline = parent->deadline,
	    .pc = pc,
	    .refs = 1,
	    .holds = 1};
	if (GORO_RACE)
		hook_alloc(race_self(), c, sizeof(*c), pc);
	hold(parent);
	return c;
}

/* ---- cancel ---- */

/* Take c out of its parent's list, if it still is there. */
static void detach(goro_context *c)
{
	goro_context *up = c->parent->canceller;
	if (!up)
		return;
	mutex_lock_quiet(&up->m, WAIT_MUTEX, up);
	if (c->linked) {
		c->linked = false;
		list_remove(&c->sibling);
	}
	mutex_unlock_quiet(&up->m);
}

/* Cancel c alone, putting its children, each with a hold, before *work. */
static void cancel_one(goro_context *c, int err, int cause, goro_context **work)
{
	List *l;
	mutex_lock_quiet(&c->m, WAIT_MUTEX, c);
	if (c->err) {
		mutex_unlock_quiet(&c->m);
		return;
	}
	c->cause = cause;
	store_rel(&c->err, err); /* publishes cause; pairs with load_acq in goro_context_err */
	while ((l = list_pop_front(&c->children))) {
		goro_context *child = list_entry(l, goro_context, sibling);
		child->linked = false;
		hold(child); /* it has one of its own, as it would have to detach first */
		child->next = *work;
		*work = child;
	}
	while ((l = list_pop_front(&c->watches))) {
		ContextWatch *w = list_entry(l, ContextWatch, link);
		w->linked = false;
		w->fn(w);
	}
	bool armed = c->armed;
	c->armed = false;
	mutex_unlock_quiet(&c->m);
	goro_chan_close(c->done);
	if (armed && timer_stop(&c->timer))
		let_go(c, c->pc); /* what the timer held; the caller has another */
}

/* Cancel c and all below it. The caller has a hold on c. */
static void cancel(goro_context *c, int err, int cause)
{
	goro_context *work = NULL, *child;
	cancel_one(c, err, cause, &work);
	while ((child = work)) {
		work = child->next;
		cancel_one(child, err, cause, &work);
		let_go(child, child->pc);
	}
	detach(c);
}

void goro_cancel_cause(goro_context *ctx, int cause)
{
	sched_point(POINT_CANCEL, ctx);
	(void)check(ctx, __builtin_return_address(0));
	if (ctx->canceller != ctx)
		panic("context: cancel of a context that cannot be cancelled");
	cancel(ctx, -ECANCELED, cause ? cause : -ECANCELED);
}

void goro_cancel(goro_context *ctx)
{
	sched_point(POINT_CANCEL, ctx);
	(void)check(ctx, __builtin_return_address(0));
	if (ctx->canceller != ctx)
		panic("context: cancel of a context that cannot be cancelled");
	cancel(ctx, -ECANCELED, -ECANCELED);
}

/* ---- make ---- */

goro_context *goro_background(void)
{
	return &background;
}

/* Make c a canceller, cancelled already when one above it is. */
static goro_context *make_canceller(goro_context *parent, const void *pc)
{
	goro_context *c = make(parent, pc);
	c->canceller = c;
	c->done = chan_new(sizeof(char), 0, pc);
	list_init(&c->children);
	list_init(&c->watches);
	list_init(&c->sibling);
	return c;
}

/* Put c below its parent; when that is cancelled c is too, for the same reason. */
static void enter(goro_context *c)
{
	goro_context *up = c->parent->canceller;
	if (!up)
		return;
	mutex_lock_quiet(&up->m, WAIT_MUTEX, up);
	bool cancelled = up->err != 0;
	if (!cancelled) {
		c->linked = true;
		list_push_back(&up->children, &c->sibling);
	}
	mutex_unlock_quiet(&up->m);
	if (cancelled) {
		int err = goro_context_err(up); /* with its edge */
		cancel(c, err, up->cause);
	}
}

goro_context *context_hold(goro_context *ctx)
{
	hold(ctx);
	return ctx;
}

void context_let_go(goro_context *ctx)
{
	let_go(ctx, ctx->pc);
}

void context_cancel_cause(goro_context *ctx, int cause)
{
	cancel(ctx, -ECANCELED, cause);
}

goro_context *context_with_cancel(goro_context *parent, const void *pc)
{
	goro_context *c = make_canceller(parent, pc);
	enter(c);
	return c;
}

goro_context *goro_with_cancel(goro_context *parent)
{
	return context_with_cancel(parent, __builtin_return_address(0));
}

/* The goroutine of a deadline that has passed; the timer's hold is ours. */
static void expire(void *arg)
{
	goro_context *c = arg;
	if (GORO_RACE)
		hook_acquire(race_self(), &c->timer);
	cancel(c, -ETIMEDOUT, -ETIMEDOUT);
	let_go(c, c->pc);
}

/* On the scheduler. */
static void fire(void *arg, int64_t now)
{
	goro_context *c = arg;
	(void)now;
	G *g = go_new(expire, c, 0, c->pc);
	if (!g)
		fatal("out of memory: cannot start a deadline's goroutine");
	go_start(g);
}

static goro_context *with_deadline(goro_context *parent, int64_t when, const void *pc)
{
	goro_context *c = make_canceller(parent, pc);
	bool ours = !c->deadline || when < c->deadline;
	if (ours)
		c->deadline = when > 0 ? when : 1; /* 0 stands for none */
	enter(c);
	if (!ours)
		return c;
	if (when <= sched_now()) {
		cancel(c, -ETIMEDOUT, -ETIMEDOUT);
		return c;
	}
	c->timer = (Timer){.fn = fire, .arg = c};
	mutex_lock_quiet(&c->m, WAIT_MUTEX, c);
	if (!c->err) {
		hook_release(race_self(), &c->timer);
		c->armed = true;
		hold(c);
		timer_arm(&c->timer, when);
	}
	mutex_unlock_quiet(&c->m);
	return c;
}

goro_context *goro_with_deadline(goro_context *parent, int64_t when)
{
	return with_deadline(parent, when, __builtin_return_address(0));
}

goro_context *goro_with_timeout(goro_context *parent, int64_t ns)
{
	return with_deadline(parent, time_after(ns), __builtin_return_address(0));
}

goro_context *goro_with_value(goro_context *parent, const void *key, void *value)
{
	if (!key)
		panic("nil key");
	goro_context *c = make(parent, __builtin_return_address(0));
	c->key = key;
	c->value = value;
	return c;
}

goro_context *goro_without_cancel(goro_context *parent)
{
	goro_context *c = make(parent, __builtin_return_address(0));
	c->canceller = NULL;
	c->done = NULL;
	c->deadline = 0;
	return c;
}

goro_context *goro_context_ref(goro_context *ctx)
{
	(void)check(ctx, __builtin_return_address(0));
	if (ctx != &background && add_rlx(&ctx->refs, 1) == 0) /* relaxed: the caller has one */
		panic("context: reference to a freed context");
	return ctx;
}

void goro_context_free(goro_context *ctx)
{
	const void *pc = __builtin_return_address(0);
	if (!ctx || ctx == &background)
		return;
	(void)check(ctx, pc);
	RaceCtx *me = race_self();
	hook_release_merge(me, &ctx->id_holds);
	uint32_t refs = sub_ar(&ctx->refs, 1); /* pairs with itself: the last one speaks for all */
	if (refs == 0)
		panic("context: free of a freed context");
	if (refs != 1)
		return;
	if (ctx->canceller == ctx)
		cancel(ctx, -ECANCELED, -ECANCELED);
	let_go(ctx, pc);
}

/* ---- ask ---- */

GORO_CHAN(char) goro_context_done(goro_context *ctx)
{
	(void)check(ctx, __builtin_return_address(0));
	return (GORO_CHAN(char))(uintptr_t)ctx->done;
}

/* c's error, once its channel is closed as well; 0: not cancelled. */
static int error_of(goro_context *c)
{
	int err = c ? load_acq(&c->err) : 0; /* pairs with store_rel in cancel_one */
	if (err)
		(void)goro_chan_recv(c->done, NULL);
	return err;
}

int goro_context_err(goro_context *ctx)
{
	sched_point(POINT_ATOMIC_LOAD, ctx);
	(void)check(ctx, __builtin_return_address(0));
	return error_of(ctx->canceller);
}

int goro_context_cause(goro_context *ctx)
{
	sched_point(POINT_ATOMIC_LOAD, ctx);
	(void)check(ctx, __builtin_return_address(0));
	return error_of(ctx->canceller) ? ctx->canceller->cause : 0;
}

const char *goro_context_err_text(int err)
{
	switch (err) {
	case 0:
		return "";
	case -ECANCELED:
		return "context canceled";
	case -ETIMEDOUT:
		return "context deadline exceeded";
	default:
		return "error";
	}
}

bool goro_context_deadline(goro_context *ctx, int64_t *when)
{
	(void)check(ctx, __builtin_return_address(0));
	if (ctx->deadline && when)
		*when = ctx->deadline;
	return ctx->deadline != 0;
}

void *goro_context_value(goro_context *ctx, const void *key)
{
	(void)check(ctx, __builtin_return_address(0));
	if (!key)
		return NULL;
	for (; ctx; ctx = ctx->parent)
		if (ctx->key == key)
			return ctx->value;
	return NULL;
}

/* ---- watch ---- */

bool context_can_end(const goro_context *ctx)
{
	return ctx && ctx->canceller;
}

int context_watch(goro_context *ctx, ContextWatch *w)
{
	goro_context *c = ctx->canceller;
	w->linked = false;
	if (!c)
		return 0;
	mutex_lock_quiet(&c->m, WAIT_MUTEX, c);
	bool cancelled = c->err != 0;
	if (!cancelled) {
		w->linked = true;
		list_push_back(&c->watches, &w->link);
	}
	mutex_unlock_quiet(&c->m);
	return cancelled ? error_of(c) : 0;
}

void context_unwatch(goro_context *ctx, ContextWatch *w)
{
	goro_context *c = ctx->canceller;
	if (!c)
		return;
	mutex_lock_quiet(&c->m, WAIT_MUTEX, c); /* also waits for a fn that runs */
	if (w->linked) {
		w->linked = false;
		list_remove(&w->link);
	}
	mutex_unlock_quiet(&c->m);
}
