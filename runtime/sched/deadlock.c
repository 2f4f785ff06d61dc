/*
 * deadlock.c: can anything ever run again? Asked whenever an M goes to sleep.
 *
 * Exact: all Ms of goro idle, all Ps idle with empty queues and without timers, the global queue empty,
 * nobody waits on a descriptor, goroutines are left; then only a thread of the program's own could wake
 * one, so it is a deadlock when there is no such thread. Threads are counted by the kernel; one that has
 * just ended may still be counted, therefore a "perhaps" is asked again by sysmon.
 *
 * sched.lock keeps the answer still: an M that is not idle is not counted so, a P with an owner neither,
 * and what is neither is changed under the lock.
 */
#include "internal.h"

/* sched.lock held. Goro itself has nothing to do and no hope. */
static bool stuck(void)
{
	if (sched.runq_size || load_acq(&sched.nspinning) || load_acq(&sched.npolling))
		return false;
	for (uint32_t i = 0; i < sched.nall_p; i++) {
		P *p = sched.all_p[i];
		uint32_t s = load_acq(&p->status); /* pairs with store_rel in p_own, syscall.c */
		if (s == P_RUNNING || s == P_SYSCALL || load_rlx(&p->timer_next) || !runq_empty(p))
			return false;
	}
	for (M *m = sched.all_m; m; m = m->all_next)
		if (!m->idle)
			return false;
	return true;
}

bool deadlock_check(void)
{
	static int64_t asked; /* when the threads were last counted; sched.lock */
	if (!stuck())
		return false;
	int64_t n = goroutines();
	bool main_exited = load_acq(&sched.main_exited);
	if (n == 0 && !main_exited)
		return false;
	/* A program whose own threads drive the goroutines comes here all the time: count them at most
	 * every 10 ms, and leave the rest to sysmon. */
	int64_t now = os_now();
	if (asked && now - asked < 10000000) {
		sysmon_poke();
		return true;
	}
	int threads = os_thread_count();
	if (threads < 0 || threads > os_thread_own() + (int)sched.nhosts) {
		asked = now;
		sysmon_poke();
		return true;
	}
	G *waits = load_acq(&sched.main_left); /* pairs with store_rel in exit.c */
	if (waits && n == 1) {                 /* alone: main may end the process now */
		store_rlx(&sched.main_left, NULL);
		unlock(&sched.lock);
		ready(waits);
		lock(&sched.lock);
		return true;
	}
	unlock(&sched.lock);
	if (n == 0)
		fatal("no goroutines (main called runtime.Goexit) - deadlock!");
	fatal_all("all goroutines are asleep - deadlock!");
}
