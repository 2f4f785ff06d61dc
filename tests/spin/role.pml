/*
 * role.pml: which idle M sleeps for the timers (timer_m), while others are woken, spin and nap.
 *
 * Models   sched_timer_armed, timer_m_until, timer_m_rises, m_rises, nap_ends, m_sleep, m_stop, m_not_idle, sched_wakep,
 *          m_start, m_stop_spinning, p_handoff of what sysmon retakes, and of find_work what looks at timers
 *          (sched/threads.c, sched/sched.c, sched/sysmon.c).
 * As in C  nidle_p, nspinning, nap_m and idle_until are read without the lock; timer_m is under it. A spinner looks at the timers
 *          of all Ps, who has a P at its own's. While an M naps nobody else is woken.
 * Left out what sleep.pml has: queues of Ps, the steps inside of what sched.lock guards, which are one here, and threads
 *          that are made: who wakes waits until an M is idle. Times: a timer is due as soon as it is armed. The poller. What sysmon
 *          makes up for: it must not be needed.
 *
 * A thread of the program arms a timer on P 0, then, perhaps, makes a goroutine runnable, which blocks its thread in a call until
 * the timer has fired.
 *
 * Holds    the timer fires; no M sleeps for ever while a goroutine can run; a P has one M.
 * BUG=1    the end of a nap does not take the role up where nobody has it (it stood so in threads.c: the spinner to which
 *          it was given up found work, and woke nobody, for one napped).
 * BUG=2    the end of a nap takes the role up for an M that was woken meanwhile: it rises a second time, with a second P.
 * BUG=3    who arms looks at idle_until before the timer is there.
 * BUG=4    timer_m looks at the timers before it says until when it sleeps.
 */
#ifndef BUG
#define BUG 0
#endif
#define PS   2
#define MS   2
#define NONE 255

byte global;           /* sched.runq_size */
bool timer;            /* on P 0's heap */
bool armed, fired;
bool p_idle[PS];
byte p_m[PS] = NONE;
bool calls[PS];        /* P_SYSCALL */
byte nidle_p, nspinning;
byte nap_m = NONE, timer_m = NONE;
bool until;            /* sched.idle_until is not 0 */
bool m_idle[MS], m_spinning[MS];
byte note[MS];
byte next_p[MS] = NONE;

/* Within atomic, as all that is under sched.lock. */
inline own(m, q) { assert(p_m[q] == NONE); p_m[q] = m }

inline p_idle_get(q)
{
	q = NONE;
	if
	:: p_idle[0] -> q = 0
	:: !p_idle[0] && p_idle[1] -> q = 1
	:: else
	fi;
	if
	:: q != NONE -> p_idle[q] = false; nidle_p--
	:: else
	fi
}

inline not_idle(m)
{
	m_idle[m] = false;
	if
	:: timer_m == m -> timer_m = NONE; until = false
	:: else
	fi;
	if
	:: nap_m == m -> nap_m = NONE
	:: else
	fi
}

inline rises(q)
{
	ok = (nspinning == 0);
	if
	:: ok ->
		p_idle_get(q);
		ok = (q != NONE);
		if
		:: ok ->
			nspinning = 1;
			not_idle(id);
			next_p[id] = q;
			m_spinning[id] = true
		:: else
		fi
	:: else
	fi
}

/* sched_wakep, with m_start(NULL, true) and m_wake */
inline wakep(q, who)
{
	if
	:: nidle_p == 0
	:: else ->
			atomic {
				ok = (nspinning == 0 && nap_m == NONE);
				if
				:: ok -> nspinning = 1
				:: else
				fi
			};
			if
			:: ok ->
				/* for a P there is an M, which sleeps or is about to; in C one may be made instead */
				atomic {
					nidle_p == 0 || m_idle[0] || m_idle[1];
					p_idle_get(q);
					who = 0;
					if
					:: q == NONE -> nspinning--; who = MS
					:: else ->
						do
						:: who < MS && !m_idle[who] -> who++
						:: else -> break
						od;
						not_idle(who);
						next_p[who] = q;
						m_spinning[who] = true
					fi;
					q = NONE
				};
				atomic {
					if
					:: who < MS -> note[who] = 1
					:: else
					fi;
					who = 0
				}
			:: else
			fi
	fi
}

inline fire() { if :: timer -> timer = false; fired = true; found = true :: else fi }
inline take() { if :: global > 0 -> global--; work = true; calls[p] = true; found = true :: else fi }

