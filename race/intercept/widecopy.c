/*
 * widecopy.c: the wcs* and wmem* functions that write: copies, concatenations, duplicates, tokens. As in mem.c and
 * strcopy.c, in units of wchar_t.
 */
#include "core.h"

#define WIDE(n) ((n) * sizeof(wchar_t))

/* ---- blocks ---- */

static void copied(RaceCtx *g, wchar_t *to, const wchar_t *from, size_t n, const void *pc)
{
	reads(g, from, WIDE(n), pc);
	writes(g, to, WIDE(n), pc);
}

#define BLOCK(name)                                                                                \
	INTERCEPT wchar_t *name(wchar_t *to, const wchar_t *from, size_t n)                        \
	{                                                                                          \
		copied(self(), to, from, n, CALLER);                                               \
		return goro_real_##name(to, from, n);                                              \
	}
BLOCK(wmemcpy)
BLOCK(wmemmove)
BLOCK(wmempcpy)

INTERCEPT wchar_t *wmemset(wchar_t *to, wchar_t c, size_t n)
{
	writes(self(), to, WIDE(n), CALLER);
	return goro_real_wmemset(to, c, n);
}

/* ---- texts ---- */

static void copied_text(RaceCtx *g, wchar_t *to, const wchar_t *from, const void *pc)
{
	if (g)
		copied(g, to, from, goro_real_wcslen(from) + 1, pc);
}

/* wcsncpy: reads no further than the NUL, writes n always. */
static void copied_n(RaceCtx *g, wchar_t *to, const wchar_t *from, size_t n, const void *pc)
{
	if (g) {
		size_t used = goro_real_wcsnlen(from, n);

		reads(g, from, WIDE(used < n ? used + 1 : n), pc);
		writes(g, to, WIDE(n), pc);
	}
}

/* Append at most max characters and a NUL. */
static void appended(RaceCtx *g, wchar_t *to, const wchar_t *from, size_t max, const void *pc)
{
	if (g) {
		size_t at = goro_real_wcslen(to), used = goro_real_wcsnlen(from, max);

		reads(g, from, WIDE(used < max ? used + 1 : used), pc);
		reads(g, to, WIDE(at + 1), pc);
		writes(g, to + at, WIDE(used + 1), pc);
	}
}

INTERCEPT wchar_t *wcscpy(wchar_t *restrict to, const wchar_t *restrict from)
{
	copied_text(self(), to, from, CALLER);
	return goro_real_wcscpy(to, from);
}

INTERCEPT wchar_t *wcpcpy(wchar_t *restrict to, const wchar_t *restrict from)
{
	copied_text(self(), to, from, CALLER);
	return goro_real_wcpcpy(to, from);
}

INTERCEPT wchar_t *wcsncpy(wchar_t *restrict to, const wchar_t *restrict from, size_t n)
{
	copied_n(self(), to, from, n, CALLER);
	return goro_real_wcsncpy(to, from, n);
}

INTERCEPT wchar_t *wcpncpy(wchar_t *restrict to, const wchar_t *restrict from, size_t n)
{
	copied_n(self(), to, from, n, CALLER);
	return goro_real_wcpncpy(to, from, n);
}

INTERCEPT wchar_t *wcscat(wchar_t *restrict to, const wchar_t *restrict from)
{
	appended(self(), to, from, SIZE_MAX, CALLER);
	return goro_real_wcscat(to, from);
}

INTERCEPT wchar_t *wcsncat(wchar_t *restrict to, const wchar_t *restrict from, size_t n)
{
	appended(self(), to, from, n, CALLER);
	return goro_real_wcsncat(to, from, n);
}

INTERCEPT wchar_t *wcsdup(const wchar_t *s)
{
	RaceCtx *g = self();
	size_t n = goro_real_wcslen(s) + 1;
	wchar_t *copy = heap_new(WIDE(n), 0, CALLER);

	reads(g, s, WIDE(n), CALLER);
	if (!copy)
		return NULL;
	writes(g, copy, WIDE(n), CALLER);
	return goro_real_wmemcpy(copy, s, n);
}

