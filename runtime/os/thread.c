/*
 * thread.c: os.h's threads on Linux, by pthread_create (a thread needs libc's thread-local storage).
 *
 * In the race archive the reference to pthread_create is renamed to the real one, so that the detector
 * does not see goro's own threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../base/atomic.h"
#include "os.h"
#include "raw.h"
#include "sanitizer.h"

typedef struct Start {
	void (*fn)(void *);
	void *arg;
	const char *name;
	bool quiet;
	sigset_t before; /* quiet: what it would have been else */
} Start; /* in a page of its own: the starter does not wait, and libc's heap may be locked */

/* Threads that a quiet one starts are not quiet themselves: they get the mask it would have had. */
static __thread bool quiet;
static __thread sigset_t quiet_before;

static uint64_t start_mask; /* changed while nobody else starts threads */
static bool start_mask_given;

static int own; /* threads started and not ended; atomic */

static void *thread_main(void *p)
{
	Start s = *(Start *)p;
	os_unmap(p, sizeof s);
	quiet = s.quiet;
	quiet_before = s.before;
	if (s.name)
		pthread_setname_np(pthread_self(), s.name);
	s.fn(s.arg);
	(void)add_ar(&own, -1);
	return NULL;
}

/* All but those that the thread's own code raises. */
static sigset_t asynchronous(void)
{
	sigset_t all;
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGTRAP);
	sigdelset(&all, SIGABRT);
	return all;
}

/* The mask of a thread that this one starts. */
static sigset_t mask_given(void)
{
	sigset_t set;
	if (start_mask_given) {
		memset(&set, 0, sizeof set);
		memcpy(&set, &start_mask, sizeof start_mask); /* the kernel's 64 bits come first */
	} else if (quiet) {
		set = quiet_before;
	} else {
		(void)os_signal_mask_call(SIG_SETMASK, NULL, &set);
	}
	return set;
}

int os_thread_start(void (*fn)(void *), void *arg, size_t stack, const char *name, bool silent)
{
	Start *s = os_map(sizeof *s);
	if (!s)
		return -ENOMEM;
	sigset_t mask = mask_given(), all = asynchronous();
	*s = (Start){fn, arg, name, silent, mask};
	pthread_attr_t attr;
	pthread_t t;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (stack)
		pthread_attr_setstacksize(&attr, stack);
	pthread_attr_setsigmask_np(&attr, silent ? &all : &mask); /* from its first step on */
	(void)add_ar(&own, 1);
	int e = pthread_create(&t, &attr, thread_main, s);
	pthread_attr_destroy(&attr);
	if (e) {
		(void)add_ar(&own, -1);
		os_unmap(s, sizeof *s);
		return -e;
	}
	return 0;
}

int os_process_id(void)
{
	return (int)raw_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

uint32_t os_thread_id(void)
{
	return (uint32_t)raw_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

int os_thread_own(void)
{
	return load_acq(&own);
}

/* A stat file of /proc: "pid (name) S ...". Where what follows the name begins, which may itself hold parentheses
 * and blanks; *n: how long buf is. -1: not to be had. */
static long read_stat(const char *path, char *buf, size_t size, long *n)
{
	long fd = raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return -1;
	*n = raw_call(SYS_read, fd, (long)buf, (long)size, 0, 0, 0);
	raw_call(SYS_close, fd, 0, 0, 0, 0, 0);
	if (*n <= 0)
		return -1;
	long i = *n;
	while (i > 0 && buf[i - 1] != ')')
		i--;
	return i;
}

/* "/proc/self/task/TID/NAME" */
static void task_path(char path[40], uint32_t tid, const char *name)
{
	char digits[10];
	size_t nd = 0, at = sizeof "/proc/self/task/" - 1;
	memcpy(path, "/proc/self/task/", at);
	for (; tid; tid /= 10)
		digits[nd++] = (char)('0' + tid % 10);
	while (nd)
		path[at++] = digits[--nd];
	path[at++] = '/';
	memcpy(path + at, name, strlen(name) + 1);
}

long os_thread_call(uint32_t tid)
{
	char path[40], buf[64];
	task_path(path, tid, "syscall");
	long fd = raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return OS_CALL_UNKNOWN;
	long n = raw_call(SYS_read, fd, (long)buf, (long)sizeof buf, 0, 0, 0);
	raw_call(SYS_close, fd, 0, 0, 0, 0, 0);
	if (n <= 0)
		return OS_CALL_UNKNOWN;
	if (buf[0] < '0' || buf[0] > '9') /* "running", or -1 */
		return OS_CALL_NONE;
	long nr = 0;
	for (long i = 0; i < n && buf[i] >= '0' && buf[i] <= '9'; i++)
		nr = nr * 10 + (buf[i] - '0');
	return nr;
}

bool os_thread_sleeps(uint32_t tid)
{
	char path[40], buf[256];
	long n;
	task_path(path, tid, "stat");
	long i = read_stat(path, buf, sizeof buf, &n);
	return i >= 0 && i + 1 < n && (buf[i + 1] == 'S' || buf[i + 1] == 'D');
}

int os_thread_count(void)
{
	/* The 20th field is the number of threads, the 18th after the name. */
	char buf[1024];
	long n, i = read_stat("/proc/self/stat", buf, sizeof buf, &n);
	if (i < 0)
		return -1;
	for (int field = 2; i < n && field < 20; i++)
		if (buf[i] == ' ')
			field++;
	int count = 0;
	for (; i < n && buf[i] >= '0' && buf[i] <= '9'; i++)
		count = count * 10 + (buf[i] - '0');
#if defined(SAN_THREAD)
	count--; /* ThreadSanitizer has one of its own since the first pthread_create */
#endif
	return count > 0 ? count : -1;
}

int64_t os_thread_cpu(uint32_t tid)
{
	/* The kernel's clock of a thread: bits 0-1 "scheduled time", bit 2 "one thread", above: not tid. */
	struct timespec ts;
	long clock = (long)(int)(~tid << 3 | 6u);
	if (raw_call(SYS_clock_gettime, clock, (long)&ts, 0, 0, 0, 0) < 0)
		return -1;
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void os_yield(void)
{
	raw_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

void os_thread_mask(uint64_t mask)
{
	start_mask = mask;
	start_mask_given = true;
}

#define MASK_BYTES sizeof(uint64_t)

uint64_t os_signal_mask(void)
{
	uint64_t mask = 0;
	raw_call(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&mask, MASK_BYTES, 0, 0);
	return mask;
}

void os_signal_mask_set(uint64_t mask)
{
	raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, MASK_BYTES, 0, 0);
}

int os_signal_mask_call(int how, const void *set, void *before)
{
	uint64_t to = 0, from = 0, libcs = UINT64_C(3) << 31; /* 32 and 33 */
	if (set) {
		memcpy(&to, set, MASK_BYTES);
		to &= ~libcs;
	}
	long e =
	    raw_call(SYS_rt_sigprocmask, how, set ? (long)&to : 0, (long)&from, MASK_BYTES, 0, 0);
	if (e == 0 && before) {
		memset(before, 0, sizeof(sigset_t));
		memcpy(before, &from, MASK_BYTES);
	}
	return (int)-e;
}

void os_thread_stack(uintptr_t *lo, uintptr_t *hi)
{
	pthread_attr_t attr;
	void *addr = NULL;
	size_t size = 0;
	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstack(&attr, &addr, &size);
		pthread_attr_destroy(&attr);
	}
	*lo = (uintptr_t)addr;
	*hi = (uintptr_t)addr + size;
}
