/*
 * libc_thread.c: libc.c for calls of the threads' kind: locks, conditions, semaphores, joins, signals awaited,
 * locks on files. The goroutine waits on its thread and comes back on it: libc tells owners by threads.
 *
 * A lock that is free is taken by the try, and costs nothing more than that. Where there is no try the P is offered
 * first (two atomics).
 *
 * In the race archive most of these names are the interceptors' (race/intercept), which give the P away as
 * well. ThreadSanitizer, when the runtime is built for it, must see them itself.
 */
#include "../os/sanitizer.h"
#include "libc.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <threads.h>

#if !defined(SAN_THREAD)

#if !GORO_RACE

/* ---- pthread ---- */

GORO_API int pthread_mutex_lock(pthread_mutex_t *m)
{
	return TRIES(
	    pthread_mutex_trylock(m), EBUSY, pthread_mutex_lock, ___pthread_mutex_lock, (m));
}

GORO_API int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *t)
{
	return TRIES(pthread_mutex_trylock(m), EBUSY, pthread_mutex_timedlock,
	    ___pthread_mutex_timedlock, (m, t));
}

GORO_API int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t c, const struct timespec *t)
{
	return WAITS(pthread_mutex_clocklock, ___pthread_mutex_clocklock, (m, c, t));
}

GORO_API int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	return TRIES(pthread_rwlock_tryrdlock(l), EBUSY, pthread_rwlock_rdlock,
	    ___pthread_rwlock_rdlock, (l));
}

GORO_API int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	return TRIES(pthread_rwlock_trywrlock(l), EBUSY, pthread_rwlock_wrlock,
	    ___pthread_rwlock_wrlock, (l));
}

GORO_API int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *t)
{
	return TRIES(pthread_rwlock_tryrdlock(l), EBUSY, pthread_rwlock_timedrdlock,
	    ___pthread_rwlock_timedrdlock, (l, t));
}

GORO_API int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *t)
{
	return TRIES(pthread_rwlock_trywrlock(l), EBUSY, pthread_rwlock_timedwrlock,
	    ___pthread_rwlock_timedwrlock, (l, t));
}

GORO_API int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	return WAITS(pthread_cond_wait, ___pthread_cond_wait, (c, m));
}

GORO_API int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t)
{
	return WAITS(pthread_cond_timedwait, ___pthread_cond_timedwait, (c, m, t));
}

GORO_API int pthread_cond_clockwait(
    pthread_cond_t *c, pthread_mutex_t *m, clockid_t k, const struct timespec *t)
{
	return WAITS(pthread_cond_clockwait, ___pthread_cond_clockwait, (c, m, k, t));
}

GORO_API int pthread_barrier_wait(pthread_barrier_t *b)
{
	return WAITS(pthread_barrier_wait, ___pthread_barrier_wait, (b));
}

GORO_API int pthread_join(pthread_t t, void **result)
{
	return WAITS(pthread_join, ___pthread_join, (t, result));
}

GORO_API int pthread_timedjoin_np(pthread_t t, void **result, const struct timespec *until)
{
	return WAITS(pthread_timedjoin_np, ___pthread_timedjoin_np, (t, result, until));
}

/* ---- semaphores ---- */

GORO_API int sem_wait(sem_t *s)
{
	int e = os_errno();
	if (g_self() && sem_trywait(s) == 0)
		return 0;
	os_set_errno(e);
	return WAITS(sem_wait, __new_sem_wait, (s));
}

GORO_API int sem_timedwait(sem_t *s, const struct timespec *t)
{
	return WAITS(sem_timedwait, ___sem_timedwait, (s, t));
}

/* ---- C11 ---- */

GORO_API int mtx_lock(mtx_t *m)
{
	return TRIES(mtx_trylock(m), thrd_busy, mtx_lock, __mtx_lock, (m));
}

GORO_API int mtx_timedlock(mtx_t *m, const struct timespec *t)
{
	return TRIES(mtx_trylock(m), thrd_busy, mtx_timedlock, __mtx_timedlock, (m, t));
}

GORO_API int cnd_wait(cnd_t *c, mtx_t *m)
{
	return WAITS(cnd_wait, __cnd_wait, (c, m));
}

GORO_API int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *t)
{
	return WAITS(cnd_timedwait, __cnd_timedwait, (c, m, t));
}

GORO_API int thrd_join(thrd_t t, int *result)
{
	return WAITS(thrd_join, __thrd_join, (t, result));
}

/* ---- signals ---- */

GORO_API int sigwait(const sigset_t *set, int *sig)
{
	return WAITS(sigwait, __sigwait, (set, sig));
}

GORO_API int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return WAITS(sigwaitinfo, __sigwaitinfo, (set, info));
}

GORO_API int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *t)
{
	return WAITS(sigtimedwait, __sigtimedwait, (set, info, t));
}

GORO_API int pause(void)
{
	return WAITS(pause, __libc_pause, ());
}

GORO_API int sigsuspend(const sigset_t *set)
{
	return WAITS(sigsuspend, __libc_sigsuspend, (set));
}

/* ---- names of hosts ---- */

GORO_API int gethostbyname_r(
    const char *name, struct hostent *h, char *buf, size_t size, struct hostent **result, int *err)
{
	return WAITS(gethostbyname_r, __gethostbyname_r, (name, h, buf, size, result, err));
}

/* libc.a has it under this name alone. */
static struct hostent *gethostbyname_static(const char *name)
{
	static struct hostent h, *result;
	static char buf[8192];
	int err = 0;
	if (gethostbyname_r(name, &h, buf, sizeof buf, &result, &err) != 0)
		result = NULL;
	if (!result)
		h_errno = err;
	return result;
}

GORO_API struct hostent *gethostbyname(const char *name)
{
	__typeof__(&gethostbyname) real = REAL(gethostbyname);
	if (!real)
		return gethostbyname_static(name);
	bool in = syscall_enter_here(); /* its result and h_errno are the thread's */
	struct hostent *h = real(name);
	if (in)
		syscall_exit_here();
	return h;
}

#endif /* !GORO_RACE */

/* ---- locks on files, a terminal's output, sleep ---- */

GORO_API int thrd_sleep(const struct timespec *t, struct timespec *left)
{
	return WAITS(thrd_sleep, __thrd_sleep, (t, left));
}

static int fcntl_(int fd, int cmd, void *arg)
{
	__typeof__(&fcntl64) real = LIBC(fcntl64, __libc_fcntl64);
	bool in = (cmd == F_SETLKW || cmd == F_OFD_SETLKW) && syscall_enter_here();
	int r = real(fd, cmd, arg);
	if (in)
		syscall_exit_here();
	return r;
}

GORO_API int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	va_start(ap, cmd);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	return fcntl_(fd, cmd, arg);
}

GORO_API int fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	va_start(ap, cmd);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	return fcntl_(fd, cmd, arg);
}

GORO_API int lockf(int fd, int cmd, off_t n)
{
	return WAITS(lockf64, __lockf64, (fd, cmd, n));
}

GORO_API int lockf64(int fd, int cmd, off64_t n)
{
	return WAITS(lockf64, __lockf64, (fd, cmd, n));
}

GORO_API int tcdrain(int fd)
{
	return WAITS(tcdrain, __libc_tcdrain, (fd));
}

#endif /* !SAN_THREAD */
