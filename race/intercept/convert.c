/*
 * convert.c: from one text to another: character sets, wide characters, patterns, times, and what is
 * left of the streams (positions, buffers of the program's own).
 *
 * How much iconv took and gave is in what it leaves of its arguments. A converter's hidden state
 * (mbtowc(NULL), iconv_t) is the libc's and behind its own locks or the caller's.
 */
#include "fill.h"

#include "../../runtime/os/os.h"

INTERCEPT size_t iconv(iconv_t cd, char **restrict in, size_t *restrict nin, char **restrict out,
    size_t *restrict nout)
{
	RaceCtx *g = self();
	const void *pc = CALLER;
	const char *from = in ? *in : NULL;
	char *to = out ? *out : NULL;
	size_t r;

	IN(in);
	IN(nin);
	IN(out);
	IN(nout);
	r = goro_real_iconv(cd, in, nin, out, nout);
	if (from) {
		IN_N(from, (size_t)(*in - from));
		OUT(in);
		OUT(nin);
	}
	if (to) {
		OUT_N(to, (size_t)(*out - to));
		OUT(out);
		OUT(nout);
	}
	return r;
}

#define WIDE(n) ((n) * sizeof(wchar_t))
#define DONE    (r != (size_t)-1)

/* r counts characters without the NUL, which is there when they are fewer than asked for. */
#define WITH_NUL(max) (r < (max) ? r + 1 : (max))

CALL(size_t, mbstowcs, (wchar_t *restrict out, const char *restrict in, size_t n), (out, in, n),
    TEXT(in), DONE &&out, OUT_N(out, WIDE(WITH_NUL(n))))
CALL(size_t, wcstombs, (char *restrict out, const wchar_t *restrict in, size_t n), (out, in, n),
    if (g) IN_N(in, WIDE(goro_real_wcslen(in) + 1)), DONE &&out, OUT_N(out, WITH_NUL(n)))

/* *in is NULL after the end, else where it stopped. */
INTERCEPT size_t mbsrtowcs(
    wchar_t *restrict out, const char **restrict in, size_t n, mbstate_t *restrict s)
{
	RaceCtx *g = self();
	const void *pc = CALLER;
	const char *from = *in;
	size_t whole = g ? goro_real_strlen(from) + 1 : 0, r;

	IN(in);
	r = goro_real_mbsrtowcs(out, in, n, s);
	if (g && DONE) {
		IN_N(from, out && *in ? (size_t)(*in - from) : whole);
		if (out) {
			OUT(in);
			OUT_N(out, WIDE(WITH_NUL(n)));
		}
		OUT(s);
	}
	return r;
}

INTERCEPT size_t wcsrtombs(
    char *restrict out, const wchar_t **restrict in, size_t n, mbstate_t *restrict s)
{
	RaceCtx *g = self();
	const void *pc = CALLER;
	const wchar_t *from = *in;
	size_t whole = g ? goro_real_wcslen(from) + 1 : 0, r;

	IN(in);
	r = goro_real_wcsrtombs(out, in, n, s);
	if (g && DONE) {
		IN_N(from, WIDE(out && *in ? (size_t)(*in - from) : whole));
		if (out) {
			OUT(in);
			OUT_N(out, WITH_NUL(n));
		}
		OUT(s);
	}
	return r;
}

CALL(size_t, mbrtowc,
     (wchar_t *restrict out, const char *restrict in, size_t n, mbstate_t *restrict s),
     (out, in, n, s), , r < (size_t)-2, IN_N(in, r ? r : 1);
     OUT(s); if (in) OUT(out))
CALL(size_t, wcrtomb, (char *restrict out, wchar_t c, mbstate_t *restrict s), (out, c, s), , DONE,
     OUT_N(out, r);
     OUT(s))
CALL(int, mbtowc, (wchar_t *restrict out, const char *restrict in, size_t n), (out, in, n), ,
     r >= 0 && in, IN_N(in, r ? (size_t)r : 1);
     OUT(out))
CALL(int, wctomb, (char *out, wchar_t c), (out, c), , r > 0 && out, OUT_N(out, (size_t)r))

CALL(size_t, strxfrm, (char *restrict out, const char *restrict in, size_t n), (out, in, n),
    TEXT(in), r < n, OUT_N(out, r + 1))
CALL(char *, strptime, (const char *restrict in, const char *restrict fmt, struct tm *restrict out),
     (in, fmt, out), TEXT(in);
     TEXT(fmt), r, OUT(out))

/* ---- patterns ---- */

CALL_HEAP(int, regcomp, (regex_t *restrict out, const char *restrict text, int flags),
    (out, text, flags), TEXT(text), r == 0, OUT(out))
