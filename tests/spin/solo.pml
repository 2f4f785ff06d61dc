/*
 * solo.pml: a P that runs alone enters sections by plain stores; others that come beside it wait until it is outside.
 *
 * Models   solo_enter, solo_leave, solo_update, solo_settle, solo_no_p (sched/solo.h, solo.c), and where they are called:
 *          p_idle_get, p_idle_put, p_own (sched/threads.c).
 * As in C  solo.p, solo.ended and which Ps are idle change under sched.lock; settling is outside of it; one `ended`.
 *          The P's stores go through a buffer of its own, first in first out (x86): what it loads may be older than what
 *          it has stored. os_barrier empties everybody's buffer. Locked instructions and unlocks of sched.lock empty that
 *          of whoever executes them.
 * Left out what a section guards, but for who is inside: a P that is not alone, and a thread without a P, go through
 *          one lock. GOMAXPROCS that changes (an idle P that is made dead is idle here); nesting.
 *
 * Two Ps come and go between idle and running, each run by a thread; one more thread has no P and comes once. Each
 * does an operation now and then, inside a section or under the lock.
 *
 * Holds    nobody is inside a section while another is inside one or under the lock.
 * BUG=1    no os_barrier in solo_settle.
 * BUG=2    solo_settle does not wait for the section.
 * BUG=3    solo_enter does not look again.
 * BUG=4    the second P that leaves the idle list does not end the first one's running alone.
 * BUG=5    a P is used before it has settled.
 * BUG=6    solo_no_p does not see to it that there are no sections from then on.
 */
#ifndef BUG
#define BUG 0
#endif
#define PS 2
#define NONE 9
#define ROUNDS 2 /* that each P runs, from idle to idle */
#define OPS 2    /* in each at most */

bool sched_lock, the_lock;
byte solo_p = NONE, ended = NONE;
bool off;
bool idle[PS] = true;
bool section[PS];      /* in memory */
bool pending[PS];      /* a store of section is in its buffer, */
bool value[PS];        /*   with this value */
byte inside;           /* in sections */
byte locked;           /* under the_lock */

inline lock_(l) { atomic { !l -> l = true } }
/* The store buffer of p reaches memory: at any time (below), or now. */
inline flush(p) { d_step { if :: pending[p] -> section[p] = value[p]; pending[p] = false :: else fi } }
/* One store fits: a second waits until the first is out. */
inline store_section(p, v) { atomic { !pending[p] -> pending[p] = true; value[p] = v } }
inline barrier() { atomic { flush(0); flush(1) } }

inline update()
{
	if
	:: off
	:: !off && !idle[0] && !idle[1] ->
#if BUG != 4
		if
		:: solo_p != NONE -> ended = solo_p; solo_p = NONE
		:: else
		fi
#else
		skip
#endif
	:: !off && !idle[0] && idle[1] -> solo_p = 0
	:: !off && idle[0] && !idle[1] -> solo_p = 1
	:: !off && idle[0] && idle[1]
	fi
}

inline settle(was)
{
	was = ended;
	if
	:: was != NONE ->
#if BUG != 1
		barrier();
#endif
#if BUG != 2
		!section[was];
#endif
		atomic { if :: ended == was -> ended = NONE :: else fi }
	:: else
	fi;
	was = NONE
}

inline operate_locked()
{
	lock_(the_lock);
	atomic { locked++; assert(inside == 0) };
	atomic { locked--; the_lock = false }
}

inline operate(p)
{
	if
	:: solo_p == p ->
		store_section(p, true);
#if BUG != 3
		if
		:: solo_p == p ->
#endif
			atomic { inside++; assert(inside == 1 && locked == 0) };
			inside--;
			store_section(p, false)
#if BUG != 3
		:: solo_p != p ->
			store_section(p, false);
			flush(p);
			operate_locked()
		fi
#endif
	:: solo_p != p ->
		flush(p); /* the cas */
		operate_locked()
	fi
}

active [PS] proctype Runner()
{
	byte p = _pid, round, ops, was = NONE;
	do
	:: round < ROUNDS ->
		round++;
		/* p_idle_get */
		lock_(sched_lock);
		atomic { idle[p] = false; update() };
		sched_lock = false;
		/* p_own */
#if BUG != 5
		settle(was);
#endif
		ops = 0;
		do
		:: ops < OPS -> ops++; operate(p)
		:: break
		od;
		/* p_idle_put */
		lock_(sched_lock);
		flush(p);
		atomic { idle[p] = true; update() };
		sched_lock = false
	:: else -> break
	od
}

active proctype NoP()
{
	byte was = NONE;
	lock_(sched_lock);
	atomic {
		if
		:: solo_p != NONE -> ended = solo_p; solo_p = NONE
		:: else
		fi;
#if BUG != 6
		off = true
#endif
	};
	sched_lock = false;
	settle(was);
	operate_locked()
}

/* The processor writes its buffer out when it likes. */
active [PS] proctype Buffer()
{
	byte p = _pid - 3;
end:
	do
	:: atomic { pending[p] -> section[p] = value[p]; pending[p] = false }
	od
}
