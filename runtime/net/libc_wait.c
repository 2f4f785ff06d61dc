/*
 * libc_wait.c: libc.c for calls that wait for descriptors, time or other processes, and for the resolver.
 */
#include "libc.h"

/* What is ready may be so because of what another did: its bytes are ordered where they are read, and a
 * wait through epoll also by what was put into the epoll (epoll_ctl, and the writes to what it watches:
 * the fds' own orders). */

static inline void polled(const struct pollfd *p, nfds_t n, int r, const void *pc)
{
	for (nfds_t i = 0; GORO_RACE && r >= 0 && i < n; i++) {
		takes(&p[i], offsetof(struct pollfd, revents), pc);
		fills(&p[i].revents, sizeof p[i].revents, pc);
	}
}

static inline int poll_(struct pollfd *p, nfds_t n, int ms, const void *pc)
{
	int r = BLOCKING(poll, (p, n, ms), SYS_poll, p, n, ms);
	polled(p, n, r, pc);
	return r;
}

GORO_API int poll(struct pollfd *p, nfds_t n, int ms)
{
	return poll_(p, n, ms, PC);
}

GORO_API int ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	takes(t, sizeof *t, PC);
	takes(mask, sizeof *mask, PC);
	/* By number the kernel writes the rest of the time back; libc's does not. */
	struct timespec left = t ? *t : (struct timespec){0, 0};
	int r = BLOCKING(ppoll, (p, n, t, mask), SYS_ppoll, p, n, t ? &left : NULL, mask, 8L);
	polled(p, n, r, PC);
	return r;
}

static inline void selected(int n, fd_set *r, fd_set *w, fd_set *x, const void *pc)
{
	size_t size = n <= 0 ? 0 : ((size_t)n + NFDBITS - 1) / NFDBITS * sizeof(fd_mask);
	fills(r, size, pc);
	fills(w, size, pc);
	fills(x, size, pc);
}

GORO_API int select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t)
{
	takes(t, sizeof *t, PC);
	int k = BLOCKING(select, (n, r, w, x, t), SYS_select, n, r, w, x, t);
	if (k >= 0) {
		selected(n, r, w, x, PC);
		fills(t, sizeof *t, PC); /* Linux leaves what is left */
	}
	return k;
}

GORO_API int pselect(
    int n, fd_set *r, fd_set *w, fd_set *x, const struct timespec *t, const sigset_t *mask)
{
	takes(t, sizeof *t, PC);
	takes(mask, sizeof *mask, PC);
	struct timespec left = t ? *t : (struct timespec){0, 0};
	struct {
		const sigset_t *mask;
		size_t size;
	} six = {mask, 8};
	int k = BLOCKING(
	    pselect, (n, r, w, x, t, mask), SYS_pselect6, n, r, w, x, t ? &left : NULL, &six);
	if (k >= 0)
		selected(n, r, w, x, PC);
	return k;
}

static inline void epolled(const struct epoll_event *ev, int r, const void *pc)
{
	if (!GORO_RACE || r <= 0)
		return;
	for (int i = 0; i < r; i++)
		hook_acquire(race_self(), fd_order_epoll(ev[i].data.u64));
	fills(ev, (size_t)r * sizeof *ev, pc);
}

GORO_API int epoll_wait(int ep, struct epoll_event *ev, int n, int ms)
{
	int r = BLOCKING(epoll_wait, (ep, ev, n, ms), SYS_epoll_wait, ep, ev, n, ms);
	epolled(ev, r, PC);
	return r;
}

GORO_API int epoll_pwait(int ep, struct epoll_event *ev, int n, int ms, const sigset_t *mask)
{
	takes(mask, sizeof *mask, PC);
	int r =
	    BLOCKING(epoll_pwait, (ep, ev, n, ms, mask), SYS_epoll_pwait, ep, ev, n, ms, mask, 8L);
	epolled(ev, r, PC);
	return r;
}

