/*
 * goro.h: goroutines, channels and Go's synchronisation for C11 and C++17. The one header a program
 * includes; build with goro-cc (or pkg-config goro).
 *
 * Names. Public names start with goro_/GORO_; the short ones (go, chan, chan_*, on_*) are macros over
 * them, and GORO_NO_SHORT_NAMES before the include leaves them out.
 * Errors. Misuse (send on closed channel, unlock of unlocked mutex, ...) is fatal with Go's words, a
 * traceback and exit code 2. What the caller can mend comes back as a negative errno; errno itself is
 * never used. Times are nanoseconds, int64_t.
 * Memory model. Each entry names its edge; "A -> B" reads "A is before B" in the sense of the Go memory
 * model (https://go.dev/ref/mem). What names no edge orders nothing. All edges: docs/memory-model.md.
 * Where not said otherwise a function may be called from a goroutine or from any other thread.
 */
#ifndef GORO_H
#define GORO_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GORO_VERSION "0.1.0"
#define GORO_API     __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#define GORO_NORETURN __attribute__((noreturn))
#else
#define GORO_NORETURN _Noreturn
#endif

typedef struct goro_chan goro_chan;

/* ======== goroutines ======== */

/* Options of goro_go_with; zero means default. */
typedef struct goro_attr {
	const char *name;  /* shown in reports and dumps; copied, cut at 23 bytes */
	size_t stack_size; /* bytes; rounded up to a power of two, at least 16 KiB; default 256 KiB or GORO_STACK_SIZE */
} goro_attr;

/* go f(arg). 0, or -ENOMEM when there is no room for another goroutine; -EINVAL for a NULL f or a stack
 * size that cannot be. The go statement -> the first step of f. (Its end is before nothing.) */
GORO_API int goro_go(void (*f)(void *), void *arg);
GORO_API int goro_go_with(const goro_attr *attr, void (*f)(void *), void *arg);

/* Start the runtime (once), run fn(arg) as main goroutine on this thread's M and return its result;
 * what else still runs goes on in the background, or is stopped when the process ends. From a plain
 * thread, one call at a time; fatal from a goroutine. */
GORO_API int goro_run(int (*fn)(void *), void *arg);

/* Let others run (runtime.Gosched). Orders nothing. */
GORO_API void goro_gosched(void);
/* End this goroutine (runtime.Goexit). From the main goroutine: the others go on, and when none can,
 * "no goroutines (main called runtime.Goexit) - deadlock!". No cleanups of C frames are run. */
GORO_API GORO_NORETURN void goro_goexit(void);
/* Set the number of Ps when n >= 1 (at most 1024); the previous value. Default: the processors this
 * process may use (affinity, cgroup quota), or the environment's GOMAXPROCS. */
GORO_API int goro_gomaxprocs(int n);
/* How many threads goro may have when n >= 1, those in blocking calls included (Go: debug.SetMaxThreads); the previous
 * value, at first 10000. More, now or later: "fatal error: thread exhaustion". Orders nothing. */
GORO_API int goro_set_max_threads(int n);
GORO_API int goro_num_cpu(void);
/* Goroutines alive, the main one included. */
GORO_API int goro_num_goroutine(void);
/* Number of this goroutine, from 1 (main); never reused. 0 on a thread that runs none. */
GORO_API uint64_t goro_id(void);
/* Where errno is, at this moment. The libc declares its own such function constant, and so compilers keep its
 * answer across calls; but a goroutine that parks may wake on another thread, with errno's value carried
 * over to there. In a file that includes this header errno is therefore asked for anew at each use. */
GORO_API int *goro_errno_location(void);
#undef errno
#define errno (*goro_errno_location())
/* Name shown in reports and dumps; copied, cut at 23 bytes. */
GORO_API void goro_set_name(const char *name);
/* Wire this goroutine to its thread until as many unlocks (runtime.LockOSThread). */
GORO_API void goro_lock_os_thread(void);
GORO_API void goro_unlock_os_thread(void);

/* True in a program built with -race (also: __GORO_RACE__). */
GORO_API bool goro_race_enabled(void);
/* "panic: MESSAGE", traceback of this goroutine, exit 2. */
GORO_API GORO_NORETURN void goro_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Write the traceback of this goroutine, or of all, to fd: docs/tracebacks.md. Nobody stops for it but, for the
 * time of a walk over its stack, who runs on another thread (SIGURG). Orders nothing. debug/traceback.c */
GORO_API void goro_traceback(int fd, bool all);

/* ---- execution traces (runtime/trace; docs/traces.md): GODEBUG=trace=FILE. No edges. ----
 * Regions and log lines are the calling goroutine's; elsewhere, and without a trace, these calls do nothing. */
/* Is one being made? For who would compute what to log. */
GORO_API bool goro_trace_enabled(void);
/* From here to the end of the same name this goroutine does `name` (trace.StartRegion), which is copied, cut at
 * 127 bytes; 6000 different names at most. Regions of a goroutine nest: an end closes those within it that have none. */
