/*
 * epoll.c: the poller of os.h by epoll, and an eventfd by which a waiting thread is woken.
 *
 * The eventfd is watched level-triggered and emptied by waits that wait: so a wake-up that finds nobody
 * waiting is there for the next one, and a look without waiting takes nothing away.
 *
 * Raw calls: errno stays the program's. epoll_pwait2 (Linux 5.11) has the nanoseconds that timers need;
 * where it is missing waits are rounded up to milliseconds.
 */
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>

#include "../base/atomic.h"
#include "os.h"
#include "raw.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* the same number on every architecture */
#endif

#define EVENTS    128
#define WAKE_DATA UINT64_MAX

static int epoll_fd =
    -1; /* written once, before anyone polls: published by os_poll_open's caller */
static int wake_fd = -1;
static uint32_t no_pwait2; /* relaxed: at worst tried once more */

static int control(int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = {.events = events, .data = {.u64 = data}};
	return (int)raw_call(SYS_epoll_ctl, epoll_fd, op, fd, (long)&ev, 0, 0);
}

int os_poll_open(void)
{
	long ep = raw_call(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0, 0, 0);
	if (ep < 0)
		return (int)ep;
	long wake = raw_call(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK, 0, 0, 0, 0);
	if (wake < 0) {
		(void)os_fd_close((int)ep);
		return (int)wake;
	}
	epoll_fd = (int)ep;
	wake_fd = (int)wake;
	int err = control(EPOLL_CTL_ADD, wake_fd, EPOLLIN, WAKE_DATA);
	if (err) {
		(void)os_fd_close(wake_fd);
		(void)os_fd_close(epoll_fd);
	}
	return err;
}

int os_poll_add(int fd, uint64_t data)
{
	return control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, data);
}

int os_poll_del(int fd)
{
	return control(EPOLL_CTL_DEL, fd, 0, 0);
}

static long wait_events(struct epoll_event *ev, int n, int64_t ns)
{
	if (ns > 0 && !load_rlx(&no_pwait2)) {
		struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
		long r = raw_call(SYS_epoll_pwait2, epoll_fd, (long)ev, n, (long)&t, 0, 8);
		if (r != -ENOSYS && r != -EPERM)
			return r;
		store_rlx(&no_pwait2, 1);
	}
	int64_t ms = ns <= 0 ? ns : ns / 1000000 + (ns % 1000000 != 0);
	return raw_call(SYS_epoll_pwait, epoll_fd, (long)ev, n,
	    ms < 0         ? -1
	    : ms > INT_MAX ? INT_MAX
			   : (long)ms,
	    0, 8);
}

int os_poll_wait(OsEvent *out, int n, int64_t ns)
{
	struct epoll_event ev[EVENTS];
	long got = wait_events(ev, n < EVENTS ? n : EVENTS, ns);
	if (got < 0)
		return got == -EINTR ? 0 : (int)got;
	int k = 0;
	for (long i = 0; i < got; i++) {
		uint32_t e = ev[i].events;
		if (ev[i].data.u64 == WAKE_DATA) {
			uint64_t count;
			if (ns != 0)
				(void)os_fd_read(wake_fd, &count, sizeof count);
			continue;
		}
		out[k].data = ev[i].data.u64;
		out[k++].ready =
		    (e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI) ? OS_READABLE
										 : 0) |
		    (e & (EPOLLOUT | EPOLLHUP | EPOLLERR) ? OS_WRITABLE : 0);
	}
	return k;
}

void os_poll_wake(void)
{
	uint64_t one = 1;
	(void)os_fd_write(wake_fd, &one, sizeof one);
}
