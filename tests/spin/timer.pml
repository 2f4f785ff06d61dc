/*
 * timer.pml: timers that fire, are stopped and move to another P; a goroutine that sleeps, whose timer lies on its stack.
 *
 * Models   timer_arm, timer_run, timer_stop, in_hand, timer_move_all (time/timer.c); goro_sleep with its park_fn
 *          (time/sleep.c); gtimer_free, which stops a timer and frees it (time/gtimer.c).
 * As in C  a heap and timer_firing are under the P's timer_lock, which is not held while a function runs; t->p and
 *          t->fired_on are read without it; each M may fire what is due on each P; a sleeper's timer is armed on the other side
 *          of the switch, and dies with the return from park.
 * Left out times and their order: what lies in a heap may be due at any step; weak memory order.
 *
 * P 1 is given up while its timers are at work: they move to P 0. Timer 0 is a sleeper's. Timer 1 lies on either P, fires once
 * or is periodic, and somebody stops it and frees it.
 *
 * Holds    nobody touches a timer that is freed; when timer_stop has returned, its function neither runs nor will; it answers
 *          true exactly if a timer that fires once has not; a sleeper wakes once for each sleep, with saved registers, and
 *          none sleeps for ever.
 * BUG=1    goro_sleep arms before it switches: another M runs a goroutine that still runs here.
 * BUG=2    timer_stop does not wait for a function under way.
 * BUG=3    a timer that moves is in nobody's hand while it is in neither heap.
 * BUG=4    timer_run says that a timer has left its heap before it says whose hand it is in.
 * BUG=5    timer_stop looks at the heap once, and not again after it saw that nobody has the timer in hand.
 */
#ifndef BUG
#define BUG 0
#endif
#define NONE   255
#define SLEEPS 1
#define FIRES  2 /* of a periodic timer */

typedef P {
	bool locked;
	bool has[2];           /* the heap */
	byte firing = NONE;
};
P p[2];
typedef T {
	byte p = NONE;
	byte fired_on = NONE;
	bool alive;
	bool periodic;
	byte running, fired;
};
T t[2];
bool gone;              /* P 1 */

/* the sleeper */
bool saved = true;
byte on, slept;
bool parked;
chan runq = [2] of { byte };

inline lock_(q) { atomic { !p[q].locked -> p[q].locked = true } }
inline unlock_(q) { assert(p[q].locked); p[q].locked = false }
inline touch(x) { assert(t[x].alive) }

inline arm(x, q)
{
	lock_(q);
	atomic { touch(x); p[q].has[x] = true };
	t[x].p = q;
	unlock_(q)
}

/* The timer's function. */
inline fn(x)
{
	if
	:: x == 0 -> atomic { assert(len(runq) == 0); runq!0 }
	:: else ->
		atomic { touch(x); t[x].running++ };
		atomic { touch(x); t[x].running--; t[x].fired++ }
	fi
}

inline timer_run(q)
{
	lock_(q);
	do
	:: p[q].firing == NONE && (p[q].has[0] || (p[q].has[1] && t[1].fired < FIRES)) ->
		if
		:: p[q].has[0] -> x = 0
		:: p[q].has[1] && t[1].fired < FIRES -> x = 1
		fi;
		touch(x);
#if BUG == 4
		if
		:: !t[x].periodic -> p[q].has[x] = false; t[x].p = NONE
		:: else
		fi;
		p[q].firing = x;
		t[x].fired_on = q;
#else
		p[q].firing = x;
		t[x].fired_on = q;
		if
		:: !t[x].periodic -> p[q].has[x] = false; t[x].p = NONE
		:: else
		fi;
#endif
		unlock_(q);
		fn(x);
		lock_(q);
		p[q].firing = NONE
	:: break
	od;
	unlock_(q)
}

inline timer_move_all()
{
	lock_(1);
	do
	:: p[1].firing != NONE && (p[1].has[0] || p[1].has[1]) -> /* an M that came to help */
		unlock_(1);
		lock_(1)
	:: p[1].firing == NONE && (p[1].has[0] || p[1].has[1]) ->
		if
		:: p[1].has[0] -> x = 0
		:: else -> x = 1
		fi;
		touch(x);
#if BUG != 3
		p[1].firing = x;
		t[x].fired_on = 1;
#endif
		p[1].has[x] = false;
		t[x].p = NONE;
		unlock_(1);
		lock_(0);
		atomic { touch(x); p[0].has[x] = true };
		t[x].p = 0;
		unlock_(0);
		lock_(1);
#if BUG != 3
		p[1].firing = NONE
#endif
	:: else -> break
	od;
	unlock_(1)
}

proctype M(byte id)
{
	byte x, q;
end_idle:
	do
	:: atomic { p[0].has[0] || p[0].has[1] -> q = 0 }; timer_run(q)
	:: atomic { p[1].has[0] || p[1].has[1] -> q = 1 }; timer_run(q)
	:: id == 1 && !gone -> gone = true; timer_move_all()
	:: runq?_ ->
		/* execute: os_switch to it */
		assert(saved && on == 0);
		saved = false;
		on++;
		if
		:: parked -> parked = false; t[0].alive = false; slept++ /* park returns, and goro_sleep */
		:: else
		fi;
		if
		:: slept < SLEEPS ->
			q = (id == 1 && !gone -> 1 : 0);
			t[0].alive = true;
			parked = true;
#if BUG == 1
			arm(0, q);
			saved = true;
			on--
#else
			saved = true; /* os_switch away */
			on--;
			arm(0, q)     /* sched_switched: after(m), AFTER_CALL */
#endif
		:: else -> on--   /* it ends */
		fi
	od
}

inline in_hand(yes)
{
	q = t[1].fired_on;
	yes = false;
	if
	:: q != NONE -> yes = (p[q].firing == 1)
	:: else
	fi
}

/* Of timer 1. */
proctype Stopper()
{
	byte q;
	bool armed, hand;
	do
	:: !armed ->
		q = t[1].p;
		if
		:: q != NONE ->
			lock_(q);
			if
			:: t[1].p == q -> p[q].has[1] = false; t[1].p = NONE; armed = true
			:: else
			fi;
			unlock_(q)
		:: else ->
			in_hand(hand);
#if BUG == 5
			if
			:: !hand -> break
			:: else
			fi
#else
			if
			:: !hand && t[1].p == NONE -> break
			:: else
			fi
#endif
		fi
	:: armed -> break
	od;
#if BUG != 2
	do
	:: in_hand(hand);
		if
		:: !hand -> break
		:: else
		fi
	od;
#endif
	atomic {
		assert(t[1].running == 0);
		assert(t[1].periodic || armed == (t[1].fired == 0));
		assert(armed || !t[1].periodic);
		t[1].alive = false /* freed */
	}
}

active proctype Watch()
{
	timeout;
	assert(slept == SLEEPS && on == 0 && !t[1].alive)
}

init {
	atomic {
		runq!0;
		t[1].alive = true;
		if
		:: t[1].periodic = true
		:: t[1].periodic = false
		fi;
		if
		:: t[1].p = 0
		:: t[1].p = 1
		fi;
		p[t[1].p].has[1] = true;
		run Stopper();
		run M(0);
		run M(1)
	}
}
