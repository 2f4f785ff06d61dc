/*
 * linux.c: os.h on Linux: memory, futex, clock, processors. Threads are in thread.c.
 *
 * Every kernel call goes through raw_call, which keeps errno as it was: the runtime runs between a
 * program's call and its look at errno. Nothing here is seen by an interposed libc name.
 */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../base/atomic.h"
#include "raw.h"
#include "sanitizer.h"
#include "ticks.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13; glibc 2.36's headers are older */
#endif

/* ---- memory ---- */

bool os_copy(void *to, const void *from, size_t n)
{
	struct iovec dst = {to, n}, src = {(void *)from, n};
	return raw_call(SYS_process_vm_readv, os_process_id(), (long)&dst, 1, (long)&src, 1, 0) ==
	       (long)n;
}

size_t os_page_size(void)
{
	static size_t size; /* relaxed: every thread computes the same */
	size_t s = load_rlx(&size);
	if (s == 0) {
		s = (size_t)sysconf(_SC_PAGESIZE);
		store_rlx(&size, s);
	}
	return s;
}

static size_t round_pages(size_t n)
{
	size_t page = os_page_size();
	return (n + page - 1) & ~(page - 1);
}

void *os_map(size_t size)
{
#if defined(SAN_THREAD)
	/* ThreadSanitizer must know that what comes is not what was there before: by libc, which it watches. */
	int e = errno;
	void *m = mmap(NULL, round_pages(size), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	errno = e;
	return m == MAP_FAILED ? NULL : m;
#else
	long p = raw_call(SYS_mmap, 0, (long)round_pages(size), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return raw_failed(p) ? NULL : (void *)p;
#endif
}

void *os_map_aligned(size_t size, size_t align)
{
	size = round_pages(size);
	if (align <= os_page_size())
		return os_map(size);
	char *p = os_map(size + align);
	if (!p)
		return NULL;
	size_t skip = (size_t)(-(uintptr_t)p & (align - 1));
	if (skip)
		os_unmap(p, skip);
	os_unmap(p + skip + size, align - skip);
	return p + skip;
}

void os_unmap(void *p, size_t size)
{
#if defined(SAN_THREAD)
	int e = errno;
	munmap(p, round_pages(size)); /* as in os_map */
	errno = e;
#else
	raw_call(SYS_munmap, (long)p, (long)round_pages(size), 0, 0, 0, 0);
#endif
}

int os_guard(void *p, size_t size)
{
	static uint32_t no_madvise; /* relaxed: at worst asked once more */
	if (!load_rlx(&no_madvise)) {
		long r = getenv("GORO_NO_MADV_GUARD") ? -EINVAL
						      : raw_call(SYS_madvise, (long)p, (long)size,
							    MADV_GUARD_INSTALL, 0, 0, 0);
		if (r == 0)
			return 0;
		if (r != -EINVAL)
			return (int)r;
		store_rlx(&no_madvise, 1);
	}
	long r = raw_call(SYS_mprotect, (long)p, (long)size, PROT_NONE, 0, 0, 0);
	return r == 0 ? 1 : (int)r;
}

/* Linux 6.15 names this process without a descriptor, 6.13 allows it every advice of madvise's. */
#define PIDFD_SELF_          (-10000)
#define MADV_POPULATE_WRITE_ 23

static bool advise_pieces(const OsPiece *piece, int n, int advice)
{
	static uint32_t unknown; /* relaxed: at worst asked once more */
	_Static_assert(sizeof *piece == sizeof(struct iovec) &&
			   offsetof(OsPiece, size) == offsetof(struct iovec, iov_len),
	    "the kernel reads them as they are");
	long sum = 0;
	if (load_rlx(&unknown))
		return false;
	for (int i = 0; i < n; i++)
		sum += (long)piece[i].size;
	long r = raw_call(SYS_process_madvise, PIDFD_SELF_, (long)piece, n, advice, 0, 0);
	if (r == -EBADF || r == -ENOSYS || r == -EINVAL || r == -EPERM)
		store_rlx(&unknown, 1);
	return r == sum;
}

void os_touch_pieces(const OsPiece *piece, int n)
{
	(void)advise_pieces(piece, n, MADV_POPULATE_WRITE_);
}

bool os_guard_pieces(const OsPiece *piece, int n)
{
	return !getenv("GORO_NO_MADV_GUARD") && advise_pieces(piece, n, MADV_GUARD_INSTALL);
}

int os_release(void *p, size_t size)
{
	return (int)raw_call(SYS_madvise, (long)p, (long)size, MADV_DONTNEED, 0, 0, 0);
}

void os_no_huge(void *p, size_t size)
{
	raw_call(SYS_madvise, (long)p, (long)size, MADV_NOHUGEPAGE, 0, 0, 0);
}

/* ---- futex ---- */

void os_futex_wait(uint32_t *addr, uint32_t val, int64_t ns)
{
	struct timespec ts = {0, 0};
#if defined(SAN_THREAD)
	if (ns < 0 || ns > 10000000) /* san_signals is to be called now and then */
		ns = 10000000;
#endif
	if (ns >= 0) {
		ts.tv_sec = (time_t)(ns / 1000000000);
		ts.tv_nsec = (long)(ns % 1000000000);
	}
	raw_call(
	    SYS_futex, (long)addr, FUTEX_WAIT_PRIVATE, (long)val, ns >= 0 ? (long)&ts : 0, 0, 0);
	san_signals();
}

void os_futex_wake(uint32_t *addr, int n)
{
	raw_call(SYS_futex, (long)addr, FUTEX_WAKE_PRIVATE, n, 0, 0, 0);
}

/* ---- barrier ---- */

bool os_barrier_init(void)
{
	return raw_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0) ==
	       0;
}

void os_barrier(void)
{
	raw_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);
}

