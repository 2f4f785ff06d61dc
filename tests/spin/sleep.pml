/*
 * sleep.pml: Ms that run out of work and sleep, and those that make work and wake them.
 *
 * Models   sched_wakep, m_start, m_wake, stop_spinning, find_work ("Nothing. Steps a, b, c of the head"), m_stop,
 *          m_sleep, nap_ends, m_rises, p_idle_put, p_idle_get, sched_put_global, global_get (sched/sched.c, sched/threads.c).
 * As in C  nidle_p and nspinning are read without the lock; idle Ps and Ms change under sched.lock; an M that stops
 *          spinning looks again after it has said so, the one that submits looks at nspinning after it has put.
 *          An M whose loot was soon eaten may fall asleep without a look: it is nap_m then, no M is woken for what is put
 *          meanwhile, and it looks when its nap ends, which may be at any time. Here it naps once (there NAPS times).
 * Left out a third P, for which alone the last spinner's wake-up of the next one is; timers, the poller, wired
 *          goroutines; sysmon: what it makes up for must not be needed. A P's queue is a count (runq.pml: the ring).
 *
 * Work comes from a thread of the program (global queue) and from a goroutine, which puts two on its own P's queue and
 * computes until all others are through: they must run elsewhere.
 *
 * Holds    no M sleeps for ever while there is work and a P to be had; a P has one M; nspinning is right at rest.
 * BUG=1    no look after the spinning ended, nor before falling asleep (c is missing).
 * BUG=2    the submitter looks at nspinning before it puts (3 before 1).
 * BUG=3    m_start, without a P, lets the lock go before it takes its spinner back: a P made idle in between is not
 *          seen by the one that then submits (it stood so in sched.c until this model was run).
 * BUG=4    a nap ends with the look first, and is said to be over after it.
 * BUG=5    who falls asleep without a look is not nap_m, and never looks.
 */
#ifndef BUG
#define BUG 0
#endif
#define PS 2
#define MS 4 /* one may have to be made while others are on their way to sleep */
#define NONE 255

bool locked;           /* sched.lock */
byte global;           /* sched.runq_size */
byte queue[PS];        /* P's queue */
bool p_idle[PS];
byte p_m[PS] = NONE;   /* who owns it */
byte nidle_p, nspinning;
byte nap_m = NONE;
bool m_idle[MS], note[MS], m_spinning[MS], m_made[MS];
byte next_p[MS] = NONE;
byte made, ran;        /* goroutines */

#define TOTAL 4

inline lock_() { atomic { !locked -> locked = true } }
inline unlock_() { assert(locked); locked = false }
inline own(m, q) { atomic { assert(p_m[q] == NONE); p_m[q] = m } }

/* sched.lock held */
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
	:: nap_m == m -> nap_m = NONE
	:: else
	fi
}

/* m_start(NULL, true): nspinning counts the M already. */
inline m_start(q, who)
{
	lock_();
	p_idle_get(q);
	if
	:: q == NONE ->
#if BUG == 3
		unlock_();
		nspinning--
#else
		nspinning--;
		unlock_()
#endif
	:: else ->
		d_step {
			who = 0;
			do
			:: who < MS && !m_idle[who] -> who++
			:: else -> break
			od
		};
		if
		:: who < MS ->
			not_idle(who);
			next_p[who] = q;
			m_spinning[who] = true;
			unlock_();
			note[who] = true        /* m_wake */
		:: else ->
			unlock_();
			/* m_new, os_thread_start */
			atomic {
				who = 0;
				do
				:: who < MS && m_made[who] -> who++
				:: else -> break
				od;
				assert(who < MS); /* more Ms than the model has */
				m_made[who] = true;
				m_spinning[who] = true;
				run M(who, q)
			}
		fi
	fi
}

inline wakep(q, who)
{
	if
	:: nidle_p == 0 -> skip
	:: else ->
		/* fence_sc */
		if
		:: nspinning != 0 -> skip
		:: nspinning == 0 && nap_m != NONE -> skip
		:: else ->
			atomic { ok = (nspinning == 0); if :: ok -> nspinning = 1 :: else fi };
			if
			:: ok -> m_start(q, who)
			:: else -> skip
			fi
		fi
	fi
}

inline stop_spinning(q, who)
{
	m_spinning[id] = false;
	atomic { ok = (nspinning == 1); nspinning-- };
	if
	:: ok -> wakep(q, who)
	:: else
	fi
}

/* m_rises */
inline rises(q)
{
	atomic { ok = (nspinning == 0); if :: ok -> nspinning = 1 :: else fi };
	if
	:: ok ->
		p_idle_get(q);
		if
		:: q != NONE ->
			not_idle(id);
			next_p[id] = q;
			m_spinning[id] = true
		:: else ->
			nspinning--;
			ok = false
		fi
	:: else
	fi
}

