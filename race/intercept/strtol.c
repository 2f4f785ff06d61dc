/*
 * strtol.c: text to numbers. What is read is what was parsed and the character that ended it; an
 * unparsable string is read to its first character only, since nobody says how far the libc looked.
 *
 * The ato* family is strtol's with a fixed base, which is how C defines it (7.22.1.2).
 */
#include "core.h"

static void parsed(RaceCtx *g, const char *s, const char *end, char **out, const void *pc)
{
	reads(g, s, (size_t)(end - s) + 1, pc);
	if (out)
		writes(g, out, sizeof *out, pc);
}

/* `real` is the expression that parses s up to `end`. */
#define PARSE(type, s, out, real)                                                                  \
	do {                                                                                       \
		RaceCtx *g = self();                                                               \
		char *end = (char *)(s);                                                           \
		type value = real;                                                                 \
		parsed(g, s, end, out, CALLER);                                                    \
		if (out)                                                                           \
			*out = end;                                                                \
		return value;                                                                      \
	} while (0)

#define INTEGER(type, name)                                                                        \
	INTERCEPT type name(const char *restrict s, char **restrict out, int base)                 \
	{                                                                                          \
		PARSE(type, s, out, goro_real_##name(s, &end, base));                              \
	}
#define FLOATING(type, name)                                                                       \
	INTERCEPT type name(const char *restrict s, char **restrict out)                           \
	{                                                                                          \
		PARSE(type, s, out, goro_real_##name(s, &end));                                    \
	}

INTEGER(long, strtol)
INTEGER(unsigned long, strtoul)
INTEGER(long long, strtoll)
INTEGER(unsigned long long, strtoull)
FLOATING(double, strtod)
FLOATING(float, strtof)
FLOATING(long double, strtold)

INTERCEPT int atoi(const char *s)
{
	char **out = NULL;

	PARSE(int, s, out, (int)goro_real_strtol(s, &end, 10));
}

INTERCEPT long atol(const char *s)
{
	char **out = NULL;

	PARSE(long, s, out, goro_real_strtol(s, &end, 10));
}

INTERCEPT long long atoll(const char *s)
{
	char **out = NULL;

	PARSE(long long, s, out, goro_real_strtoll(s, &end, 10));
}

INTERCEPT double atof(const char *s)
{
	char **out = NULL;

	PARSE(double, s, out, goro_real_strtod(s, &end));
}
