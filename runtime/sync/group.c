/*
 * group.c: goro_group, x/sync's errgroup: goroutines with one task, its first error, a limit.
 *
 * The wait group counts; the limit is a channel with a place for each that may run (`slots`), made by the
 * first _go that needs it and freed by Wait, after whose return nobody is in it. Sending takes a place,
 * receiving gives it back, so the edges of the limit are the channel's: end k -> the _go that takes its
 * place. The goroutine gives its place back first and then counts down, so that it touches nothing of
 * the group after Wait has been let go.
 *
 * err is set once, from 0, by cas; Wait reads it after the wait group's edge.
 */
#include <errno.h>
#include <stdlib.h>

#include "../chan/chan.h"
#include "context.h"
#include "sema.h"

typedef struct Task {
	goro_group *g;
	goro_chan *slots; /* where its place is; NULL: no limit */
	int (*f)(void *);
	void *arg;
} Task;

/* The places, made when there are none; NULL: no limit. With *room, one is taken where there is one: under
 * the lock, so that no Wait frees them meanwhile. */
static goro_chan *slots_of(goro_group *g, bool *room, const void *pc)
{
	if (!g->limit) /* set before the goroutines were started */
		return NULL;
	mutex_lock_quiet(&g->m, WAIT_MUTEX, g);
	if (!g->slots)
		g->slots = chan_new(0, (size_t)g->limit - 1, pc);
	goro_chan *c = g->slots;
	if (room)
		*room = chan_take_room(c, pc);
	mutex_unlock_quiet(&g->m);
	return c;
}

static void task_end(void *p)
{
	const Task *t = p;
	if (t->slots)
		(void)goro_chan_recv(t->slots, NULL);
	goro_waitgroup_done(&t->g->wg);
}

static CALLS_PROGRAM void task_run(void *p)
{
	Task t = *(Task *)p;
	free(p);
	G *me = g_self();
	AtExit end = {.next = me->at_exit, .fn = task_end, .arg = &t};
	me->at_exit = &end; /* f may end by goro_goexit */
	int err = t.f(t.arg);
	if (err && cas_rlx(&t.g->err, 0, err) && t.g->ctx) /* relaxed: the wait group orders it */
		goro_cancel_cause(t.g->ctx, err);
	me->at_exit = end.next;
	task_end(&t);
}

static int start(goro_group *g, int (*f)(void *), void *arg, bool wait, const void *pc)
{
	if (unlikely(!g))
		panic("sync: nil Group");
	if (!f)
		return -EINVAL;
	(void)g_current(); /* the runtime runs from here on, on a foreign thread too */
	bool room = true;
	goro_chan *slots = slots_of(g, wait ? NULL : &room, pc);
	if (slots && wait)
		goro_chan_send(slots, NULL);
	if (!room)
		return -EAGAIN;
	goro_waitgroup_add(&g->wg, 1);
	Task *t = malloc(sizeof(*t));
	G *task = NULL;
	if (t) {
		*t = (Task){.g = g, .slots = slots, .f = f, .arg = arg};
		task = go_new(task_run, t, 0, pc);
	}
	if (!task) {
		free(t);
		task_end(&(Task){.g = g, .slots = slots});
		return -ENOMEM;
	}
	go_start(task);
	return 0;
}

int goro_group_go(goro_group *g, int (*f)(void *), void *arg)
{
	return start(g, f, arg, true, __builtin_return_address(0));
}

int goro_group_try_go(goro_group *g, int (*f)(void *), void *arg)
{
	return start(g, f, arg, false, __builtin_return_address(0));
}

goro_context *goro_group_with_context(goro_group *g, goro_context *parent)
{
	if (unlikely(!g))
		panic("sync: nil Group");
	if (g->ctx)
		panic("errgroup: the group has a context already");
	g->ctx = context_with_cancel(parent, __builtin_return_address(0));
	return goro_context_ref(g->ctx);
}

void goro_group_set_limit(goro_group *g, int n)
{
	if (unlikely(!g))
		panic("sync: nil Group");
	uint32_t active = (uint32_t)(load_rlx(&g->wg.state) >> 32);
	if (active)
		panic("errgroup: modify limit while %u goroutines in the group are still active",
		    active);
	goro_chan_free(g->slots);
	g->slots = NULL;
	g->limit = n < 0 || n == INT32_MAX ? 0 : n + 1;
}

int goro_group_wait(goro_group *g)
{
	sched_point(POINT_WAIT, g);
	if (unlikely(!g))
		panic("sync: nil Group");
	goro_waitgroup_wait(&g->wg);
	int err = load_rlx(&g->err);
	/* Several may wait: one of them takes these away. */
	mutex_lock_quiet(&g->m, WAIT_MUTEX, g);
	goro_context *ctx = g->ctx;
	goro_chan *slots = g->slots;
	g->ctx = NULL;
	g->slots = NULL;
	mutex_unlock_quiet(&g->m);
	if (ctx) {
		goro_cancel_cause(ctx, err);
		goro_context_free(ctx);
	}
	goro_chan_free(slots);
	return err;
}
