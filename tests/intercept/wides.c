/*
 * wides.c: as fills.c: calls of libc on wide characters, formats of both widths, and numbers.
 */
#include "filled.h"
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

/* ---- scanf and printf, of both widths ---- */

#define WS sizeof(wchar_t)

/* What a call reads lies in B. */
static void wide_text_is(const wchar_t *s)
{
	wcscpy((wchar_t *)B, s);
}
static void numbers(void)
{
	wide_text_is(L"12 13");
}
static void one_number(void)
{
	wide_text_is(L"12 x");
}
static void words(void)
{
	wide_text_is(L"abcdef g");
}
static void word_and_number(void)
{
	wide_text_is(L"abc1.5");
}
static void blanks(void)
{
	wide_text_is(L"  ");
}
static void narrow_and_wide(void)
{
	strcpy(B, "abc");
	wcscpy((wchar_t *)(B + 16), L"de");
}
static void narrow_word(void)
{
	strcpy(B, "abc");
}
static void narrow_words(void)
{
	strcpy(B, "abcde 7");
}

/* What a call reads comes from a file; `input` and stdin have the same. */
static FILE *input;
static void file_of(const char *s)
{
	input = tmpfile();
	/* Not by a call of the stream's, which would choose its width. */
	must(input && write(fileno(input), s, strlen(s)) > 0);
	must(lseek(fileno(input), 0, SEEK_SET) == 0);
	must(dup2(fileno(input), 0) == 0);
	clearerr(stdin);
}
static void file_of_numbers(void)
{
	file_of("12 13\n");
}
static void file_of_three(void)
{
	file_of("abc");
}
static void file_of_six(void)
{
	file_of("abcdef");
}

typedef int ByList(const void *from, const void *fmt, va_list ap);
static int by_list(ByList *call, const void *from, const void *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = call(from, fmt, ap);
	va_end(ap);
	return r;
}
#define BY_LIST(call, ...) by_list((ByList *)(call), __VA_ARGS__)

static int from_stdin(const void *none, const void *fmt, va_list ap)
{
	return vwscanf(fmt, ap);
}

/* The names of before C99, which the headers hide. */
int old_wscanf(const wchar_t *, ...) __asm__("wscanf");
int old_fwscanf(FILE *, const wchar_t *, ...) __asm__("fwscanf");
int old_swscanf(const wchar_t *, const wchar_t *, ...) __asm__("swscanf");
int old_vwscanf(const wchar_t *, va_list) __asm__("vwscanf");
int old_vfwscanf(FILE *, const wchar_t *, va_list) __asm__("vfwscanf");
int old_vswscanf(const wchar_t *, const wchar_t *, va_list) __asm__("vswscanf");

static int old_from_stdin(const void *none, const void *fmt, va_list ap)
{
	return old_vwscanf(fmt, ap);
}

static void two_words(void)
{
	wide_text_is(L"ab,c");
	wcscpy((wchar_t *)A, L"abX");
}
static void numerals(void)
{
	wide_text_is(L" 12z");
}
static void a_fraction(void)
{
	wide_text_is(L"1.5z");
}
static void narrow_numerals(void)
{
	strcpy(B, " 12z");
}
#define WA ((wchar_t *)A)
#define WB ((wchar_t *)B)
#define FAR (A + 64)

/* What headers make of the names under _FORTIFY_SOURCE. */
int __swprintf_chk(wchar_t *, size_t, int, size_t, const wchar_t *, ...);
int __fwprintf_chk(FILE *, int, const wchar_t *, ...);
wchar_t *__fgetws_chk(wchar_t *, size_t, int, FILE *);
wchar_t *__wcpcpy_chk(wchar_t *, const wchar_t *, size_t);
wchar_t *__wcsncpy_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wcpncpy_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wcsncat_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wmempcpy_chk(wchar_t *, const wchar_t *, size_t, size_t);

/* What those of glibc 2.38 and newer make of the names: isoc23.c stands for that libc here. */
long __isoc23_strtol(const char *, char **, int);
unsigned long long __isoc23_wcstoull(const wchar_t *, wchar_t **, int);
int __isoc23_sscanf(const char *, const char *, ...);
int __isoc23_fscanf(FILE *, const char *, ...);
int __isoc23_swscanf(const wchar_t *, const wchar_t *, ...);

#define TWO L"%d %hd", (int *)A, (short *)(A + 8)