proctype M(byte id; byte p)
{
	byte q = NONE, who;
	bool ok, found, work, nap, role;
	atomic {
		if
		:: p != NONE -> own(id, p)
		:: else
		fi
	};
	do
	:: p != NONE -> /* find_work */
		atomic {
			if
			:: p == 0 -> fire()
			:: else
			fi;
			if
			:: !found -> take()
			:: else
			fi;
			if
			:: !found && !m_spinning[id] -> nap = true
			:: !found && !m_spinning[id] && 2 * nspinning < PS - nidle_p ->
				m_spinning[id] = true;
				nspinning++
			:: true
			fi;
			if
			:: !found && m_spinning[id] -> fire() /* steal, its last round */
			:: else
			fi
		};
		atomic {
			if
			:: !found -> take()
			:: else
			fi;
			if
			:: !found -> p_m[p] = NONE; p_idle[p] = true; nidle_p++; p = NONE
			:: else
			fi
		};
		if
		:: !found && m_spinning[id] ->
			atomic { m_spinning[id] = false; nspinning-- };
			atomic {
				if
				:: global > 0 ->
					p_idle_get(q);
					if
					:: q != NONE ->
						p = q;
						q = NONE;
						own(id, p);
						m_spinning[id] = true;
						nspinning++
					:: else
					fi
				:: else
				fi
			}
		:: found && m_spinning[id] -> /* m_stop_spinning */
			atomic { m_spinning[id] = false; ok = (nspinning == 1); nspinning-- };
			if
			:: ok -> wakep(q, who)
			:: else
			fi
		:: else
		fi;
		if
		:: work -> /* in a call that blocks its thread until the timer has fired */
			atomic { fired; if :: p_m[p] != id -> p = NONE :: else -> calls[p] = false fi }
		:: else
		fi;
		atomic { found = false; work = false; ok = false }
	:: p == NONE -> /* m_stop */
		atomic {
			if
			:: !nap && global > 0 -> p_idle_get(q)
			:: else
			fi;
			if
			:: q == NONE ->
				m_idle[id] = true;
				timer_m = id;
				if
				:: nap && nap_m == NONE -> nap_m = id
				:: else -> nap = false
				fi;
				role = true
			:: else
			fi
		};
		if
		:: q != NONE
		:: else ->
end_sleep:		do
			:: role -> /* timer_m_until */
#if BUG == 4
				found = timer;
#endif
				atomic {
					role = false;
					if
					:: timer_m == id -> until = true; role = true
					:: else
					fi
				};
				atomic {
#if BUG != 4
					found = role && timer;
#else
					found = role && found;
#endif
					role = false
				};
				if
				:: found ->
					atomic { /* timer_m_rises */
						found = false;
						if
						:: timer_m == id ->
							timer_m = NONE;
							until = false;
							rises(q)
						:: else
						fi
					};
					if
					:: ok -> break
					:: else
					fi
				:: else
				fi
			/* It sleeps: until a note, or the end of its nap; for a timer that it knows of it has risen. */
			:: !role && note[id] == 1 -> break
			:: atomic { !role && note[id] == 2 -> note[id] = 0; role = true }
			:: !role && nap && note[id] == 0 ->
				atomic { /* nap_ends */
					ok = false;
					if
					:: nap_m == id ->
						nap_m = NONE;
						if
						:: global > 0 -> rises(q)
						:: else
						fi
					:: else
					fi;
#if BUG == 2
					if
					:: !ok && timer_m == NONE -> timer_m = id
					:: else
					fi;
#elif BUG != 1
					if
					:: m_idle[id] && timer_m == NONE -> timer_m = id
					:: else
					fi;
#endif
					nap = false;
					role = true
				};
				if
				:: ok -> break
				:: else
				fi
			od;
			atomic { note[id] = 0; q = next_p[id]; next_p[id] = NONE; nap = false; role = false; ok = false }
		fi;
		atomic { p = q; q = NONE; own(id, p) }
	od
}

proctype Thread()
{
	byte q = NONE, who;
	bool ok;
#if BUG == 3
	ok = until;
#endif
	atomic { armed = true; timer = true };
#if BUG != 3
	ok = until;
#endif
	if
	:: !ok -> wakep(q, who)
	:: else ->
		atomic {
			q = timer_m;
			if
			:: q != NONE && note[q] == 0 -> note[q] = 2
			:: else
			fi
		}
	fi;
	if
	:: global++; wakep(q, who)
	:: true
	fi
}

/* sysmon.c's retake, p_handoff, m_start(p, false): the P of a call has a timer that is due. */
proctype Sysmon()
{
	byte who;
end_sysmon:
	do
	:: atomic { calls[0] && timer && (m_idle[0] || m_idle[1]);
			calls[0] = false;
			p_m[0] = NONE;
			if
			:: m_idle[0] -> who = 0
			:: else -> who = 1
			fi;
			not_idle(who);
			next_p[who] = 0
		};
		note[who] = 1
	od
}

init
{
	atomic {
		run M(0, 0);
		run M(1, 1);
		run Thread();
		run Sysmon()
	}
	timeout;
	assert(!timer && fired && global == 0 && nspinning == 0 && nidle_p == PS)
}
