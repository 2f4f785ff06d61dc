/*
 * ticks.h: the processor's own clock, where it counts evenly and alike on all processors: an instruction in
 * place of os_now's vdso call.
 */
#ifndef GORO_OS_TICKS_H
#define GORO_OS_TICKS_H

#include "os.h"

/* May os_ticks be used? The kernel trusts it itself, or it would have taken another. Asks the system: once. */
bool os_ticks_good(void);

static inline uint64_t os_ticks(void)
{
#if defined(__x86_64__)
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
#else
	return (uint64_t)os_now();
#endif
}

/* As os_ticks, and not before the loads that precede it are done. */
static inline uint64_t os_ticks_after(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#endif
	return os_ticks();
}

#endif