#if GORO_RACE
/* Never blocks: for its order alone. What was done before a descriptor was put in (the structure behind
 * data.ptr was filled, say) is before the wait that answers it. */
GORO_API int epoll_ctl(int ep, int what, int fd, struct epoll_event *ev)
{
	takes(ev, sizeof *ev, PC);
	if (ev)
		hook_release_merge(race_self(), fd_order_epoll(ev->data.u64));
	return REAL(epoll_ctl)(ep, what, fd, ev);
}

/* libc's own calls of read and write. */
GORO_API int eventfd_read(int fd, eventfd_t *out)
{
	int r = BLOCKING(eventfd_read, (fd, out), SYS_read, fd, out, sizeof *out);
	came(fd, out, r < 0 ? -1 : (ssize_t)sizeof *out, PC);
	return r;
}

GORO_API int eventfd_write(int fd, eventfd_t n)
{
	fd_out(fd);
	return BLOCKING(eventfd_write, (fd, n), SYS_write, fd, &n, sizeof n);
}
#endif

/* In a seeded run a goroutine sleeps on the run's clock. False: it sleeps as ever. */
static bool slept(int64_t s, long ns, const void *pc)
{
	if (!SEEDED || !netpoll_can_park() || s < 0 || s > INT64_MAX / 2000000000 || ns < 0 ||
	    ns > 999999999)
		return false;
	int e = os_errno();
	seed_point(POINT_SLEEP, NULL, pc);
	goro_sleep(s * 1000000000 + ns);
	os_set_errno(e);
	return true;
}

GORO_API int nanosleep(const struct timespec *t, struct timespec *left)
{
	takes(t, sizeof *t, PC);
	if (SEEDED && t && slept(t->tv_sec, t->tv_nsec, PC)) {
		if (left)
			*left = (struct timespec){0};
		return 0;
	}
	int r = BLOCKING(nanosleep, (t, left), SYS_nanosleep, t, left);
	if (r < 0)
		fills(left, sizeof *left, PC);
	return r;
}

GORO_API int clock_nanosleep(
    clockid_t c, int flags, const struct timespec *t, struct timespec *left)
{
	/* The one that answers an error number and leaves errno alone. */
	__typeof__(&clock_nanosleep) real = REAL(clock_nanosleep);
	int e = os_errno(), r;
	takes(t, sizeof *t, PC);
	if (SEEDED && t) {
		int64_t ns = t->tv_nsec, s = t->tv_sec;
		if (flags & TIMER_ABSTIME) { /* on the run's clock, whichever is meant */
			ns += s < INT64_MAX / 2000000000 ? s * 1000000000 - seed_now()
							 : INT64_MAX / 2;
			s = ns > 0 ? ns / 1000000000 : 0;
			ns = ns > 0 ? ns % 1000000000 : 0;
		}
		if (slept(s, (long)ns, PC)) {
			if (left && !(flags & TIMER_ABSTIME))
				*left = (struct timespec){0};
			return 0;
		}
	}
	bool in = enter();
	if (likely(real != NULL))
		r = real(c, flags, t, left);
	else
		r = syscall(SYS_clock_nanosleep, c, flags, t, left) == 0 ? 0 : os_errno();
	leave_(in);
	if (r == EINTR && !(flags & TIMER_ABSTIME))
		fills(left, sizeof *left, PC);
	os_set_errno(e);
	return r;
}

GORO_API unsigned sleep(unsigned s)
{
	struct timespec t = {s, 0}, left = {0, 0};
	int e = os_errno();
	if (nanosleep(&t, &left) == 0)
		return 0;
	os_set_errno(e); /* an interrupted sleep is no error */
	return (unsigned)left.tv_sec + (left.tv_nsec >= 500000000);
}

GORO_API int usleep(useconds_t us)
{
	struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};
	return nanosleep(&t, NULL);
}

