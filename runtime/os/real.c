/*
 * real.c: finding the libc functions that goro stands in front of.
 */
#include "real.h"

#include <dlfcn.h>

#include "os.h"

void *real_find(void **slot, const char *name)
{
	/* dlsym sets errno at times; the wrapped call's must be the only one the program sees. */
	int e = os_errno();
	void *at = dlsym(RTLD_NEXT, name);
	os_set_errno(e);
	if (!at)
		at = (void *)-1; /* asked, and not there */
	store_rel(slot, at); /* pairs with load_acq in REAL; two that race here store the same */
	return at;
}