CALL(int, regexec,
     (const regex_t *restrict re, const char *restrict text, size_t n, regmatch_t out[restrict n],
	 int flags),
     (re, text, n, out, flags), IN(re);
     if (!(flags & REG_STARTEND)) TEXT(text), r == 0 && !(re->no_sub), OUT_N(out, n * sizeof *out))
INTERCEPT void regfree(regex_t *re)
{
	writes(self(), re, sizeof *re, CALLER);
	heap_caller = CALLER;
	goro_real_regfree(re);
	heap_caller = NULL;
}

/* ---- streams ---- */

INTERCEPT int fgetpos(FILE *restrict f, fpos_t *restrict out)
{
	int r = goro_real_fgetpos(f, out);
	RaceCtx *g = self();

	file_in(g, f);
	if (r == 0)
		writes(g, out, sizeof *out, CALLER);
	return r;
}

INTERCEPT int fsetpos(FILE *f, const fpos_t *in)
{
	RaceCtx *g = self();

	reads(g, in, sizeof *in, CALLER);
	file_out(g, f);
	return goro_real_fsetpos(f, in);
}

CALL(FILE *, freopen, (const char *restrict path, const char *restrict mode, FILE *restrict f),
     (path, mode, f), TEXT(path);
     TEXT(mode); file_in(g, f); file_changed(), false, )

/* The stream answers through these at every flush, when it is closed at the latest: not said. */
CALL(FILE *, open_memstream, (char **out, size_t *n), (out, n), , r, OUT(out); OUT(n))
CALL(FILE *, fmemopen, (void *restrict buf, size_t n, const char *restrict mode), (buf, n, mode),
    TEXT(mode), false, )

CALL(int, setvbuf, (FILE *restrict f, char *restrict buf, int mode, size_t n), (f, buf, mode, n),
    file_out(g, f), false, )
INTERCEPT void setbuf(FILE *restrict f, char *restrict buf)
{
	file_out(self(), f);
	goro_real_setbuf(f, buf);
}
INTERCEPT void setbuffer(FILE *restrict f, char *restrict buf, size_t n)
{
	file_out(self(), f);
	goro_real_setbuffer(f, buf, n);
}

INTERCEPT void perror(const char *text)
{
	RaceCtx *g = self();
	int saved = os_errno();

	reads_text(g, text, CALLER);
	file_out(g, stderr);
	os_set_errno(saved);
	goro_real_perror(text);
}

/* One that did not fit answers -1, and may have looked at its arguments or not. flag: of the checking form,
 * -1 for the plain one. */
static int wide_text(
    wchar_t *out, size_t n, int flag, size_t room, const wchar_t *fmt, va_list ap, const void *pc)
{
	RaceCtx *g = self();
	va_list args;
	int r;

	va_copy(args, ap);
	r = flag < 0 ? goro_real_vswprintf(out, n, fmt, ap)
		     : goro_real___vswprintf_chk(out, n, flag, room, fmt, ap);
	if (r >= 0) {
		wprintf_args(g, fmt, args, pc);
		writes(g, out, WIDE((size_t)r + 1), pc);
	} else if (g) {
		reads(g, fmt, WIDE(goro_real_wcslen(fmt) + 1), pc);
	}
	va_end(args);
	return r;
}

INTERCEPT int vswprintf(wchar_t *restrict out, size_t n, const wchar_t *restrict fmt, va_list ap)
{
	return wide_text(out, n, -1, 0, fmt, ap, CALLER);
}

INTERCEPT int swprintf(wchar_t *restrict out, size_t n, const wchar_t *restrict fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = wide_text(out, n, -1, 0, fmt, ap, CALLER);
	va_end(ap);
	return r;
}

int __vswprintf_chk(wchar_t *, size_t, int, size_t, const wchar_t *, va_list);
int __swprintf_chk(wchar_t *, size_t, int, size_t, const wchar_t *, ...);

INTERCEPT int __vswprintf_chk(
    wchar_t *out, size_t n, int flag, size_t room, const wchar_t *fmt, va_list ap)
{
	return wide_text(out, n, flag, room, fmt, ap, CALLER);
}

INTERCEPT int __swprintf_chk(wchar_t *out, size_t n, int flag, size_t room, const wchar_t *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = wide_text(out, n, flag, room, fmt, ap, CALLER);
	va_end(ap);
	return r;
}

INTERCEPT void vsyslog(int priority, const char *fmt, va_list ap)
{
	printf_args(self(), fmt, ap, CALLER);
	goro_real_vsyslog(priority, fmt, ap);
}

INTERCEPT void syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf_args(self(), fmt, ap, CALLER);
	goro_real_vsyslog(priority, fmt, ap);
	va_end(ap);
}