GORO_API void goro_trace_region_begin(const char *name);
GORO_API void goro_trace_region_end(const char *name);
/* A moment, with a category (a name as above) and a text, cut at 240 bytes (trace.Log). */
GORO_API void goro_trace_log(const char *category, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Write what the buffers hold now, the last moments of the program, as GODEBUG=trace=FILE would, while all run on;
 * to a file, which appears as one, or a descriptor. From any thread, not from a signal handler; takes a second for
 * a million events. GODEBUG=tracebuf=BYTES alone keeps the buffers for it. 0 or negative errno: -EOPNOTSUPP (there
 * is no trace), -EINVAL, -EBADF, -ENOENT, -EACCES, -ENOSPC, ... as open and write; -ENOMEM. */
GORO_API int goro_trace_snapshot(const char *path);
GORO_API int goro_trace_snapshot_fd(int fd);

/* Around a call that may block the thread: the P moves on to other goroutines meanwhile. Not nested. */
GORO_API void goro_enter_syscall(void);
GORO_API void goro_exit_syscall(void);
/* f(arg) between the two; its result. */
GORO_API int64_t goro_blocking(int64_t (*f)(void *), void *arg);

/* ======== channels, untyped ======== */

/* A channel for cap elements of elem bytes (0 allowed); "makechan: size out of range" is a panic, no
 * memory is fatal. cap 0: unbuffered. The channel belongs to the caller: goro_chan_free. */
GORO_API goro_chan *goro_chan_make(size_t elem, size_t cap);
/* Free it. Fatal while a goroutine waits on it. Safe right after the last receive, even while the
 * sender is still on its way out of send. NULL is ignored. */
GORO_API void goro_chan_free(goro_chan *c);
/* Send: blocks until received (cap 0) or buffered; for ever on NULL. Panics on a closed channel. Send ->
 * completion of its receive; k-th receive -> completion of send k+cap. */
GORO_API void goro_chan_send(goro_chan *c, const void *elem);
/* Receive into elem (NULL discards): true; false and *elem zeroed when closed and empty. Close -> a receive
 * that answers because of it. */
GORO_API bool goro_chan_recv(goro_chan *c, void *elem);
/* As above, without blocking: false when it would block (send) or none is there or closed (receive). */
GORO_API bool goro_chan_try_send(goro_chan *c, const void *elem);
GORO_API bool goro_chan_try_recv(goro_chan *c, void *elem);
/* Close. Panics: "close of nil channel", "close of closed channel". */
GORO_API void goro_chan_close(goro_chan *c);
/* Elements waiting; capacity. 0 for NULL. Order nothing. */
GORO_API int goro_chan_len(const goro_chan *c);
GORO_API int goro_chan_cap(const goro_chan *c);

/* One case of a select. chan NULL: never ready. elem: source or destination (NULL discards). ok: out,
 * a receive that got a value (as received: false when closed). */
typedef struct goro_case {
	goro_chan *chan;
	bool send;
	void *elem;
	bool ok;
	bool *okp; /* when not NULL, gets ok too */
} goro_case;

/* Do one ready case, uniformly at random among those ready, and return its index; with none ready block
 * (for ever if n is 0), or return -1 if !block. Edges as send and receive. Negative n is a panic. */
GORO_API int goro_select(goro_case *cases, int n, bool block);

/* ======== sync ======== All work zeroed. None is copied after first use. */

/* Unlock n -> lock m > n. Not recursive, not tied to a goroutine, starvation-free (a waiter of 1 ms gets
 * it next). Unlocking an unlocked one: "sync: unlock of unlocked mutex". */
typedef struct goro_mutex {
	uint32_t state;
} goro_mutex;
GORO_API void goro_mutex_lock(goro_mutex *m);
GORO_API void goro_mutex_unlock(goro_mutex *m);
GORO_API bool goro_mutex_trylock(goro_mutex *m);

/* Unlock -> the next locks; read unlocks -> the next write lock. A waiting writer holds off new readers. */
typedef struct goro_rwmutex {
	goro_mutex w;
	uint32_t writer_sema, reader_sema;
	int32_t readers, reader_wait;
} goro_rwmutex;
GORO_API void goro_rwmutex_rlock(goro_rwmutex *rw);
GORO_API void goro_rwmutex_runlock(goro_rwmutex *rw);
GORO_API bool goro_rwmutex_tryrlock(goro_rwmutex *rw);
GORO_API void goro_rwmutex_lock(goro_rwmutex *rw);
GORO_API void goro_rwmutex_unlock(goro_rwmutex *rw);
GORO_API bool goro_rwmutex_trylock(goro_rwmutex *rw);

/* Done -> the Wait that it lets go. "sync: negative WaitGroup counter" is a panic. */
typedef struct goro_waitgroup {
	uint64_t state;  /* counter:32, waiters:32 */
	uint64_t waited; /* -race: number of the goroutine or thread that has waited since the last Done, or 0 */
} goro_waitgroup;
GORO_API void goro_waitgroup_add(goro_waitgroup *wg, int n);
GORO_API void goro_waitgroup_done(goro_waitgroup *wg);
GORO_API void goro_waitgroup_wait(goro_waitgroup *wg);
/* Add 1, run f(arg) in a goroutine, Done when it returns (or calls goro_goexit). */
GORO_API void goro_waitgroup_go(goro_waitgroup *wg, void (*f)(void *), void *arg);

/* f(arg) runs once, at the first Do; its return -> the return of every Do. */
typedef struct goro_once {
	uint32_t done;
	goro_mutex m;
} goro_once;
GORO_API void goro_once_do(goro_once *o, void (*f)(void *), void *arg);

/* Wait unlocks m, parks, locks m again. Signal, Broadcast -> return of the Wait that they wake. Waits
 * wake in order of arrival. A zeroed cond needs _init to know its mutex. */
typedef struct goro_cond {
	goro_mutex *m;
	uint32_t waiters;
} goro_cond;
GORO_API void goro_cond_init(goro_cond *c, goro_mutex *m);
GORO_API void goro_cond_wait(goro_cond *c);
GORO_API void goro_cond_signal(goro_cond *c);
GORO_API void goro_cond_broadcast(goro_cond *c);

/* ======== time ======== */

#define GORO_NANOSECOND  INT64_C(1)
#define GORO_MICROSECOND (1000 * GORO_NANOSECOND)
#define GORO_MILLISECOND (1000 * GORO_MICROSECOND)
#define GORO_SECOND      (1000 * GORO_MILLISECOND)
#define GORO_MINUTE      (60 * GORO_SECOND)
#define GORO_HOUR        (60 * GORO_MINUTE)

/* Park for at least ns; returns at once if ns <= 0. Orders nothing. */
GORO_API void goro_sleep(int64_t ns);
/* Monotonic nanoseconds since an arbitrary start. */
GORO_API int64_t goro_now(void);
/* A new channel (capacity 1, elements int64_t) that gets goro_now() once, after ns. Arming -> the
 * receive. The caller frees it with chan_free, which disarms it when it has not fired. */
GORO_API goro_chan *goro_after_chan(int64_t ns);

#ifdef __cplusplus
}
#endif

