/*
 * help.c: see help.h.
 */
#include "help.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef GORO_HARD
enum { SECONDS = 200 }; /* the detector collects all the time there */
#else
enum { SECONDS = 20 };
#endif

void in_goro(int procs, int (*body)(void *))
{
	char text[16];
	if (procs > 0) {
		snprintf(text, sizeof(text), "%d", procs);
		setenv("GOMAXPROCS", text, 1);
	}
	alarm(SECONDS);
	cr_assert_eq(goro_run(body, NULL), 0);
	alarm(0);
}

void dies(int code, int (*body)(void *), ...)
{
	static char text[1 << 16];
	int fds[2], status;
	size_t n = 0;
	ssize_t got;
	cr_assert_eq(pipe(fds), 0);
	pid_t pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		alarm(SECONDS);
		_exit(goro_run(body, NULL));
	}
	close(fds[1]);
	while (n < sizeof(text) - 1 && (got = read(fds[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = 0;
	close(fds[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "killed by signal %d; it said: %s", WTERMSIG(status), text);
	/* Under -race a close beside a send is a report besides, and the report's exit code wins. */
	if (goro_race_enabled() && strstr(text, "WARNING: DATA RACE") &&
	    strstr(text, "send on closed channel"))
		code = 66;
	cr_assert_eq(
	    WEXITSTATUS(status), code, "exit code %d; it said: %s", WEXITSTATUS(status), text);
	va_list ap;
	va_start(ap, body);
	for (const char *want; (want = va_arg(ap, const char *));)
		cr_assert(strstr(text, want), "expected \"%s\" in: %s", want, text);
	va_end(ap);
}