/* The end of a child is after what its parent did before it was made, and shares no memory: no order. */
static inline pid_t waited(pid_t r, const int *status, const struct rusage *u, const void *pc)
{
	if (r > 0) {
		fills(status, sizeof *status, pc);
		fills(u, sizeof *u, pc);
	}
	return r;
}

GORO_API pid_t wait4(pid_t pid, int *status, int options, struct rusage *u)
{
	return waited(
	    BLOCKING(wait4, (pid, status, options, u), SYS_wait4, pid, status, options, u), status,
	    u, PC);
}

GORO_API pid_t wait3(int *status, int options, struct rusage *u)
{
	return waited(BLOCKING(wait3, (status, options, u), SYS_wait4, -1, status, options, u),
	    status, u, PC);
}

GORO_API pid_t waitpid(pid_t pid, int *status, int options)
{
	return waited(
	    BLOCKING(waitpid, (pid, status, options), SYS_wait4, pid, status, options, NULL),
	    status, NULL, PC);
}

GORO_API pid_t wait(int *status)
{
	return waited(
	    BLOCKING(waitpid, (-1, status, 0), SYS_wait4, -1, status, 0, NULL), status, NULL, PC);
}

GORO_API int waitid(idtype_t what, id_t id, siginfo_t *info, int options)
{
	int r =
	    BLOCKING(waitid, (what, id, info, options), SYS_waitid, what, id, info, options, NULL);
	if (r == 0)
		fills(info, sizeof *info, PC);
	return r;
}

/* What system is in a program without a dynamic libc, but for the signals it holds off. */
static int system_static(const char *command)
{
	char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
	pid_t pid;
	int status;
	if (!command)
		return access("/bin/sh", X_OK) == 0;
	int e = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
	if (e) {
		os_set_errno(e);
		return -1;
	}
	while (syscall(SYS_wait4, pid, &status, 0, NULL) < 0)
		if (os_errno() != EINTR)
			return -1;
	return status;
}

GORO_API int system(const char *command)
{
	__typeof__(&system) real = REAL(system);
	takes_text(command, PC);
	bool in = enter();
	int r = likely(real != NULL) ? real(command) : system_static(command);
	leave_(in);
	return r;
}

GORO_API int getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	__typeof__(&getaddrinfo) real = REAL(getaddrinfo);
	if (!real) { /* statically linked: libc's is hidden by ours */
		os_set_errno(ENOSYS);
		return EAI_SYSTEM;
	}
	takes_text(name, PC);
	takes_text(service, PC);
	takes(hints, sizeof *hints, PC);
	bool in = enter();
	int r = real(name, service, hints, out);
	leave_(in);
	if (r == 0)
		fills(out, sizeof *out, PC);
	for (const struct addrinfo *a = r == 0 && GORO_RACE ? *out : NULL; a; a = a->ai_next) {
		fills(a, sizeof *a, PC);
		fills(a->ai_addr, a->ai_addrlen, PC);
		if (a->ai_canonname)
			fills(a->ai_canonname, strlen(a->ai_canonname) + 1, PC);
	}
	return r;
}

GORO_API int getnameinfo(const struct sockaddr *a, socklen_t n, char *host, socklen_t host_room,
    char *service, socklen_t service_room, int flags)
{
	__typeof__(&getnameinfo) real = REAL(getnameinfo);
	if (!real) { /* as getaddrinfo */
		os_set_errno(ENOSYS);
		return EAI_SYSTEM;
	}
	takes(a, n, PC);
	bool in = enter();
	int r = real(a, n, host, host_room, service, service_room, flags);
	leave_(in);
	if (GORO_RACE && r == 0) {
		if (host && host_room)
			fills(host, strlen(host) + 1, PC);
		if (service && service_room)
			fills(service, strlen(service) + 1, PC);
	}
	return r;
}

_Noreturn void __chk_fail(void);
int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t room);
GORO_API int __poll_chk(struct pollfd *p, nfds_t n, int ms, size_t room)
{
	if (n > room / sizeof *p)
		__chk_fail();
	return poll_(p, n, ms, PC);
}
