/*
 * module.h: which modules (the executable, shared objects) hold instrumented code.
 *
 * What an uninstrumented library does with memory is known to the detector only where it calls libc, and how it
 * orders that (its atomics, its system calls) not at all. To take those calls for accesses would invent races; so
 * an interceptor asks first whether its caller counts. Locks, threads and allocation count from anywhere: an edge
 * more, or a block known to be fresh, invents nothing.
 *
 * A module is instrumented when one of its objects is: its constructor calls __tsan_init. Ranges are only added;
 * an address range that dlclose gave up and another library took keeps the mark.
 */
#ifndef GORO_RACE_MODULE_H
#define GORO_RACE_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "../runtime/base/atomic.h"

#define MODULES_MAX 256 /* more go unmarked: what they ask of libc is not checked, and is counted */

typedef struct ModuleRange {
	uintptr_t lo, hi;
} ModuleRange;

extern ModuleRange module_range[MODULES_MAX];
extern uint32_t module_count; /* atomic; ranges below it are constant */

/* The module that holds pc has instrumented code. */
void module_add(const void *pc);

/* Is pc in such a module? */
static inline bool module_counts(const void *pc)
{
	uint32_t n = load_acq(&module_count); /* pairs with store_rel in module_add */
	for (uint32_t i = 0; i < n; i++)
		if ((uintptr_t)pc - module_range[i].lo < module_range[i].hi - module_range[i].lo)
			return true;
	return false;
}

#endif
