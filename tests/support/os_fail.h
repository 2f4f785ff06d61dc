/*
 * os_fail.h: let one of goro's system calls or allocations fail, or all from one on.
 *
 * For tests of tests/fail, whose runtime/os is built with GORO_FAIL and whose malloc, calloc, realloc and pthread_create are
 * --wrapped at the link: what libc and the test's own libraries call is left alone.
 */
#ifndef TESTS_SUPPORT_OS_FAIL_H
#define TESTS_SUPPORT_OS_FAIL_H

typedef enum OsFail {
	OS_FAIL_ERROR,     /* the n-th call that may be refused is: no memory, no descriptor, an error of the device */
	OS_FAIL_INTERRUPT, /* the n-th call that may be interrupted is: EINTR, or back early */
	OS_FAIL_FOR_GOOD,  /* from the n-th on nothing more is had: no memory, descriptor or thread */
	OS_FAIL_KIND       /* every call of the n-th kind in os_fail.c's list: a kernel without it */
} OsFail;

/* What came of it: may lie in memory that another process sees. */
typedef struct OsFailed {
	long calls;    /* of that kind so far */
	char what[24]; /* the call that failed first; "" while none did */
} OsFailed;

/* From now on, in this process. n counts from 1; 0: nothing fails, the calls are counted. */
void os_fail_arm(OsFail how, long n, OsFailed *seen);

#endif
