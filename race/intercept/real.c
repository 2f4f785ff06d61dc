/*
 * real.c: fill the slots of the thunks in real_amd64.S. A slot is written once or more with the same
 * value; reading it is a plain jump, atomic on its own and in need of no order: code doesn't change.
 */
#include "real.h"

#include <dlfcn.h>
#include <errno.h>

#include "../../runtime/base/atomic.h"
#include "../../runtime/base/fatal.h"
#include "../../runtime/os/os.h"

extern void *real_slots[] __attribute__((visibility("hidden")));

static const char *const names[] = {
#define R(n) #n,
#define X(n) #n,
#define D(n, t)
#include "real.def"
#undef R
#undef X
#undef D
};

#define COUNT (sizeof names / sizeof *names)

void *real_resolve(void **slot)
{
	const char *name = names[slot - real_slots];
	int saved = os_errno();
	void *fn = dlsym(RTLD_NEXT, name);

	if (!fn) {
		print_fd(2, "goro: -race: no library defines %s, which the program calls\n", name);
		os_exit(2);
	}
	store_rlx(slot, fn); /* relaxed: see above */
	os_set_errno(saved);
	return fn;
}

void real_resolve_all(void)
{
	int saved = os_errno();

	for (size_t i = 0; i < COUNT; i++) {
		void *fn = dlsym(RTLD_NEXT, names[i]);
		if (fn)
			store_rlx(&real_slots[i], fn); /* relaxed: see above */
	}
	os_set_errno(saved);
}
