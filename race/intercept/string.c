/*
 * string.c: the str* functions that look: lengths, comparisons, searches. Exactly the bytes up to and
 * including the one that decides are read. The copying ones are in strcopy.c.
 *
 * A comparison first asks the libc, which is fast and right for every locale; which byte decided is
 * found again by a plain loop, only when there is a context to tell it to.
 */
#include "core.h"

#include <ctype.h>

INTERCEPT size_t strlen(const char *s)
{
	size_t n = goro_real_strlen(s);

	reads(self(), s, n + 1, CALLER);
	return n;
}

INTERCEPT size_t strnlen(const char *s, size_t max)
{
	size_t n = goro_real_strnlen(s, max);

	reads(self(), s, n < max ? n + 1 : n, CALLER);
	return n;
}

/* ---- comparisons ---- */

static void compared(
    RaceCtx *g, const char *a, const char *b, size_t max, bool fold, const void *pc)
{
	size_t used = 0;

	while (used < max) {
		unsigned char x = (unsigned char)a[used], y = (unsigned char)b[used];

		used++;
		if (fold ? tolower(x) != tolower(y) : x != y)
			break;
		if (!x)
			break;
	}
	reads(g, a, used, pc);
	reads(g, b, used, pc);
}

INTERCEPT int strcmp(const char *a, const char *b)
{
	RaceCtx *g = self();

	if (g)
		compared(g, a, b, SIZE_MAX, false, CALLER);
	return goro_real_strcmp(a, b);
}

INTERCEPT int strncmp(const char *a, const char *b, size_t n)
{
	RaceCtx *g = self();

	if (g)
		compared(g, a, b, n, false, CALLER);
	return goro_real_strncmp(a, b, n);
}

INTERCEPT int strcasecmp(const char *a, const char *b)
{
	RaceCtx *g = self();

	if (g)
		compared(g, a, b, SIZE_MAX, true, CALLER);
	return goro_real_strcasecmp(a, b);
}

INTERCEPT int strncasecmp(const char *a, const char *b, size_t n)
{
	RaceCtx *g = self();

	if (g)
		compared(g, a, b, n, true, CALLER);
	return goro_real_strncasecmp(a, b, n);
}

/* Collation looks at both as wholes. */
INTERCEPT int strcoll(const char *a, const char *b)
{
	RaceCtx *g = self();

	if (g) {
		reads(g, a, goro_real_strlen(a) + 1, CALLER);
		reads(g, b, goro_real_strlen(b) + 1, CALLER);
	}
	return goro_real_strcoll(a, b);
}

/* ---- one character ---- */

/* s was searched from its start: up to `at`, or to its end when that is NULL. */
static void searched(RaceCtx *g, const char *s, const char *at, const void *pc)
{
	if (g)
		reads(g, s, at ? (size_t)(at - s) + 1 : goro_real_strlen(s) + 1, pc);
}

INTERCEPT char *strchr(const char *s, int c)
{
	char *at = goro_real_strchr(s, c);

	searched(self(), s, at, CALLER);
	return at;
}

INTERCEPT __attribute__((alias("strchr"))) char *index(const char *s, int c);

INTERCEPT char *strchrnul(const char *s, int c)
{
	char *at = goro_real_strchrnul(s, c);

	searched(self(), s, at, CALLER);
	return at;
}

INTERCEPT char *strrchr(const char *s, int c)
{
	searched(self(), s, NULL, CALLER);
	return goro_real_strrchr(s, c);
}

INTERCEPT __attribute__((alias("strrchr"))) char *rindex(const char *s, int c);

/* ---- a part, or a set of characters ---- */

static void found(RaceCtx *g, const char *s, const char *part, const char *at, const void *pc)
{
	if (g) {
		size_t m = goro_real_strlen(part);

		reads(g, part, m + 1, pc);
		reads(g, s, at ? (size_t)(at - s) + m : goro_real_strlen(s) + 1, pc);
	}
}

INTERCEPT char *strstr(const char *s, const char *part)
{
	char *at = goro_real_strstr(s, part);

	found(self(), s, part, at, CALLER);
	return at;
}

INTERCEPT char *strcasestr(const char *s, const char *part)
{
	char *at = goro_real_strcasestr(s, part);

	found(self(), s, part, at, CALLER);
	return at;
}

/* s was searched for members of `set` up to s[n], inclusive. */
static void spanned(RaceCtx *g, const char *s, const char *set, size_t n, const void *pc)
{
	if (g) {
		reads(g, set, goro_real_strlen(set) + 1, pc);
		reads(g, s, n + 1, pc);
	}
}

INTERCEPT size_t strspn(const char *s, const char *set)
{
	size_t n = goro_real_strspn(s, set);

	spanned(self(), s, set, n, CALLER);
	return n;
}

INTERCEPT size_t strcspn(const char *s, const char *set)
{
	size_t n = goro_real_strcspn(s, set);

	spanned(self(), s, set, n, CALLER);
	return n;
}

INTERCEPT char *strpbrk(const char *s, const char *set)
{
	char *at = goro_real_strpbrk(s, set);

	spanned(self(), s, set, at ? (size_t)(at - s) : goro_real_strlen(s), CALLER);
	return at;
}
