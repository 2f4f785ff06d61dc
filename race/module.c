/*
 * module.c: the table of module.h. Filled by constructors, which the loader runs one at a time (its lock); the
 * lock here is for a program that calls __tsan_init by hand.
 */
#include "module.h"

#include <dlfcn.h>
#include <stddef.h>

#include "race.h"

ModuleRange module_range[MODULES_MAX];
uint32_t module_count;
static Lock module_lock = LOCK_INIT(RACE_SYNC);

void module_add(const void *pc)
{
	struct dl_find_object found;

	if (module_counts(pc) || _dl_find_object((void *)(uintptr_t)pc, &found) != 0)
		return;
	lock(&module_lock);
	uint32_t n = load_rlx(&module_count); /* relaxed: written under the lock */
	if (n == MODULES_MAX) {
		race_count(lost_modules);
	} else if (!module_counts(pc)) {
		module_range[n] =
		    (ModuleRange){(uintptr_t)found.dlfo_map_start, (uintptr_t)found.dlfo_map_end};
		store_rel(&module_count,
		    n + 1); /* publishes the range; pairs with load_acq in module_counts */
	}
	unlock(&module_lock);
}
