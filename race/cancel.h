/*
 * cancel.h: what was done before pthread_cancel is before what the cancelled thread does because of it: its cleanup
 * handlers, its destructors, its end, and whatever comes after those.
 *
 * Where a thread acts on a request is not known: cancelled asynchronously it may be anywhere, and any call of libc
 * may be a point. It need not be. pthread_cancel leaves a copy of its clock with the target's context, and the
 * target takes it when it matters: at an access that is not ordered with another (shadow/access.c), and before it
 * publishes its own clock (race_publish), so that a mutex, an atomic or a join passes the edge on.
 *
 * So no race is invented: whoever runs because of a request finds it here, for it was left before it was made. Some
 * may be hidden: what the target did between the request and its acting on it counts as ordered as well. Not so
 * while it has disabled cancellation: it takes none then, but those that were there before it did.
 *
 * Life. A Cancel is its maker's until pushed, then its context's. A request finds its context by handle, under the
 * contexts' lock, which ctx_delete takes to unlink a context before it drops what was left there; so none is left
 * with a dead one. A handle means one living thread: a context loses it at its end (ctx_finish), before the libc can
 * give it to another. The search is as long as there are contexts: requests are rare. A thread
 * which the detector has not met, made by code without it, is found by no request.
 *
 * Rejected: a SyncVar by the descriptor's address. At an access the lock of a block is held, at a release that of
 * another SyncVar, and neither may be held when one is looked up. Rejected as well: a handler pushed around each
 * call that is a point. It saw neither asynchronous requests nor points that goro does not wrap.
 */
#ifndef GORO_RACE_CANCEL_H
#define GORO_RACE_CANCEL_H

#include "ctx.h"

bool cancel_take_all(RaceCtx *c);

/* Learn the clocks left with c, which is the caller's or parked; the caller is inside the detector and may hold any
 * lock but those of clocks and pools. Whether there were any. */
static inline bool cancel_take(RaceCtx *c)
{
	return unlikely(load_rlx(&c->cancels) != NULL) &&
	       cancel_take_all(c); /* relaxed: looked at again there */
}

/* c is unlinked: what was left with it goes back. */
void cancel_drop(RaceCtx *c);

#endif
