/*
 * solo.c: which P runs alone, if one does; and how that ends. The protocol and its argument are in solo.h.
 *
 * One `ended` is enough. It is set when a second P leaves the idle list, and that P is not idle until its M has settled:
 * so nobody runs alone before, unless the ended one has become idle, and is outside for that reason. Two that settle at
 * once both wait; the first clears it, and who comes later acquires its cas.
 */
#include "solo.h"

#include "internal.h"

#define SPINS 1000  /* a section is some ns; longer only when its thread lost its processor */
#define NAP   50000 /* ns */
/* Where Ps come and go all the time, as with many sleepers, each coming would cost a membarrier: interrupts of all
 * processors that run the program. For so long after one nobody runs alone (ns). */
#define PAUSE INT64_C(100000)

struct Solo solo __attribute__((aligned(64)));

/* sched.lock held. */
static void end(void)
{
	if (!solo.p)
		return;
	/* Before solo.p: who sees the end of it sees whom to wait for. */
	store_rel(&solo.ended, solo.p); /* pairs with load_acq in solo_settle */
	store_rel(&solo.p, NULL);       /* pairs with load_acq in solo_enter, after os_barrier */
	store_rlx(&solo.again, os_now() + PAUSE);
}

void solo_update(void)
{
	if (GORO_RACE || solo.off)
		return;
	P *only = NULL;
	for (uint32_t i = 0; i < sched.nall_p; i++) {
		P *p = sched.all_p[i];
		uint32_t s =
		    load_rlx(&p->status); /* idle and dead, or not: changes under sched.lock */
		if (s == P_IDLE || s == P_DEAD)
			continue;
		if (only) {
			end();
			return;
		}
		only = p;
	}
	/* None: who ran alone last still may, when it comes back first. */
	if (only && solo.p != only && (!solo.again || os_now() >= solo.again))
		store_rel(&solo.p, only); /* pairs with load_acq in solo_enter */
}

/* Looked at without the lock as hints; solo_update looks again. */
void solo_tick(int64_t now)
{
	if (GORO_RACE || load_rlx(&solo.p) || load_rlx(&solo.off) || now < load_rlx(&solo.again) ||
	    load_rlx(&sched.nidle_p) + 1 != load_rlx(&sched.procs_in_use))
		return;
	lock(&sched.lock);
	solo_update();
	unlock(&sched.lock);
}

void solo_drop(const P *p)
{
	if (solo.p == p)
		store_rel(&solo.p, NULL); /* it is outside: nobody is to be waited for */
}

void solo_settle(void)
{
	P *p = load_acq(&solo.ended);
	if (likely(!p))
		return;
	os_barrier();                                 /* pairs with fence_compiler in solo_enter */
	for (int i = 0; load_acq(&p->section); i++) { /* pairs with store_rel in solo_leave */
		if (i < SPINS)
			cpu_relax();
		else
			os_futex_wait(&p->section, 1, NAP); /* nobody wakes: a nap */
	}
	(void)cas_ar(&solo.ended, p, NULL); /* pairs with load_acq above, of who comes later */
}

void solo_no_p(void)
{
	if (GORO_RACE || load_rlx(&sched.forked)) /* the child's one thread is beside nobody */
		return;
	if (unlikely(!load_acq(&solo.off))) { /* pairs with store_rel below */
		lock(&sched.lock);
		end();
		store_rel(&solo.off, 1);
		unlock(&sched.lock);
	}
	solo_settle();
}

P *solo_enter_slow(void)
{
	P *p = p_here();
	if (p)
		return solo_enter(p) ? p : NULL;
	solo_no_p();
	return NULL;
}

void solo_init(void)
{
	if (GORO_RACE || !os_barrier_init())
		solo.off = 1;
}
