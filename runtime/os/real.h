/*
 * real.h: the libc functions that goro stands in front of (net/libc.c), by their names: REAL(read) is
 * libc's read, or NULL where there is none to be found (-static).
 *
 * Resolved at the first use by dlsym(RTLD_NEXT): a wrapper may be called before any constructor of ours.
 */
#ifndef GORO_OS_REAL_H
#define GORO_OS_REAL_H

#include "../base/atomic.h"

/* The next definition of `name` after the program's own, kept in *slot. */
void *real_find(void **slot, const char *name);

#define REAL(name)                                                                                 \
	__extension__({                                                                            \
		static void *real_slot_;                                                           \
		void *real_at_ = load_acq(&real_slot_); /* pairs with store_rel in real_find */    \
		if (unlikely(!real_at_))                                                           \
			real_at_ = real_find(&real_slot_, #name);                                  \
		(__typeof__(&name))(real_at_ == (void *)-1 ? NULL : real_at_);                     \
	})

#endif
