/*
 * barrier.c: pthread barriers: what each of a round's threads did before is before what each does after.
 *
 * No more than that, in every round: with the libc's own barrier nobody could tell which threads make up
 * a round when more of them come than it takes. So this is a barrier of our own, in the place of the
 * libc's: arrivals queue up on their stacks, and the last of the round, on behalf of the sleeping others,
 * joins all clocks and lets them go. Nobody touches the barrier after its wake-up, so that one may
 * destroy it at once.
 *
 * One that is shared between processes is left to the libc: there every clock of the process that waited
 * is before all who leave.
 */
#include "core.h"

#include <errno.h>

#include "../../runtime/os/os.h"

#define OURS 0x6f726f67u /* in the place of the libc's `shared`, where it keeps 0 or a futex flag */

typedef struct Arrival {
	struct Arrival *next;
	RaceCtx *g;
	uint32_t go; /* futex: 1 when the round is complete */
} Arrival;

typedef struct Barrier {
	uint32_t count; /* constant */
	uint32_t here;  /* lock */
	uint32_t unused;
	uint32_t ours; /* constant */
	Lock lock;
	Arrival *first; /* lock */
} Barrier;

_Static_assert(sizeof(Barrier) <= sizeof(pthread_barrier_t), "fits in the place of the libc's");

INTERCEPT int pthread_barrier_init(
    pthread_barrier_t *restrict where, const pthread_barrierattr_t *restrict attr, unsigned count)
{
	Barrier *b = (Barrier *)where;
	int shared = PTHREAD_PROCESS_PRIVATE;
	RaceCtx *g = self();

	if (attr)
		pthread_barrierattr_getpshared(attr, &shared);
	writes(g, where, sizeof *where, CALLER);
	if (g)
		hook_forget(where);
	if (shared != PTHREAD_PROCESS_PRIVATE || count == 0)
		return goro_real_pthread_barrier_init(where, attr, count);
	*b = (Barrier){.count = count, .ours = OURS};
	return 0;
}

INTERCEPT int pthread_barrier_destroy(pthread_barrier_t *where)
{
	writes(self(), where, sizeof *where, CALLER);
	return ((Barrier *)where)->ours == OURS ? 0 : goro_real_pthread_barrier_destroy(where);
}

static int wait_shared(pthread_barrier_t *where)
{
	RaceCtx *g = self();
	int r;

	if (g)
		hook_release_merge(g, where);
	r = BLOCKS(goro_real_pthread_barrier_wait(where));
	if (g)
		hook_acquire(g, where);
	return r;
}

/* The last one: the others of the list sleep. Theirs to mine, then mine to theirs. */
static void complete(RaceCtx *g, Arrival *list)
{
	for (Arrival *a = list; a && g; a = a->next)
		if (a->g)
			hook_handoff(a->g, g);
	for (Arrival *a = list, *next; a; a = next) {
		if (a->g && g)
			hook_handback(g, a->g);
		next = a->next;
		store_rel(
		    &a->go, 1u); /* pairs with load_acq in pthread_barrier_wait; *a is gone now */
		os_futex_wake(&a->go, 1);
	}
}

INTERCEPT int pthread_barrier_wait(pthread_barrier_t *where)
{
	Barrier *b = (Barrier *)where;
	Arrival me = {.g = self()};

	if (b->ours != OURS)
		return wait_shared(where);
	lock(&b->lock);
	if (++b->here == b->count) {
		Arrival *list = b->first;

		b->here = 0;
		b->first = NULL;
		unlock(&b->lock);
		complete(me.g, list);
		return PTHREAD_BARRIER_SERIAL_THREAD;
	}
	me.next = b->first;
	b->first = &me;
	unlock(&b->lock);
	bool in = blocking_enter();
	while (!load_acq(&me.go)) /* pairs with store_rel in complete */
		os_futex_wait(&me.go, 0, -1);
	blocking_leave(in);
	return 0;
}
