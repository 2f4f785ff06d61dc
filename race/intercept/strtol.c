/*
 * strtol.c: text to numbers, of char and of wchar_t. What is read is what was parsed and the character that ended it;
 * an unparsable string is read to its first character only, since nobody says how far the libc looked.
 *
 * The ato* family is strtol's with a fixed base, which is how C defines it (7.22.1.2). __isoc23_*: what the
 * headers of glibc 2.38 and newer make of the plain names, for 0b in base 2; absent from an older libc, whose programs do
 * not call them.
 */
#include "core.h"

/* `real` is the expression that parses s up to `end`. */
#define PARSE(type, s, out, real)                                                                  \
	do {                                                                                       \
		RaceCtx *g = self();                                                               \
		__typeof__(s) end = s;                                                             \
		type value = real;                                                                 \
		reads(g, s, (size_t)(end - s + 1) * sizeof *s, CALLER);                            \
		if (out) {                                                                         \
			writes(g, out, sizeof *out, CALLER);                                       \
			*out = (__typeof__(*out))end;                                              \
		}                                                                                  \
		return value;                                                                      \
	} while (0)
#define END(Char) (Char **)&end

/* Headers redirect the plain names: each function has a C name of our own, and the libc's as its label. */
#define INTEGER(type, name, Char)                                                                  \
	type own_##name(const Char *, Char **, int) __asm__(#name);                                \
	INTERCEPT type own_##name(const Char *s, Char **out, int base)                             \
	{                                                                                          \
		PARSE(type, s, out, goro_real_##name(s, END(Char), base));                         \
	}
#define FLOATING(type, name, Char)                                                                 \
	INTERCEPT type name(const Char *restrict s, Char **restrict out)                           \
	{                                                                                          \
		PARSE(type, s, out, goro_real_##name(s, END(Char)));                               \
	}

/* pre is nothing or __isoc23_; s, str or wcs. */
#define INTEGERS(pre, s, Char)                                                                     \
	INTEGER(long, pre##s##tol, Char)                                                           \
	INTEGER(unsigned long, pre##s##toul, Char)                                                 \
	INTEGER(long long, pre##s##toll, Char)                                                     \
	INTEGER(unsigned long long, pre##s##toull, Char)                                           \
	INTEGER(intmax_t, pre##s##toimax, Char)                                                    \
	INTEGER(uintmax_t, pre##s##toumax, Char)
INTEGERS(, str, char)
INTEGERS(, wcs, wchar_t)
INTEGERS(__isoc23_, str, char)
INTEGERS(__isoc23_, wcs, wchar_t)

FLOATING(double, strtod, char)
FLOATING(float, strtof, char)
FLOATING(long double, strtold, char)
FLOATING(double, wcstod, wchar_t)
FLOATING(float, wcstof, wchar_t)
FLOATING(long double, wcstold, wchar_t)

#define PLAIN(type, name, real)                                                                    \
	INTERCEPT type name(const char *s)                                                         \
	{                                                                                          \
		char **out = NULL;                                                                 \
                                                                                                   \
		PARSE(type, s, out, real);                                                         \
	}
PLAIN(int, atoi, (int)goro_real_strtol(s, END(char), 10))
PLAIN(long, atol, goro_real_strtol(s, END(char), 10))
PLAIN(long long, atoll, goro_real_strtoll(s, END(char), 10))
PLAIN(double, atof, goro_real_strtod(s, END(char)))
