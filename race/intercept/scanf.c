/*
 * scanf.c: the scanf family over format.c, of char and of wchar_t: the work first, then what it has written.
 * The C99 forms (__isoc99_*, what the headers make of the plain names), those of C23 (__isoc23_*, of glibc 2.38 and
 * newer) and the old GNU forms differ in %a and in 0b alone.
 *
 * How far a string was looked at is known only when it ran out; else its first character is said.
 */
#include "core.h"

static void from_string(RaceCtx *g, const char *s, int done, const void *pc)
{
	if (g)
		reads(g, s, done == EOF ? goro_real_strlen(s) + 1 : 1, pc);
}

static void wfrom_string(RaceCtx *g, const wchar_t *s, int done, const void *pc)
{
	if (g)
		reads(g, s, (done == EOF ? goro_real_wcslen(s) + 1 : 1) * sizeof *s, pc);
}

/* All families, by one macro: w is nothing or w, of Char. The headers redirect the plain C names, so each
 * function has a C name of our own (id_scanf) and its libc name as label. */
#define LABEL(name) __asm__(name)
#define FORMS(id, pre, w, Char)                                                                    \
	int id##_vfscanf(FILE *, const Char *, va_list) LABEL(#pre "vf" #w "scanf");               \
	int id##_vscanf(const Char *, va_list) LABEL(#pre "v" #w "scanf");                         \
	int id##_vsscanf(const Char *, const Char *, va_list) LABEL(#pre "vs" #w "scanf");         \
	int id##_fscanf(FILE *, const Char *, ...) LABEL(#pre "f" #w "scanf");                     \
	int id##_scanf(const Char *, ...) LABEL(#pre #w "scanf");                                  \
	int id##_sscanf(const Char *, const Char *, ...) LABEL(#pre "s" #w "scanf");               \
                                                                                                   \
	static int id##_from_stream(FILE *f, const Char *fmt, va_list ap, const void *pc)          \
	{                                                                                          \
		int done;                                                                          \
		heap_caller = pc; /* of a %ms */                                                   \
		done = goro_real_##pre##vf##w##scanf(f, fmt, ap);                                  \
		heap_caller = NULL;                                                                \
		file_in(self(), f);                                                                \
		w##scanf_args(self(), fmt, ap, done, feof_unlocked(f), pc);                        \
		return done;                                                                       \
	}                                                                                          \
	static int id##_from_text(const Char *s, const Char *fmt, va_list ap, const void *pc)      \
	{                                                                                          \
		int done;                                                                          \
		heap_caller = pc;                                                                  \
		done = goro_real_##pre##vs##w##scanf(s, fmt, ap);                                  \
		heap_caller = NULL;                                                                \
		w##from_string(self(), s, done, pc);                                               \
		w##scanf_args(self(), fmt, ap, done, true, pc);                                    \
		return done;                                                                       \
	}                                                                                          \
	INTERCEPT int id##_vfscanf(FILE *f, const Char *fmt, va_list ap)                           \
	{                                                                                          \
		return id##_from_stream(f, fmt, ap, CALLER);                                       \
	}                                                                                          \
	INTERCEPT int id##_vscanf(const Char *fmt, va_list ap)                                     \
	{                                                                                          \
		return id##_from_stream(stdin, fmt, ap, CALLER);                                   \
	}                                                                                          \
	INTERCEPT int id##_vsscanf(const Char *s, const Char *fmt, va_list ap)                     \
	{                                                                                          \
		return id##_from_text(s, fmt, ap, CALLER);                                         \
	}                                                                                          \
	INTERCEPT int id##_fscanf(FILE *f, const Char *fmt, ...)                                   \
	{                                                                                          \
		va_list ap;                                                                        \
		int done;                                                                          \
		va_start(ap, fmt);                                                                 \
		done = id##_from_stream(f, fmt, ap, CALLER);                                       \
		va_end(ap);                                                                        \
		return done;                                                                       \
	}                                                                                          \
	INTERCEPT int id##_scanf(const Char *fmt, ...)                                             \
	{                                                                                          \
		va_list ap;                                                                        \
		int done;                                                                          \
		va_start(ap, fmt);                                                                 \
		done = id##_from_stream(stdin, fmt, ap, CALLER);                                   \
		va_end(ap);                                                                        \
		return done;                                                                       \
	}                                                                                          \
	INTERCEPT int id##_sscanf(const Char *s, const Char *fmt, ...)                             \
	{                                                                                          \
		va_list ap;                                                                        \
		int done;                                                                          \
		va_start(ap, fmt);                                                                 \
		done = id##_from_text(s, fmt, ap, CALLER);                                         \
		va_end(ap);                                                                        \
		return done;                                                                       \
	}

FORMS(gnu, , , char)
FORMS(c99, __isoc99_, , char)
FORMS(wgnu, , w, wchar_t)
FORMS(wc99, __isoc99_, w, wchar_t)
FORMS(c23, __isoc23_, , char)
FORMS(wc23, __isoc23_, w, wchar_t)
