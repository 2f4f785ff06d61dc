/*
 * c11threads.c: C11's thrd_* and mtx_*. In glibc they are its pthreads by another name (a mtx_t begins
 * as a pthread_mutex_t, a thrd_t is a pthread_t), and call them inside, where nobody listens; so the
 * same edges are made here. cnd_* waits stand in cond.c, call_once in once.c.
 */
#include "core.h"

#include <errno.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "one and the same in this libc");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "one and the same in this libc");

static pthread_mutex_t *under(mtx_t *m)
{
	return (pthread_mutex_t *)m;
}

INTERCEPT int thrd_create(thrd_t *th, thrd_start_t fn, void *arg)
{
	RaceCtx *me = self();
	Start *s = intercept_ready ? thread_start_new(me, NULL, fn, arg, false, CALLER) : NULL;
	int r;

	if (!s)
		return goro_real_thrd_create(th, fn, arg);
	writes(me, th, sizeof *th, CALLER);
	r = goro_real_thrd_create(th, thread_entry11, s);
	thread_started(s, r == thrd_success ? *th : 0, r == thrd_success);
	return r;
}

INTERCEPT int thrd_join(thrd_t th, int *out)
{
	Start *s = thread_find(th);
	int r = BLOCKS(goro_real_thrd_join(th, out));

	thread_joined(s, r == thrd_success);
	if (r == thrd_success && out)
		writes(self(), out, sizeof *out, CALLER);
	return r;
}

INTERCEPT int thrd_detach(thrd_t th)
{
	Start *s = thread_find(th);
	int r = goro_real_thrd_detach(th);

	thread_detached(s, r == thrd_success);
	return r;
}

static int locked(int r, mtx_t *m, const void *pc)
{
	if (r == thrd_success)
		mutex_locked(under(m), pc);
	return r;
}

static int tried_lock(int r, mtx_t *m, const void *pc)
{
	if (r == thrd_success)
		mutex_tried(under(m), pc);
	return r;
}

INTERCEPT int mtx_init(mtx_t *m, int type)
{
	RaceCtx *g = self();

	if (g) {
		hook_forget(m);
		writes(g, m, sizeof *m, CALLER);
	}
	return goro_real_mtx_init(m, type);
}

INTERCEPT void mtx_destroy(mtx_t *m)
{
	mutex_destroying(under(m), CALLER);
	goro_real_mtx_destroy(m);
	mutex_destroyed(under(m), CALLER);
}

INTERCEPT int mtx_lock(mtx_t *m)
{
	int r = goro_real_mtx_trylock(m);

	if (r == thrd_busy) {
		mutex_waits(under(m), CALLER);
		r = BLOCKS(goro_real_mtx_lock(m));
	} else if (r == thrd_error) {
		mutex_fails(under(m), EINVAL, CALLER);
	}
	return locked(r, m, CALLER);
}

INTERCEPT int mtx_trylock(mtx_t *m)
{
	return tried_lock(goro_real_mtx_trylock(m), m, CALLER);
}

INTERCEPT int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
	int r = goro_real_mtx_trylock(m);

	return tried_lock(
	    r == thrd_busy ? BLOCKS(goro_real_mtx_timedlock(m, until)) : r, m, CALLER);
}

INTERCEPT int mtx_unlock(mtx_t *m)
{
	mutex_unlocking(under(m), CALLER);
	return goro_real_mtx_unlock(m);
}
