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
/* A piece of memory; as struct iovec. */
typedef struct OsPiece {
	void *at;
	size_t size;
} OsPiece;
/* Touch all pages of n pieces, in one call: less than a page fault for each. A hint. */
void os_touch_pieces(const OsPiece *piece, int n);
/* os_guard for n pieces in one call. False: it cannot be done so, and some may be guarded. */
bool os_guard_pieces(const OsPiece *piece, int n);
/* Give pages back; they read as zero afterwards (guards stay). */
int os_release(void *p, size_t size);
/* No huge pages there: memory that is touched a page here and there. */
void os_no_huge(void *p, size_t size);
size_t os_page_size(void);
/* Copy n bytes of this process from where there may be no memory. False: there is none, or it is not known. */
bool os_copy(void *to, const void *from, size_t n);

/* ---- futex ---- */

/* Sleep while *addr == val, for at most ns (for ever if ns < 0). May wake early. */
void os_futex_wait(uint32_t *addr, uint32_t val, int64_t ns);
/* Wake up to n sleepers. */
void os_futex_wake(uint32_t *addr, int n);

/* ---- threads ---- */

/* Start a detached thread that runs fn(arg), its signal mask that of os_thread_mask, or else the caller's (of a
 * silent caller: the one that it would have had). silent: for threads that must not run the program's handlers,
 * every asynchronous signal is blocked from the first step on. stack: its size in bytes (0: the system's default).
 * 0 or negative errno. Never goes through an intercepted pthread_create: the detector does not see goro's own threads. */
int os_thread_start(void (*fn)(void *), void *arg, size_t stack, const char *name, bool silent);
uint32_t os_thread_id(void);
int os_process_id(void);
/* With which mask os_thread_start starts threads from now on; bit 0 is signal 1. */
void os_thread_mask(uint64_t mask);
/* This thread's own, not by what a program may interpose. */
uint64_t os_signal_mask(void);
void os_signal_mask_set(uint64_t mask);
/* As pthread_sigmask, of which libc's own two signals are left alone; the error number. */
int os_signal_mask_call(int how, const void *set, void *before);
/* Threads of this process now; -1 when unknown. */
int os_thread_count(void);
/* How many of them os_thread_start made. */
int os_thread_own(void);
/* Processor time that thread tid of this process has used, in ns; -1 when it is gone. */
int64_t os_thread_cpu(uint32_t tid);
/* It sleeps in the kernel; false also where that cannot be known. */
bool os_thread_sleeps(uint32_t tid);
/* The number of the system call that it is in; OS_CALL_NONE: it computes, or waits for a page. */
#define OS_CALL_NONE    (-1L)
#define OS_CALL_UNKNOWN (-2L)
long os_thread_call(uint32_t tid);
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
/* Bytes of this process that are in memory; 0 when unknown. */
uint64_t os_resident(void);

/* ---- errno across a park ---- */

int os_errno(void);
void os_set_errno(int e);
/* Where this thread keeps it. */
int *os_errno_at(void);

/* ---- poller (epoll.c) ----
 *
 * One for the process. A descriptor is watched for both directions, edge-triggered: an event says that it
 * became ready since the last look, or was when it was added. */

#define OS_READABLE 1u /* or at its end, or in error */
#define OS_WRITABLE 2u /* or in error */

typedef struct OsEvent {
	uint64_t data;  /* as given to os_poll_add */
	uint32_t ready; /* OS_READABLE, OS_WRITABLE */
} OsEvent;

/* Open it, once. 0 or negative errno (-EMFILE, -ENFILE, -ENOMEM). */
int os_poll_open(void);
/* Watch fd. -EPERM: a file that is always ready, such as a regular one. -EEXIST: is watched already. */
int os_poll_add(int fd, uint64_t data);
int os_poll_del(int fd);
/* Up to n events (at most 128); waits for the first for ns (0: not at all; < 0: for ever) or until os_poll_wake,
 * which is no event. May come back early. Negative errno: the poller itself is gone (-EBADF). */
int os_poll_wait(OsEvent *ev, int n, int64_t ns);
/* Wake who waits in os_poll_wait with ns != 0, or the next who does. */
void os_poll_wake(void);

/* ---- descriptors (fd.c) ---- As the system's calls of these names; negative errno; not interposed. */

long os_fd_read(int fd, void *p, size_t n);
long os_fd_write(int fd, const void *p, size_t n);
long os_fd_recv(int fd, void *p, size_t n, int flags);
long os_fd_send(int fd, const void *p, size_t n, int flags);
/* The new descriptor does not block and is closed by exec. */
int os_fd_accept(int fd, void *addr, uint32_t *len);
int os_fd_connect(int fd, const void *addr, uint32_t len);
/* Non-blocking, closed by exec. */
int os_fd_socket(int family, int type, int protocol);
int os_fd_bind(int fd, const void *addr, uint32_t len);
int os_fd_listen(int fd, int backlog);
int os_fd_set_option(int fd, int level, int name, int value);
int os_fd_close(int fd);
/* 1: it was non-blocking already; 0: it is what was asked for now. */
int os_fd_set_nonblock(int fd, bool on);
/* What it is. */
typedef enum OsFdKind { OS_FD_OTHER, OS_FD_SOCKET, OS_FD_FILE, OS_FD_TERMINAL } OsFdKind;
int os_fd_kind(int fd);
/* How a stream socket stands. */
typedef enum OsFdStream {
	OS_FD_NO_STREAM, /* no socket, or one of datagrams */
	OS_FD_LISTENS,
	OS_FD_LOOSE,     /* not connected, or no longer */
	OS_FD_CONNECTED, /* nothing says to whom */
	OS_FD_TCP        /* connected; the two directions have names */
} OsFdStream;
/* TCP: *out names what fd sends, *in what it gets, each made of both addresses; the other end has them the
 * other way round, where no address is translated in between. */
OsFdStream os_fd_stream(int fd, uint64_t *out, uint64_t *in);
/* A socket of datagrams, UDP or Unix: names for where what it sends now goes (to that address, or where it is
 * connected) and for where what it gets was sent, 0 for none. A datagram has a name of its receiver's in common with
 * it, unless an address was translated in between. inode: fd's. False: another socket. */
typedef struct OsFdNames {
	uint64_t out[2], in[2];
	bool blind_out, blind_in; /* the kernel does not say */
} OsFdNames;
bool os_fd_datagram(int fd, uint64_t inode, const void *to, uint32_t len, OsFdNames *n);
/* A Unix socket of streams: the inode of the socket at the other end; 0: none, or nobody says. -1: another socket. */
int64_t os_fd_unix_peer(int fd, uint64_t inode);
/* fd's number among the kernel's eventfds; 0: it is none, or the kernel does not say; -1: nobody could be
 * asked (no /proc, no descriptor left). */
int64_t os_fd_eventfd(int fd);
/* Wait until fd is ready, up to ns (< 0: for ever), or until `kick` is readable (-1: none). OS_READABLE |
 * OS_WRITABLE of what was asked for, 0: not yet. */
int os_fd_wait(int fd, uint32_t ready, int kick, int64_t ns);
/* Something to kick by: becomes readable at the first os_kick. Negative errno. */
int os_kick_open(void);
void os_kick(int kick);

/* ---- end ---- */

/* _exit without passing through anything interposed. */
_Noreturn void os_exit(int code);
/* write(2) until all is out or an error; not interposed, no errno, and no SIGPIPE or SIGXFSZ. */
long os_write(int fd, const void *p, size_t n);

#endif
