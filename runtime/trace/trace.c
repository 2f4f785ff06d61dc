/*
 * trace.c: when there is a trace, and when it is written.
 *
 *   GODEBUG=trace=FILE      events are kept from the start; FILE is written when the process ends: by return from
 *                           main, exit, quick_exit, _exit, a fatal error, a panic, SIGQUIT or a fault on a goroutine
 *   GODEBUG=tracebuf=BYTES  so much for each P (k and m may follow); alone: for snapshots only
 *
 * FILE, unless it is a device, a pipe or a link, is written beside itself and renamed: two processes that were given the same name do not mix, and nobody
 * reads half of one. That it can be written is tried at the start, when it can still be mended. %p in it is
 * the process's number. No descriptor is kept: a program may close those it does not know.
 *
 * One writer at a time (write_lock), on a stack of its own: for goroutines with small ones, for handlers, and
 * because symbols need it.
 */
#include "../debug/debug.h"
#include "../os/onstack.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef GORO_HARD
#define BYTES_STD ((size_t)32 << 10)
#else
#define BYTES_STD ((size_t)2 << 20)
#endif
#define BYTES_MIN   ((size_t)4 << 10)
#define BYTES_MAX   ((size_t)1 << 30)
#define STACK_BYTES ((size_t)1 << 20)
#define PATH        4096

static char file[PATH]; /* absolute; "": none is to be written; constant */
static int process;     /* whose it is */
static Lock write_lock; /* rank NONE: nothing of the scheduler's is held here */
static uint32_t writer; /* who has it: a thread's number; atomic */
static bool ended;      /* the file is written; write_lock */

/* ---- writing ---- */

typedef struct Job {
	int fd, error;
} Job;

static void write_job(void *p)
{
	Job *job = p;
	job->error = timeline_write(job->fd);
}

static int write_fd(int fd)
{
	char *stack = os_map(STACK_BYTES);
	Job job = {fd, -ENOMEM};
	if (!stack)
		return -ENOMEM;
	os_call_on_stack(stack + STACK_BYTES, write_job, &job);
	os_unmap(stack, STACK_BYTES);
	return job.error;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
	return fd < 0 ? -errno : fd;
}

/* Must not be put another in the place of: a device, a pipe, and a link, such as /dev/stderr, whatever to. */
static bool is_other(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Opening it, to see whether that can be done, has no effect and does not wait. */
static bool is_plain(const char *path)
{
	struct stat st;
	return stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

/* To path, which appears as one where it is an ordinary file. */
static int write_path(const char *path)
{
	char beside[PATH + 32];
	int e = os_errno(), fd = -ENOENT, err;
	snprintf(beside, sizeof beside, "%s.%d~", path, os_process_id());
	if (!is_other(path))
		fd = open_file(beside, O_TRUNC);
	bool direct = fd < 0; /* a device or pipe; or a folder that takes no new files */
	if (direct)
		fd = open_file(path, O_TRUNC);
	if (fd < 0) {
		os_set_errno(e);
		return fd;
	}
	err = write_fd(fd);
	(void)os_fd_close(fd);
	if (!direct && err == 0 && rename(beside, path) != 0)
		err = -errno;
	if (!direct && err)
		(void)unlink(beside);
	os_set_errno(e);
	return err;
}

/* ---- the end ---- */

static bool writes_here(void)
{
	return TRACED && *file && os_process_id() == process; /* not in a child of vfork */
}

void trace_end(void)
{
	if (!writes_here() || load_rlx(&writer) == os_thread_id()) /* a fault while writing */
		return;
	lock(&write_lock);
	store_rlx(&writer, os_thread_id());
	if (!ended) {
		ended = true;
		int err = write_path(file);
		if (err)
			print_fd(2, "goro: GODEBUG: cannot write the trace %s: %s\n", file,
			    strerror(-err));
	}
	store_rlx(&writer, 0);
	unlock(&write_lock);
}

void trace_forked(void)
{
	store_rlx(&trace_on, 0);
	write_lock = (Lock){0}; /* its holder is not here */
}

#if !GORO_RACE
/* Under -race these are the detector's (race/intercept/exit.c), which calls trace_end by hook_at_end. */
GORO_API _Noreturn void _exit(int code)
{
	trace_end();
	os_exit(code);
}

GORO_API _Noreturn void _Exit(int code)
{
	trace_end();
	os_exit(code);
}
#endif

/* ---- snapshots ---- */

static int snapshot(const char *path, int fd)
{
	if (!TRACED)
		return -EOPNOTSUPP;
	if (load_rlx(&writer) == os_thread_id())
		return -EDEADLK;
	bool gives = syscall_enter_here(); /* the P is for others: this takes a while */
	lock(&write_lock);
	store_rlx(&writer, os_thread_id());
	int err = path ? write_path(path) : write_fd(fd);
	store_rlx(&writer, 0);
	unlock(&write_lock);
	if (gives)
		syscall_exit_here();
	return err;
}

int goro_trace_snapshot(const char *path)
{
	return path && *path && strlen(path) < PATH ? snapshot(path, -1) : -EINVAL;
}

int goro_trace_snapshot_fd(int fd)
{
	return fd < 0 ? -EBADF : snapshot(NULL, fd);
}

/* ---- the start ---- */

/* GODEBUG's text as an absolute path, %p filled in. */
static bool full_path(const char *from, char *to, size_t size)
{
	size_t n = 0;
	if (*from != '/') {
		if (!getcwd(to, size - 1))
			return false;
		n = strlen(to);
		to[n++] = '/';
	}
	for (; *from; from++) {
		int len = 1;
		if (from[0] == '%' && from[1] == 'p') {
			len = snprintf(to + n, size - n, "%d", os_process_id());
			from++;
		} else if (n < size) {
			to[n] = *from;
		}
		n += (size_t)len;
		if (n + 1 >= size)
			return false;
	}
	to[n] = 0;
	return true;
}

static void choose_file(const char *name)
{
	int err = full_path(name, file, sizeof file) ? 0 : -ENAMETOOLONG;
	if (err == 0 && is_plain(file)) {
		int fd = open_file(file, 0);
		err = fd < 0 ? fd : os_fd_close(fd);
	}
	if (err) {
		print_fd(2, "goro: GODEBUG: cannot write the trace %s: %s\n", name, strerror(-err));
		file[0] = 0;
	}
}

static size_t buffer_size(const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	if ((*end == 'k' || *end == 'K') && n < BYTES_MAX)
		n <<= 10, end++;
	else if ((*end == 'm' || *end == 'M') && n < BYTES_MAX)
		n <<= 20, end++;
	if (*end || *text < '0' || *text > '9' || n < BYTES_MIN || n > BYTES_MAX) {
		print_fd(2,
		    "goro: warning: GODEBUG: tracebuf=%s is not between 4k and 1024m: using %zuk\n",
		    text, BYTES_STD >> 10);
		return BYTES_STD;
	}
	size_t size = BYTES_MIN;
	while (size < n)
		size *= 2;
	return size;
}

void trace_init(void)
{
	char name[PATH], size[32];
	bool wants_file = godebug_text("trace", name, sizeof name) && *name;
	bool wants_size = godebug_text("tracebuf", size, sizeof size);
	if (!wants_file && !wants_size)
		return;
	process = os_process_id();
	if (wants_file)
		choose_file(name);
	if (!wants_size && !*file)
		return;
	rings_init(wants_size ? buffer_size(size) : BYTES_STD);
	if (*file) {
		(void)atexit(trace_end);
		(void)at_quick_exit(trace_end);
		hook_at_end(trace_end);
	}
}
