/*
 * callback.c: written for ThreadSanitizer, in the manner of its own tests (debugging.cpp, debug_locate.cpp,
 * debug_alloc_stack.cpp): a callback takes a report apart. Prints one line for each thing it learns; what
 * differs by nature (addresses, numbers) is compared here. Not a line of goro.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void __tsan_on_report(void *report);
extern void *__tsan_get_current_report(void);
extern int __tsan_get_report_data(void *report, const char **description, int *count, int *stack_count, int *mop_count,
    int *loc_count, int *mutex_count, int *thread_count, int *unique_tid_count, void **sleep_trace,
    unsigned long trace_size);
extern int __tsan_get_report_mop(void *report, unsigned long idx, int *tid, void **addr, int *size, int *write,
    int *atomic, void **trace, unsigned long trace_size);
extern int __tsan_get_report_loc(void *report, unsigned long idx, const char **type, void **addr, uintptr_t *start,
    unsigned long *size, int *tid, int *fd, int *suppressable, void **trace, unsigned long trace_size);
extern int __tsan_get_report_thread(void *report, unsigned long idx, int *tid, uint64_t *os_id, int *running,
    const char **name, int *parent_tid, void **trace, unsigned long trace_size);
extern int __tsan_get_report_mutex(void *report, unsigned long idx, uint64_t *mutex_id, void **addr, int *destroyed,
    void **trace, unsigned long trace_size);
extern const char *__tsan_locate_address(
    uintptr_t addr, char *name, size_t name_size, uintptr_t *region_address, size_t *region_size);
extern int __tsan_get_alloc_stack(uintptr_t addr, uintptr_t *trace, size_t size, int *thread_id, uint64_t *os_id);

long my_global;
static long *block;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int fds[2];

/* An order that no detector sees: a system call of assembly. */
static long raw(long nr, long a, void *b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

__attribute__((noinline)) static void in_thread(void)
{
	pthread_mutex_lock(&mutex);
	my_global = 42;
	pthread_mutex_unlock(&mutex);
	block[1] = 1;
}

static void *thread(void *arg)
{
	in_thread();
	raw(1, fds[1], "x", 1);
	return arg;
}

static int filled(void **trace)
{
	return trace[0] != NULL;
}

void __tsan_on_report(void *report)
{
	const char *description, *type, *name;
	int count, stacks, mops, locs, mutexes, threads, tids, tid, size, write, atomic, fd, suppressable, destroyed;
	int running, parent, mop_tid[2];
	void *addr, *trace[16] = {0};
	uintptr_t start;
	unsigned long lsize;
	uint64_t id;

	printf("current: %d\n", __tsan_get_current_report() == report);
	printf("data: %d", __tsan_get_report_data(report, &description, &count, &stacks, &mops, &locs, &mutexes, &threads,
			       &tids, trace, 16));
	printf(" %s stacks %d mops %d locs %d mutexes %d threads %d\n", description, stacks, mops, locs, mutexes, threads);
	for (int i = 0; i < mops; i++) {
		memset(trace, 0, sizeof trace);
		__tsan_get_report_mop(report, (unsigned long)i, &tid, &addr, &size, &write, &atomic, trace, 16);
		mop_tid[i] = tid;
		printf("mop: %d %s%s global %d block %d trace %d\n", size, atomic ? "atomic " : "", write ? "write" : "read",
		    addr == &my_global, addr == &block[1], filled(trace));
	}
	for (int i = 0; i < locs; i++) {
		memset(trace, 0, sizeof trace);
		__tsan_get_report_loc(
		    report, (unsigned long)i, &type, &addr, &start, &lsize, &tid, &fd, &suppressable, trace, 16);
		printf("loc: %s global %d block %d size %lu trace %d\n", type, start == (uintptr_t)&my_global,
		    start == (uintptr_t)block, lsize, filled(trace));
	}
	for (int i = 0; i < mutexes; i++) {
		memset(trace, 0, sizeof trace);
		__tsan_get_report_mutex(report, (unsigned long)i, &id, &addr, &destroyed, trace, 16);
		printf("mutex: ours %d destroyed %d\n", addr == &mutex, destroyed);
	}
	for (int i = 0; i < threads; i++) {
		memset(trace, 0, sizeof trace);
		__tsan_get_report_thread(report, (unsigned long)i, &tid, &id, &running, &name, &parent, trace, 16);
		printf("thread: mop %d%d\n", tid == mop_tid[0], tid == mop_tid[1]);
		if (parent == (i ? mop_tid[0] : mop_tid[1]))
			printf("child of the other, created at: trace %d\n", filled(trace));
	}
	fflush(stdout);
}

static void locate(const char *what, uintptr_t addr, uintptr_t start)
{
	char name[32];
	uintptr_t region;
	size_t size;
	const char *type = __tsan_locate_address(addr, name, sizeof name, &region, &size);
	printf("%s is %s '%s' start %d size %zu\n", what, type, name, region == start, start ? size : 0);
}

int main(void)
{
	pthread_t t;
	uintptr_t trace[16] = {0};
	uint64_t os_id;
	int tid, local;
	char c;

	block = malloc(24);
	if (pipe(fds) != 0)
		return 1;
	locate("my_global", (uintptr_t)&my_global, (uintptr_t)&my_global);
	locate("block", (uintptr_t)block + 8, (uintptr_t)block);
	locate("local", (uintptr_t)&local, 0);
	printf("alloc stack: %d\n", __tsan_get_alloc_stack((uintptr_t)block, trace, 16, &tid, &os_id) > 0 && trace[0]);
	pthread_create(&t, NULL, thread, NULL);
	raw(0, fds[0], &c, 1);
	my_global = 43;
	block[1] = 2;
	pthread_join(t, NULL);
	return 0;
}
