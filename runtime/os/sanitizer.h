/*
 * sanitizer.h: telling tools that watch stacks about ours: AddressSanitizer, clang's ThreadSanitizer
 * (each only when goro itself is built for it) and Valgrind (by requests that cost a few instructions at
 * each new stack). In an ordinary build the switches are empty inlines.
 *
 * `slot` is a pointer per context (G.san, M.san): ASan's fake stack, TSan's fiber.
 */
#ifndef GORO_OS_SANITIZER_H
#define GORO_OS_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
#define SAN_ADDRESS 1
#elif defined(__SANITIZE_THREAD__)
#define SAN_THREAD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SAN_ADDRESS 1
#endif
#if __has_feature(thread_sanitizer)
#define SAN_THREAD 1
#endif
#endif

#if defined(SAN_ADDRESS)
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **old_bottom, size_t *old_size);
void __asan_unpoison_memory_region(const volatile void *p, size_t n);
#elif defined(SAN_THREAD)
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

/* ThreadSanitizer holds an asynchronous signal back until the context it came to (thread or fiber) calls
 * something that it intercepts. goro sleeps by system calls of its own: here is such a call. */
static inline void san_signals(void)
{
#if defined(SAN_THREAD)
	(void)time(NULL);
#endif
}

/* A stack [lo, hi) begins its life as a goroutine's. */
static inline void san_new(void **slot, uintptr_t lo, uintptr_t hi)
{
	(void)lo, (void)hi;
	*slot = NULL;
#if defined(SAN_ADDRESS)
	__asan_unpoison_memory_region(
	    (void *)lo, hi - lo); /* the former goroutine left its red zones */
#endif
}

/* A thread's own stack, once, on that thread. */
static inline void san_thread(void **slot)
{
	*slot = NULL;
#if defined(SAN_THREAD)
	*slot = __tsan_get_current_fiber();
#endif
}

/* Right before os_switch from the context of `from` to that of `to`, on stack [lo, hi). dying: `from`
 * is never switched to again. */
static inline void san_leave(void **from, void **to, uintptr_t lo, uintptr_t hi, bool dying)
{
	(void)from, (void)to, (void)lo, (void)hi, (void)dying;
#if defined(SAN_ADDRESS)
	__sanitizer_start_switch_fiber(dying ? NULL : from, (const void *)lo, hi - lo);
#elif defined(SAN_THREAD)
	/* A fiber at the first switch to it, not at creation: TSan has room for 8000 and the tests make a
	 * hundred thousand goroutines that nobody ran yet. */
	san_signals();
	if (!*to)
		*to = __tsan_create_fiber(0);
	/* 0: the switch orders the two. It must: what belongs to an M or a P passes from one goroutine to
	 * the next by nothing but running on the same thread. */
	__tsan_switch_to_fiber(*to, 0);
#endif
}

/* First thing on the other side: the context of `me` runs again (or for the first time). */
static inline void san_arrive(void **me)
{
	(void)me;
#if defined(SAN_ADDRESS)
	__sanitizer_finish_switch_fiber(*me, NULL, NULL);
	*me = NULL;
#endif
}

/* The context is dead and another runs. */
static inline void san_end(void **slot)
{
	(void)slot;
#if defined(SAN_THREAD)
	if (*slot)
		__tsan_destroy_fiber(*slot);
	*slot = NULL;
#endif
}

/* ---- reading what others write at that moment, on purpose, and checked afterwards (dumps) ---- */

#if defined(SAN_THREAD)
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
#endif

static inline void san_read_freely(bool begin)
{
	(void)begin;
#if defined(SAN_THREAD)
	(begin ? AnnotateIgnoreReadsBegin : AnnotateIgnoreReadsEnd)(__FILE__, __LINE__);
#endif
}

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define SAN_VALGRIND_STACK(lo, hi) ((void)VALGRIND_STACK_REGISTER((lo), (hi)))
#endif
#endif
#ifndef SAN_VALGRIND_STACK
#define SAN_VALGRIND_STACK(lo, hi) ((void)(lo), (void)(hi))
#endif

#endif
