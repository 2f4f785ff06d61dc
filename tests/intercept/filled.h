/*
 * filled.h: which bytes does a call of libc fill, which does it read? The method is that of ranges.c: a thread makes the
 * call, and main, which nothing orders after it, reads and writes byte after byte of A and B. What the call is to
 * have done is said beside it: W and R, a place and its size.
 *
 *	#define CASES(T) T(name, before (main), what the call touches, the call (a thread)) ...
 *	CASES(OP)
 *	int main(int argc, char **argv) { return RUN_CASES; }
 *
 * Prints what differs; exit code 1 then. Built by goro-cc -race -fno-builtin, run with GORACE="exitcode=0
 * suppress_equal_addresses=0 suppress_equal_stacks=0 symbolize=0".
 */
#include "probe.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BYTES 1024

static char A[BYTES] __attribute__((aligned(64))), B[BYTES] __attribute__((aligned(64)));
static char want_a[BYTES], want_b[BYTES];
static int fd[2], sock[2]; /* what a case has opened; closed after it */
static volatile long sink;

UNSEEN static size_t len(const char *s)
{
	size_t n = 0;

	while (((const volatile char *)s)[n])
		n++;
	return n;
}

static void must_(int ok, int line)
{
	if (!ok) {
		printf("line %d: not so\n", line);
		fflush(stdout);
		_exit(2);
	}
}
#define must(ok) must_(!!(ok), __LINE__)

static void mark(const void *at, size_t n, char how)
{
	const char *p = at;

	for (size_t i = 0; i < n; i++) {
		if (p + i >= A && p + i < A + BYTES)
			want_a[p + i - A] = how;
		else if (p + i >= B && p + i < B + BYTES)
			want_b[p + i - B] = how;
		else
			must(0);
	}
}
#define W(at, n) mark(at, n, 'w')
#define R(at, n) mark(at, n, 'r')

#define OP(name, before, touched, ...)                                                            \
	static void op_##name(void)                                                                \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	static void want_##name(void)                                                              \
	{                                                                                          \
		touched;                                                                           \
	}
/* One function for all bytes: equal stacks are reported again and again. */
static char probe(volatile char *p)
{
	set(&reports, 0);
	(void)*p;
	if (get(&reports))
		return 'w';
	*p = 1;
	return get(&reports) ? 'r' : 0;
}

static int differ(const char *name, const char *buffer, const char *want, volatile char *p)
{
	int bad = 0, end = BYTES;

	while (end > 0 && !want[end - 1])
		end--;
	for (int i = 0; i < BYTES && i < end + 24; i++) {
		char have = probe(p + i);
		if (have != want[i] && !bad++)
			printf("%s: %s[%d] is '%c', not '%c' (%d bytes were expected)\n", name, buffer, i,
			    have ? have : '.', want[i] ? want[i] : '.', end);
	}
	return bad != 0;
}

static int differs(const char *name, void (*before)(void), void (*op)(void), void (*want)(void))
{
	pthread_t th;
	int bad;

	memset(A, 0, BYTES);
	memset(B, 0, BYTES);
	memset(want_a, 0, BYTES);
	memset(want_b, 0, BYTES);
	fd[0] = fd[1] = sock[0] = sock[1] = -1;
	before();
	set(&done, 0);
	set(&leave, 0);
	must(pthread_create(&th, NULL, thread, (void *)op) == 0);
	while (!get(&done))
		usleep(20);
	want();
	bad = differ(name, "A", want_a, A) | differ(name, "B", want_b, B);
	set(&leave, 1);
	pthread_join(th, NULL);
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		close(sock[i]);
	}
	return bad;
}

static void nothing(void)
{
}

#define RUN(name, before, touched, ...)                                                            \
	if (argc < 2 || strcmp(argv[1], #name) == 0)                                               \
		bad |= differs(#name, before, op_##name, want_##name);
#define RUN_CASES                                                                                  \
	__extension__({                                                                            \
		int bad = 0;                                                                       \
		CASES(RUN)                                                                         \
		bad;                                                                               \
	})
