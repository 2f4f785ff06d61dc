/*
 * real.c: finding the libc functions that goro stands in front of.
 */
#include "real.h"

#include <dlfcn.h>

#include "os.h"

extern RealSlot __start_goro_real[] __attribute__((visibility("hidden")));
extern RealSlot __stop_goro_real[] __attribute__((visibility("hidden")));

void *real_find(RealSlot *slot)
{
	/* dlsym sets errno at times; the wrapped call's must be the only one the program sees. */
	int e = os_errno();
	void *at = dlsym(RTLD_NEXT, slot->name);
	os_set_errno(e);
	if (!at)
		at = (void *)-1; /* asked, and not there */
	store_rel(
	    &slot->at, at); /* pairs with load_acq in REAL; two that race here store the same */
	return at;
}

__attribute__((constructor(101))) static void find_all(void)
{
	for (RealSlot *s = __start_goro_real; s < __stop_goro_real; s++)
		(void)real_find(s);
}
