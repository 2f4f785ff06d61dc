/*
 * os_fail.c: see os_fail.h.
 *
 * Calls fail as the kernel lets them fail. What it never refuses is left alone: futex wake, a write to an eventfd (it
 * answers EAGAIN only while the reader is awake anyhow), exit, yield, ids, clocks. close says EIO and has closed, as on Linux.
 */
#include "os_fail.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define GORO_FAIL
#include "../../runtime/os/raw.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static OsFail how;
static long at = -1;
static OsFailed none, *seen = &none;

typedef struct Fault {
	long nr;
	const char *name;
	int error;     /* 0: is never refused */
	bool interrupted;
	bool resource; /* what it asks for can be used up for good */
	bool done;     /* is done, and says an error nevertheless */
} Fault;

static const Fault faults[] = {
    {SYS_mmap, "mmap", ENOMEM, false, true, false},
    {SYS_munmap, "munmap", ENOMEM, false, false, false},
    {SYS_madvise, "madvise", ENOMEM, false, false, false},
    {SYS_mprotect, "mprotect", ENOMEM, false, true, false},
    {SYS_futex, "futex", 0, true, false, false},
    {SYS_nanosleep, "nanosleep", 0, true, false, false},
    {SYS_membarrier, "membarrier", ENOSYS, false, false, false},
    {SYS_openat, "openat", EMFILE, false, true, false},
    {SYS_sched_getaffinity, "sched_getaffinity", EINVAL, false, false, false},
    {SYS_getrandom, "getrandom", ENOSYS, false, false, false},
    {SYS_epoll_create1, "epoll_create1", EMFILE, false, true, false},
    {SYS_epoll_ctl, "epoll_ctl", ENOMEM, false, true, false},
    {SYS_epoll_pwait2, "epoll_pwait2", ENOSYS, true, false, false},
    {SYS_epoll_pwait, "epoll_pwait", 0, true, false, false},
    {SYS_eventfd2, "eventfd2", EMFILE, false, true, false},
    {SYS_read, "read", EIO, true, false, false},
    {SYS_write, "write", EIO, true, false, false},
    {SYS_recvfrom, "recvfrom", ECONNRESET, true, false, false},
    {SYS_sendto, "sendto", ECONNRESET, true, false, false},
    {SYS_accept4, "accept4", EMFILE, true, true, false},
    {SYS_connect, "connect", ENETUNREACH, true, false, false},
    {SYS_socket, "socket", EMFILE, false, true, false},
    {SYS_bind, "bind", EADDRINUSE, false, false, false},
    {SYS_listen, "listen", EADDRINUSE, false, false, false},
    {SYS_setsockopt, "setsockopt", ENOBUFS, false, false, false},
    {SYS_fcntl, "fcntl", EBADF, false, false, false},
    {SYS_newfstatat, "fstat", EIO, false, false, false},
    {SYS_ioctl, "ioctl", EIO, false, false, false},
    {SYS_ppoll, "ppoll", ENOMEM, true, false, false},
    {SYS_close, "close", EIO, false, false, true},
};

void os_fail_arm(OsFail h, long n, OsFailed *s)
{
	how = h;
	seen = s;
	__atomic_store_n(&at, n, __ATOMIC_RELEASE);
}

static bool fails_now(const Fault *f)
{
	long n = __atomic_load_n(&at, __ATOMIC_ACQUIRE);
	if (n > 0 && how == OS_FAIL_KIND) {
		if ((size_t)n > sizeof faults / sizeof *faults || f != &faults[n - 1] || !f->error)
			return false;
		snprintf(seen->what, sizeof seen->what, "%s", f->name); /* the same by all */
		return true;
	}
	if (n < 0 || !(how == OS_FAIL_INTERRUPT ? f->interrupted : how == OS_FAIL_ERROR ? f->error != 0 : f->resource))
		return false;
	long k = __atomic_add_fetch(&seen->calls, 1, __ATOMIC_RELAXED);
	if (n == 0 || (how == OS_FAIL_FOR_GOOD ? k < n : k != n))
		return false;
	if (k == n)
		snprintf(seen->what, sizeof seen->what, "%s", f->name);
	return true;
}

long os_fail_call(long nr, long a, long b, long c, long d, long e, long f)
{
	const Fault *fault = NULL;
	for (size_t i = 0; i < sizeof faults / sizeof *faults && !fault; i++)
		if (faults[i].nr == nr)
			fault = &faults[i];
	if (nr == SYS_futex && (b & FUTEX_CMD_MASK) != FUTEX_WAIT)
		fault = NULL;
	if (nr == SYS_write && c == 8) /* an eventfd; the test writes nothing of that length */
		fault = NULL;
	if (!fault || !fails_now(fault))
		return raw_syscall(nr, a, b, c, d, e, f);
	if (fault->done || (nr == SYS_epoll_ctl && b == EPOLL_CTL_DEL))
		(void)raw_syscall(nr, a, b, c, d, e, f);
	return how == OS_FAIL_INTERRUPT ? -EINTR : -fault->error;
}

/* ---- what is had from libc ---- */

static const Fault no_malloc = {0, "malloc", ENOMEM, false, true, false};
static const Fault no_thread = {0, "pthread_create", EAGAIN, false, true, false};

void *__real_malloc(size_t n);
void *__real_calloc(size_t k, size_t n);
void *__real_realloc(void *p, size_t n);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t k, size_t n);
void *__wrap_realloc(void *p, size_t n);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg);

void *__wrap_malloc(size_t n)
{
	return fails_now(&no_malloc) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t k, size_t n)
{
	return fails_now(&no_malloc) ? NULL : __real_calloc(k, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails_now(&no_malloc) ? NULL : __real_realloc(p, n);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg)
{
	return fails_now(&no_thread) ? EAGAIN : __real_pthread_create(t, a, f, arg);
}