/* ======== atomics ======== Sequentially consistent. An operation -> one that observes its effect; a store
 * observes nothing. add: the new value; swap: the old; cas: whether it swapped. Pointers are not NULL. */
#define GORO_ATOMIC_INLINE static inline __attribute__((always_inline, unused))
#define GORO_ATOMIC_COMMON_(name, T)                                                               \
	GORO_ATOMIC_INLINE T goro_atomic_load_##name(const T *p)                                   \
	{                                                                                          \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                       \
	}                                                                                          \
	GORO_ATOMIC_INLINE void goro_atomic_store_##name(T *p, T v)                                \
	{                                                                                          \
		__atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                          \
	}                                                                                          \
	GORO_ATOMIC_INLINE T goro_atomic_swap_##name(T *p, T v)                                    \
	{                                                                                          \
		return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                                \
	}                                                                                          \
	GORO_ATOMIC_INLINE bool goro_atomic_cas_##name(T *p, T o, T v)                             \
	{                                                                                          \
		return __atomic_compare_exchange_n(                                                \
		    p, &o, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                          \
	}
#define GORO_ATOMIC_(name, T)                                                                      \
	GORO_ATOMIC_COMMON_(name, T)                                                               \
	GORO_ATOMIC_INLINE T goro_atomic_add_##name(T *p, T d)                                     \
	{                                                                                          \
		return __atomic_add_fetch(p, d, __ATOMIC_SEQ_CST);                                 \
	}
GORO_ATOMIC_(int32, int32_t)
GORO_ATOMIC_(int64, int64_t)
GORO_ATOMIC_(uint32, uint32_t)
GORO_ATOMIC_(uint64, uint64_t)
GORO_ATOMIC_(uintptr, uintptr_t)
/* Pointers: void *, no arithmetic. */
typedef void *goro_ptr_;
GORO_ATOMIC_COMMON_(ptr, goro_ptr_)
#undef GORO_ATOMIC_
#undef GORO_ATOMIC_COMMON_

/* ======== typed channels, go, select ========
 *
 * chan(T) is the type `T (*)(goro_chan *)`, never called: compatible across files without a declaration,
 * and its element type is that of a call. */
#define GORO_CHAN(T)      __typeof__(T(*)(goro_chan *))
#define GORO_CHAN_PTR_(c) ((goro_chan *)(uintptr_t)(c))
#define GORO_COUNT_(...)  GORO_COUNT2_(__VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define GORO_COUNT2_(a, b, c, d, e, f, g, h, i, n, ...) n
#define GORO_CAT_(a, b)   GORO_CAT2_(a, b)
#define GORO_CAT2_(a, b)  a##b

#ifdef __cplusplus
#include "goro_cxx.h"
#else

/* A channel of the wrong element type, or a wrong argument of go, is an error and not a warning: where
 * goro.h is included, pointers of different types do not mix (gcc 14 and clang 16 agree). */
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wint-conversion"
#ifdef __clang__
#pragma GCC diagnostic error "-Wincompatible-function-pointer-types"
#endif

#define GORO_ELEM_(c) __typeof__((c)((goro_chan *)0))
/* p as a destination for c's elements: a pointer to exactly its element type, or NULL. */
#define GORO_DEST_(c, p)                                                                           \
	((void)sizeof(struct {                                                                     \
		_Static_assert(__builtin_types_compatible_p(__typeof__(p), GORO_ELEM_(c) *) ||     \
			__builtin_types_compatible_p(__typeof__(p), void *),                       \
		    "goro: destination is not a pointer to the channel's element type");           \
		int goro_unused;                                                                   \
	}), (void *)(p))

#define GORO_CHAN_MAKE1_(T)    ((GORO_CHAN(T))(uintptr_t)goro_chan_make(sizeof(T), 0))
#define GORO_CHAN_MAKE2_(T, n) ((GORO_CHAN(T))(uintptr_t)goro_chan_make(sizeof(T), (size_t)(n)))
#define GORO_CHAN_MAKE(...)    __extension__ GORO_CAT_(GORO_CHAN_MAKE, GORO_CAT_(GORO_COUNT_(__VA_ARGS__), _))(__VA_ARGS__)
#define GORO_CHAN_FREE(c)      goro_chan_free(GORO_CHAN_PTR_(c))
#define GORO_CHAN_CLOSE(c)     goro_chan_close(GORO_CHAN_PTR_(c))
#define GORO_CHAN_LEN(c)       goro_chan_len(GORO_CHAN_PTR_(c))
#define GORO_CHAN_CAP(c)       goro_chan_cap(GORO_CHAN_PTR_(c))
/* What a channel copies from or to begins 8 bytes of its own: under -race two that share them cost a good deal more. */
#define GORO_APART_ __attribute__((aligned(8)))
/* A value of the element type, converted as by assignment. */
#define GORO_CHAN_SEND_AS_(fn, c, v, id)                                                           \
	__extension__({                                                                            \
		__auto_type GORO_CAT_(goro_c, id) = (c);                                           \
		GORO_ELEM_(GORO_CAT_(goro_c, id)) GORO_CAT_(goro_v, id) GORO_APART_ = (v);         \
		fn(GORO_CHAN_PTR_(GORO_CAT_(goro_c, id)), &GORO_CAT_(goro_v, id));                 \
	})
#define GORO_CHAN_SEND_ID_(fn, c, v, id) GORO_CHAN_SEND_AS_(fn, c, v, id)
#define GORO_CHAN_SEND(c, v)     GORO_CHAN_SEND_ID_(goro_chan_send, c, v, __COUNTER__)
#define GORO_CHAN_TRY_SEND(c, v) GORO_CHAN_SEND_ID_(goro_chan_try_send, c, v, __COUNTER__)
#define GORO_CHAN_RECV_AS_(c, id)                                                                  \
	__extension__({                                                                            \
		__auto_type GORO_CAT_(goro_c, id) = (c);                                           \
		GORO_ELEM_(GORO_CAT_(goro_c, id)) GORO_CAT_(goro_v, id) GORO_APART_;               \
		(void)goro_chan_recv(GORO_CHAN_PTR_(GORO_CAT_(goro_c, id)), &GORO_CAT_(goro_v, id)); \
		GORO_CAT_(goro_v, id);                                                             \
	})
#define GORO_CHAN_RECV_ID_(c, id)  GORO_CHAN_RECV_AS_(c, id)
#define GORO_CHAN_RECV(c)          GORO_CHAN_RECV_ID_(c, __COUNTER__)
#define GORO_CHAN_RECV_OK(c, p)    goro_chan_recv(GORO_CHAN_PTR_(c), GORO_DEST_(c, p))
#define GORO_CHAN_TRY_RECV(c, p)   goro_chan_try_recv(GORO_CHAN_PTR_(c), GORO_DEST_(c, p))
#define GORO_CHAN_RANGE_AS_(v, c, r, o)                                                            \
	for (goro_chan *r = GORO_CHAN_PTR_(c), **o = &r; o; o = NULL)                              \
		for (GORO_ELEM_(c) v GORO_APART_; goro_chan_recv(r, &v);)
#define GORO_CHAN_RANGE_ID_(v, c, id) GORO_CHAN_RANGE_AS_(v, c, GORO_CAT_(goro_r, id), GORO_CAT_(goro_o, id))
#define GORO_CHAN_RANGE(v, c)         GORO_CHAN_RANGE_ID_(v, c, __COUNTER__)

#define GORO_ON_RECV(c, p)                                                                         \
	{                                                                                          \
		GORO_CHAN_PTR_(c), false, GORO_DEST_(c, p), false, NULL                            \
	}
#define GORO_ON_RECV_OK(c, p, k)                                                                   \
	{                                                                                          \
		GORO_CHAN_PTR_(c), false, GORO_DEST_(c, p), false, (k)                             \
	}
#define GORO_ON_SEND(c, v)                                                                         \
	{                                                                                          \
		GORO_CHAN_PTR_(c), true, (GORO_ELEM_(c)[1]){(v)}, false, NULL                      \
	}
#define GORO_SELECT_AS_(block, id, ...)                                                            \
	__extension__({                                                                            \
		goro_case GORO_CAT_(goro_s, id)[] = {{NULL, false, NULL, false, NULL}, __VA_ARGS__}; \
		goro_select(GORO_CAT_(goro_s, id) + 1,                                             \
		    (int)(sizeof GORO_CAT_(goro_s, id) / sizeof(goro_case)) - 1, (block));         \
	})
#define GORO_SELECT_ID_(block, id, ...) GORO_SELECT_AS_(block, id, __VA_ARGS__)
#define GORO_SELECT(...)         GORO_SELECT_ID_(true, __COUNTER__, __VA_ARGS__)
#define GORO_SELECT_DEFAULT(...) GORO_SELECT_ID_(false, __COUNTER__, __VA_ARGS__)

/* go f(a, b): the call is compiled against f's own prototype, so that count and types are checked and
 * converted as in any call, but it lands in goro_go_capture, which keeps the argument registers and the
 * stack part, and starts f with them on a new goroutine. f's result is dropped. No room for another
 * goroutine is fatal; goro_go answers with an error instead.
 *
 * The variable-length array is the lowest object of the frame, right above the outgoing arguments: its
 * address, passed on as the static chain, bounds the stack part that is copied. */
extern GORO_API void goro_go_capture(void);
#define GORO_GO_BODY_(id, fn, ...)                                                                 \
	__extension__({                                                                            \
		_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wvla\"")         \
		__typeof__(&*(fn)) GORO_CAT_(goro_f, id) = (fn), GORO_CAT_(goro_e, id);            \
		uintptr_t GORO_CAT_(goro_a, id) = (uintptr_t)&goro_go_capture,                     \
			  GORO_CAT_(goro_n, id) = 2;                                               \
		__asm__("" : "+r"(GORO_CAT_(goro_a, id)), "+r"(GORO_CAT_(goro_n, id)));            \
		uintptr_t GORO_CAT_(goro_d, id)[GORO_CAT_(goro_n, id)];                            \
		GORO_CAT_(goro_d, id)[0] = (uintptr_t)GORO_CAT_(goro_f, id);                       \
		GORO_CAT_(goro_e, id) = (__typeof__(GORO_CAT_(goro_e, id)))GORO_CAT_(goro_a, id);  \
		_Static_assert(sizeof(__typeof__(GORO_CAT_(goro_e, id)(__VA_ARGS__))) <= 16,       \
		    "goro: go needs a function that returns void or a small value");               \
		(void)__builtin_call_with_static_chain(                                            \
		    GORO_CAT_(goro_e, id)(__VA_ARGS__), (void *)GORO_CAT_(goro_d, id));            \
		_Pragma("GCC diagnostic pop")                                                      \
	})
