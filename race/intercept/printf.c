/*
 * printf.c: the printf family over format.c. Arguments are said before the work, the text that came out
 * after it. Variadic forms go to the libc's v* forms.
 */
#include "core.h"

/* The body of a variadic form: `call` uses ap. */
#define VARIADIC(last, call)                                                                       \
	do {                                                                                       \
		va_list ap;                                                                        \
		int n;                                                                             \
		va_start(ap, last);                                                                \
		n = call;                                                                          \
		va_end(ap);                                                                        \
		return n;                                                                          \
	} while (0)

/* flag < 0: the plain form; otherwise the checking form of _FORTIFY_SOURCE with that flag. */

static int to_stream(FILE *f, int flag, const char *fmt, va_list ap, const void *pc)
{
	RaceCtx *g = self();

	signal_unsafe(f == stdout ? "printf" : "fprintf", pc);
	printf_args(g, fmt, ap, pc);
	file_out(g, f);
	return flag < 0 ? goro_real_vfprintf(f, fmt, ap)
			: goro_real___vfprintf_chk(f, flag, fmt, ap);
}

static int to_fd(int fd, int flag, const char *fmt, va_list ap, const void *pc)
{
	printf_args(self(), fmt, ap, pc);
	return flag < 0 ? goro_real_vdprintf(fd, fmt, ap)
			: goro_real___vdprintf_chk(fd, flag, fmt, ap);
}

/* room: what the compiler knows of the buffer, for the checking forms. */
static int to_buffer(
    char *s, size_t max, int flag, size_t room, const char *fmt, va_list ap, const void *pc)
{
	RaceCtx *g = self();
	int n;

	printf_args(g, fmt, ap, pc);
	n = flag < 0 ? goro_real_vsnprintf(s, max, fmt, ap)
		     : goro_real___vsnprintf_chk(s, max, flag, room, fmt, ap);
	if (n >= 0 && max > 0)
		writes(g, s, (size_t)n < max ? (size_t)n + 1 : max, pc);
	return n;
}

static int to_string(char *s, int flag, size_t room, const char *fmt, va_list ap, const void *pc)
{
	RaceCtx *g = self();
	int n;

	printf_args(g, fmt, ap, pc);
	n = flag < 0 ? goro_real_vsprintf(s, fmt, ap)
		     : goro_real___vsprintf_chk(s, flag, room, fmt, ap);
	if (n >= 0)
		writes(g, s, (size_t)n + 1, pc);
	return n;
}

static int to_heap(char **out, int flag, const char *fmt, va_list ap, const void *pc)
{
	RaceCtx *g = self();
	int n;

	printf_args(g, fmt, ap, pc);
	heap_caller = pc;
	n = flag < 0 ? goro_real_vasprintf(out, fmt, ap)
		     : goro_real___vasprintf_chk(out, flag, fmt, ap);
	heap_caller = NULL;
	if (n >= 0) {
		writes(g, out, sizeof *out, pc);
		writes(g, *out, (size_t)n + 1, pc);
	}
	return n;
}

INTERCEPT int printf(const char *restrict fmt, ...)
{
	VARIADIC(fmt, to_stream(stdout, -1, fmt, ap, CALLER));
}

INTERCEPT int vprintf(const char *restrict fmt, va_list ap)
{
	return to_stream(stdout, -1, fmt, ap, CALLER);
}

INTERCEPT int fprintf(FILE *restrict f, const char *restrict fmt, ...)
{
	VARIADIC(fmt, to_stream(f, -1, fmt, ap, CALLER));
}

INTERCEPT int vfprintf(FILE *restrict f, const char *restrict fmt, va_list ap)
{
	return to_stream(f, -1, fmt, ap, CALLER);
}

INTERCEPT int dprintf(int fd, const char *restrict fmt, ...)
{
	VARIADIC(fmt, to_fd(fd, -1, fmt, ap, CALLER));
}

INTERCEPT int vdprintf(int fd, const char *restrict fmt, va_list ap)
{
	return to_fd(fd, -1, fmt, ap, CALLER);
}

INTERCEPT int sprintf(char *restrict s, const char *restrict fmt, ...)
{
	VARIADIC(fmt, to_string(s, -1, 0, fmt, ap, CALLER));
}

