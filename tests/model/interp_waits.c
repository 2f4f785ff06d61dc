/*
 * interp_waits.c: threads, conditions, semaphores, timers, contexts, groups, descriptors, barriers.
 *
 * What the interpreter must look at for itself (is that goroutine waiting by now? has that timer fired?) it
 * looks at between quiet_begin and quiet_end.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/invisible.h"
#include "interp.h"

Counted counted;
static goro_cond cond;
static pthread_cond_t plain_cond = PTHREAD_COND_INITIALIZER;
static bool woken[MAX_GOROUTINES];
static goro_semaphore sema;
static sem_t plain_sema;
static goro_timer *timers[TIMERS], *funcs[MAX_GOROUTINES];
static GORO_CHAN(int64_t) afters[AFTERS];
static goro_context *contexts[CONTEXTS];
static pthread_t threads[MAX_GOROUTINES];
static pthread_barrier_t barriers[BARRIERS];
static int reads[PIPES], writes[PIPES]; /* descriptors */

void waits_init(void)
{
	int fd[2];

	goro_cond_init(&cond, &mutexes[0]);
	goro_semaphore_init(&sema, SEMA_UNITS);
	sem_init(&plain_sema, 0, SEMA_UNITS);
	for (int i = 0; i < BARRIERS; i++)
		pthread_barrier_init(&barriers[i], NULL, 2);
	contexts[0] = goro_with_cancel(goro_background());
	contexts[CTX_BELOW] = goro_with_cancel(contexts[0]);
	contexts[CTX_GROUP] = goro_group_with_context(&counted.groups[0], goro_background());
	goro_group_set_limit(&counted.groups[1], GROUP_LIMIT);
	for (int i = 0; i < 2; i++) {
		check(-1, pipe(fd) == 0);
		reads[i] = fd[0];
		writes[i] = fd[1];
		reads[4 + i] = writes[4 + i] = eventfd(0, EFD_SEMAPHORE);
	}
	check(-1, socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	reads[2] = writes[3] = fd[0];
	reads[3] = writes[2] = fd[1];
}

/* ---- conditions ---- */

/* When the mutex is free, who waits has queued up before. */
static void confirm(void *arg)
{
	int t = (int)(uintptr_t)arg, m = p.steps[t].op[0].obj ? MUTEXES - 1 : 0;

	quiet_begin();
	while (!mutex_trylock(m))
		goro_gosched();
	mutex_unlock(m);
	quiet_end();
	done_step(t);
}

static void cond_wait(int t, const Op *op)
{
	woken[op->g] = false;
	check(t, goro_go(confirm, (void *)(uintptr_t)t) == 0);
	if (op->obj == 0)
		goro_cond_wait(&cond);
	else
		while (!woken[op->g])
			pthread_cond_wait(&plain_cond, &plain_mutex);
}

static void cond_signal(int t, const Op *op)
{
	if (op->block)
		woken[p.steps[t].op[1].g] = true;
	if (op->obj == 0)
		(op->way ? goro_cond_broadcast : goro_cond_signal)(&cond);
	else
		(op->way ? pthread_cond_broadcast : pthread_cond_signal)(&plain_cond);
}

/* ---- semaphores ---- */

static bool sema_try(int i)
{
	return i == 0 ? goro_semaphore_try_acquire(&sema, 1) : sem_trywait(&plain_sema) == 0;
}

static void sema_op(const Op *op)
{
	if (op->kind == OP_SEM_GIVE && op->obj == 0)
		goro_semaphore_release(&sema, 1);
	else if (op->kind == OP_SEM_GIVE)
		sem_post(&plain_sema);
	else if (op->obj == 0)
		goro_semaphore_acquire(&sema, NULL, 1);
	else
		sem_wait(&plain_sema);
}

/* ---- timers ---- */

static void until_fired(goro_chan *c)
{
	quiet_begin();
	while (goro_chan_len(c) == 0)
		goro_gosched();
	quiet_end();
}

static void timer_op(int t, const Op *op)
{
	goro_timer **at = &timers[op->obj];
	int64_t ns = op->way ? 0 : GORO_HOUR, v;

	switch (op->kind) {
	case OP_TIMER_NEW: *at = goro_timer_new(ns); break;
	case OP_TIMER_RESET: goro_timer_reset(*at, ns); break;
	case OP_TIMER_STOP: goro_timer_stop(*at); return;
	default: check(t, goro_chan_recv((goro_chan *)(*at)->c, &v)); return;
	}
	if (op->way)
		until_fired((goro_chan *)(*at)->c);
}

static void after_op(int t, const Op *op)
{
	int64_t v;

	if (op->kind == OP_AFTER) {
		afters[op->obj] = goro_after(1);
	} else {
		check(t, goro_chan_recv((goro_chan *)afters[op->obj], &v));
	}
}

/* ---- contexts ---- */

static void deadline(const Op *op)
{
	goro_context *ctx = goro_with_timeout(goro_background(), 200 * GORO_MICROSECOND); /* not over yet */

	quiet_begin();
	while (!goro_context_err(ctx))
		goro_gosched();
	quiet_end();
	contexts[op->obj] = ctx;
}

static void context_err(int t, const Op *op)
{
	bool cancelled = false;

	for (int i = 0; i < t; i++) {
		const Op *o = &p.steps[i].op[0];
		cancelled |= (o->kind == OP_CANCEL &&
				 (o->obj == op->obj || (o->obj == 0 && op->obj == CTX_BELOW))) ||
		    (o->kind == OP_CTX_DEADLINE && o->obj == op->obj) ||
		    (op->obj == CTX_GROUP &&
			((o->kind == OP_GROUP_WAIT && o->obj == 0) || (o->kind == OP_END && o->way)));
	}
	while (cancelled && !goro_context_err(contexts[op->obj]))
		goro_gosched(); /* a task that fails cancels after its last step; to look orders nothing before that */
	check(t, (goro_context_err(contexts[op->obj]) != 0) == cancelled);
}

/* ---- descriptors ---- */

static void pipe_op(int t, const Op *op)
{
	char buf[8] = {1}; /* an eventfd wants eight, and adds one */
	int fd = op->kind == OP_PIPE_READ ? reads[op->obj] : writes[op->obj];
	size_t n = op->obj < 4 ? 1 : 8;
	intptr_t r;

	if (op->kind == OP_PIPE_READ)
		r = op->way ? read(fd, buf, n) : goro_read(fd, buf, n);
	else
		r = op->way ? write(fd, buf, n) : goro_write(fd, buf, n);
	check(t, r == (intptr_t)n);
}

void perform_wait(int t, const Op *op)
{
	goro_group *group = &counted.groups[op->obj % GROUPS]; /* GROUP_WAIT, _FULL */

	switch ((Kind)op->kind) {
	case OP_THREAD:
		check(t, pthread_create(&threads[op->obj], NULL, thread_body, birth(op->obj, t)) == 0);
		break;
	case OP_JOIN: check(t, pthread_join(threads[op->obj], NULL) == 0); break;
	case OP_COND_WAIT: cond_wait(t, op); break;
	case OP_COND_BACK: break;
	case OP_SIGNAL: cond_signal(t, op); break;
	case OP_SEM_TRY: check(t, sema_try(op->obj) == !op->block); break;
	case OP_SEM_TAKE: case OP_SEM_GIVE: sema_op(op); break;
	case OP_TIMER_NEW: case OP_TIMER_RESET: case OP_TIMER_STOP: case OP_TIMER_RECV:
		timer_op(t, op);
		break;
	case OP_AFTER: case OP_AFTER_RECV: after_op(t, op); break;
	case OP_FUNC: goro_after_func(0, body, birth(op->obj, t)); break;
	case OP_FUNC_NEW: /* born in the next step */
		funcs[op->obj] = goro_after_func(GORO_HOUR, body, birth(op->obj, t + 1));
		break;
	case OP_FUNC_RESET: check(t, goro_timer_reset(funcs[op->obj], 0)); break;
	case OP_CANCEL: goro_cancel(contexts[op->obj]); break;
	case OP_CTX_DONE:
		check(t, !goro_chan_recv((goro_chan *)goro_context_done(contexts[op->obj]), NULL));
		break;
	case OP_CTX_ERR: context_err(t, op); break;
	case OP_CTX_DEADLINE: deadline(op); break;
	case OP_GROUP_GO:
		check(t, goro_group_go(&counted.groups[op->way], task_body, birth(op->obj, t)) == 0);
		break;
	case OP_GROUP_FULL:
		check(t, goro_group_try_go(group, task_body, NULL) == -EAGAIN);
		break;
	case OP_GROUP_WAIT: goro_group_wait(group); break;
	case OP_PIPE_WRITE: case OP_PIPE_READ: pipe_op(t, op); break;
	case OP_BARRIER: pthread_barrier_wait(&barriers[op->obj]); break;
	default: check(t, false);
	}
}
