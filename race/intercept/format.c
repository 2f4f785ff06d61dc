/*
 * format.c: what a printf or scanf format says about memory. A walk over the format with the caller's
 * arguments: printf reads its strings and writes through %n; scanf writes through all its pointers. One walk
 * for both widths of format: what it looks at is ASCII, and a directive means the same to both.
 *
 * Where the format goes beyond what is understood here (positional arguments "%1$s", conversions that
 * a program registered) the walk ends: the rest is not said, rather than guessed.
 */
#include "core.h"

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

/* A place in a format of char or wchar_t. */
typedef struct Format {
	const char *at;
	bool wide;
} Format;

static wchar_t here(const Format *f)
{
	return f->wide ? *(const wchar_t *)f->at : (unsigned char)*f->at;
}

static void step(Format *f)
{
	f->at += f->wide ? sizeof(wchar_t) : 1;
}

static bool take(Format *f, char c)
{
	if (here(f) != (wchar_t)c)
		return false;
	step(f);
	return true;
}

/* Past the next '%'; false: there is none. */
static bool to_directive(Format *f)
{
	const void *at = f->wide ? (const void *)goro_real_wcschr((const wchar_t *)f->at, L'%')
				 : goro_real_strchr(f->at, '%');

	if (!at)
		return false;
	f->at = at;
	step(f);
	return true;
}

static size_t text_bytes(const void *p, bool wide)
{
	return wide ? (goro_real_wcslen(p) + 1) * sizeof(wchar_t) : goro_real_strlen(p) + 1;
}

/* Length modifiers, by the size they give an integer argument. */
typedef enum Length {
	LEN_INT,
	LEN_CHAR,
	LEN_SHORT,
	LEN_LONG,
	LEN_LONGLONG,
	LEN_MAX,
	LEN_SIZE,
	LEN_PTRDIFF,
	LEN_LDOUBLE
} Length;

static const size_t length_bytes[] = {
    [LEN_INT] = sizeof(int),
    [LEN_CHAR] = sizeof(char),
    [LEN_SHORT] = sizeof(short),
    [LEN_LONG] = sizeof(long),
    [LEN_LONGLONG] = sizeof(long long),
    [LEN_MAX] = sizeof(intmax_t),
    [LEN_SIZE] = sizeof(size_t),
    [LEN_PTRDIFF] = sizeof(ptrdiff_t),
    [LEN_LDOUBLE] = sizeof(long long),
};

static Length length(Format *f)
{
	if (take(f, 'h'))
		return take(f, 'h') ? LEN_CHAR : LEN_SHORT;
	if (take(f, 'l'))
		return take(f, 'l') ? LEN_LONGLONG : LEN_LONG;
	if (take(f, 'q'))
		return LEN_LONGLONG;
	if (take(f, 'L'))
		return LEN_LDOUBLE;
	if (take(f, 'j'))
		return LEN_MAX;
	if (take(f, 'z') || take(f, 'Z'))
		return LEN_SIZE;
	if (take(f, 't'))
		return LEN_PTRDIFF;
	return LEN_INT;
}

/* A number's digits; -1 when there are none. A number too long to count stays at its largest. */
static int number(Format *f)
{
	int n = -1;

	for (wchar_t c; (c = here(f)) >= '0' && c <= '9'; step(f))
		n = n < 0 ? (int)c - '0' : n > 100000000 ? n : n * 10 + ((int)c - '0');
	return n;
}

/* A %s argument: at most `max` characters are looked at (-1: up to its NUL). */
static void string(RaceCtx *g, const void *s, Length l, int max, bool to_wide, const void *pc)
{
	bool wide = l == LEN_LONG;

	if (!s)
		return; /* printed as "(null)" */
	if (max < 0) {
		reads(g, s, text_bytes(s, wide), pc);
	} else if (!wide &&
		   !to_wide) { /* else a precision counts what comes out: not known before */
		size_t n = goro_real_strnlen(s, (size_t)max);

		reads(g, s, n < (size_t)max ? n + 1 : n, pc);
	}
}

/* The argument of one conversion; false when it is not understood. */
static bool conversion(
    RaceCtx *g, wchar_t c, Length l, int precision, bool wide, va_list *ap, const void *pc)
{
	switch (c) {
	case '%':
	case 'm':
		return true;
	case 'd':
	case 'i':
	case 'o':
	case 'u':
	case 'x':
	case 'X':
	case 'c':
	case 'b':
	case 'B':
		if (length_bytes[l] <= sizeof(int))
			(void)va_arg(*ap, int);
		else
			(void)va_arg(*ap, long long);
		return true;
	case 'a':
	case 'A':
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
		if (l == LEN_LDOUBLE || l == LEN_LONGLONG)
			(void)va_arg(*ap, long double);
		else
			(void)va_arg(*ap, double);
		return true;
	case 'C':
		(void)va_arg(*ap, wint_t);
		return true;
	case 'p':
		(void)va_arg(*ap, void *);
		return true;
	case 'S':
	case 's':
		string(g, va_arg(*ap, void *), c == 'S' ? LEN_LONG : l, precision, wide, pc);
		return true;
	case 'n':
		writes(g, va_arg(*ap, void *), length_bytes[l], pc);
		return true;
	default:
		return false;
	}
}

