/*
 * lock.c: the slow side of Lock: spin shortly, then sleep on the futex; and the rank checker of debug
 * builds.
 *
 * Model: Drepper, "Futexes are tricky", the three-state mutex. State 2 means "held, and a sleeper may be
 * there": whoever sleeps has stored 2 itself, and an unlock that finds 2 wakes one sleeper, which takes
 * the lock as 2 again (it cannot know whether others sleep).
 *
 * But unlock is a load and a store in the place of a swap, which would be half of the cost of a short
 * section. A sleeper that stores 2 between the two, some nanoseconds apart unless the holder is interrupted
 * there, is not woken: hence it sleeps for NAP at most and looks again. Only the time is at stake: the lock
 * is taken by cas or swap from 0 alone, and 0 is stored by the holder alone.
 *
 * After unlock's store the lock's memory may be gone (a channel freed by the next holder); lock_wake
 * touches only the address, as a futex key, where a stray wake-up is harmless.
 */
#include "lock.h"

#include <stddef.h>

#include "../os/os.h"
#include "fatal.h"

/* The longest gap between two looks, in pauses; all gaps together are twice that, some 4-12 us on x86: longer than
 * any critical section of the runtime, shorter than most of the 6-90 us that a futex round trip costs. Useless with one
 * processor, where it costs little. Gaps double, so that the holder keeps the line for some sections: with a look at
 * every pause it travels at each. */
#define SPINS 128
#define NAP   100000 /* ns */

void lock_slow(Lock *l)
{
	for (int gap = 1; gap <= SPINS; gap *= 2) {
		if (load_rlx(&l->state) == 0 &&
		    cas_acq(&l->state, 0, 1)) /* pairs with store_rel in unlock */
			return;
		for (int i = 0; i < gap; i++)
			cpu_relax();
	}
	while (swap_acq(&l->state, 2) != 0) /* pairs with store_rel in unlock */
		os_futex_wait(&l->state, 2, NAP);
}

void lock_wake(Lock *l)
{
	os_futex_wake(&l->state, 1);
}

#ifdef GORO_DEBUG

/* Locks held by this thread. A lock parked under is released by the thread that took it, after the
 * switch: it stays on this thread's list meanwhile, so the list is per thread and not per goroutine. */
#define HELD_MAX 64
static __thread const Lock *held[HELD_MAX];
static __thread uint32_t nheld;

static const char *rank_name(uint32_t rank)
{
	static const char *const names[] = {
#define NAME_(n) #n,
	    LOCK_RANKS(NAME_)
#undef NAME_
	};
	return rank < RANK_COUNT ? names[rank] : "?";
}

void lock_rank_check(const Lock *l)
{
	if (l->rank == RANK_NONE)
		return;
	for (uint32_t i = 0; i < nheld; i++) {
		if (held[i] == l)
			throw("lock %s taken twice", rank_name(l->rank));
		/* Channels share a rank: select takes several, by address. timer_move_all holds the
		 * locks of a P that stops and of P 0, which never stops: always in this order. */
		if (held[i]->rank > l->rank ||
		    (held[i]->rank == l->rank && l->rank != RANK_CHAN && l->rank != RANK_TIMERS))
			throw(
			    "lock %s taken under %s", rank_name(l->rank), rank_name(held[i]->rank));
	}
}

void lock_rank_push(const Lock *l)
{
	if (l->rank == RANK_NONE)
		return;
	if (nheld == HELD_MAX) /* a select over many channels: the rest goes unchecked */
		return;
	held[nheld++] = l;
}

void lock_rank_pop(const Lock *l)
{
	for (uint32_t i = nheld; i-- > 0;) {
		if (held[i] != l)
			continue;
		held[i] = held[--nheld];
		held[nheld] =
		    NULL; /* no trace of a channel, which would pass for a use of it: debug/leak.c */
		return;
	}
}

#endif
