/*
 * invisible.h: an order of steps that the detector cannot see. Built without instrumentation and kept in
 * an archive of its own, so that a test forces "this access, then that one" with neither sleep nor edge.
 *
 *	goroutine A: write_x(); step(1);
 *	goroutine B: after(1); read_x(); step(2);
 *	main:        after(2);                        both are done; main still knows nothing of them
 *
 * A goroutine waits by yielding, which orders nothing; a plain thread by sched_yield. One level for the
 * process; steps come in order.
 */
#ifndef TESTS_SUPPORT_INVISIBLE_H
#define TESTS_SUPPORT_INVISIBLE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Step n has been made (and with it every smaller one). */
void step(int n);
/* Wait for step n. */
void after(int n);
/* Count one more; wait until n were counted. For any number of goroutines in any order. */
void arrive(void);
void arrived(int n);
/* Yield n times, for goroutines that are about to park. */
void settle(int n);

#ifdef __cplusplus
}
#endif

#endif
