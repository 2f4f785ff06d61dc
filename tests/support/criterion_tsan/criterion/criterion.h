/*
 * criterion.h: a stand-in for Criterion in builds with SANITIZE=thread, where the real one cannot start:
 * its sandbox (boxfort) lays out the child's address space by itself, over ThreadSanitizer's shadow.
 *
 * What goro's tests use and no more: Test and TestSuite with .init, .fini, .timeout, .exit_code, .signal;
 * cr_assert_*, each with an optional message. Every test is a process of its own, as with Criterion. A
 * failed assertion ends it at once, on whatever stack it was: nothing jumps from a goroutine to main.
 */
#ifndef CRITERION_TSAN_H
#define CRITERION_TSAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CrOptions {
	void (*init)(void), (*fini)(void);
	double timeout; /* seconds; 0: none */
	int exit_code, signal;
	bool disabled;
} CrOptions;

typedef struct CrTest {
	const char *suite, *name;
	void (*fn)(void);
	CrOptions o;
	struct CrTest *next;
} CrTest;

/* Called before main; t with fn NULL is a suite, whose options its tests inherit. */
void cr_tsan_add(CrTest *t);
__attribute__((format(printf, 4, 5), noreturn)) void cr_tsan_fail(
    const char *file, int line, const char *what, const char *format, ...);

#ifdef __cplusplus
}
#endif

#define Test(Suite, Name, ...)                                                                     \
	static void Suite##_##Name##_test(void);                                                   \
	__attribute__((constructor)) static void Suite##_##Name##_add(void)                        \
	{                                                                                          \
		static CrTest t = {#Suite, #Name, Suite##_##Name##_test, {__VA_ARGS__}, NULL};     \
		cr_tsan_add(&t);                                                                   \
	}                                                                                          \
	static void Suite##_##Name##_test(void)

#define TestSuite(Suite, ...)                                                                      \
	__attribute__((constructor)) static void Suite##_add(void)                                 \
	{                                                                                          \
		static CrTest t = {#Suite, NULL, NULL, {__VA_ARGS__}, NULL};                       \
		cr_tsan_add(&t);                                                                   \
	}                                                                                          \
	extern void cr_tsan_add(CrTest *t)

/* The empty string makes a message optional. */
#define CR_TSAN_ASSERT(holds, what, ...)                                                           \
	do {                                                                                       \
		if (!(holds))                                                                      \
			cr_tsan_fail(__FILE__, __LINE__, what, "" __VA_ARGS__);                    \
	} while (0)
#define CR_TSAN_OP(a, op, b, ...) CR_TSAN_ASSERT((a)op(b), #a " " #op " " #b, __VA_ARGS__)

#define cr_assert(x, ...)            CR_TSAN_ASSERT((x), #x, __VA_ARGS__)
#define cr_assert_not(x, ...)        CR_TSAN_ASSERT(!(x), "!(" #x ")", __VA_ARGS__)
#define cr_assert_fail(...)          cr_tsan_fail(__FILE__, __LINE__, "not reached", "" __VA_ARGS__)
#define cr_assert_eq(a, b, ...)      CR_TSAN_OP(a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)     CR_TSAN_OP(a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)      CR_TSAN_OP(a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)     CR_TSAN_OP(a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)      CR_TSAN_OP(a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)     CR_TSAN_OP(a, >=, b, __VA_ARGS__)
#define cr_assert_null(p, ...)       CR_TSAN_OP(p, ==, NULL, __VA_ARGS__)
#define cr_assert_not_null(p, ...)   CR_TSAN_OP(p, !=, NULL, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)  CR_TSAN_ASSERT(!strcmp((a), (b)), #a " is " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) CR_TSAN_ASSERT(!memcmp((a), (b), (n)), #a " is " #b, __VA_ARGS__)

#endif
