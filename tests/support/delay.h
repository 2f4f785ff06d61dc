/*
 * delay.h: how long this process's threads have waited for a processor. For tests that bound a time: a busy
 * machine may add what is measured here, and no more.
 */
#ifndef TESTS_SUPPORT_DELAY_H
#define TESTS_SUPPORT_DELAY_H

#include <stdint.h>

/* Nanoseconds that the threads there are now, but for the one of that number (0: none), were runnable and had no
 * processor, each thread's added; and what the host of a virtual machine took from all processors. Grows while no
 * thread ends. 0 where the kernel does not say: then nothing is excused. Takes no lock and allocates nothing, so that
 * a goroutine may ask beside one that was stopped inside malloc. */
int64_t run_delay(int but);

#endif