#define GORO_GO1_(id, f)      GORO_GO_BODY_(id, f, )
#define GORO_GO2_(id, f, ...) GORO_GO_BODY_(id, f, __VA_ARGS__)
#define GORO_GO_ID_(id, n, ...) GORO_CAT_(GORO_CAT_(GORO_GO, n), _)(id, __VA_ARGS__)
#define GORO_GO(...) GORO_GO_ID_(__COUNTER__, GORO_ONE_(__VA_ARGS__), __VA_ARGS__)
/* 1 for one argument, 2 for more (a compound literal counts as several: its commas split it). */
#define GORO_ONE_(...)                                                                             \
	GORO_ONE2_(__VA_ARGS__, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,   \
	    2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 0)
#define GORO_ONE2_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z,   \
    aa, bb, cc, dd, ee, ff, ret, ...)                                                              \
	ret

#endif /* !__cplusplus */

#ifndef GORO_NO_SHORT_NAMES
#define go(...)                 GORO_GO(__VA_ARGS__)
#define chan(T)                 GORO_CHAN(T)
#define chan_make(...)          GORO_CHAN_MAKE(__VA_ARGS__)
#define chan_free(c)            GORO_CHAN_FREE(c)
#define chan_send(c, ...)       GORO_CHAN_SEND(c, (__VA_ARGS__))
#define chan_recv(c)            GORO_CHAN_RECV(c)
#define chan_recv_ok(c, p)      GORO_CHAN_RECV_OK(c, p)
#define chan_try_send(c, ...)   GORO_CHAN_TRY_SEND(c, (__VA_ARGS__))
#define chan_try_recv(c, p)     GORO_CHAN_TRY_RECV(c, p)
#define chan_close(c)           GORO_CHAN_CLOSE(c)
#define chan_len(c)             GORO_CHAN_LEN(c)
#define chan_cap(c)             GORO_CHAN_CAP(c)
#define chan_range(v, c)        GORO_CHAN_RANGE(v, c)
#define chan_select(...)        GORO_SELECT(__VA_ARGS__)
#define chan_select_default(...) GORO_SELECT_DEFAULT(__VA_ARGS__)
#define on_recv(c, p)           GORO_ON_RECV(c, p)
#define on_recv_ok(c, p, k)     GORO_ON_RECV_OK(c, p, k)
#define on_send(c, ...)         GORO_ON_SEND(c, (__VA_ARGS__))
#endif

