/*
 * annotated.c: written for ThreadSanitizer: each case's name says what to expect. Uses clang's own
 * header, and nothing of goro.
 */
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

void AnnotateHappensBefore(const char *f, int l, uintptr_t addr);
void AnnotateHappensAfter(const char *f, int l, uintptr_t addr);
void AnnotateBenignRaceSized(const char *f, int l, uintptr_t addr, uintptr_t size, const char *why);
void AnnotateIgnoreWritesBegin(const char *f, int l);
void AnnotateIgnoreWritesEnd(const char *f, int l);

static long shared, other;
static volatile int turn;

/* Steps in an order that the detector does not see. */
__attribute__((no_sanitize("thread"), noinline)) static void after(int n)
{
	while (__atomic_load_n(&turn, __ATOMIC_RELAXED) < n)
		sched_yield();
}
__attribute__((no_sanitize("thread"), noinline)) static void step(void)
{
	__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
}

static void both(void *(*first)(void *), void *(*second)(void *))
{
	pthread_t a, b;
	pthread_create(&a, NULL, first, NULL);
	pthread_create(&b, NULL, second, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

#define PAIR(name, FIRST, SECOND)                                                                                      \
	static void *name##_first(void *arg)                                                                           \
	{                                                                                                              \
		FIRST;                                                                                                 \
		step();                                                                                                \
		return arg;                                                                                            \
	}                                                                                                              \
	static void *name##_second(void *arg)                                                                          \
	{                                                                                                              \
		after(1);                                                                                              \
		SECOND;                                                                                                \
		return arg;                                                                                            \
	}                                                                                                              \
	static void name(void)                                                                                         \
	{                                                                                                              \
		both(name##_first, name##_second);                                                                     \
	}

PAIR(race_plain, shared = 1, shared = 2)
PAIR(norace_release_acquire, (shared = 1, __tsan_release(&other)), (__tsan_acquire(&other), shared = 2))
PAIR(race_acquire_of_another, (shared = 1, __tsan_release(&other)), (__tsan_acquire(&turn), shared = 2))
PAIR(norace_happens_before, (shared = 1, AnnotateHappensBefore(__FILE__, __LINE__, 8)),
    (AnnotateHappensAfter(__FILE__, __LINE__, 8), shared = 2))
PAIR(norace_benign, (AnnotateBenignRaceSized(__FILE__, __LINE__, (uintptr_t)&shared, sizeof shared, "meant"), shared = 1),
    shared = 2)
PAIR(norace_ignored, (AnnotateIgnoreWritesBegin(__FILE__, __LINE__), shared = 1, AnnotateIgnoreWritesEnd(__FILE__, __LINE__)),
    shared = 2)

/* A lock that is a plain word, whose own races are the lock's business. */
static long lock_word;
static void take(unsigned flags)
{
	__tsan_mutex_pre_lock(&lock_word, flags);
	lock_word++;
	__tsan_mutex_post_lock(&lock_word, flags, 0);
}
static void give(unsigned flags)
{
	__tsan_mutex_pre_unlock(&lock_word, flags);
	lock_word--;
	__tsan_mutex_post_unlock(&lock_word, flags);
}
PAIR(norace_own_mutex, (take(0), shared = 1, give(0)), (take(0), shared = 2, give(0)))
PAIR(norace_own_rwlock, (take(__tsan_mutex_read_lock), other = shared, give(__tsan_mutex_read_lock)),
    (take(0), shared = 2, give(0)))
PAIR(race_own_readers, (take(__tsan_mutex_read_lock), shared = 1, give(__tsan_mutex_read_lock)),
    (take(__tsan_mutex_read_lock), shared = 2, give(__tsan_mutex_read_lock)))

PAIR(race_external, __tsan_external_write(&shared, __builtin_return_address(0), __tsan_external_register_tag("Thing")),
    __tsan_external_read(&shared, __builtin_return_address(0), __tsan_external_register_tag("Thing")))

/* ---- fibers ---- */

static ucontext_t main_context, fiber_context;
static void *main_fiber, *fiber;
static unsigned back_flags;

static void fiber_entry(void)
{
	shared = 2;
	__tsan_switch_to_fiber(main_fiber, back_flags);
	swapcontext(&fiber_context, &main_context);
}

static void fibers(unsigned flags)
{
	static char stack[64 << 10];
	back_flags = flags;
	main_fiber = __tsan_get_current_fiber();
	fiber = __tsan_create_fiber(0);
	__tsan_set_fiber_name(fiber, "worker");
	getcontext(&fiber_context);
	fiber_context.uc_stack.ss_sp = stack;
	fiber_context.uc_stack.ss_size = sizeof stack;
	makecontext(&fiber_context, fiber_entry, 0);
	__tsan_switch_to_fiber(fiber, flags);
	swapcontext(&main_context, &fiber_context);
	shared = 1;
	__tsan_destroy_fiber(fiber);
}
static void norace_fiber(void)
{
	fibers(0);
}
static void race_fiber_no_sync(void)
{
	fibers(__tsan_switch_to_fiber_no_sync);
}

#define CASE(f) {#f, f}
static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {CASE(race_plain), CASE(norace_release_acquire), CASE(race_acquire_of_another), CASE(norace_happens_before),
    CASE(norace_benign), CASE(norace_ignored), CASE(norace_own_mutex), CASE(norace_own_rwlock), CASE(race_own_readers),
    CASE(race_external), CASE(norace_fiber), CASE(race_fiber_no_sync)};

/* Without a name: list the cases. */
int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (argc < 2)
			puts(cases[i].name);
		else if (!strcmp(argv[1], cases[i].name))
			return cases[i].f(), 0;
	return argc < 2 ? 0 : 99;
}