INTERCEPT int vsprintf(char *restrict s, const char *restrict fmt, va_list ap)
{
	return to_string(s, -1, 0, fmt, ap, CALLER);
}

INTERCEPT int snprintf(char *restrict s, size_t max, const char *restrict fmt, ...)
{
	VARIADIC(fmt, to_buffer(s, max, -1, 0, fmt, ap, CALLER));
}

INTERCEPT int vsnprintf(char *restrict s, size_t max, const char *restrict fmt, va_list ap)
{
	return to_buffer(s, max, -1, 0, fmt, ap, CALLER);
}

INTERCEPT int asprintf(char **restrict out, const char *restrict fmt, ...)
{
	VARIADIC(fmt, to_heap(out, -1, fmt, ap, CALLER));
}

INTERCEPT int vasprintf(char **restrict out, const char *restrict fmt, va_list ap)
{
	return to_heap(out, -1, fmt, ap, CALLER);
}

/* ---- _FORTIFY_SOURCE ---- */

int __printf_chk(int, const char *, ...);
int __vprintf_chk(int, const char *, va_list);
int __fprintf_chk(FILE *, int, const char *, ...);
int __vfprintf_chk(FILE *, int, const char *, va_list);
int __dprintf_chk(int, int, const char *, ...);
int __vdprintf_chk(int, int, const char *, va_list);
int __sprintf_chk(char *, int, size_t, const char *, ...);
int __vsprintf_chk(char *, int, size_t, const char *, va_list);
int __snprintf_chk(char *, size_t, int, size_t, const char *, ...);
int __vsnprintf_chk(char *, size_t, int, size_t, const char *, va_list);
int __asprintf_chk(char **, int, const char *, ...);
int __vasprintf_chk(char **, int, const char *, va_list);

/* The flag as to_stream and its like want it: never negative. */
#define FLAG(flag) ((flag) < 0 ? 0 : (flag))

INTERCEPT int __printf_chk(int flag, const char *fmt, ...)
{
	VARIADIC(fmt, to_stream(stdout, FLAG(flag), fmt, ap, CALLER));
}

INTERCEPT int __vprintf_chk(int flag, const char *fmt, va_list ap)
{
	return to_stream(stdout, FLAG(flag), fmt, ap, CALLER);
}

INTERCEPT int __fprintf_chk(FILE *f, int flag, const char *fmt, ...)
{
	VARIADIC(fmt, to_stream(f, FLAG(flag), fmt, ap, CALLER));
}

INTERCEPT int __vfprintf_chk(FILE *f, int flag, const char *fmt, va_list ap)
{
	return to_stream(f, FLAG(flag), fmt, ap, CALLER);
}

INTERCEPT int __dprintf_chk(int fd, int flag, const char *fmt, ...)
{
	VARIADIC(fmt, to_fd(fd, FLAG(flag), fmt, ap, CALLER));
}

INTERCEPT int __vdprintf_chk(int fd, int flag, const char *fmt, va_list ap)
{
	return to_fd(fd, FLAG(flag), fmt, ap, CALLER);
}

INTERCEPT int __sprintf_chk(char *s, int flag, size_t room, const char *fmt, ...)
{
	VARIADIC(fmt, to_string(s, FLAG(flag), room, fmt, ap, CALLER));
}

INTERCEPT int __vsprintf_chk(char *s, int flag, size_t room, const char *fmt, va_list ap)
{
	return to_string(s, FLAG(flag), room, fmt, ap, CALLER);
}

INTERCEPT int __snprintf_chk(char *s, size_t max, int flag, size_t room, const char *fmt, ...)
{
	VARIADIC(fmt, to_buffer(s, max, FLAG(flag), room, fmt, ap, CALLER));
}

INTERCEPT int __vsnprintf_chk(
    char *s, size_t max, int flag, size_t room, const char *fmt, va_list ap)
{
	return to_buffer(s, max, FLAG(flag), room, fmt, ap, CALLER);
}

INTERCEPT int __asprintf_chk(char **out, int flag, const char *fmt, ...)
{
	VARIADIC(fmt, to_heap(out, FLAG(flag), fmt, ap, CALLER));
}

INTERCEPT int __vasprintf_chk(char **out, int flag, const char *fmt, va_list ap)
{
	return to_heap(out, FLAG(flag), fmt, ap, CALLER);
}
