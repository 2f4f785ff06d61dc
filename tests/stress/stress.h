/*
 * stress.h: run a body for a while on 1, 2 and 8 processors, under a watchdog that shows every
 * goroutine when nothing moves any more. GORO_STRESS multiplies the time (default: a second per
 * run), GORO_STRESS_PROCS picks one number of processors.
 */
#ifndef TESTS_STRESS_STRESS_H
#define TESTS_STRESS_STRESS_H

#include <criterion/criterion.h>
#include <goro.h>

/* Each in a process of its own; the body loops until stress_over() and returns 0. */
void stress(int (*body)(void *));
/* This process is the run on `procs` processors. */
_Noreturn void stress_run(const char *procs, int (*body)(void *));
/* The time is up. */
bool stress_over(void);
/* Something was done: no progress for 10 s (GORO_STRESS_HANG) is a hang. */
void stress_progress(void);
/* Called before that is said and all goroutines are shown, on a thread of its own. */
void stress_on_hang(void (*f)(void));
/* xorshift: a number in [0, n). */
uint32_t stress_random(uint64_t *state, uint32_t n);
/* Says so and ends the process with an error; works on any goroutine. */
#define stress_check(what) ((what) ? (void)0 : stress_failed(__FILE__, __LINE__, #what))
_Noreturn void stress_failed(const char *file, int line, const char *what);

#define StressTest(suite, name, ...)                                                               \
	static int suite##_##name##_body(void *);                                                  \
	Test(suite, name, ##__VA_ARGS__)                                                           \
	{                                                                                          \
		stress(suite##_##name##_body);                                                     \
	}                                                                                          \
	static int suite##_##name##_body(void *unused __attribute__((unused)))

#endif
