/*
 * real.h: the libc functions that goro stands in front of (net/libc.c), by their names: REAL(read) is
 * libc's read, or NULL where there is none to be found (-static).
 *
 * Resolved by dlsym(RTLD_NEXT) before main, all of them: a dlsym in between would take away the text that the
 * program's last dlerror() gave it. A wrapper that is called before that resolves its own.
 */
#ifndef GORO_OS_REAL_H
#define GORO_OS_REAL_H

#include "../base/atomic.h"

/* One for each use of REAL, found by its section. */
typedef struct RealSlot {
	void *at; /* NULL: not asked yet; -1: not there */
	const char *name;
} RealSlot;

/* The next definition of the name after the program's own, kept in the slot. */
void *real_find(RealSlot *slot);

#define REAL(name)                                                                                 \
	__extension__({                                                                            \
		static RealSlot real_slot_                                                         \
		    __attribute__((section("goro_real"), used)) = {0, #name};                      \
		void *real_at_ = load_acq(&real_slot_.at); /* pairs with store_rel in real_find */ \
		if (unlikely(!real_at_))                                                           \
			real_at_ = real_find(&real_slot_);                                         \
		(__typeof__(&name))(real_at_ == (void *)-1 ? NULL : real_at_);                     \
	})

#endif
