/*
 * ranges.c: which bytes does a call of libc read and write? Built by goro-cc -race -fno-builtin.
 *
 * Each case is run by a thread on two buffers, A and B, that were filled before it was made. The main
 * thread, which nothing orders after it, then reads and writes byte after byte: a read that is reported
 * shows a byte the call wrote (w); a write, one it read (r); else it left the byte alone (.). Each byte
 * has functions of its own to do so, since equal stacks are reported once.
 *
 * Prints what differs from the table; exit code 1 then. Run with GORACE="exitcode=0
 * suppress_equal_addresses=0".
 */
#include "probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <wchar.h>

#define BYTES 48

static char A[BYTES] __attribute__((aligned(64))), B[BYTES] __attribute__((aligned(64)));
static volatile int sink;

static int bytes_differ(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static int bytes_differ_r(const void *a, const void *b, void *arg)
{
	(void)arg;
	return bytes_differ(a, b);
}

/* name, A before, A touched, B before, B touched, the call */
#define CASES(T)                                                                                   \
	T(memcpy, "", "wwwww", "hello", "rrrrr", memcpy(A, B, 5))                                  \
	T(memmove, "hello", "rwwwww", "", "", memmove(A + 1, A, 5))                                \
	T(mempcpy, "", "wwwww", "hello", "rrrrr", mempcpy(A, B, 5))                                \
	T(memset, "", "..wwwwwwwww", "", "", memset(A + 2, 1, 9))                                  \
	T(bzero, "", "..www", "", "", bzero(A + 2, 3))                                             \
	T(explicit_bzero, "", "www", "", "", explicit_bzero(A, 3))                                 \
	T(bcopy, "", "www", "abc", "rrr", bcopy(B, A, 3))                                          \
	T(memcmp_differ, "abcdefgh", "rrrr", "abcXefgh", "rrrr", sink = memcmp(A, B, 8))           \
	T(memcmp_equal, "abcd", "rrrr", "abcd", "rrrr", sink = memcmp(A, B, 4))                    \
	T(bcmp, "abcd", "rrr", "abXd", "rrr", sink = bcmp(A, B, 4))                                \
	T(memchr_there, "abcdefgh", "rrr", "", "", sink = memchr(A, 'c', 8) != 0)                  \
	T(memchr_not, "abcdefgh", "rrrrrr", "", "", sink = memchr(A, 'z', 6) != 0)                 \
	T(memrchr, "abcdefgh", "..rrrr", "", "", sink = memrchr(A, 'c', 6) != 0)                   \
	T(rawmemchr, "abcdefgh", "rrr", "", "", sink = rawmemchr(A, 'c') != 0)                     \
	T(memmem, "abcdefgh", "rrrr", "cd", "rr", sink = memmem(A, 8, B, 2) != 0)                  \
	T(memccpy, "", "www", "abcdef", "rrr", memccpy(A, B, 'c', 8))                              \
	T(qsort, "edcba", "wwwww", "", "", qsort(A, 5, 1, bytes_differ))                           \
	T(qsort_r, "edcba", "wwwww", "", "", qsort_r(A, 5, 1, bytes_differ_r, NULL))               \
	T(bsearch, "abcde", "..rr", "c", "r", sink = bsearch(B, A + 1, 4, 1, bytes_differ) != 0)   \
	T(strlen, "abc", "rrrr", "", "", sink = (int)strlen(A))                                    \
	T(strnlen_short, "abc", "rr", "", "", sink = (int)strnlen(A, 2))                           \
	T(strnlen_long, "abc", "rrrr", "", "", sink = (int)strnlen(A, 9))                          \
	T(strcmp_differ, "abcd", "rrr", "abx", "rrr", sink = strcmp(A, B))                         \
	T(strcmp_equal, "abc", "rrrr", "abc", "rrrr", sink = strcmp(A, B))                         \
	T(strncmp, "abc", "rr", "abc", "rr", sink = strncmp(A, B, 2))                              \
	T(strcasecmp, "aBC", "rrrr", "AbcD", "rrrr", sink = strcasecmp(A, B))                      \
	T(strncasecmp, "aBC", "rr", "AbcD", "rr", sink = strncasecmp(A, B, 2))                     \
	T(strcoll, "aBC", "rrrr", "AbcD", "rrrrr", sink = strcoll(A, B))                           \
	T(strchr_there, "abcd", "rrr", "", "", sink = strchr(A, 'c') != 0)                         \
	T(strchr_not, "abcd", "rrrrr", "", "", sink = strchr(A, 'z') != 0)                         \
	T(strchrnul, "abcd", "rrrrr", "", "", sink = (int)(strchrnul(A, 'z') - A))                 \
	T(strrchr, "abcd", "rrrrr", "", "", sink = strrchr(A, 'b') != 0)                           \
	T(index, "abcd", "rrr", "", "", sink = index(A, 'c') != 0)                                 \
	T(rindex, "abcd", "rrrrr", "", "", sink = rindex(A, 'c') != 0)                             \
	T(strstr, "abcdef", "rrrr", "cd", "rrr", sink = strstr(A, B) != 0)                         \
	T(strcasestr, "abcdef", "rrrr", "CD", "rrr", sink = strcasestr(A, B) != 0)                 \
	T(strspn, "abcd", "rrr", "ab", "rrr", sink = (int)strspn(A, B))                            \
	T(strcspn, "abcd", "rrr", "c", "rr", sink = (int)strcspn(A, B))                            \
	T(strpbrk, "abcd", "rrr", "c", "rr", sink = strpbrk(A, B) != 0)                            \
	T(strcpy, "", "wwww", "abc", "rrrr", strcpy(A, B))                                         \
	T(stpcpy, "", "wwww", "abc", "rrrr", stpcpy(A, B))                                         \
	T(strncpy_long, "", "wwwwww", "abc", "rrrr", strncpy(A, B, 6))                             \
	T(strncpy_short, "", "ww", "abc", "rr", strncpy(A, B, 2))                                  \
	T(stpncpy, "", "wwwwww", "abc", "rrrr", stpncpy(A, B, 6))                                  \
	T(strcat, "xy", "rrwwww", "abc", "rrrr", strcat(A, B))                                     \
	T(strncat, "xy", "rrwww", "abc", "rr", strncat(A, B, 2))                                   \
	T(strdup, "xy", "rrr", "", "", free(strdup(A)))                                            \
	T(strndup, "xy", "r", "", "", free(strndup(A, 1)))                                         \
	T(strtok_r, "xy,z", "rrw", ",", "rr", char *s; strtok_r(A, B, &s))                         \
	T(strtok, "xy,z", "rrw", ",", "rr", strtok(A, B))                                          \
	T(strsep, "xy,z", "rrw", ",", "rr", char *s = A; strsep(&s, B))                            \
	T(strtol, "123 z", "rrrr", "", "", sink = (int)strtol(A, NULL, 10))                        \
	T(strtol_end, "123 z", "rrrr", "", "wwwwwwww", sink = (int)strtol(A, (char **)B, 10))      \
	T(atoi, "123 z", "rrrr", "", "", sink = atoi(A))                                           \
	T(strtod, "1.5x", "rrrr", "", "", sink = (int)strtod(A, NULL))                             \
	T(sprintf, "", "wwwwww", "abc", "rrrr", sprintf(A, "%s-%d", B, 5))                         \
	T(sprintf_precision, "", "wwwww", "abc", "rr", sprintf(A, "%.2s-%d", B, 5))                \
	T(sprintf_star, "", "wwwwwwwwwwwwwwww", "abc", "rr",                                       \
	    sprintf(A, "%.*s-%5.1f%p%ld%c", 2, B, 5.0, NULL, 1L, 'c'))                             \
	T(sprintf_ldouble, "", "wwwwwwwwww", "", "r", sprintf(A, "%Lf %s", 1.0L, B))               \
	T(snprintf, "", "wwww", "abcdef", "rrrrrrr", snprintf(A, 4, "%s", B))                      \
	T(sprintf_n, "", "www", "", "wwww", sprintf(A, "ab%n", (int *)B))                          \
	T(sprintf_hhn, "", "www", "", "w", sprintf(A, "ab%hhn", (signed char *)B))                 \
	T(asprintf, "ab", "rrr", "", "", char *p; if (asprintf(&p, "%s", A) > 0) free(p))          \
	T(sscanf_int, "12 13", "r", "", "wwww....ww",                                              \
	    sink = sscanf(A, "%d %hd", (int *)B, (short *)(B + 8)))                                \
	T(sscanf_text, "abcdef g", "r", "", "wwww....w", sink = sscanf(A, "%3s%*s %c", B, B + 8))  \
	T(sscanf_set, "abc1.5", "r", "", "wwww....wwwwwwww",                                       \
	    sink = sscanf(A, "%[a-c]%lf", B, (double *)(B + 8)))                                   \
	T(sscanf_part, "12 x", "r", "", "wwww",                                                    \
	    sink = sscanf(A, "%d %d", (int *)B, (int *)(B + 4)))                                   \
	T(wcslen, "a", "rrrrrrrr", "", "", sink = (int)wcslen((wchar_t *)A))                       \
	T(wmemset, "", "wwwwwwww", "", "", wmemset((wchar_t *)A, 0, 2))                            \
	T(fwrite_fread, "", "wwww", "abcdef", "rrrr", FILE *f = tmpfile(); fwrite(B, 1, 4, f);     \
	    rewind(f); sink = (int)fread(A, 1, 9, f); fclose(f))                                   \
	T(fputs_fgets, "", "wwwwwww", "abcdef", "rrrrrrr", FILE *f = tmpfile(); fputs(B, f);       \
	    rewind(f); sink = fgets(A, 9, f) != NULL; fclose(f))                                   \
	T(fprintf, "", "", "abcdef", "rrrrrrr", FILE *f = tmpfile(); fprintf(f, "%s", B); fclose(f))

#define OP(name, a, ta, b, tb, ...)                                                                \
	static void op_##name(void)                                                                \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
CASES(OP)

/* ---- a function for each byte ---- */

#define ROW(F, d) F(d##0) F(d##1) F(d##2) F(d##3) F(d##4) F(d##5) F(d##6) F(d##7)
#define ROWS(F)   ROW(F, 0) ROW(F, 1) ROW(F, 2) ROW(F, 3) ROW(F, 4) ROW(F, 5)
#define PROBE(i)                                                                                   \
	static void read_##i(volatile char *p)                                                     \
	{                                                                                          \
		(void)*p;                                                                          \
	}                                                                                          \
	static void write_##i(volatile char *p)                                                    \
	{                                                                                          \
		*p = 1;                                                                            \
	}
ROWS(PROBE)

#define READER(i) read_##i,
#define WRITER(i) write_##i,
static void (*const reader[BYTES])(volatile char *) = {ROWS(READER)};
static void (*const writer[BYTES])(volatile char *) = {ROWS(WRITER)};

static void touched(char *buffer, char *out)
{
	int end = 0;

	for (int i = 0; i < BYTES; i++) {
		set(&reports, 0);
		reader[i](buffer + i);
		out[i] = 'w';
		if (!get(&reports)) {
			writer[i](buffer + i);
			out[i] = get(&reports) ? 'r' : '.';
		}
		if (out[i] != '.')
			end = i + 1;
	}
	out[end] = 0;
}

static int differs(const char *name, void (*op)(void), const char *a, const char *ta, const char *b,
    const char *tb)
{
	char got_a[BYTES + 1], got_b[BYTES + 1];
	pthread_t th;

	memset(A, 0, BYTES);
	memset(B, 0, BYTES);
	strcpy(A, a);
	strcpy(B, b);
	set(&done, 0);
	set(&leave, 0);
	if (pthread_create(&th, NULL, thread, (void *)op) != 0)
		abort();
	while (!get(&done))
		usleep(20);
	touched(A, got_a);
	touched(B, got_b);
	set(&leave, 1);
	pthread_join(th, NULL);
	if (strcmp(ta, got_a) == 0 && strcmp(tb, got_b) == 0)
		return 0;
	printf("%s: A \"%s\", not \"%s\"; B \"%s\", not \"%s\"\n", name, got_a, ta, got_b, tb);
	return 1;
}

int main(void)
{
	int bad = 0;

#define RUN(name, a, ta, b, tb, ...) bad |= differs(#name, op_##name, a, ta, b, tb);
	CASES(RUN)
	return bad;
}
