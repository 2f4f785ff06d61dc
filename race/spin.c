/*
 * spin.c: waiting for a spin lock.
 *
 * Who waits looks after 1, 2, 4, … pauses, and does not ask for the line before it saw the lock free: so the holder
 * keeps the lock's line and those of what it guards for a while, and may take it again. With a look at every pause the
 * lines travel at each section, which costs more than what is done in it.
 */
#include "spin.h"

#include "../runtime/os/os.h"

#define GAP_MAX 128 /* pauses: some us, what the holder needs for some ten sections */

void spin_lock_slow(uint32_t *l)
{
	for (int gap = 1;;) {
		if (load_rlx(l) == 0 && spin_try(l)) /* relaxed: spin_try decides */
			return;
		for (int i = 0; i < gap; i++)
			cpu_relax();
		if (gap < GAP_MAX)
			gap *= 2;
		else
			os_yield(); /* the holder lost its processor */
	}
}
