/*
 * format.c: what a printf or scanf format says about memory. A walk over the format with the caller's
 * arguments: printf reads its strings and writes through %n; scanf writes through all its pointers.
 *
 * Where the format goes beyond what is understood here (positional arguments "%1$s", conversions that
 * a program registered) the walk ends: the rest is not said, rather than guessed.
 */
#include "core.h"

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

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

static Length length(const char **fmt)
{
	const char *f = *fmt;
	Length l = LEN_INT;

	switch (*f) {
	case 'h':
		l = *++f == 'h' ? f++, LEN_CHAR : LEN_SHORT;
		break;
	case 'l':
		l = *++f == 'l' ? f++, LEN_LONGLONG : LEN_LONG;
		break;
	case 'q':
		f++;
		l = LEN_LONGLONG;
		break;
	case 'L':
		f++;
		l = LEN_LDOUBLE;
		break;
	case 'j':
		f++;
		l = LEN_MAX;
		break;
	case 'z':
	case 'Z':
		f++;
		l = LEN_SIZE;
		break;
	case 't':
		f++;
		l = LEN_PTRDIFF;
		break;
	}
	*fmt = f;
	return l;
}

/* A number's digits; -1 when there are none. A number too long to count stays at its largest. */
static int number(const char **fmt)
{
	int n = -1;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		n = n < 0 ? **fmt - '0' : n > 100000000 ? n : n * 10 + (**fmt - '0');
	return n;
}

/* A %s argument: at most `max` characters are looked at (-1: up to its NUL). */
static void string(RaceCtx *g, const void *s, Length l, int max, const void *pc)
{
	if (!s)
		return; /* printed as "(null)" */
	if (l == LEN_LONG) {
		if (max < 0) /* a precision counts the bytes that come out: not known before */
			reads(g, s, (goro_real_wcslen(s) + 1) * sizeof(wchar_t), pc);
		return;
	}
	if (max < 0) {
		reads(g, s, goro_real_strlen(s) + 1, pc);
	} else {
		size_t n = goro_real_strnlen(s, (size_t)max);

		reads(g, s, n < (size_t)max ? n + 1 : n, pc);
	}
}

/* The argument of one conversion; false when it is not understood. */
static bool conversion(RaceCtx *g, char c, Length l, int precision, va_list *ap, const void *pc)
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
		string(g, va_arg(*ap, void *), c == 'S' ? LEN_LONG : l, precision, pc);
		return true;
	case 'n':
		writes(g, va_arg(*ap, void *), length_bytes[l], pc);
		return true;
	default:
		return false;
	}
}

void printf_args(RaceCtx *g, const char *fmt, va_list args, const void *pc)
{
	va_list ap;

	if (!g)
		return;
	reads(g, fmt, goro_real_strlen(fmt) + 1, pc);
	va_copy(ap, args);
	for (;;) {
		int precision = -1;
		Length l;

		fmt = goro_real_strchr(fmt, '%');
		if (!fmt)
			break;
		fmt++;
		fmt += goro_real_strspn(fmt, "-+ #0'I");
		if (*fmt == '*') {
			fmt++;
			(void)va_arg(ap, int);
		} else {
			(void)number(&fmt);
		}
		if (*fmt == '.') {
			fmt++;
			if (*fmt == '*') {
				fmt++;
				precision = va_arg(ap, int); /* a negative one counts as none */
			} else {
				precision = number(&fmt);
				if (precision < 0)
					precision = 0;
			}
		}
		l = length(&fmt);
		if (!conversion(g, *fmt, l, precision, &ap, pc))
			break; /* '$' of a positional argument, too, ends here */
		fmt++;
	}
	va_end(ap);
}

/* ---- scanf ---- */

/* Past the set of a %[ conversion: fmt is behind '['. */
static const char *past_set(const char *fmt)
{
	if (*fmt == '^')
		fmt++;
	if (*fmt == ']')
		fmt++;
	while (*fmt && *fmt != ']')
		fmt++;
	return *fmt ? fmt + 1 : fmt;
}

static size_t text_bytes(const void *p, bool wide)
{
	return wide ? (goro_real_wcslen(p) + 1) * sizeof(wchar_t) : goro_real_strlen(p) + 1;
}

/* The text stored for %s, %[ or %c of `width` (-1: none given). */
static void stored(RaceCtx *g, void *p, char c, Length l, int width, bool allocated, const void *pc)
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

void scanf_args(RaceCtx *g, const char *fmt, va_list args, int done, const void *pc)
{
	va_list ap;

	if (!g)
		return;
	reads(g, fmt, goro_real_strlen(fmt) + 1, pc);
	va_copy(ap, args);
	while (done > 0) {
		bool skip = false, allocated = false;
		int width;
		Length l;
		char c;

		fmt = goro_real_strchr(fmt, '%');
		if (!fmt)
			break;
		fmt++;
		if (*fmt == '%') {
			fmt++;
			continue;
		}
		for (; *fmt == '*' || *fmt == '\'' || *fmt == 'I'; fmt++)
			skip |= *fmt == '*';
		width = number(&fmt);
		if (*fmt == 'm') {
			fmt++;
			allocated = true;
		}
		l = length(&fmt);
		c = *fmt;
		if (!c || c == '$')
			break;
		fmt++;
		if (c == '[')
			fmt = past_set(fmt);
		if (skip)
			continue;
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
