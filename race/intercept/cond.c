/*
 * cond.c: condition variables. A wait gives up the mutex and takes it again, with both edges; that is
 * all the order there is: a signal without the mutex orders nothing, as POSIX has it.
 *
 * A thread cancelled in the wait owns the mutex again when its cleanup handlers run. The handler that
 * says so is pushed by the libc's call, not the header's macro (which would take a jmp_buf of stack).
 */
#include "core.h"

/* Exported by every glibc; declared by none of its headers under this spelling. */
void _pthread_cleanup_push(struct _pthread_cleanup_buffer *, void (*)(void *), void *);
void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *, int run);

typedef struct Wait {
	struct _pthread_cleanup_buffer cleanup;
	pthread_mutex_t *m;
	const void *pc;
	bool gave;
} Wait;

static void back(void *arg)
{
	Wait *w = arg;

	if (w->gave)
		mutex_locked(w->m, w->pc);
}

#define WAIT(mutex, call)                                                                          \
	do {                                                                                       \
		Wait w = {.m = mutex, .pc = CALLER};                                               \
		int r;                                                                             \
		w.gave = mutex_unlocking(w.m, w.pc);                                               \
		_pthread_cleanup_push(&w.cleanup, back, &w);                                       \
		r = BLOCKS(call);                                                                  \
		_pthread_cleanup_pop(&w.cleanup, 1);                                               \
		return r;                                                                          \
	} while (0)

INTERCEPT int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m)
{
	WAIT(m, goro_real_pthread_cond_wait(c, m));
}

INTERCEPT int pthread_cond_timedwait(
    pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict until)
{
	WAIT(m, goro_real_pthread_cond_timedwait(c, m, until));
}

INTERCEPT int pthread_cond_clockwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
    clockid_t clock, const struct timespec *restrict until)
{
	WAIT(m, goro_real_pthread_cond_clockwait(c, m, clock, until));
}

INTERCEPT int cnd_wait(cnd_t *c, mtx_t *m)
{
	WAIT((pthread_mutex_t *)m, goro_real_cnd_wait(c, m));
}

INTERCEPT int cnd_timedwait(
    cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until)
{
	WAIT((pthread_mutex_t *)m, goro_real_cnd_timedwait(c, m, until));
}
