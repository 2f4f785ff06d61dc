/*
 * os.h: the operating system as goro sees it; linux.c (and epoll.c) implement it. The contract of
 * this folder: no #ifdef of a platform above it, and it includes nothing of goro but itself and base/.
 *
 * Failures come back as negative errno, never through errno (gcc and clang keep the address of errno
 * across calls, and a goroutine may have moved to another thread meanwhile).
 */
#ifndef GORO_OS_H
#define GORO_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- memory ---- */

/* Reserve `size` bytes of zeroed, lazily touched memory (private, no swap reserved); NULL when there
 * is none. size is rounded up to pages. */
void *os_map(size_t size);
/* Reserve at an address aligned to `align` (a power of two). */
void *os_map_aligned(size_t size, size_t align);
void os_unmap(void *p, size_t size);
/* Make [p, p+size) trap on any access. 0: done without a mapping (MADV_GUARD_INSTALL); 1: done by
 * mprotect, which costs mappings; else negative errno. */
int os_guard(void *p, size_t size);
/* Give pages back; they read as zero afterwards (guards stay). */
int os_release(void *p, size_t size);
/* No huge pages there: memory that is touched a page here and there. */
void os_no_huge(void *p, size_t size);
size_t os_page_size(void);

/* ---- futex ---- */

/* Sleep while *addr == val, for at most ns (for ever if ns < 0). May wake early. */
void os_futex_wait(uint32_t *addr, uint32_t val, int64_t ns);
/* Wake up to n sleepers. */
void os_futex_wake(uint32_t *addr, int n);

/* ---- threads ---- */

/* Start a detached thread that runs fn(arg), all signals but the synchronous ones blocked as in the
 * caller; stack: its size in bytes (0: the system's default). 0 or negative errno. Never goes through
 * an intercepted pthread_create: the detector does not see goro's own threads. */
int os_thread_start(void (*fn)(void *), void *arg, size_t stack, const char *name);
uint32_t os_thread_id(void);
/* Block every asynchronous signal on this thread: for threads that must not run the program's handlers. */
void os_thread_no_signals(void);
/* Threads of this process now; -1 when unknown. */
int os_thread_count(void);
/* How many of them os_thread_start made. */
int os_thread_own(void);
void os_yield(void);
/* A memory barrier on all threads of the process: pairs with fence_compiler() on their side. False
 * when the kernel cannot; the caller's partners must then use fence_sc(). Call os_barrier_init once. */
bool os_barrier_init(void);
void os_barrier(void);
/* The calling thread's own stack, [lo, hi). */
void os_thread_stack(uintptr_t *lo, uintptr_t *hi);

/* ---- processors and clock ---- */

/* Processors this process may use: affinity mask and cgroup quota (v1 and v2), at least 1. */
int os_cpu_count(void);
/* Monotonic nanoseconds. */
int64_t os_now(void);
void os_sleep(int64_t ns);
/* Random bits, not for secrets. */
uint64_t os_random(void);

/* ---- errno across a park ---- */

int os_errno(void);
void os_set_errno(int e);
/* Where this thread keeps it. */
int *os_errno_at(void);

/* ---- end ---- */

/* _exit without passing through anything interposed. */
_Noreturn void os_exit(int code);
/* write(2) until all is out or an error; not interposed, no errno. */
long os_write(int fd, const void *p, size_t n);

#endif
