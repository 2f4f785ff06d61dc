/*
 * after.c: goro_after_chan: a channel that gets the time once.
 *
 * Edge: arming -> the receive. The channel has one slot, and the receive of the first value
 * acquires it (chan.c): so arming releases to the slot, and the timer, which runs on the scheduler
 * and has no clock of its own, puts its value there without touching the slot's. If the program
 * sends or receives on the channel before it fires, the slot's clock is what those left, as for any
 * send into it.
 *
 * The timer belongs to the channel: goro_chan_free disarms and frees it.
 */
#include "../chan/chan.h"
#include "time.h"

#include <stdlib.h>

static void fire(void *arg, int64_t now)
{
	chan_post(arg, &now); /* dropped when the program has filled or closed it */
}

goro_chan *goro_after_chan(int64_t ns)
{
	(void)g_current(); /* the runtime runs from here on, on a foreign thread too */
	goro_chan *c = chan_new(sizeof(int64_t), 1, __builtin_return_address(0));
	Timer *t = malloc(sizeof(*t));
	if (!t)
		fatal("out of memory: cannot make a timer");
	*t = (Timer){.fn = fire, .arg = c};
	c->timer = t;
	hook_release(race_self(), chan_first_slot(c));
	timer_arm(t, time_after(ns));
	return c;
}
