/*
 * help.h: for tests through goro.h: run a body as main goroutine, and check how a program dies.
 */
#ifndef TESTS_API_HELP_H
#define TESTS_API_HELP_H

#include <criterion/criterion.h>
#include <goro.h>

/* Run body on the main goroutine with GOMAXPROCS procs (0: the default); the test fails unless it
 * returns 0 within 20 s (200 s in HARD builds). */
void in_goro(int procs, int (*body)(void *));
/* Run body in a process of its own: it must end with `code` and say each of the texts, up to NULL,
 * on stderr. */
void dies(int code, int (*body)(void *), ...);

/* Test(suite, name) whose body runs as main goroutine. */
#define GoTest(suite, name)                                                                        \
	static int suite##_##name##_body(void *);                                                  \
	Test(suite, name)                                                                          \
	{                                                                                          \
		in_goro(0, suite##_##name##_body);                                                 \
	}                                                                                          \
	static int suite##_##name##_body(void *unused __attribute__((unused)))

/* Test(suite, name): the body is the program, which must die with exit code 2 and TEXT. */
#define DieTest(suite, name, ...)                                                                  \
	static int suite##_##name##_body(void *);                                                  \
	Test(suite, name)                                                                          \
	{                                                                                          \
		dies(2, suite##_##name##_body, __VA_ARGS__, NULL);                                 \
	}                                                                                          \
	static int suite##_##name##_body(void *unused __attribute__((unused)))

#endif
