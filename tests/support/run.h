/*
 * run.h: run a program under a time limit and keep all that it printed. For tests that build and run
 * other programs.
 */
#ifndef TESTS_SUPPORT_RUN_H
#define TESTS_SUPPORT_RUN_H

#include <stddef.h>

typedef struct Run {
	int code;      /* exit code; 128 + signal; RUN_TIMEOUT; RUN_FAILED when it could not start */
	char *out;     /* stdout, NUL-terminated */
	char *err;     /* stderr */
	size_t outlen, errlen;
} Run;

enum { RUN_TIMEOUT = 1000, RUN_FAILED = 1001 };

/* Run argv (ended by NULL; searched in PATH) with the environment plus env ("K=V", ended by NULL; may be
 * NULL) for at most `seconds`; then its process group is killed. */
void run(Run *r, int seconds, char *const argv[], char *const env[]);
/* The same for a line of the shell, printf-like. */
void run_sh(Run *r, int seconds, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void run_free(Run *r);

#endif