static void printf_walk(RaceCtx *g, Format f, va_list args, const void *pc)
{
	va_list ap;

	if (!g)
		return;
	reads(g, f.at, text_bytes(f.at, f.wide), pc);
	va_copy(ap, args);
	while (to_directive(&f)) {
		int precision = -1;
		Length l;

		while (here(&f) && here(&f) < 0x80 && goro_real_strchr("-+ #0'I", (int)here(&f)))
			step(&f);
		if (take(&f, '*'))
			(void)va_arg(ap, int);
		else
			(void)number(&f);
		if (take(&f, '.')) {
			if (take(&f, '*')) {
				precision = va_arg(ap, int); /* a negative one counts as none */
			} else {
				precision = number(&f);
				if (precision < 0)
					precision = 0;
			}
		}
		l = length(&f);
		if (!conversion(g, here(&f), l, precision, f.wide, &ap, pc))
			break; /* '$' of a positional argument, too, ends here */
		step(&f);
	}
	va_end(ap);
}

void printf_args(RaceCtx *g, const char *fmt, va_list args, const void *pc)
{
	printf_walk(g, (Format){fmt, false}, args, pc);
}

void wprintf_args(RaceCtx *g, const wchar_t *fmt, va_list args, const void *pc)
{
	printf_walk(g, (Format){(const char *)fmt, true}, args, pc);
}

/* ---- scanf ---- */

/* Past the set of a %[ conversion: f is behind '['. */
static void past_set(Format *f)
{
	(void)take(f, '^');
	(void)take(f, ']');
	while (here(f) && here(f) != ']')
		step(f);
	(void)take(f, ']');
}

/* The text stored for %s, %[ or %c of `width` (-1: none given). Wide characters that %c turns into bytes are
 * one byte each at the least. */
static void stored(
    RaceCtx *g, void *p, wchar_t c, Length l, int width, bool allocated, const void *pc)
{
	bool wide = l == LEN_LONG || c == 'S' || c == 'C';
	size_t chars = width < 0 ? 1 : (size_t)width;

	if (allocated) {
		writes(g, p, sizeof(void *), pc);
		goro_real_memcpy(&p, p, sizeof p);
	}
	if (c == 'c' || c == 'C')
		writes(g, p, chars * (wide ? sizeof(wchar_t) : 1), pc);
	else
		writes(g, p, text_bytes(p, wide), pc);
}

static void scanf_walk(
    RaceCtx *g, Format f, va_list args, int done, bool may_have_ended, const void *pc)
{
	va_list ap;

	if (!g)
		return;
	reads(g, f.at, text_bytes(f.at, f.wide), pc);
	va_copy(ap, args);
	while (done > 0 && to_directive(&f)) {
		bool skip = false, allocated;
		int width;
		Length l;
		wchar_t c;

		if (take(&f, '%'))
			continue;
		for (; (c = here(&f)) == '*' || c == '\'' || c == 'I'; step(&f))
			skip |= c == '*';
		width = number(&f);
		allocated = take(&f, 'm');
		l = length(&f);
		c = here(&f);
		if (!c || c == '$')
			break;
		step(&f);
		if (c == '[')
			past_set(&f);
		if (skip)
			continue;
		/* A last %5c that the input's end cut short has stored less, and libc counts it. */
		if (done == 1 && may_have_ended && (c == 'c' || c == 'C'))
			width = 1;
		switch (c) {
		case 'd':
		case 'i':
		case 'o':
		case 'u':
		case 'x':
		case 'X':
			writes(g, va_arg(ap, void *), length_bytes[l], pc);
			break;
		case 'n': /* counts as no conversion; it ran, since a later one did */
			writes(g, va_arg(ap, void *), length_bytes[l], pc);
			continue;
		case 'a':
		case 'A':
		case 'e':
		case 'E':
		case 'f':
		case 'F':
		case 'g':
		case 'G':
			writes(g, va_arg(ap, void *),
			    l == LEN_LDOUBLE || l == LEN_LONGLONG ? sizeof(long double)
			    : l == LEN_LONG                       ? sizeof(double)
								  : sizeof(float),
			    pc);
			break;
		case 'p':
			writes(g, va_arg(ap, void *), sizeof(void *), pc);
			break;
		case 's':
		case 'S':
		case '[':
		case 'c':
		case 'C':
			stored(g, va_arg(ap, void *), c, l, width, allocated, pc);
			break;
		default:
			done = 1;
			break; /* not understood: the end */
		}
		done--;
	}
	va_end(ap);
}

void scanf_args(
    RaceCtx *g, const char *fmt, va_list args, int done, bool may_have_ended, const void *pc)
{
	scanf_walk(g, (Format){fmt, false}, args, done, may_have_ended, pc);
}

void wscanf_args(
    RaceCtx *g, const wchar_t *fmt, va_list args, int done, bool may_have_ended, const void *pc)
{
	scanf_walk(g, (Format){(const char *)fmt, true}, args, done, may_have_ended, pc);
}
