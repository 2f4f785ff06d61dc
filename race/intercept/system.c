/*
 * system.c: calls of libc that answer through a pointer: what time it is, names of files and of the
 * machine, fresh descriptors. What they fill in is written by the caller, a path they take is read by it.
 * Only what was really filled in counts, and nothing where the call failed.
 */
#include "core.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/utsname.h>

static inline void reads_text(RaceCtx *g, const char *s, const void *pc)
{
	if (g && s)
		reads(g, s, goro_real_strlen(s) + 1, pc);
}

/* On goroutines of a seeded run there is one clock (docs/schedules.md, 2): what it shows now. */
static bool seeded_time(struct timespec *ts, const void *pc)
{
	RaceCtx *g = race_seed ? self() : NULL;

	if (!g || g->is_thread)
		return false;
	race_seed->point(POINT_CLOCK, NULL, pc);
	int64_t now = race_seed->now();
	ts->tv_sec = (time_t)(now / 1000000000);
	ts->tv_nsec = (long)(now % 1000000000);
	return true;
}

INTERCEPT int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = goro_real_clock_gettime(clock, ts);

	if (r == 0 && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID)
		seeded_time(ts, CALLER);
	if (r == 0)
		writes(self(), ts, sizeof *ts, CALLER);
	return r;
}

INTERCEPT int clock_getres(clockid_t clock, struct timespec *ts)
{
	int r = goro_real_clock_getres(clock, ts);

	if (r == 0 && ts)
		writes(self(), ts, sizeof *ts, CALLER);
	return r;
}

INTERCEPT int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	int r = goro_real_gettimeofday(tv, zone);
	struct timespec now;

	if (r == 0 && seeded_time(&now, CALLER))
		*tv = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	if (r == 0)
		writes(self(), tv, sizeof *tv, CALLER);
	return r;
}

INTERCEPT time_t time(time_t *out)
{
	time_t r = goro_real_time(out);
	struct timespec now;

	if (seeded_time(&now, CALLER)) {
		r = now.tv_sec;
		if (out)
			*out = r;
	}
	if (out && r != (time_t)-1)
		writes(self(), out, sizeof *out, CALLER);
	return r;
}

/* From and to the caller's own: the _r kind. */
#define BROKEN_DOWN_R(name)                                                                        \
	INTERCEPT struct tm *name(const time_t *restrict t, struct tm *restrict out)               \
	{                                                                                          \
		reads(self(), t, sizeof *t, CALLER);                                               \
		struct tm *r = goro_real_##name(t, out);                                           \
		if (r)                                                                             \
			writes(self(), out, sizeof *out, CALLER);                                  \
		return r;                                                                          \
	}
BROKEN_DOWN_R(localtime_r)
BROKEN_DOWN_R(gmtime_r)

INTERCEPT size_t strftime(
    char *restrict out, size_t max, const char *restrict fmt, const struct tm *restrict tm)
{
	RaceCtx *g = self();

	reads_text(g, fmt, CALLER);
	reads(g, tm, sizeof *tm, CALLER);
	size_t n = goro_real_strftime(out, max, fmt, tm);
	if (n)
		writes(g, out, n + 1, CALLER);
	return n;
}

INTERCEPT char *getcwd(char *buf, size_t size)
{
	char *r = goro_real_getcwd(buf, size);

	if (r && buf)
		writes(self(), r, goro_real_strlen(r) + 1, CALLER);
	return r;
}

INTERCEPT ssize_t readlink(const char *restrict path, char *restrict buf, size_t size)
{
	RaceCtx *g = self();

	reads_text(g, path, CALLER);
	ssize_t n = goro_real_readlink(path, buf, size);
	if (n > 0)
		writes(g, buf, (size_t)n, CALLER);
	return n;
}

INTERCEPT int gethostname(char *buf, size_t size)
{
	int r = goro_real_gethostname(buf, size);

	if (r == 0)
		writes(self(), buf, goro_real_strnlen(buf, size), CALLER);
	return r;
}

INTERCEPT int uname(struct utsname *out)
{
	int r = goro_real_uname(out);

	if (r == 0)
		writes(self(), out, sizeof *out, CALLER);
	return r;
}

INTERCEPT int pipe(int fd[2])
{
	int r = goro_real_pipe(fd);

	if (r == 0)
		writes(self(), fd, 2 * sizeof *fd, CALLER);
	return r;
}

INTERCEPT int pipe2(int fd[2], int how)
{
	int r = goro_real_pipe2(fd, how);

	if (r == 0)
		writes(self(), fd, 2 * sizeof *fd, CALLER);
	return r;
}

INTERCEPT int socketpair(int domain, int type, int protocol, int fd[2])
{
	int r = goro_real_socketpair(domain, type, protocol, fd);

	if (r == 0) {
		if (fd_order_pair)
			fd_order_pair(fd[0], fd[1]);
		writes(self(), fd, 2 * sizeof *fd, CALLER);
	}
	return r;
}
