/*
 * scratch.c: see scratch.h.
 */
#include "scratch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static pid_t owner;
static bool failed;
static Run last;

enum { LINE_SECONDS = 120 };

static void leave(void)
{
	char line[128];

	if (getpid() != owner)
		return;
	if (failed) {
		fprintf(stderr, "left for a look: %s\n", folder);
		return;
	}
	snprintf(line, sizeof line, "rm -rf %s", folder);
	if (chdir("/") != 0 || system(line) != 0)
		fprintf(stderr, "could not remove %s\n", folder);
}

void scratch_enter(const char *build, const char *source)
{
	static const char *const unset[] = {"GORO_CC", "GORO_CXX", "GORO_DIR", "GORACE", "GODEBUG",
	    "GOMAXPROCS", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CPPFLAGS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL",
	    "DESTDIR", "PREFIX", "BUILD", NULL};
	char path[512];

	for (const char *const *u = unset; *u; u++)
		unsetenv(*u);
	snprintf(path, sizeof path, "%s/bin/goro-cc", build);
	setenv("CC", path, 1);
	snprintf(path, sizeof path, "%s/bin/goro-c++", build);
	setenv("CXX", path, 1);
	setenv("B", build, 1);
	setenv("S", source, 1);
	strcpy(folder, "/tmp/goro-test-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) != 0) {
		perror(folder);
		abort();
	}
	owner = getpid();
	atexit(leave);
}

void scratch_write(const char *path, const char *text)
{
	char dir[256];
	FILE *f;

	snprintf(dir, sizeof dir, "%s", path);
	for (char *s = dir; (s = strchr(s + 1, '/'));) {
		*s = '\0';
		if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
			perror(dir);
			abort();
		}
		*s = '/';
	}
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(path);
		abort();
	}
}

static bool not_so(void)
{
	failed = true;
	fprintf(stderr, "exit status %d\nstdout: %s\nstderr: %s\n", last.code, last.out, last.err);
	return false;
}

bool sh_is(int code, const char *fmt, ...)
{
	va_list ap;
	char *line;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (last.out)
		run_free(&last);
	run_sh(&last, LINE_SECONDS, "%s", line);
	if (last.code != code) {
		fprintf(stderr, "line: %s\nexpected status %d\n", line, code);
		free(line);
		return not_so();
	}
	free(line);
	return true;
}

bool out_has(const char *text)
{
	if (strstr(last.out, text))
		return true;
	fprintf(stderr, "not on stdout: %s\n", text);
	return not_so();
}

bool err_has(const char *text)
{
	if (strstr(last.err, text))
		return true;
	fprintf(stderr, "not on stderr: %s\n", text);
	return not_so();
}

const Run *last_run(void)
{
	return &last;
}

bool have(const char *program)
{
	char line[256];

	snprintf(line, sizeof line, "command -v %s >/dev/null 2>&1", program);
	return system(line) == 0;
}
