/*
 * file.c: calls about files that don't block for long: the paths they read and the answers they write.
 * (Those that may block stand in runtime/net/libc.c.)
 */
#include "core.h"

#include <limits.h>
#include <sys/stat.h>

static void path_read(RaceCtx *g, const char *path, const void *pc)
{
	if (g && path)
		reads(g, path, goro_real_strlen(path) + 1, pc);
}

#define STAT(name, type)                                                                           \
	INTERCEPT int name(const char *restrict path, struct type *restrict out)                   \
	{                                                                                          \
		RaceCtx *g = self();                                                               \
		int r;                                                                             \
		path_read(g, path, CALLER);                                                        \
		r = goro_real_##name(path, out);                                                   \
		if (r == 0)                                                                        \
			writes(g, out, sizeof *out, CALLER);                                       \
		return r;                                                                          \
	}
STAT(stat, stat)
STAT(lstat, stat)
STAT(stat64, stat64)
STAT(lstat64, stat64)

#define FSTAT(name, type)                                                                          \
	INTERCEPT int name(int fd, struct type *out)                                               \
	{                                                                                          \
		int r = goro_real_##name(fd, out);                                                 \
		if (r == 0)                                                                        \
			writes(self(), out, sizeof *out, CALLER);                                  \
		return r;                                                                          \
	}
FSTAT(fstat, stat)
FSTAT(fstat64, stat64)

INTERCEPT char *realpath(const char *restrict path, char *restrict out)
{
	const void *pc = CALLER;
	RaceCtx *g = self();
	char *r;

	path_read(g, path, pc);
	heap_caller = pc;
	r = goro_real_realpath(path, out);
	heap_caller = NULL;
	if (g && r)
		writes(g, r, goro_real_strlen(r) + 1, pc);
	return r;
}

INTERCEPT FILE *fopen(const char *restrict path, const char *restrict mode)
{
	RaceCtx *g = self();

	path_read(g, path, CALLER);
	path_read(g, mode, CALLER);
	return goro_real_fopen(path, mode);
}

INTERCEPT FILE *fopen64(const char *restrict path, const char *restrict mode)
{
	RaceCtx *g = self();

	path_read(g, path, CALLER);
	path_read(g, mode, CALLER);
	return goro_real_fopen64(path, mode);
}

/* ---- a path or two, and nothing else of memory ---- */

#define PATH_CALL(type, name, params, args)                                                        \
	INTERCEPT type name params                                                                 \
	{                                                                                          \
		path_read(self(), path, CALLER);                                                   \
		return goro_real_##name args;                                                      \
	}
PATH_CALL(int, access, (const char *path, int how), (path, how))
PATH_CALL(int, unlink, (const char *path), (path))
PATH_CALL(int, remove, (const char *path), (path))
PATH_CALL(int, rmdir, (const char *path), (path))
PATH_CALL(int, mkdir, (const char *path, mode_t mode), (path, mode))
PATH_CALL(int, chdir, (const char *path), (path))
PATH_CALL(int, chmod, (const char *path, mode_t mode), (path, mode))

INTERCEPT int rename(const char *from, const char *to)
{
	RaceCtx *g = self();

	path_read(g, from, CALLER);
	path_read(g, to, CALLER);
	return goro_real_rename(from, to);
}
