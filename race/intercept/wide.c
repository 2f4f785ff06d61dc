/*
 * wide.c: the wcs* and wmem* functions that look. Ranges as in string.c and mem.c, in units of wchar_t. The copying
 * ones are in widecopy.c.
 */
#include "core.h"

#include <wctype.h>

#define WIDE(n) ((n) * sizeof(wchar_t))

INTERCEPT size_t wcslen(const wchar_t *s)
{
	size_t n = goro_real_wcslen(s);

	reads(self(), s, WIDE(n + 1), CALLER);
	return n;
}

INTERCEPT size_t wcsnlen(const wchar_t *s, size_t max)
{
	size_t n = goro_real_wcsnlen(s, max);

	reads(self(), s, WIDE(n < max ? n + 1 : n), CALLER);
	return n;
}

/* ---- comparisons ---- */

/* texts: they end at a NUL. */
static void compared(RaceCtx *g, const wchar_t *a, const wchar_t *b, size_t max, bool fold,
    bool texts, const void *pc)
{
	size_t used = 0;

	if (!g)
		return;
	while (used < max) {
		wchar_t x = a[used], y = b[used];

		used++;
		if (fold ? towlower((wint_t)x) != towlower((wint_t)y) : x != y)
			break;
		if (!x && texts)
			break;
	}
	reads(g, a, WIDE(used), pc);
	reads(g, b, WIDE(used), pc);
}

INTERCEPT int wcscmp(const wchar_t *a, const wchar_t *b)
{
	compared(self(), a, b, SIZE_MAX, false, true, CALLER);
	return goro_real_wcscmp(a, b);
}

INTERCEPT int wcsncmp(const wchar_t *a, const wchar_t *b, size_t n)
{
	compared(self(), a, b, n, false, true, CALLER);
	return goro_real_wcsncmp(a, b, n);
}

INTERCEPT int wcscasecmp(const wchar_t *a, const wchar_t *b)
{
	compared(self(), a, b, SIZE_MAX, true, true, CALLER);
	return goro_real_wcscasecmp(a, b);
}

INTERCEPT int wcsncasecmp(const wchar_t *a, const wchar_t *b, size_t n)
{
	compared(self(), a, b, n, true, true, CALLER);
	return goro_real_wcsncasecmp(a, b, n);
}

INTERCEPT int wmemcmp(const wchar_t *a, const wchar_t *b, size_t n)
{
	compared(self(), a, b, n, false, false, CALLER);
	return goro_real_wmemcmp(a, b, n);
}

/* Collation looks at both as wholes. */
INTERCEPT int wcscoll(const wchar_t *a, const wchar_t *b)
{
	RaceCtx *g = self();

	if (g) {
		reads(g, a, WIDE(goro_real_wcslen(a) + 1), CALLER);
		reads(g, b, WIDE(goro_real_wcslen(b) + 1), CALLER);
	}
	return goro_real_wcscoll(a, b);
}

/* ---- one character ---- */

/* s was searched from its start: up to `at`, or to its end when that is NULL. */
static void searched(RaceCtx *g, const wchar_t *s, const wchar_t *at, const void *pc)
{
	if (g)
		reads(g, s, WIDE(at ? (size_t)(at - s) + 1 : goro_real_wcslen(s) + 1), pc);
}

INTERCEPT wchar_t *wcschr(const wchar_t *s, wchar_t c)
{
	wchar_t *at = goro_real_wcschr(s, c);

	searched(self(), s, at, CALLER);
	return at;
}

INTERCEPT wchar_t *wcschrnul(const wchar_t *s, wchar_t c)
{
	wchar_t *at = goro_real_wcschrnul(s, c);

	searched(self(), s, at, CALLER);
	return at;
}

INTERCEPT wchar_t *wcsrchr(const wchar_t *s, wchar_t c)
{
	searched(self(), s, NULL, CALLER);
	return goro_real_wcsrchr(s, c);
}

INTERCEPT wchar_t *wmemchr(const wchar_t *s, wchar_t c, size_t n)
{
	wchar_t *at = goro_real_wmemchr(s, c, n);

	reads(self(), s, WIDE(at ? (size_t)(at - s) + 1 : n), CALLER);
	return at;
}

/* ---- a part, or a set of characters ---- */

INTERCEPT wchar_t *wcsstr(const wchar_t *s, const wchar_t *part)
{
	RaceCtx *g = self();
	wchar_t *at = goro_real_wcsstr(s, part);

	if (g) {
		size_t m = goro_real_wcslen(part);

		reads(g, part, WIDE(m + 1), CALLER);
		reads(g, s, WIDE(at ? (size_t)(at - s) + m : goro_real_wcslen(s) + 1), CALLER);
	}
	return at;
}

/* s was searched for members of `set` up to s[n], inclusive. */
static void spanned(RaceCtx *g, const wchar_t *s, const wchar_t *set, size_t n, const void *pc)
{
	if (g) {
		reads(g, set, WIDE(goro_real_wcslen(set) + 1), pc);
		reads(g, s, WIDE(n + 1), pc);
	}
}

INTERCEPT size_t wcsspn(const wchar_t *s, const wchar_t *set)
{
	size_t n = goro_real_wcsspn(s, set);

	spanned(self(), s, set, n, CALLER);
	return n;
}

INTERCEPT size_t wcscspn(const wchar_t *s, const wchar_t *set)
{
	size_t n = goro_real_wcscspn(s, set);

	spanned(self(), s, set, n, CALLER);
	return n;
}

INTERCEPT wchar_t *wcspbrk(const wchar_t *s, const wchar_t *set)
{
	wchar_t *at = goro_real_wcspbrk(s, set);

	spanned(self(), s, set, at ? (size_t)(at - s) : goro_real_wcslen(s), CALLER);
	return at;
}
