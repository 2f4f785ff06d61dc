/*
 * strcopy.c: the str* functions that write: copies, concatenations, duplicates, tokens. Each says its
 * reads and writes before the work is done. strdup's block belongs to strdup's caller, and its contents
 * are written by the same.
 */
#include "core.h"

/* Copy of a whole string. */
static void copied(RaceCtx *g, char *to, const char *from, const void *pc)
{
	if (g) {
		size_t n = goro_real_strlen(from) + 1;

		reads(g, from, n, pc);
		writes(g, to, n, pc);
	}
}

/* strncpy: reads no further than the NUL, writes n always. */
static void copied_n(RaceCtx *g, char *to, const char *from, size_t n, const void *pc)
{
	if (g) {
		size_t used = goro_real_strnlen(from, n);

		reads(g, from, used < n ? used + 1 : n, pc);
		writes(g, to, n, pc);
	}
}

/* Append at most max bytes and a NUL. */
static void appended(RaceCtx *g, char *to, const char *from, size_t max, const void *pc)
{
	if (g) {
		size_t at = goro_real_strlen(to), used = goro_real_strnlen(from, max);

		reads(g, from, used < max ? used + 1 : used, pc);
		reads(g, to, at + 1, pc);
		writes(g, to + at, used + 1, pc);
	}
}

INTERCEPT char *strcpy(char *restrict to, const char *restrict from)
{
	copied(self(), to, from, CALLER);
	return goro_real_strcpy(to, from);
}

INTERCEPT char *stpcpy(char *restrict to, const char *restrict from)
{
	copied(self(), to, from, CALLER);
	return goro_real_stpcpy(to, from);
}

char *__stpcpy(char *, const char *);
INTERCEPT char *__stpcpy(char *to, const char *from)
{
	copied(self(), to, from, CALLER);
	return goro_real_stpcpy(to, from);
}

INTERCEPT char *strncpy(char *restrict to, const char *restrict from, size_t n)
{
	copied_n(self(), to, from, n, CALLER);
	return goro_real_strncpy(to, from, n);
}

INTERCEPT char *stpncpy(char *restrict to, const char *restrict from, size_t n)
{
	copied_n(self(), to, from, n, CALLER);
	return goro_real_stpncpy(to, from, n);
}

char *__stpncpy(char *, const char *, size_t);
INTERCEPT char *__stpncpy(char *to, const char *from, size_t n)
{
	copied_n(self(), to, from, n, CALLER);
	return goro_real_stpncpy(to, from, n);
}

INTERCEPT char *strcat(char *restrict to, const char *restrict from)
{
	appended(self(), to, from, SIZE_MAX, CALLER);
	return goro_real_strcat(to, from);
}

INTERCEPT char *strncat(char *restrict to, const char *restrict from, size_t n)
{
	appended(self(), to, from, n, CALLER);
	return goro_real_strncat(to, from, n);
}

/* ---- the checking forms of _FORTIFY_SOURCE: an overflow says nothing and dies in the libc ---- */

char *__strcpy_chk(char *, const char *, size_t);
char *__stpcpy_chk(char *, const char *, size_t);
char *__strncpy_chk(char *, const char *, size_t, size_t);
char *__stpncpy_chk(char *, const char *, size_t, size_t);
char *__strcat_chk(char *, const char *, size_t);
char *__strncat_chk(char *, const char *, size_t, size_t);

static RaceCtx *fits(bool ok)
{
	return ok ? self() : NULL;
}

INTERCEPT char *__strcpy_chk(char *to, const char *from, size_t room)
{
	copied(fits(goro_real_strlen(from) < room), to, from, CALLER);
	return goro_real___strcpy_chk(to, from, room);
}

INTERCEPT char *__stpcpy_chk(char *to, const char *from, size_t room)
{
	copied(fits(goro_real_strlen(from) < room), to, from, CALLER);
	return goro_real___stpcpy_chk(to, from, room);
}

INTERCEPT char *__strncpy_chk(char *to, const char *from, size_t n, size_t room)
{
	copied_n(fits(n <= room), to, from, n, CALLER);
	return goro_real___strncpy_chk(to, from, n, room);
}