#define CASES(T)                                                                                   \
	T(wcslen, words, R(B, 9 * WS), must(wcslen(WB) == 8))                                      \
	T(wcsnlen, words, R(B, 5 * WS), must(wcsnlen(WB, 5) == 5))                                 \
	T(wcscmp, two_words, R(A, 3 * WS); R(B, 3 * WS), must(wcscmp(WA, WB) > 0))                 \
	T(wcsncmp, two_words, R(A, 2 * WS); R(B, 2 * WS), must(wcsncmp(WA, WB, 2) == 0))           \
	T(wcscasecmp, two_words, R(A, 3 * WS); R(B, 3 * WS), must(wcscasecmp(WA, WB) != 0))        \
	T(wcsncasecmp, two_words, R(A, 2 * WS); R(B, 2 * WS), must(!wcsncasecmp(WA, WB, 2)))       \
	T(wcscoll, two_words, R(A, 4 * WS); R(B, 5 * WS), must(wcscoll(WA, WB) != 0))              \
	T(wmemcmp, two_words, R(A, 3 * WS); R(B, 3 * WS), must(wmemcmp(WA, WB, 4) > 0))            \
	T(wmemcmp_past_nul, nothing, R(A, 3 * WS); R(B, 3 * WS), must(!wmemcmp(WA, WB, 3)))        \
	T(wcschr, words, R(B, 3 * WS), must(wcschr(WB, L'c') == WB + 2))                           \
	T(wcschrnul, words, R(B, 9 * WS), must(wcschrnul(WB, L'z') == WB + 8))                     \
	T(wcsrchr, words, R(B, 9 * WS), must(wcsrchr(WB, L'c') == WB + 2))                         \
	T(wmemchr, words, R(B, 3 * WS), must(wmemchr(WB, L'c', 6) == WB + 2))                      \
	T(wmemchr_not, words, R(B, 6 * WS), must(!wmemchr(WB, L'z', 6)))                           \
	T(wcsstr, words, R(B, 4 * WS), must(wcsstr(WB, L"cd") == WB + 2))                          \
	T(wcsspn, words, R(B, 3 * WS), must(wcsspn(WB, L"ab") == 2))                               \
	T(wcscspn, words, R(B, 3 * WS), must(wcscspn(WB, L"c") == 2))                              \
	T(wcspbrk, words, R(B, 3 * WS), must(wcspbrk(WB, L"c") == WB + 2))                         \
	T(wmemcpy, words, W(A, 3 * WS); R(B, 3 * WS), wmemcpy(WA, WB, 3))                          \
	T(wmemmove, words, W(A, 3 * WS); R(B, 3 * WS), wmemmove(WA, WB, 3))                        \
	T(wmempcpy, words, W(A, 3 * WS); R(B, 3 * WS), must(wmempcpy(WA, WB, 3) == WA + 3))        \
	T(wmemset, nothing, W(A, 3 * WS), wmemset(WA, L'x', 3))                                    \
	T(wcscpy, words, W(A, 9 * WS); R(B, 9 * WS), wcscpy(WA, WB))                               \
	T(wcpcpy, words, W(A, 9 * WS); R(B, 9 * WS), must(wcpcpy(WA, WB) == WA + 8))               \
	T(wcsncpy, numerals, W(A, 9 * WS); R(B, 5 * WS), wcsncpy(WA, WB, 9))                       \
	T(wcpncpy, words, W(A, 3 * WS); R(B, 3 * WS), must(wcpncpy(WA, WB, 3) == WA + 3))          \
	T(wcscat, two_words, R(A, 3 * WS); W(A + 3 * WS, 5 * WS); R(B, 5 * WS), wcscat(WA, WB))    \
	T(wcsncat, two_words, R(A, 3 * WS); W(A + 3 * WS, 3 * WS); R(B, 2 * WS), wcsncat(WA, WB,   \
	    2))                                                                                    \
	T(wcsdup, words, R(B, 9 * WS), wchar_t *p = wcsdup(WB); must(p); free(p))                  \
	T(wcsxfrm, words, W(A, 9 * WS); R(B, 9 * WS), must(wcsxfrm(WA, WB, 99) == 8))              \
	T(wcstok, two_words, W(FAR, 8); R(B, 2 * WS); W(B + 2 * WS, WS), must(wcstok(WB, L",",     \
	    (wchar_t **)FAR) == WB))                                                               \
	T(wcpcpy_chk, words, W(A, 9 * WS); R(B, 9 * WS), must(__wcpcpy_chk(WA, WB, 9) == WA + 8))  \
	T(wcsncpy_chk, numerals, W(A, 9 * WS); R(B, 5 * WS), __wcsncpy_chk(WA, WB, 9, 9))          \
	T(wcpncpy_chk, words, W(A, 3 * WS); R(B, 3 * WS), __wcpncpy_chk(WA, WB, 3, 9))             \
	T(wcsncat_chk, two_words, R(A, 3 * WS); W(A + 3 * WS, 3 * WS); R(B, 2 * WS),               \
	    __wcsncat_chk(WA, WB, 2, 9))                                                           \
	T(wmempcpy_chk, words, W(A, 3 * WS); R(B, 3 * WS), __wmempcpy_chk(WA, WB, 3, 3))           \
	T(wcstol, numerals, R(B, 4 * WS); W(A, 8), must(wcstol(WB, (wchar_t **)A, 10) == 12))      \
	T(wcstoul, numerals, R(B, 4 * WS), must(wcstoul(WB, NULL, 10) == 12))                      \
	T(wcstoll, numerals, R(B, 4 * WS), must(wcstoll(WB, NULL, 10) == 12))                      \
	T(wcstoull, numerals, R(B, 4 * WS), must(wcstoull(WB, NULL, 10) == 12))                    \
	T(wcstoimax, numerals, R(B, 4 * WS), must(wcstoimax(WB, NULL, 10) == 12))                  \
	T(wcstoumax, numerals, R(B, 4 * WS), must(wcstoumax(WB, NULL, 10) == 12))                  \
	T(wcstod, a_fraction, R(B, 4 * WS); W(A, 8), must(wcstod(WB, (wchar_t **)A) == 1.5))       \
	T(wcstof, a_fraction, R(B, 4 * WS), must(wcstof(WB, NULL) == 1.5f))                        \
	T(wcstold, a_fraction, R(B, 4 * WS), must(wcstold(WB, NULL) == 1.5L))                      \
	T(strtoimax, narrow_numerals, R(B, 4); W(A, 8), must(strtoimax(B, (char **)A, 10) == 12))  \
	T(strtoumax, narrow_numerals, R(B, 4), must(strtoumax(B, NULL, 10) == 12))                 \
	T(c23_strtol, narrow_numerals, R(B, 4), must(__isoc23_strtol(B, NULL, 10) == 12))          \
	T(c23_wcstoull, numerals, R(B, 4 * WS), must(__isoc23_wcstoull(WB, NULL, 10) == 12))       \
	T(c23_sscanf, narrow_numerals, W(A, 4); R(B, 1), must(__isoc23_sscanf(B, "%d", (int *)A)   \
	    == 1))                                                                                 \
	T(c23_fscanf, file_of_numbers, W(A, 4), must(__isoc23_fscanf(input, "%d", (int *)A) == 1)) \
	T(c23_swscanf, numbers, W(A, 4); W(A + 8, 2); R(B, WS), must(__isoc23_swscanf(WB, TWO) ==  \
	    2))                                                                                    \
	T(fgetws_unlocked, file_of_numbers, W(A, 7 * WS), must(fgetws_unlocked(WA, 99, input)))    \
	T(fputws_unlocked, words, R(B, 9 * WS), must(fputws_unlocked(WB, tmpfile()) >= 0))         \
	T(swprintf, nothing, W(A, 12), must(swprintf((wchar_t *)A, 20, L"%d", 12) == 2))           \
	T(swscanf, numbers, W(A, 4); W(A + 8, 2); R(B, WS), must(swscanf((wchar_t *)B, TWO) == 2)) \
	T(vswscanf, numbers, W(A, 4); W(A + 8, 2); R(B, WS), must(BY_LIST(vswscanf, B, TWO) == 2)) \
	T(fwscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(fwscanf(input, TWO) == 2))          \
	T(vfwscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(BY_LIST(vfwscanf, input, TWO) ==   \
	    2))                                                                                    \
	T(wscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(wscanf(TWO) == 2))                   \
	T(vwscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(BY_LIST(from_stdin, NULL, TWO) ==   \
	    2))                                                                                    \
	T(old_swscanf, numbers, W(A, 4); W(A + 8, 2); R(B, WS), must(old_swscanf((wchar_t *)B,     \
	    TWO) == 2))                                                                            \
	T(old_vswscanf, numbers, W(A, 4); W(A + 8, 2); R(B, WS), must(BY_LIST(old_vswscanf, B,     \
	    TWO) == 2))                                                                            \
	T(old_fwscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(old_fwscanf(input, TWO) == 2))  \
	T(old_vfwscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(BY_LIST(old_vfwscanf, input,   \
	    TWO) == 2))                                                                            \
	T(old_wscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(old_wscanf(TWO) == 2))           \
	T(old_vwscanf, file_of_numbers, W(A, 4); W(A + 8, 2), must(BY_LIST(old_from_stdin, NULL,   \
	    TWO) == 2))                                                                            \
	T(swscanf_part, one_number, W(A, 4); R(B, WS), must(swscanf((wchar_t *)B, TWO) == 1))      \
	T(swscanf_end, blanks, R(B, 3 * WS), must(swscanf((wchar_t *)B, TWO) == EOF))              \
	T(swscanf_narrow, words, W(A, 4); W(A + 8, 1); R(B, WS), must(swscanf((wchar_t *)B,        \
	    L"%3s%*s %c", A, A + 8) == 2))                                                         \
	T(swscanf_wide, words, W(A, 4 * WS); W(A + 32, WS); R(B, WS), must(swscanf((wchar_t *)B,   \
	    L"%3ls%*ls %lc", A, A + 32) == 2))                                                     \
	T(swscanf_set, word_and_number, W(A, 4); W(A + 8, 8); R(B, WS), must(swscanf((wchar_t *)B, \
	    L"%[a-c]%lf", A, A + 8) == 2))                                                         \
	T(swscanf_wide_set, word_and_number, W(A, 4 * WS); R(B, WS), must(swscanf((wchar_t *)B,    \
	    L"%l[^]0-9\u00e4]%*f", A) == 1))                                                       \
	T(swscanf_allocated, words, W(A, sizeof(char *)); R(B, WS), must(swscanf((wchar_t *)B,     \
	    L"%ms", (char **)A) == 1))                                                             \
	T(swscanf_wide_allocated, words, W(A, sizeof(wchar_t *)); R(B, WS), must(swscanf((wchar_t  \
	    *)B, L"%mls", (wchar_t **)A) == 1))                                                    \
	T(sscanf_c_full, narrow_words, W(A, 5); W(A + 8, 4); R(B, 1), must(sscanf(B, "%5c %d", A,  \
	    (int *)(A + 8)) == 2))                                                                 \
	T(sscanf_c_cut, narrow_word, W(A, 1); R(B, 1), must(sscanf(B, "%5c", A) == 1))             \
	T(fscanf_c_full, file_of_six, W(A, 5), must(fscanf(input, "%5c", A) == 1))                 \
	T(fscanf_c_cut, file_of_three, W(A, 1), must(fscanf(input, "%5c", A) == 1))                \
	T(swprintf_texts, narrow_and_wide, W(A, 7 * WS); R(B, 4); R(B + 16, 3 * WS),               \
	    must(swprintf((wchar_t *)A, 20, L"%s-%ls", B, B + 16) == 6))                           \
	T(swprintf_no_room, narrow_and_wide, (void)0, must(swprintf((wchar_t *)A, 3, L"%s", B) ==  \
	    -1))                                                                                   \
	T(fgetws, file_of_numbers, W(A, 7 * WS), must(fgetws((wchar_t *)A, 99, input)))            \
	T(fputws, words, R(B, 9 * WS), must(fputws((wchar_t *)B, tmpfile()) >= 0))                 \
	T(fwprintf, narrow_and_wide, R(B, 4); R(B + 16, 3 * WS), must(fwprintf(tmpfile(),          \
	    L"%s-%ls", B, B + 16) == 6))                                                           \
	T(fwprintf_n, nothing, W(B, 4), must(fwprintf(tmpfile(), L"ab%n", (int *)B) == 2))         \
	T(swprintf_chk, narrow_and_wide, W(A, 7 * WS); R(B, 4); R(B + 16, 3 * WS),                 \
	    must(__swprintf_chk((wchar_t *)A, 20, 1, 99, L"%s-%ls", B, B + 16) == 6))              \
	T(fwprintf_chk, narrow_and_wide, R(B, 4), must(__fwprintf_chk(tmpfile(), 1, L"%s", B) ==   \
	    3))                                                                                    \
	T(fgetws_chk, file_of_numbers, W(A, 7 * WS), must(__fgetws_chk((wchar_t *)A, 99, 99,       \
	    input)))

CASES(OP)

int main(int argc, char **argv)
{
	return RUN_CASES;
}
