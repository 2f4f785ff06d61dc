/*
 * scanf.c: the scanf family over format.c: the work first, then what it has written. The C99 forms
 * (__isoc99_*, what the headers make of the plain names) and the old GNU forms differ in %a alone.
 *
 * How far a string was looked at is known only when it ran out; else its first byte is said.
 */
#include "core.h"

static void from_string(RaceCtx *g, const char *s, int done, const void *pc)
{
	if (g)
		reads(g, s, done == EOF ? goro_real_strlen(s) + 1 : 1, pc);
}

/* Both families, by one macro. The headers redirect the plain C names, so each function has a C name of
 * our own (id_scanf) and its libc name as label. */
#define LABEL(name) __asm__(name)
#define FORMS(id, pre)                                                                             \
	int id##_vfscanf(FILE *, const char *, va_list) LABEL(#pre "vfscanf");                     \
	int id##_vscanf(const char *, va_list) LABEL(#pre "vscanf");                               \
	int id##_vsscanf(const char *, const char *, va_list) LABEL(#pre "vsscanf");               \
	int id##_fscanf(FILE *, const char *, ...) LABEL(#pre "fscanf");                           \
	int id##_scanf(const char *, ...) LABEL(#pre "scanf");                                     \
	int id##_sscanf(const char *, const char *, ...) LABEL(#pre "sscanf");                     \
                                                                                                   \
	static int id##_from_stream(FILE *f, const char *fmt, va_list ap, const void *pc)          \
	{                                                                                          \
		int done;                                                                          \
		heap_caller = pc; /* of a %ms */                                                   \
		done = goro_real_##pre##vfscanf(f, fmt, ap);                                       \
		heap_caller = NULL;                                                                \
		file_in(self(), f);                                                                \
		scanf_args(self(), fmt, ap, done, pc);                                             \
		return done;                                                                       \
	}                                                                                          \
	static int id##_from_text(const char *s, const char *fmt, va_list ap, const void *pc)      \
	{                                                                                          \
		int done;                                                                          \
		heap_caller = pc;                                                                  \
		done = goro_real_##pre##vsscanf(s, fmt, ap);                                       \
		heap_caller = NULL;                                                                \
		from_string(self(), s, done, pc);                                                  \
		scanf_args(self(), fmt, ap, done, pc);                                             \
		return done;                                                                       \
	}                                                                                          \
	INTERCEPT int id##_vfscanf(FILE *f, const char *fmt, va_list ap)                           \
	{                                                                                          \
		return id##_from_stream(f, fmt, ap, CALLER);                                       \
	}                                                                                          \
	INTERCEPT int id##_vscanf(const char *fmt, va_list ap)                                     \
	{                                                                                          \
		return id##_from_stream(stdin, fmt, ap, CALLER);                                   \
	}                                                                                          \
	INTERCEPT int id##_vsscanf(const char *s, const char *fmt, va_list ap)                     \
	{                                                                                          \
		return id##_from_text(s, fmt, ap, CALLER);                                         \
	}                                                                                          \
	INTERCEPT int id##_fscanf(FILE *f, const char *fmt, ...)                                   \
	{                                                                                          \
		va_list ap;                                                                        \
		int done;                                                                          \
		va_start(ap, fmt);                                                                 \
		done = id##_from_stream(f, fmt, ap, CALLER);                                       \
		va_end(ap);                                                                        \
		return done;                                                                       \
	}                                                                                          \
	INTERCEPT int id##_scanf(const char *fmt, ...)                                             \
	{                                                                                          \
		va_list ap;                                                                        \
		int done;                                                                          \
		va_start(ap, fmt);                                                                 \
		done = id##_from_stream(stdin, fmt, ap, CALLER);                                   \
		va_end(ap);                                                                        \
		return done;                                                                       \
	}                                                                                          \
	INTERCEPT int id##_sscanf(const char *s, const char *fmt, ...)                             \
	{                                                                                          \
		va_list ap;                                                                        \
		int done;                                                                          \
		va_start(ap, fmt);                                                                 \
		done = id##_from_text(s, fmt, ap, CALLER);                                         \
		va_end(ap);                                                                        \
		return done;                                                                       \
	}

FORMS(gnu, )
FORMS(c99, __isoc99_)