INTERCEPT char *__stpncpy_chk(char *to, const char *from, size_t n, size_t room)
{
	copied_n(fits(n <= room), to, from, n, CALLER);
	return goro_real___stpncpy_chk(to, from, n, room);
}

INTERCEPT char *__strcat_chk(char *to, const char *from, size_t room)
{
	appended(
	    fits(goro_real_strlen(to) + goro_real_strlen(from) < room), to, from, SIZE_MAX, CALLER);
	return goro_real___strcat_chk(to, from, room);
}

INTERCEPT char *__strncat_chk(char *to, const char *from, size_t n, size_t room)
{
	appended(
	    fits(goro_real_strlen(to) + goro_real_strnlen(from, n) < room), to, from, n, CALLER);
	return goro_real___strncat_chk(to, from, n, room);
}

/* ---- duplicates ---- */

static char *duplicate(const char *s, size_t n, bool whole, const void *pc)
{
	RaceCtx *g = self();
	char *copy;

	reads(g, s, whole ? n + 1 : n, pc);
	copy = heap_new(n + 1, 0, pc);
	if (!copy)
		return NULL;
	writes(g, copy, n + 1, pc);
	goro_real_memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

INTERCEPT char *strdup(const char *s)
{
	return duplicate(s, goro_real_strlen(s), true, CALLER);
}

char *__strdup(const char *);
INTERCEPT char *__strdup(const char *s)
{
	return duplicate(s, goro_real_strlen(s), true, CALLER);
}

INTERCEPT char *strndup(const char *s, size_t max)
{
	size_t n = goro_real_strnlen(s, max);

	return duplicate(s, n, n < max, CALLER);
}

char *__strndup(const char *, size_t);
INTERCEPT char *__strndup(const char *s, size_t max)
{
	size_t n = goro_real_strnlen(s, max);

	return duplicate(s, n, n < max, CALLER);
}

/* ---- tokens ---- */

/*
 * One step of strtok_r from `start` (what s or *save said). The libc has done it: `tok` is the token or
 * NULL, `next` the new *save: past the delimiter that became NUL, or at the string's end.
 */
static void cut(RaceCtx *g, const char *start, const char *set, const char *tok, const char *next,
    const void *pc)
{
	const char *end = tok ? tok + goro_real_strlen(tok) : start + goro_real_strlen(start);

	reads(g, set, goro_real_strlen(set) + 1, pc);
	reads(g, start, (size_t)(end - start) + 1, pc);
	if (tok && next > end)
		writes(g, end, 1, pc);
}

static char *token(char *s, const char *set, char **save, const void *pc)
{
	RaceCtx *g = self();
	char *start, *tok;

	if (!s)
		reads(g, save, sizeof *save, pc);
	start = s ? s : *save;
	tok = goro_real_strtok_r(s, set, save);
	if (g) {
		writes(g, save, sizeof *save, pc);
		if (start)
			cut(g, start, set, tok, *save, pc);
	}
	return tok;
}

INTERCEPT char *strtok_r(char *restrict s, const char *restrict set, char **restrict save)
{
	return token(s, set, save, CALLER);
}

char *__strtok_r(char *, const char *, char **);
INTERCEPT char *__strtok_r(char *s, const char *set, char **save)
{
	return token(s, set, save, CALLER);
}

/* Its hidden state is a variable like any other: two goroutines in strtok do race. */
INTERCEPT char *strtok(char *restrict s, const char *restrict set)
{
	static char *strtok_state;

	return token(s, set, &strtok_state, CALLER);
}

INTERCEPT char *strsep(char **restrict where, const char *restrict set)
{
	RaceCtx *g = self();
	char *start = *where, *tok;

	reads(g, where, sizeof *where, CALLER);
	tok = goro_real_strsep(where, set);
	if (g && start) {
		size_t n = goro_real_strlen(start);

		reads(g, set, goro_real_strlen(set) + 1, CALLER);
		reads(g, start, n + 1, CALLER);
		writes(g, where, sizeof *where, CALLER);
		if (*where)
			writes(g, start + n, 1, CALLER);
	}
	return tok;
}
