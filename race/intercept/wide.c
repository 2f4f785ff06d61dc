/*
 * wide.c: the wide-character forms in common use. Ranges as in mem.c, string.c and strcopy.c, in units
 * of wchar_t.
 */
#include "core.h"

#define WIDE(n) ((n) * sizeof(wchar_t))

INTERCEPT size_t wcslen(const wchar_t *s)
{
	size_t n = goro_real_wcslen(s);

	reads(self(), s, WIDE(n + 1), CALLER);
	return n;
}

INTERCEPT int wcscmp(const wchar_t *a, const wchar_t *b)
{
	RaceCtx *g = self();

	if (g) {
		size_t n = 0;

		while (a[n] == b[n] && a[n])
			n++;
		reads(g, a, WIDE(n + 1), CALLER);
		reads(g, b, WIDE(n + 1), CALLER);
	}
	return goro_real_wcscmp(a, b);
}

INTERCEPT wchar_t *wcschr(const wchar_t *s, wchar_t c)
{
	RaceCtx *g = self();
	wchar_t *at = goro_real_wcschr(s, c);

	if (g)
		reads(g, s, WIDE(at ? (size_t)(at - s) + 1 : goro_real_wcslen(s) + 1), CALLER);
	return at;
}

static void copied(RaceCtx *g, wchar_t *to, const wchar_t *from, size_t n, const void *pc)
{
	reads(g, from, WIDE(n), pc);
	writes(g, to, WIDE(n), pc);
}

INTERCEPT wchar_t *wmemcpy(wchar_t *restrict to, const wchar_t *restrict from, size_t n)
{
	copied(self(), to, from, n, CALLER);
	return goro_real_wmemcpy(to, from, n);
}

INTERCEPT wchar_t *wmemmove(wchar_t *to, const wchar_t *from, size_t n)
{
	copied(self(), to, from, n, CALLER);
	return goro_real_wmemmove(to, from, n);
}

INTERCEPT wchar_t *wmemset(wchar_t *to, wchar_t c, size_t n)
{
	writes(self(), to, WIDE(n), CALLER);
	return goro_real_wmemset(to, c, n);
}

INTERCEPT int wmemcmp(const wchar_t *a, const wchar_t *b, size_t n)
{
	RaceCtx *g = self();

	if (g) {
		size_t used = 0;

		while (used < n && a[used] == b[used])
			used++;
		if (used < n)
			used++;
		reads(g, a, WIDE(used), CALLER);
		reads(g, b, WIDE(used), CALLER);
	}
	return goro_real_wmemcmp(a, b, n);
}

INTERCEPT wchar_t *wcscpy(wchar_t *restrict to, const wchar_t *restrict from)
{
	RaceCtx *g = self();

	if (g)
		copied(g, to, from, goro_real_wcslen(from) + 1, CALLER);
	return goro_real_wcscpy(to, from);
}

INTERCEPT wchar_t *wcsncpy(wchar_t *restrict to, const wchar_t *restrict from, size_t n)
{
	RaceCtx *g = self();

	if (g) {
		size_t used = 0;

		while (used < n && from[used])
			used++;
		reads(g, from, WIDE(used < n ? used + 1 : n), CALLER);
		writes(g, to, WIDE(n), CALLER);
	}
	return goro_real_wcsncpy(to, from, n);
}

static void appended(RaceCtx *g, wchar_t *to, const wchar_t *from, const void *pc)
{
	size_t at = goro_real_wcslen(to);

	reads(g, to, WIDE(at + 1), pc);
	copied(g, to + at, from, goro_real_wcslen(from) + 1, pc);
}

INTERCEPT wchar_t *wcscat(wchar_t *restrict to, const wchar_t *restrict from)
{
	RaceCtx *g = self();

	if (g)
		appended(g, to, from, CALLER);
	return goro_real_wcscat(to, from);
}

/* ---- the checking forms of _FORTIFY_SOURCE; room counts characters ---- */

wchar_t *__wmemcpy_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wmemmove_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wmemset_chk(wchar_t *, wchar_t, size_t, size_t);
wchar_t *__wcscpy_chk(wchar_t *, const wchar_t *, size_t);
wchar_t *__wcscat_chk(wchar_t *, const wchar_t *, size_t);

INTERCEPT wchar_t *__wmemcpy_chk(wchar_t *to, const wchar_t *from, size_t n, size_t room)
{
	if (n <= room)
		copied(self(), to, from, n, CALLER);
	return goro_real___wmemcpy_chk(to, from, n, room);
}

INTERCEPT wchar_t *__wmemmove_chk(wchar_t *to, const wchar_t *from, size_t n, size_t room)
{
	if (n <= room)
		copied(self(), to, from, n, CALLER);
	return goro_real___wmemmove_chk(to, from, n, room);
}

INTERCEPT wchar_t *__wmemset_chk(wchar_t *to, wchar_t c, size_t n, size_t room)
{
	if (n <= room)
		writes(self(), to, WIDE(n), CALLER);
	return goro_real___wmemset_chk(to, c, n, room);
}

INTERCEPT wchar_t *__wcscpy_chk(wchar_t *to, const wchar_t *from, size_t room)
{
	RaceCtx *g = self();
	size_t n = goro_real_wcslen(from) + 1;

	if (n <= room)
		copied(g, to, from, n, CALLER);
	return goro_real___wcscpy_chk(to, from, room);
}

INTERCEPT wchar_t *__wcscat_chk(wchar_t *to, const wchar_t *from, size_t room)
{
	RaceCtx *g = self();

	if (g && goro_real_wcslen(to) + goro_real_wcslen(from) < room)
		appended(g, to, from, CALLER);
	return goro_real___wcscat_chk(to, from, room);
}