/* As goro_after_chan, typed: chan(int64_t). */
#define goro_after(ns) ((GORO_CHAN(int64_t))(uintptr_t)goro_after_chan(ns))

/* ======== timers, tickers ========
 *
 * As Go 1.23's: once _stop or _reset has returned, no value of before is ever received from c, and the
 * answer says whether that took something away: true when the timer was armed, or had fired and its
 * value was not yet received. Unlike Go's, c has a capacity of 1, and chan_len tells that a value is there.
 * Arming (_new, _reset) -> what it fires: the receive, the first step of f. Nothing else is ordered.
 * Any goroutine may stop and reset; freeing needs that nobody else uses it any more. */
#ifdef __cplusplus
extern "C" {
#endif

/* Made by the calls below, owned by the caller until goro_timer_free; never copied. */
typedef struct goro_timer {
	GORO_CHAN(int64_t) c; /* gets goro_now() when it fires; the timer's, never closed; NULL for after_func */
} goro_timer;
/* A timer that fires once, ns from now (at once if ns <= 0). No memory is fatal. */
GORO_API goro_timer *goro_timer_new(int64_t ns);
/* A timer that runs f(arg) in a goroutine of its own, ns from now. Stop true: that run will not happen;
 * stop does not wait for one that has begun. Reset arms it again: runs may overlap. NULL f is a panic. */
GORO_API goro_timer *goro_after_func(int64_t ns, void (*f)(void *), void *arg);
GORO_API bool goro_timer_stop(goro_timer *t);
GORO_API bool goro_timer_reset(goro_timer *t, int64_t ns);
/* Stop it and free it, with its channel. NULL is ignored. May be called by its own f. */
GORO_API void goro_timer_free(goro_timer *t);

/* c gets goro_now() every ns; what a slow receiver has not taken when the next is due is dropped, not
 * queued. ns <= 0: "non-positive interval for NewTicker", "... for Ticker.Reset" are panics. */
typedef struct goro_ticker {
	GORO_CHAN(int64_t) c; /* the ticker's; not closed by stop */
} goro_ticker;
GORO_API goro_ticker *goro_ticker_new(int64_t ns);
GORO_API void goro_ticker_stop(goro_ticker *t);
/* The next tick comes ns from now, whether it ran or was stopped. */
GORO_API void goro_ticker_reset(goro_ticker *t, int64_t ns);
GORO_API void goro_ticker_free(goro_ticker *t);

/* ======== context ========
 *
 * A tree of requests to stop. Whoever cancels one cancels all below it; a value looked up is searched
 * for upwards. Go's words and rules; what differs is ownership, as C has no collector:
 *   - goro_with_* gives the caller one reference, goro_context_ref another; goro_context_free lets one
 *     go. The last one cancels the context, as Go's `defer cancel()`, and the handle is dead.
 *   - A child keeps its parents' memory (not their life: when the parent's last reference goes, the
 *     parent is cancelled and so is the child). So the order of freeing is free.
 *   - Who uses a context holds a reference, or knows that another holds one for as long.
 *   - The channel of _done and values' keys live as long as the context; the value itself is never touched.
 * A NULL context is a panic everywhere ("cannot create context from nil parent"), but for _free.
 * Edges: cancel -> a receive from done that answers because of it; cancel -> an _err (or _cause) that is
 * not 0; a deadline's cancel comes from a goroutine that starts after goro_with_deadline. Every
 * goro_context_free -> the release of the memory. */
typedef struct goro_context goro_context;

/* The root: never cancelled, no value, no deadline; not counted (_ref and _free do nothing). */
GORO_API goro_context *goro_background(void);
GORO_API goro_context *goro_with_cancel(goro_context *parent);
/* Cancelled by itself ns from now, or at `when` on goro_now()'s clock; a parent's earlier deadline stands. */
GORO_API goro_context *goro_with_timeout(goro_context *parent, int64_t ns);
GORO_API goro_context *goro_with_deadline(goro_context *parent, int64_t when);
/* key: compared as a pointer, not NULL ("nil key"); the address of a static variable makes a good one. */
GORO_API goro_context *goro_with_value(goro_context *parent, const void *key, void *value);
/* Has the values of its parent, but is not cancelled with it and has no deadline. */
GORO_API goro_context *goro_without_cancel(goro_context *parent);
/* Another reference to ctx; returns it. */
GORO_API goro_context *goro_context_ref(goro_context *ctx);
GORO_API void goro_context_free(goro_context *ctx);

/* Cancel ctx and all below it; only the first time does something. A panic for a context that cannot be
 * cancelled (made by _background, _with_value, _without_cancel). */
GORO_API void goro_cancel(goro_context *ctx);
/* As above, with a reason of the program's own for goro_context_cause; 0 stands for -ECANCELED. */
GORO_API void goro_cancel_cause(goro_context *ctx, int cause);

/* Closed when ctx is cancelled; NULL when it cannot be (never ready in a select). Never sent to. */
GORO_API GORO_CHAN(char) goro_context_done(goro_context *ctx);
/* 0; -ECANCELED once cancelled; -ETIMEDOUT when the deadline passed first. */
GORO_API int goro_context_err(goro_context *ctx);
/* Why: the cause given to goro_cancel_cause on ctx or the parent it came from, else as _err. */
GORO_API int goro_context_cause(goro_context *ctx);
/* Go's text for what _err answers: "context canceled", "context deadline exceeded"; "" for 0, "error"
 * for a number that is neither. */
GORO_API const char *goro_context_err_text(int err);
/* True and *when (which may be NULL): it has a deadline. */
GORO_API bool goro_context_deadline(goro_context *ctx, int64_t *when);
/* What goro_with_value gave for key, here or above; NULL when nobody did. */
GORO_API void *goro_context_value(goro_context *ctx, const void *key);

/* ======== group, semaphore, pool ======== Never copied after first use. */

/* Goroutines with one task, x/sync's errgroup. Works zeroed: then the first error cancels nobody. f's
 * return -> the Wait that it lets go. */
typedef struct goro_group {
	goro_waitgroup wg;
	goro_mutex m;
	int err, limit;
	goro_chan *slots;
	goro_context *ctx;
} goro_group;
/* Before the first _go: a context below parent that is cancelled (cause: the error) by the first error,
 * and when Wait returns. The caller owns the reference returned and frees it, the group has its own until Wait
 * returns. A second call before that is a panic. */
GORO_API goro_context *goro_group_with_context(goro_group *g, goro_context *parent);
/* Run f(arg) in a goroutine; when as many as the limit run, wait for one to end (end k -> the _go that
 * takes its place). 0, or -ENOMEM: f will not run. NULL f: -EINVAL. A goexit in f counts as 0. */
GORO_API int goro_group_go(goro_group *g, int (*f)(void *), void *arg);
/* As _go, but -EAGAIN in place of waiting. */
GORO_API int goro_group_try_go(goro_group *g, int (*f)(void *), void *arg);
/* At most n at a time; n < 0: any number; 0: none more. While any runs it is a panic. */
GORO_API void goro_group_set_limit(goro_group *g, int n);
/* Wait for all to end; the first result that was not 0, or 0. */
GORO_API int goro_group_wait(goro_group *g);

/* n units that are taken and given back in lots of any size, x/sync's semaphore. First come first
 * served: a large request is not overtaken by small ones. Release -> the acquires it lets go, and all later ones. */
typedef struct goro_semaphore {
	int64_t size, used;
	uint32_t lock[2];
	void *head, *tail;
} goro_semaphore;
/* A negative n is a panic. */
GORO_API void goro_semaphore_init(goro_semaphore *s, int64_t n);
/* Take n units, waiting for them. 0; the context's error when that comes first (nothing is taken then);
 * ctx may be NULL. More units than there are: waits for ctx, or -EINVAL when that can't end it. */
GORO_API int goro_semaphore_acquire(goro_semaphore *s, goro_context *ctx, int64_t n);
/* Take them if they are there and nobody waits. */
GORO_API bool goro_semaphore_try_acquire(goro_semaphore *s, int64_t n);
/* Give n units back. "semaphore: released more than held" is a panic, as are negative n in all three. */
GORO_API void goro_semaphore_release(goro_semaphore *s, int64_t n);

/* Things kept for reuse, in a stack for each P; none is in it that was not put. Zeroed but for make.
 * Put x -> the Get that returns x. Unlike Go's, nothing is dropped behind the program's back. */
typedef struct goro_pool {
	void *(*make)(void); /* a new one when the pool is empty; NULL: Get answers NULL then */
	uint32_t lock[2];
	void *table;
} goro_pool;
GORO_API void *goro_pool_get(goro_pool *p);
/* NULL is ignored. No memory to keep x: fatal. */
GORO_API void goro_pool_put(goro_pool *p, void *x);
/* Take all out, drop(x) each (NULL: only forget them), and free what the pool itself uses. The pool is as
 * new afterwards. Nobody else may use it meanwhile. */
GORO_API void goro_pool_drain(goro_pool *p, void (*drop)(void *));

/* ======== signals ========
 *
 * Signals as messages, Go's os/signal. c gets the number when the signal arrives, never blocking: give it
 * room; what does not fit is lost, and the same signal twice in a moment may come once. While any channel
 * is registered, waiting is not a deadlock. A list of signals ends with 0. 0, or -EINVAL (and nothing
 * changed) for a number that is no signal or can't be had: SIGKILL, SIGSTOP, and SIGSEGV, SIGBUS, SIGFPE,
 * SIGILL, SIGTRAP, which are faults of the program's own.
 * notify -> a receive of what it let through; a value sent -> the stop that returns after it. */

/* goro_signal_notify(c, SIGINT, SIGTERM, 0). No signal at all, (c, 0): every one that can be had. May be
 * called again to add more, and for several channels. NULL c: "os/signal: Notify using nil channel".
 * -ENOMEM, -EAGAIN: no memory or thread for it. */
GORO_API int goro_signal_notify(GORO_CHAN(int) c, int sig, ...);
GORO_API int goro_signal_notify_list(GORO_CHAN(int) c, const int *sigs, int n);
/* c gets no more; signals that no channel wants any longer do again what they did before. Call it before
 * c is closed or freed. Not from a signal handler. */
GORO_API void goro_signal_stop(GORO_CHAN(int) c);
/* Ignore these (no signal: all); no channel gets them any more. */
GORO_API int goro_signal_ignore(int sig, ...);
/* These (no signal: all) do again what they did before the first notify or ignore. */
GORO_API int goro_signal_reset(int sig, ...);
/* True: sig is ignored, by goro_signal_ignore or by what was set before. */
GORO_API bool goro_signal_ignored(int sig);
/* A context below parent that the first of these signals cancels, its number the cause (Go: NotifyContext).
 * The signals are caught until it is cancelled, by them, by goro_cancel or by its last goro_context_free;
 * a moment later they do what they did before. NULL where notify has an error. Notify -> that cancel. */
GORO_API goro_context *goro_signal_context(goro_context *parent, int sig, ...);

/* ======== descriptors ========
 *
 * read, write, accept, connect, ... as libc's, but for goroutines: where libc's would block the thread these
 * park the goroutine, and as many as there are descriptors wait in one epoll. Results are counts,
 * descriptors or 0, and negative errno; errno is left alone.
 *   - The first call on a descriptor makes it non-blocking (a terminal and 0 to 2, which other processes
 *     share, stay as they are; files, which never wait, have their calls done as any blocking call). So
 *     libc's read on it answers EAGAIN from then on.
 *   - Interrupted calls go on: never -EINTR. A write goes on until all is written, or an error after less
 *     than all: then that many. A broken socket is -EPIPE, without the signal.
 *   - Any number of goroutines may use one descriptor at once, in either direction; waiters are served in turn.
 *   - Close it by goro_close or close, not behind goro's back (fclose of a stream around it, dup2 onto it).
 * From other threads, and inside goro_blocking, the calls block the thread.
 * Edges: as libc's calls under -race: what is written to a file, pipe or socket -> what is read from it (all
 * sockets are one); goro_close -> calls that answer -ECANCELED; setting a deadline -> its -ETIMEDOUT. */
struct sockaddr;

GORO_API intptr_t goro_read(int fd, void *buf, size_t n);
GORO_API intptr_t goro_write(int fd, const void *buf, size_t n);
/* flags: MSG_*. With MSG_DONTWAIT never waits (-EAGAIN); MSG_WAITALL waits for all n. */
GORO_API intptr_t goro_recv(int fd, void *buf, size_t n, int flags);
GORO_API intptr_t goro_send(int fd, const void *buf, size_t n, int flags);
/* The next connection of a listening socket: its descriptor, non-blocking, closed by exec. addr, len (an
 * in-out socklen_t) as accept's, may be NULL. -EMFILE, ... come back; a connection that went before it was
 * accepted does not. */
GORO_API int goro_accept(int fd, struct sockaddr *addr, uint32_t *len);
/* 0 once connected. */
GORO_API int goro_connect(int fd, const struct sockaddr *addr, uint32_t len);
/* Close fd: calls under way on it answer -ECANCELED, and it is closed when they have. -EBADF the second time. */
GORO_API int goro_close(int fd);

/* From `when` on, on goro_now()'s clock, calls on fd answer -ETIMEDOUT, those that wait too, until another is set;
 * when in the past: at once; 0: none. Files have none: -EINVAL. The three: both directions; read, recv and
 * accept; write, send and connect. */
GORO_API int goro_set_deadline(int fd, int64_t when);
GORO_API int goro_set_read_deadline(int fd, int64_t when);
GORO_API int goro_set_write_deadline(int fd, int64_t when);

/* A listening stream socket. network: "tcp" (an empty or IPv6 host: both families), "tcp4", "tcp6": address
 * "host:port", "[::1]:port", ":port" (every interface), port by number or name of a service, 0: any free;
 * "unix": a path ("@name": abstract). A descriptor or negative errno: -EINVAL (address), -EAFNOSUPPORT
 * (network), -ENOENT (no such host), -EAGAIN (its name server does not answer). */
GORO_API int goro_listen(const char *network, const char *address);
/* Connect to it; a host of several addresses is tried at each, until one answers. As above. */
GORO_API int goro_dial(const char *network, const char *address);
/* Until `when` at the latest, also while the name is looked up: -ETIMEDOUT. */
GORO_API int goro_dial_deadline(const char *network, const char *address, int64_t when);
/* Until ctx is done: its error, -ECANCELED or -ETIMEDOUT. The connection outlives ctx. runtime/net/dial.c */
GORO_API int goro_dial_context(goro_context *ctx, const char *network, const char *address);
/* Where fd's own end (peer: the other one) is, as goro_dial takes it: written to buf, cut to size. 0 or negative errno. */
GORO_API int goro_socket_address(int fd, bool peer, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