/* ---- processors ---- */

/* The contents of a small file, NUL-terminated; false when it cannot be read. */
static bool read_small(const char *path, char *buf, size_t size)
{
	long fd = raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return false;
	long n = raw_call(SYS_read, fd, (long)buf, (long)size - 1, 0, 0, 0);
	raw_call(SYS_close, fd, 0, 0, 0, 0, 0);
	if (n < 0)
		return false;
	buf[n] = 0;
	return true;
}

/* cgroup v2: "max 100000" or "200000 100000" (quota, period) in cpu.max, at every level up to the root.
 * Rounded up, as Go 1.25 and the JVM do: a quota of 1.5 processors keeps 2 busy. INT_MAX: none. */
static int quota_v2(const char *group)
{
	char path[512], buf[128], dir[256];
	int best = INT_MAX;
	if (strlen(group) >= sizeof dir)
		return best;
	strcpy(dir, strcmp(group, "/") == 0 ? "" : group);
	for (;;) {
		strcpy(path, "/sys/fs/cgroup");
		strcat(path, dir);
		strcat(path, "/cpu.max");
		if (read_small(path, buf, sizeof buf) && buf[0] != 'm') {
			char *end;
			long quota = strtol(buf, &end, 10), period = strtol(end, NULL, 10);
			if (quota > 0 && period > 0) {
				long cpus = (quota + period - 1) / period;
				if (cpus < best)
					best = (int)cpus;
			}
		}
		char *slash = strrchr(dir, '/');
		if (!slash) /* that was the root */
			break;
		*slash = 0;
	}
	return best;
}

static int quota_v1(void)
{
	char q[64], p[64];
	static const char *const dirs[] = {"/sys/fs/cgroup/cpu/", "/sys/fs/cgroup/cpu,cpuacct/"};
	for (int i = 0; i < 2; i++) {
		char path[96];
		size_t n = strlen(dirs[i]);
		memcpy(path, dirs[i], n);
		memcpy(path + n, "cpu.cfs_quota_us", 17);
		if (!read_small(path, q, sizeof q))
			continue;
		memcpy(path + n, "cpu.cfs_period_us", 18);
		if (!read_small(path, p, sizeof p))
			continue;
		long quota = strtol(q, NULL, 10), period = strtol(p, NULL, 10);
		if (quota > 0 && period > 0)
			return (int)((quota + period - 1) / period);
	}
	return INT_MAX;
}

