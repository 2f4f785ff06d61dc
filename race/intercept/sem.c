/*
 * sem.c: POSIX semaphores. A post is before the waits that come after it: each post joins its clock
 * into the semaphore's, each wait takes all that is there. (Which post a wait was let go by is nobody's
 * knowledge: the semaphore is a number.)
 */
#include "core.h"

static int passed(int r, sem_t *s)
{
	RaceCtx *g;

	if (r == 0 && (g = self()) != NULL)
		hook_acquire(g, s);
	return r;
}

INTERCEPT int sem_init(sem_t *s, int shared, unsigned value)
{
	RaceCtx *g = self();

	if (g) {
		writes(g, s, sizeof *s, CALLER);
		hook_forget(s);
	}
	return goro_real_sem_init(s, shared, value);
}

INTERCEPT int sem_destroy(sem_t *s)
{
	RaceCtx *g = self();

	if (g) {
		writes(g, s, sizeof *s, CALLER);
		hook_forget(s);
	}
	return goro_real_sem_destroy(s);
}

INTERCEPT int sem_post(sem_t *s)
{
	RaceCtx *g = self();

	if (g)
		hook_release_merge(g, s);
	return goro_real_sem_post(s);
}

INTERCEPT int sem_wait(sem_t *s)
{
	return passed(goro_real_sem_trywait(s) == 0 ? 0 : BLOCKS(goro_real_sem_wait(s)), s);
}

INTERCEPT int sem_trywait(sem_t *s)
{
	return passed(goro_real_sem_trywait(s), s);
}

INTERCEPT int sem_timedwait(sem_t *restrict s, const struct timespec *restrict until)
{
	return passed(
	    goro_real_sem_trywait(s) == 0 ? 0 : BLOCKS(goro_real_sem_timedwait(s, until)), s);
}

INTERCEPT int sem_clockwait(
    sem_t *restrict s, clockid_t clock, const struct timespec *restrict until)
{
	return passed(
	    goro_real_sem_trywait(s) == 0 ? 0 : BLOCKS(goro_real_sem_clockwait(s, clock, until)),
	    s);
}

INTERCEPT int sem_getvalue(sem_t *restrict s, int *restrict out)
{
	RaceCtx *g = self();

	if (g) {
		hook_acquire(g, s);
		writes(g, out, sizeof *out, CALLER);
	}
	return goro_real_sem_getvalue(s, out);
}
