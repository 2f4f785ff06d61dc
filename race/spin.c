/*
 * spin.c: waiting for a spin lock.
 *
 * Who waits looks after GAP_MIN ticks of the processor's clock, twice that, …, GAP_MAX, and does not ask for the line before
 * it saw the lock free. So the holder keeps the lock's line and those of what it guards for a while, and may take it
 * again and again: two that use the same few atomics get on in turns, and most of the time each finds all lines at home. With a
 * look at every pause the lines travel at each section, which costs more than what is done in it. By ticks, as a pause is 40
 * cycles on one processor and 140 on another.
 */
#include "spin.h"

#include "../runtime/os/os.h"
#include "../runtime/os/ticks.h"

#define GAP_MIN 4096u /* one to two microseconds: some ten sections */
#define GAP_MAX 32768u

void spin_lock_slow(uint32_t *l)
{
	for (uint64_t gap = GAP_MIN;;) {
		if (load_rlx(l) == 0 && spin_try(l)) /* relaxed: spin_try decides */
			return;
		for (uint64_t since = os_ticks(); os_ticks() - since < gap;)
			cpu_relax();
		if (gap < GAP_MAX)
			gap *= 2;
		else
			os_yield(); /* the holder lost its processor */
	}
}