static int quota(void)
{
	char buf[2048];
	int best = quota_v1();
	if (!read_small("/proc/self/cgroup", buf, sizeof buf))
		return best;
	char *line = strstr(buf, "0::"); /* the v2 line: "0::/path" */
	if (!line || (line != buf && line[-1] != '\n'))
		return best;
	line += 3;
	line[strcspn(line, "\n")] = 0;
	int v2 = quota_v2(line);
	return v2 < best ? v2 : best;
}

int os_cpu_count(void)
{
	static int count; /* relaxed: every thread computes the same */
	int n = load_rlx(&count);
	if (n)
		return n;
	unsigned long mask[128]; /* 8192 processors */
	long bytes = raw_call(SYS_sched_getaffinity, 0, sizeof mask, (long)mask, 0, 0, 0);
	for (long i = 0; i < bytes / (long)sizeof mask[0]; i++)
		n += __builtin_popcountl(mask[i]);
	if (n < 1)
		n = 1;
	int q = quota();
	if (q < n)
		n = q < 1 ? 1 : q;
	store_rlx(&count, n);
	return n;
}

/* ---- clock ---- */

int64_t os_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts); /* the vdso: no system call, and it cannot fail */
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

bool os_ticks_good(void)
{
	char name[32];
	return read_small("/sys/devices/system/clocksource/clocksource0/current_clocksource", name,
		   sizeof name) &&
	       !strncmp(name, "tsc", 3);
}

uint64_t os_resident(void)
{
	char buf[128];
	if (!read_small("/proc/self/statm", buf, sizeof buf))
		return 0;
	const char *second = strchr(buf, ' ');
	return second ? strtoull(second, NULL, 10) * os_page_size() : 0;
}

void os_sleep(int64_t ns)
{
	if (ns <= 0)
		return;
	struct timespec ts = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	raw_call(SYS_nanosleep, (long)&ts, 0, 0, 0, 0, 0);
}

uint64_t os_random(void)
{
	uint64_t r = 0;
	if (raw_call(SYS_getrandom, (long)&r, sizeof r, 0, 0, 0, 0) != (long)sizeof r)
		r = (uint64_t)os_now() * 0x9e3779b97f4a7c15u ^ (uintptr_t)&r;
	return r;
}

/* ---- end ---- */

void os_exit(int code)
{
	for (;;)
		raw_call(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

/* What a write into nowhere sends: to a pipe that nobody reads, beyond the limit for files. The words of
 * goro must not be the end of a program that would have gone on; so these wait, and are taken back. */
#define NOWHERE (UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGXFSZ - 1))

static long write_calmly(int fd, const char *s, size_t n)
{
	uint64_t nowhere = NOWHERE, before = 0;
	raw_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&nowhere, (long)&before, 8, 0, 0);
	long r = raw_call(SYS_write, fd, (long)s, (long)n, 0, 0, 0);
	uint64_t came = r == -EPIPE   ? UINT64_C(1) << (SIGPIPE - 1)
			: r == -EFBIG ? UINT64_C(1) << (SIGXFSZ - 1)
				      : 0;
	if (came & ~before) {
		struct timespec none = {0, 0};
		raw_call(SYS_rt_sigtimedwait, (long)&came, 0, (long)&none, 8, 0, 0);
	}
	if (NOWHERE & ~before)
		raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, 8, 0, 0);
	return r;
}

/* A descriptor that does not block, and whose reader is slow. */
static bool writable_soon(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct timespec t = {10, 0};
	long r = raw_call(SYS_ppoll, (long)&p, 1, (long)&t, 0, 8, 0);
	return r > 0 || r == -EINTR;
}

long os_write(int fd, const void *p, size_t n)
{
	const char *s = p;
	size_t done = 0;
	while (done < n) {
		long r = write_calmly(fd, s + done, n - done);
		if (r == -EINTR || (r == -EAGAIN && writable_soon(fd)))
			continue;
		if (r < 0)
			return r;
		done += (size_t)r;
	}
	return (long)done;
}
