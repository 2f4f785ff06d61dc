/*
 * mem.c: mem*, b*, qsort, and the searches of an array that grows. Ranges are those of the contract: memcmp and memchr read "as if" byte
 * after byte (C11 7.24.4.1, 7.24.5.1), so up to and including the byte that decides.
 *
 * A copy says its read and its write before it is done, the read first: what it finds, it finds before
 * the bytes change.
 */
#include "core.h"

INTERCEPT void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	RaceCtx *g = self();

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	return goro_real_memcpy(to, from, n);
}

INTERCEPT void *memmove(void *to, const void *from, size_t n)
{
	RaceCtx *g = self();

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	return goro_real_memmove(to, from, n);
}

INTERCEPT void *mempcpy(void *restrict to, const void *restrict from, size_t n)
{
	RaceCtx *g = self();

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	return goro_real_mempcpy(to, from, n);
}

void *__mempcpy(void *, const void *, size_t);
INTERCEPT void *__mempcpy(void *to, const void *from, size_t n)
{
	RaceCtx *g = self();

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	return goro_real_mempcpy(to, from, n);
}

INTERCEPT void bcopy(const void *from, void *to, size_t n)
{
	RaceCtx *g = self();

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	goro_real_memmove(to, from, n);
}

INTERCEPT void *memccpy(void *restrict to, const void *restrict from, int c, size_t n)
{
	RaceCtx *g = self();

	if (g) {
		const char *end = goro_real_memchr(from, c, n);
		size_t used = end ? (size_t)(end - (const char *)from) + 1 : n;

		reads(g, from, used, CALLER);
		writes(g, to, used, CALLER);
	}
	return goro_real_memccpy(to, from, c, n);
}

INTERCEPT void *memset(void *to, int c, size_t n)
{
	writes(self(), to, n, CALLER);
	return goro_real_memset(to, c, n);
}

INTERCEPT void bzero(void *to, size_t n)
{
	writes(self(), to, n, CALLER);
	goro_real_memset(to, 0, n);
}

INTERCEPT void explicit_bzero(void *to, size_t n)
{
	writes(self(), to, n, CALLER);
	goro_real_explicit_bzero(to, n);
}

/* ---- the checking forms of _FORTIFY_SOURCE: an overflow says nothing and dies in the libc ---- */

void *__memcpy_chk(void *, const void *, size_t, size_t);
void *__memmove_chk(void *, const void *, size_t, size_t);
void *__mempcpy_chk(void *, const void *, size_t, size_t);
void *__memset_chk(void *, int, size_t, size_t);
void __explicit_bzero_chk(void *, size_t, size_t);

INTERCEPT void *__memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
	RaceCtx *g = n <= room ? self() : NULL;

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	return goro_real___memcpy_chk(to, from, n, room);
}

INTERCEPT void *__memmove_chk(void *to, const void *from, size_t n, size_t room)
{
	RaceCtx *g = n <= room ? self() : NULL;

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	return goro_real___memmove_chk(to, from, n, room);
}

INTERCEPT void *__mempcpy_chk(void *to, const void *from, size_t n, size_t room)
{
	RaceCtx *g = n <= room ? self() : NULL;

	reads(g, from, n, CALLER);
	writes(g, to, n, CALLER);
	return goro_real___mempcpy_chk(to, from, n, room);
}

INTERCEPT void *__memset_chk(void *to, int c, size_t n, size_t room)
{
	writes(n <= room ? self() : NULL, to, n, CALLER);
	return goro_real___memset_chk(to, c, n, room);
}

INTERCEPT void __explicit_bzero_chk(void *to, size_t n, size_t room)
{
	writes(n <= room ? self() : NULL, to, n, CALLER);
	goro_real___explicit_bzero_chk(to, n, room);
}

/* ---- looking ---- */

static int compare(
    RaceCtx *g, const unsigned char *a, const unsigned char *b, size_t n, const void *pc)
{
	int r = goro_real_memcmp(a, b, n);

	if (g) {
		size_t used = n;

		if (r) {
			for (used = 0; a[used] == b[used] && used + 1 < n; used++)
				;
			used++;
		}
		reads(g, a, used, pc);
		reads(g, b, used, pc);
	}
	return r;
}

INTERCEPT int memcmp(const void *a, const void *b, size_t n)
{
	return compare(self(), a, b, n, CALLER);
}

/* An alias: a body of its own gcc would find equal to memcmp's, fold into a call of bcmp, and that, being
 * built in, into one of memcmp, for ever. So for index and rindex in string.c. */
INTERCEPT __attribute__((alias("memcmp"))) int bcmp(const void *a, const void *b, size_t n);

INTERCEPT void *memchr(const void *p, int c, size_t n)
{
	void *at = goro_real_memchr(p, c, n);

	reads(self(), p, at ? (size_t)((char *)at - (const char *)p) + 1 : n, CALLER);
	return at;
}

INTERCEPT void *memrchr(const void *p, int c, size_t n)
{
	void *at = goro_real_memrchr(p, c, n);

	if (at)
		reads(self(), at, (size_t)((const char *)p + n - (char *)at), CALLER);
	else
		reads(self(), p, n, CALLER);
	return at;
}

INTERCEPT void *rawmemchr(const void *p, int c)
{
	void *at = goro_real_rawmemchr(p, c);

	reads(self(), p, (size_t)((char *)at - (const char *)p) + 1, CALLER);
	return at;
}

void *__rawmemchr(const void *, int);
INTERCEPT void *__rawmemchr(const void *p, int c)
{
	void *at = goro_real_rawmemchr(p, c);

	reads(self(), p, (size_t)((char *)at - (const char *)p) + 1, CALLER);
	return at;
}

INTERCEPT void *memmem(const void *p, size_t n, const void *part, size_t m)
{
	RaceCtx *g = self();
	void *at = goro_real_memmem(p, n, part, m);

	if (m <= n) {
		reads(g, p, at ? (size_t)((char *)at - (const char *)p) + m : n, CALLER);
		reads(g, part, m, CALLER);
	}
	return at;
}

/* ---- sorting: the whole array may move; what the comparison reads it says itself ---- */

INTERCEPT void qsort(void *base, size_t n, size_t each, int (*cmp)(const void *, const void *))
{
	if (n > 1)
		writes(self(), base, n * each, CALLER);
	goro_real_qsort(base, n, each, cmp);
}

INTERCEPT void qsort_r(
    void *base, size_t n, size_t each, int (*cmp)(const void *, const void *, void *), void *arg)
{
	if (n > 1)
		writes(self(), base, n * each, CALLER);
	goro_real_qsort_r(base, n, each, cmp, arg);
}

INTERCEPT void *lfind(const void *key, const void *base, size_t *n, size_t each,
    int (*cmp)(const void *, const void *))
{
	reads(self(), n, sizeof *n, CALLER);
	return goro_real_lfind(key, base, n, each, cmp);
}

INTERCEPT void *lsearch(
    const void *key, void *base, size_t *n, size_t each, int (*cmp)(const void *, const void *))
{
	RaceCtx *g = self();
	size_t before;
	void *at;

	reads(g, n, sizeof *n, CALLER);
	before = *n;
	at = goro_real_lsearch(key, base, n, each, cmp);
	if (*n != before) {
		reads(g, key, each, CALLER);
		writes(g, at, each, CALLER);
		writes(g, n, sizeof *n, CALLER);
	}
	return at;
}
