/*
 * solo.h: a P that runs alone needs no locked instructions.
 *
 * A compare-and-swap costs 7.5 ns on a Xeon, also of a line that nobody else wants: three quarters of a buffered
 * send, half of a yield. But with GOMAXPROCS=1, or while all other Ps are idle, nobody is there to exclude.
 * `solo.p` names the P that runs alone, if one does, and its M enters a section by plain stores:
 *
 *     the M of the only P (solo_enter)        who is about to run beside it (solo_end, solo_settle)
 *     1. p->section = 1                       a. solo.p = NULL          (sched.lock held)
 *     2. (compiler fence)                     b. os_barrier
 *     3. solo.p == p: inside; else            c. waits until p->section == 0
 *        p->section = 0, and lock
 *
 * os_barrier (membarrier) passes through every thread of the process between two of its instructions. If it is
 * before 1, then 3 sees a. If it is after 3, then c sees 1, and waits for solo_leave, whose release it acquires.
 * Between 1 and 3: both. So after c there is no section, and none comes: whoever is beside p finds what p did.
 *
 * Who may be beside p, and where it waits:
 *   - Another P. It is taken off the idle list (or made) under sched.lock, where solo_update sees two that are not idle
 *     and does a; its M does b and c in p_own, before it owns the P. A P in a system call is not idle.
 *   - A thread without a P: the program's own, or one in a system call. Before an operation that uses sections it
 *     calls solo_no_p: a, b, c, and there are no sections ever after (solo.off).
 *   - sysmon and the signal handlers touch nothing that a section guards.
 * What a section may guard is thus exactly: what is otherwise guarded by a Lock or a cas that only threads with a P
 * or after solo_no_p take. Here: channels, the words of mutexes, a P's runnext, lifo and ring.
 *
 * Where solo.p becomes p (solo_update, also from sysmon): under sched.lock, with all other Ps idle, hence outside of any section and of any
 * locked part; p itself may be in the middle of a locked part, which stays one (the unlock goes by what the lock was).
 *
 * A section belongs to the P, not to the thread: a channel's is left on the other side of a switch, by the same M with
 * the same P (after in sched.c). Nothing parks inside, nothing waits but for sched.lock, under which nobody waits for a
 * section. Sections nest nowhere but runq.c's in a channel's, which therefore looks first.
 *
 * tests/spin/solo.pml goes through all states. Race builds have no sections: their operations go through hooks that
 * cost more, and fewer variants are to be tested there.
 *
 * Roads not taken. Biased channels, each with the P that made it (HotSpot's locks): a membarrier for each channel that
 * moves. Restartable sequences: only one store may commit.
 */
#ifndef GORO_SCHED_SOLO_H
#define GORO_SCHED_SOLO_H

#include "runtime.h"

extern struct Solo {
	P *p;          /* runs alone; NULL: perhaps none does; written under sched.lock */
	P *ended;      /* its sections are to be waited for; set under sched.lock, cleared by cas */
	int64_t again; /* nobody runs alone before; 0: never ended yet; written under sched.lock */
	uint32_t off;  /* for ever; written under sched.lock */
} solo;

/* sched.lock held: the set of idle Ps changed. */
void solo_update(void);
/* sysmon's: a P that is still alone after the pause may run alone. No lock held. */
void solo_tick(int64_t now);
/* sched.lock held: p, idle or taken from a system call, is to be drained by a thread that does not own it. */
void solo_drop(const P *p);
/* No lock held, before a P is used: until nobody is inside. */
void solo_settle(void);
/* No lock held, on a thread that has no P: before it touches what sections guard. */
void solo_no_p(void);
void solo_init(void);

/* p: the caller's, not NULL, not inside. True: inside, until solo_leave. */
static inline bool solo_enter(P *p)
{
	/* Inside already: in a signal handler of the program's, which came in the middle. */
	if (GORO_RACE || load_rlx(&solo.p) != p || unlikely(load_rlx(&p->section)))
		return false;
	store_rlx(&p->section, 1);
	fence_compiler(); /* pairs with os_barrier in solo_settle */
	if (likely(load_acq(&solo.p) == p))
		return true;
	store_rel(&p->section, 0);
	return false;
}

static inline void solo_leave(P *p)
{
	store_rel(&p->section, 0); /* pairs with load_acq in solo_settle */
}

/* As solo_enter for whoever calls; NULL: not inside. Then a lock or a cas is right. */
P *solo_enter_slow(void);
static inline P *solo_enter_self(void)
{
	if (GORO_RACE)
		return NULL;
	G *g = g_self();
	if (unlikely(!g))
		return solo_enter_slow();
	P *p = g->m->p;
	if (unlikely(!p))
		return solo_enter_slow();
	return solo_enter(p) ? p : NULL;
}

#endif