INTERCEPT size_t wcsxfrm(wchar_t *restrict to, const wchar_t *restrict from, size_t n)
{
	RaceCtx *g = self();
	size_t r;

	if (g)
		reads(g, from, WIDE(goro_real_wcslen(from) + 1), CALLER);
	r = goro_real_wcsxfrm(to, from, n);
	if (r < n)
		writes(g, to, WIDE(r + 1), CALLER);
	return r;
}

/* As strtok_r, of strcopy.c. */
INTERCEPT wchar_t *wcstok(wchar_t *restrict s, const wchar_t *restrict set, wchar_t **restrict save)
{
	RaceCtx *g = self();
	wchar_t *start, *tok;

	if (!s)
		reads(g, save, sizeof *save, CALLER);
	start = s ? s : *save;
	tok = goro_real_wcstok(s, set, save);
	if (!g)
		return tok;
	writes(g, save, sizeof *save, CALLER);
	reads(g, set, WIDE(goro_real_wcslen(set) + 1), CALLER);
	if (start) {
		const wchar_t *end =
		    tok ? tok + goro_real_wcslen(tok) : start + goro_real_wcslen(start);

		reads(g, start, WIDE((size_t)(end - start) + 1), CALLER);
		if (tok && *save && *save > end)
			writes(g, end, WIDE(1), CALLER);
	}
	return tok;
}

/* ---- the checking forms of _FORTIFY_SOURCE; room counts characters ---- */

static RaceCtx *fits(bool ok)
{
	return ok ? self() : NULL;
}

/* say: copied or copied_n. */
#define COUNTED_CHK(name, say)                                                                     \
	wchar_t *__##name##_chk(wchar_t *, const wchar_t *, size_t, size_t);                       \
	INTERCEPT wchar_t *__##name##_chk(wchar_t *to, const wchar_t *from, size_t n, size_t room) \
	{                                                                                          \
		say(fits(n <= room), to, from, n, CALLER);                                         \
		return goro_real___##name##_chk(to, from, n, room);                                \
	}
COUNTED_CHK(wmemcpy, copied)
COUNTED_CHK(wmemmove, copied)
COUNTED_CHK(wmempcpy, copied)
COUNTED_CHK(wcsncpy, copied_n)
COUNTED_CHK(wcpncpy, copied_n)

#define TEXT_CHK(name)                                                                             \
	wchar_t *__##name##_chk(wchar_t *, const wchar_t *, size_t);                               \
	INTERCEPT wchar_t *__##name##_chk(wchar_t *to, const wchar_t *from, size_t room)           \
	{                                                                                          \
		copied_text(fits(goro_real_wcslen(from) < room), to, from, CALLER);                \
		return goro_real___##name##_chk(to, from, room);                                   \
	}
TEXT_CHK(wcscpy)
TEXT_CHK(wcpcpy)

wchar_t *__wmemset_chk(wchar_t *, wchar_t, size_t, size_t);
INTERCEPT wchar_t *__wmemset_chk(wchar_t *to, wchar_t c, size_t n, size_t room)
{
	writes(fits(n <= room), to, WIDE(n), CALLER);
	return goro_real___wmemset_chk(to, c, n, room);
}

wchar_t *__wcscat_chk(wchar_t *, const wchar_t *, size_t);
INTERCEPT wchar_t *__wcscat_chk(wchar_t *to, const wchar_t *from, size_t room)
{
	appended(
	    fits(goro_real_wcslen(to) + goro_real_wcslen(from) < room), to, from, SIZE_MAX, CALLER);
	return goro_real___wcscat_chk(to, from, room);
}

wchar_t *__wcsncat_chk(wchar_t *, const wchar_t *, size_t, size_t);
INTERCEPT wchar_t *__wcsncat_chk(wchar_t *to, const wchar_t *from, size_t n, size_t room)
{
	appended(
	    fits(goro_real_wcslen(to) + goro_real_wcsnlen(from, n) < room), to, from, n, CALLER);
	return goro_real___wcsncat_chk(to, from, n, room);
}
