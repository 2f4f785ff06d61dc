/*
 * wstdio.c: streams of wide characters: the ranges and the order of stdio.c, in units of wchar_t. (What
 * they scan is scanf.c's.)
 */
#include "core.h"

#define WIDE(n) ((n) * sizeof(wchar_t))

/* ---- lines ---- */

static wchar_t *got_line(wchar_t *line, FILE *f, const void *pc)
{
	RaceCtx *g = self();

	file_in(g, f);
	if (g && line)
		writes(g, line, WIDE(goro_real_wcslen(line) + 1), pc);
	return line;
}

INTERCEPT wchar_t *fgetws(wchar_t *restrict s, int n, FILE *restrict f)
{
	return got_line(goro_real_fgetws(s, n, f), f, CALLER);
}

INTERCEPT wchar_t *fgetws_unlocked(wchar_t *restrict s, int n, FILE *restrict f)
{
	return got_line(goro_real_fgetws_unlocked(s, n, f), f, CALLER);
}

wchar_t *__fgetws_chk(wchar_t *, size_t, int, FILE *);
INTERCEPT wchar_t *__fgetws_chk(wchar_t *s, size_t room, int n, FILE *f)
{
	return got_line(goro_real___fgetws_chk(s, room, n, f), f, CALLER);
}

static void puts_line(const wchar_t *s, FILE *f, const void *pc)
{
	RaceCtx *g = self();

	if (g) {
		reads(g, s, WIDE(goro_real_wcslen(s) + 1), pc);
		file_out(g, f);
	}
}

INTERCEPT int fputws(const wchar_t *restrict s, FILE *restrict f)
{
	puts_line(s, f, CALLER);
	return goro_real_fputws(s, f);
}

INTERCEPT int fputws_unlocked(const wchar_t *restrict s, FILE *restrict f)
{
	puts_line(s, f, CALLER);
	return goro_real_fputws_unlocked(s, f);
}

/* ---- characters: order alone ---- */

#define PUT(name)                                                                                  \
	INTERCEPT wint_t name(wchar_t c, FILE *f)                                                  \
	{                                                                                          \
		file_out(self(), f);                                                               \
		return goro_real_##name(c, f);                                                     \
	}
PUT(fputwc)
PUT(putwc)
PUT(fputwc_unlocked)
PUT(putwc_unlocked)

INTERCEPT wint_t putwchar(wchar_t c)
{
	file_out(self(), stdout);
	return goro_real_putwchar(c);
}

#define GET(name)                                                                                  \
	INTERCEPT wint_t name(FILE *f)                                                             \
	{                                                                                          \
		wint_t c = goro_real_##name(f);                                                    \
		file_in(self(), f);                                                                \
		return c;                                                                          \
	}
GET(fgetwc)
GET(getwc)
GET(fgetwc_unlocked)
GET(getwc_unlocked)

INTERCEPT wint_t getwchar(void)
{
	wint_t c = goro_real_getwchar();

	file_in(self(), stdin);
	return c;
}

INTERCEPT wint_t ungetwc(wint_t c, FILE *f)
{
	file_out(self(), f);
	return goro_real_ungetwc(c, f);
}

/* ---- formats ---- */

/* flag: of the checking form, -1 for the plain one. */
static int to_stream(FILE *f, int flag, const wchar_t *fmt, va_list ap, const void *pc)
{
	RaceCtx *g = self();

	wprintf_args(g, fmt, ap, pc);
	file_out(g, f);
	return flag < 0 ? goro_real_vfwprintf(f, fmt, ap)
			: goro_real___vfwprintf_chk(f, flag, fmt, ap);
}

#define BY_ARGUMENTS(f, flag)                                                                      \
	va_list ap;                                                                                \
	int r;                                                                                     \
                                                                                                   \
	va_start(ap, fmt);                                                                         \
	r = to_stream(f, flag, fmt, ap, CALLER);                                                   \
	va_end(ap);                                                                                \
	return r

INTERCEPT int vfwprintf(FILE *restrict f, const wchar_t *restrict fmt, va_list ap)
{
	return to_stream(f, -1, fmt, ap, CALLER);
}

INTERCEPT int vwprintf(const wchar_t *restrict fmt, va_list ap)
{
	return to_stream(stdout, -1, fmt, ap, CALLER);
}

INTERCEPT int fwprintf(FILE *restrict f, const wchar_t *restrict fmt, ...)
{
	BY_ARGUMENTS(f, -1);
}

INTERCEPT int wprintf(const wchar_t *restrict fmt, ...)
{
	BY_ARGUMENTS(stdout, -1);
}

int __vfwprintf_chk(FILE *, int, const wchar_t *, va_list);
int __vwprintf_chk(int, const wchar_t *, va_list);
int __fwprintf_chk(FILE *, int, const wchar_t *, ...);
int __wprintf_chk(int, const wchar_t *, ...);

INTERCEPT int __vfwprintf_chk(FILE *f, int flag, const wchar_t *fmt, va_list ap)
{
	return to_stream(f, flag, fmt, ap, CALLER);
}

INTERCEPT int __vwprintf_chk(int flag, const wchar_t *fmt, va_list ap)
{
	return to_stream(stdout, flag, fmt, ap, CALLER);
}

INTERCEPT int __fwprintf_chk(FILE *f, int flag, const wchar_t *fmt, ...)
{
	BY_ARGUMENTS(f, flag);
}

INTERCEPT int __wprintf_chk(int flag, const wchar_t *fmt, ...)
{
	BY_ARGUMENTS(stdout, flag);
}
