/*
 * libc_stdio.c: libc.c for streams: libc's own read or write under fgets or printf does not come by libc.c, so the P is
 * given away around the whole call, and the goroutine comes back on its thread (which may hold flockfile).
 *
 * A stream without a descriptor (fopencookie, open_memstream) is left alone: its functions are the program's, and may
 * want to park. So is what the headers inline (getc_unlocked and its like). Wide characters: no.
 *
 * In the race archive these names are the interceptors'.
 */
#ifndef __NO_INLINE__
#define __NO_INLINE__ 1 /* or <stdio.h> defines getchar and its like itself */
#endif

#include "libc.h" /* SAN_THREAD */

#include <stdio.h>

#if !defined(SAN_THREAD)

#define STREAM(f, name, inner, args)                                                               \
	__extension__({                                                                            \
		__typeof__(&name) real_ = LIBC(name, inner);                                       \
		bool in_ = has_file(f) && syscall_enter_here();                                    \
		__typeof__(name args) r_ = real_ args;                                             \
		if (in_)                                                                           \
			syscall_exit_here();                                                       \
		r_;                                                                                \
	})

/* NULL: all of them (fflush). */
static inline bool has_file(const FILE *f)
{
	return !f || f->_fileno >= 0;
}

GORO_API int pclose(FILE *f)
{
	return STREAM(f, pclose, __new_pclose, (f));
}

#if !GORO_RACE

GORO_API size_t fread(void *p, size_t size, size_t n, FILE *f)
{
	return STREAM(f, fread, _IO_fread, (p, size, n, f));
}

GORO_API size_t fwrite(const void *p, size_t size, size_t n, FILE *f)
{
	return STREAM(f, fwrite, _IO_fwrite, (p, size, n, f));
}

GORO_API char *fgets(char *p, int n, FILE *f)
{
	return STREAM(f, fgets, _IO_fgets, (p, n, f));
}

#undef getc
#undef putc

GORO_API int getc(FILE *f)
{
	return STREAM(f, getc, _IO_getc, (f));
}

GORO_API int fgetc(FILE *f)
{
	return getc(f);
}

GORO_API int getchar(void)
{
	return getc(stdin);
}

GORO_API int putc(int c, FILE *f)
{
	return STREAM(f, putc, _IO_putc, (c, f));
}

GORO_API int fputc(int c, FILE *f)
{
	return putc(c, f);
}

GORO_API int putchar(int c)
{
	return putc(c, stdout);
}

GORO_API int fputs(const char *s, FILE *f)
{
	return STREAM(f, fputs, _IO_fputs, (s, f));
}

GORO_API int puts(const char *s)
{
	return STREAM(stdout, puts, _IO_puts, (s));
}

GORO_API int fflush(FILE *f)
{
	return STREAM(f, fflush, _IO_fflush, (f));
}

GORO_API int fclose(FILE *f)
{
	return STREAM(f, fclose, _IO_new_fclose, (f));
}

/* libc.a has it by no name of its own. */
static ssize_t getdelim_static(char **line, size_t *cap, int end, FILE *f)
{
	size_t n = 0;
	int c = 0;
	if (!line || !cap) {
		os_set_errno(EINVAL);
		return -1;
	}
	while (c != end && (c = getc(f)) != EOF) {
		if (n + 2 > *cap || !*line) {
			size_t more = *line && *cap > 60 ? 2 * *cap : 120;
			char *p = realloc(*line, more);
			if (!p)
				return -1;
			*line = p;
			*cap = more;
		}
		(*line)[n++] = (char)c;
	}
	if (n == 0)
		return -1;
	(*line)[n] = 0;
	return (ssize_t)n;
}

GORO_API ssize_t getdelim(char **line, size_t *n, int end, FILE *f)
{
	__typeof__(&getdelim) real = REAL(getdelim);
	if (!real)
		return getdelim_static(line, n, end, f);
	bool in = has_file(f) && syscall_enter_here();
	ssize_t r = real(line, n, end, f);
	if (in)
		syscall_exit_here();
	return r;
}

/* What the headers make of getline. */
GORO_API ssize_t __getdelim(char **line, size_t *n, int end, FILE *f)
{
	return getdelim(line, n, end, f);
}

GORO_API ssize_t getline(char **line, size_t *n, FILE *f)
{
	return getdelim(line, n, '\n', f);
}

/* ---- formatted ---- */

GORO_API int vfprintf(FILE *f, const char *fmt, va_list ap)
{
	return STREAM(f, vfprintf, __vfprintf, (f, fmt, ap));
}

GORO_API int vprintf(const char *fmt, va_list ap)
{
	return vfprintf(stdout, fmt, ap);
}

#define FORMATTED(f, last)                                                                         \
	va_list ap;                                                                                \
	va_start(ap, last);                                                                        \
	int r = vfprintf((f), fmt, ap);                                                            \
	va_end(ap);                                                                                \
	return r

GORO_API int fprintf(FILE *f, const char *fmt, ...)
{
	FORMATTED(f, fmt);
}

GORO_API int printf(const char *fmt, ...)
{
	FORMATTED(stdout, fmt);
}

int __isoc99_vfscanf(FILE *f, const char *fmt, va_list ap);
int __isoc99_vscanf(const char *fmt, va_list ap);
int __isoc99_fscanf(FILE *f, const char *fmt, ...);
int __isoc99_scanf(const char *fmt, ...);

/* libc.a has it by this name alone; the older one differs in %as. */
extern int gnu_vfscanf(FILE *f, const char *fmt, va_list ap) __asm__("vfscanf")
    __attribute__((weak));

GORO_API int __isoc99_vfscanf(FILE *f, const char *fmt, va_list ap)
{
	__typeof__(&__isoc99_vfscanf) real = REAL(__isoc99_vfscanf);
	if (!real && !(real = gnu_vfscanf))
		libc_missing("vfscanf");
	bool in = has_file(f) && syscall_enter_here();
	int r = real(f, fmt, ap);
	if (in)
		syscall_exit_here();
	return r;
}

GORO_API int __isoc99_vscanf(const char *fmt, va_list ap)
{
	return __isoc99_vfscanf(stdin, fmt, ap);
}

GORO_API int __isoc99_fscanf(FILE *f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = __isoc99_vfscanf(f, fmt, ap);
	va_end(ap);
	return r;
}

GORO_API int __isoc99_scanf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = __isoc99_vfscanf(stdin, fmt, ap);
	va_end(ap);
	return r;
}

/* ---- with -D_FORTIFY_SOURCE ---- */

int __vfprintf_chk(FILE *f, int flag, const char *fmt, va_list ap);
int __vprintf_chk(int flag, const char *fmt, va_list ap);
int __fprintf_chk(FILE *f, int flag, const char *fmt, ...);
int __printf_chk(int flag, const char *fmt, ...);

GORO_API int __vfprintf_chk(FILE *f, int flag, const char *fmt, va_list ap)
{
	return STREAM(f, __vfprintf_chk, ___vfprintf_chk, (f, flag, fmt, ap));
}

GORO_API int __vprintf_chk(int flag, const char *fmt, va_list ap)
{
	return __vfprintf_chk(stdout, flag, fmt, ap);
}

GORO_API int __fprintf_chk(FILE *f, int flag, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = __vfprintf_chk(f, flag, fmt, ap);
	va_end(ap);
	return r;
}

GORO_API int __printf_chk(int flag, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = __vfprintf_chk(stdout, flag, fmt, ap);
	va_end(ap);
	return r;
}

#endif /* !GORO_RACE */

#endif /* !SAN_THREAD */
