/*
 * case.h: the frame of a subject file. Each function race_* must be reported just as its table row says,
 * each norace_* must stay silent; the rules are those of the Go and C11 memory models. cases_test.c runs
 * every case in a process of its own.
 *
 * Order between goroutines is forced by step/after/arrive (invisible.h), which the detector cannot see.
 *
 * A row's expectation, from left to right as the report has it:
 *
 *	"read read_x<reader / write write_x<writer / global x"
 *
 * the current access (word, innermost function, its callers), the previous one, the location (global
 * NAME, heap, stack, or - for any), further accesses; "- " in the place of the previous one: there is none; " / says TEXT" asks for TEXT anywhere in the output; " ; " separates
 * reports; "16 times ..." is sixteen like it. The line of each frame must hold the name of the function in question, so an access function
 * is written on one line and named on the line that calls it.
 */
#ifndef TESTS_CASES_CASE_H
#define TESTS_CASES_CASE_H

#include <goro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/invisible.h"

typedef struct Case {
	const char *name;
	void (*run)(void);
	const char *expect; /* NULL: silence */
} Case;

#define RACE(name, expect) {#name, name, expect},
#define NORACE(name)       {#name, name, NULL},

/* Never inlined, cloned or folded with its like: reports are matched by function. */
#ifdef __clang__
#define APART __attribute__((noinline, unused))
#else
#define APART __attribute__((noinline, noclone, noipa, unused))
#endif
/* A value is used: the load that brought it stays. */
#define USE(v) __asm__ volatile("" : : "r"(v) : "memory")
/* A function of one access. */
#define ACCESS(name, ...) static APART void name(void) { __VA_ARGS__; __asm__ volatile("" ::: "memory"); }

/* What most cases share. */
int x, y;
ACCESS(write_x, x = 1)
ACCESS(write_x_too, x = 2)
ACCESS(read_x, USE(x))
ACCESS(read_x_too, USE(x))
ACCESS(write_y, y = 1)
ACCESS(read_y, USE(y))

#define CASES(...)                                                                                 \
	static const Case cases[] = {__VA_ARGS__};                                                 \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {                      \
			if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {                     \
				cases[i].run();                                                    \
				return 0;                                                          \
			}                                                                          \
			if (argc > 1 && strcmp(argv[1], "--list") == 0)                            \
				printf("%s\t%s\n", cases[i].name,                                  \
				    cases[i].expect ? cases[i].expect : "");                       \
		}                                                                                  \
		return argc > 1 && strcmp(argv[1], "--list") == 0 ? 0 : 3;                         \
	}

#endif