/* found: one goroutine of the queue that `n` counts */
inline take(n) { atomic { if :: n > 0 -> n--; found = true :: else fi } }

proctype M(byte id; byte p)
{
	byte q, who;
	bool ok, found, nap;
	own(id, p);
	do
	:: p != NONE -> /* find_work */
		found = false;
		nap = false;
		take(queue[p]);
		if
		:: !found && global > 0 -> lock_(); take(global); unlock_()
		:: else
		fi;
		if
		:: !found && !m_spinning[id] -> nap = true
		:: true
		fi;
		if
		:: !found && !nap && !m_spinning[id] && 2 * nspinning < PS - nidle_p ->
			m_spinning[id] = true;
			nspinning++
		:: else
		fi;
		if
		:: !found && m_spinning[id] -> take(queue[1 - p]) /* steal */
		:: else
		fi;
		if
		:: found ->
			if
			:: m_spinning[id] -> stop_spinning(q, who)
			:: else
			fi;
			/* execute */
			atomic {
				made++;
				if
				:: made == 1 -> found = true   /* this one makes the others */
				:: else -> found = false; ran++
				fi
			};
			if
			:: found ->
				/* runq_put, sched_wakep; twice */
#if BUG == 2
				ok = false;
				who = nspinning;
				queue[p]++;
				if
				:: who == 0 -> wakep(q, who)
				:: else
				fi;
				who = nspinning;
				queue[p]++;
				if
				:: who == 0 -> wakep(q, who)
				:: else
				fi;
#else
				queue[p]++;
				wakep(q, who);
				queue[p]++;
				wakep(q, who);
#endif
				/* It computes until the others are through: they must run elsewhere. */
				ran == TOTAL - 1;
				ran++
			:: else
			fi
		:: else ->
			/* a */
			lock_();
			take(global);
			if
			:: found -> unlock_();
				if
				:: m_spinning[id] -> stop_spinning(q, who)
				:: else
				fi;
				atomic { made++; ran++ }
			:: else ->
				atomic { p_m[p] = NONE; p_idle[p] = true; nidle_p++ };
				p = NONE;
				unlock_();
				if
				:: m_spinning[id] ->
					m_spinning[id] = false;
					nspinning--;    /* b */
#if BUG != 1
					if              /* c */
					:: queue[0] > 0 || queue[1] > 0 || global > 0 ->
						lock_();
						p_idle_get(q);
						unlock_();
						if
						:: q != NONE ->
							p = q;
							own(id, p);
							m_spinning[id] = true;
							nspinning++
						:: else
						fi
					:: else
					fi
#endif
				:: else
				fi
			fi
		fi
	:: p == NONE -> /* m_stop */
		lock_();
		q = NONE;
#if BUG != 1
		if
		:: !nap && (p_idle[0] || p_idle[1]) && (global > 0 || queue[0] > 0 || queue[1] > 0) -> p_idle_get(q)
		:: else
		fi;
#endif
		if
		:: q != NONE -> unlock_()
		:: else ->
			m_idle[id] = true;
#if BUG != 5
			if
			:: nap && nap_m == NONE -> nap_m = id
			:: else
			fi;
#endif
			unlock_();
end_sleep:		/* m_sleep */
			do
			:: note[id] ->
				note[id] = false;
				break
			:: nap_m == id && !note[id] -> /* nap_ends */
#if BUG == 4
				found = global > 0 || queue[0] > 0 || queue[1] > 0;
#endif
				lock_();
				ok = false;
				if
				:: nap_m == id ->
					nap_m = NONE;
#if BUG != 4
					found = global > 0 || queue[0] > 0 || queue[1] > 0;
#endif
					if
					:: found -> rises(q)
					:: else
					fi
				:: else
				fi;
				unlock_();
				if
				:: ok -> break
				:: else
				fi
			od;
			q = next_p[id];
			next_p[id] = NONE
		fi;
		p = q;
		own(id, p)
	od
}

/* A thread of the program readies a goroutine: enqueue without a P. */
active proctype Thread()
{
	byte q, who;
	bool ok;
#if BUG == 2
	byte before = nspinning;
#endif
	lock_();
	global++;
	unlock_();
#if BUG == 2
	if
	:: before == 0 -> wakep(q, who)
	:: else
	fi
#else
	wakep(q, who)
#endif
}

active proctype Watch()
{
	timeout;
	assert(ran == TOTAL && nspinning == 0 && nidle_p == PS)
}

init {
	atomic {
		/* one M runs with P 0, where a goroutine lies; P 1 is idle */
		queue[0] = 1;
		p_idle[1] = true;
		nidle_p = 1;
		m_made[0] = true;
		run M(0, 0)
	}
}
