/*
 * raw.h: a system call by its number: negative errno as the result, errno itself untouched, no libc
 * wrapper (so no cancellation point and nothing that may be interposed). Private to os/.
 *
 * With GORO_FAIL, which only the tests of tests/fail set, every call goes by tests/support/os_fail.c, which may
 * let it fail.
 */
#ifndef GORO_OS_RAW_H
#define GORO_OS_RAW_H

#include <stdbool.h>

#if defined(__x86_64__)
static inline long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long r;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
static inline long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#endif

#ifdef GORO_FAIL
long os_fail_call(long nr, long a, long b, long c, long d, long e, long f);
#define raw_call os_fail_call
#else
#define raw_call raw_syscall
#endif

/* A result that is an error: the last page of the address space is never a valid answer. */
static inline bool raw_failed(long r)
{
	return (unsigned long)r >= (unsigned long)-4095;
}

#endif
