/*
 * park.pml: parking and readying a goroutine, and the work that waits in m->after until its registers are saved.
 *
 * Models   park, make_ready, enqueue (sched/proc.c); leave, leave_to, after, execute (sched/sched.c); an
 *          unbuffered channel's send and receive stand for "an object with a lock and a wait queue" (chan.c).
 * As in C  the waiter goes on the queue under the object's lock; the lock is let go on the other side of the
 *          switch; who takes a waiter off the queue owns its wake-up.
 * Left out which P's queue the goroutine goes to (runq.pml), how Ms sleep (sleep.pml): Ms look at one queue.
 * Holds    a goroutine runs on one M at a time and only with saved registers; it is on one queue at a time;
 *          each value is received once; all goroutines end (no wake-up lost, no deadlock).
 * BUG=1    park lets the lock go before it switches: another M runs a goroutine that still runs here.
 * BUG=2    the waker readies after it left the waiter on the queue: two wake-ups for one wait.
 * BUG=3    the lock is let go between the look for a partner and going on the queue: a wake-up is lost.
 */
#ifndef BUG
#define BUG 0
#endif
#define MS     2
#define GS     4 /* 0, 1 send; 2, 3 receive */
#define ROUNDS 2
#define SENDS(g) ((g) < 2)
#define NOBODY 255

typedef G {
	bool saved;    /* sp is valid */
	byte on;       /* Ms on its stack */
	byte queued;   /* times on the run queue */
	bool parked;   /* came back from park: what remains is its second half */
	byte rounds;
	byte value;    /* the waiter's elem */
};
G g[GS];

chan runq = [GS] of { byte };
bool locked;                                    /* c->lock */
chan sendq = [GS] of { byte };
chan recvq = [GS] of { byte };
byte sent, received[GS * ROUNDS], ended;

inline lock_() { atomic { !locked -> locked = true } }
inline unlock_() { assert(locked); locked = false }

/* make_ready + enqueue */
inline ready(x)
{
	atomic {
		assert(g[x].queued == 0);
		g[x].queued++;
		runq!x
	}
}

/* os_switch away from me: registers saved, then another stack. */
inline switch_from(me) { g[me].saved = true; g[me].on--; }

inline take(x) { atomic { received[x]++; assert(received[x] == 1) } }

proctype M(byte id)
{
	byte me, peer;
end_sleep:
	do
	:: atomic { runq?me -> g[me].queued-- };
		/* execute: os_switch to it */
		assert(g[me].saved && g[me].on == 0);
		g[me].saved = false;
		g[me].on++;
		if
		:: g[me].parked -> /* park returns: the operation was done by the peer */
			g[me].parked = false;
			g[me].rounds++;
			goto next_round
		:: else
		fi;
next_round:
		if
		:: g[me].rounds == ROUNDS -> goto die
		:: else
		fi;
		if
		:: SENDS(me) -> atomic { g[me].value = sent; sent++ }
		:: else
		fi;
		lock_();
		peer = NOBODY;
#if BUG == 2
		if
		:: SENDS(me) && len(recvq) > 0 -> recvq?<peer>
		:: !SENDS(me) && len(sendq) > 0 -> sendq?<peer>
		:: else
		fi;
#else
		if
		:: SENDS(me) && len(recvq) > 0 -> recvq?peer
		:: !SENDS(me) && len(sendq) > 0 -> sendq?peer
		:: else
		fi;
#endif
		if
		:: peer != NOBODY -> /* do_send, do_recv: pass the value, unlock, ready */
			if
			:: SENDS(me) -> take(g[me].value)
			:: else -> take(g[peer].value)
			fi;
			g[peer].parked = true;
			unlock_();
			ready(peer);
			g[me].rounds++;
			goto next_round
		:: else -> skip
		fi;
#if BUG == 3
		unlock_();
		lock_();
#endif
		/* send_park, recv_park */
		if
		:: SENDS(me) -> sendq!me
		:: else -> recvq!me
		fi;
#if BUG == 1
		unlock_();
		switch_from(me);
#else
		switch_from(me);
		unlock_();      /* sched_switched: after(m), AFTER_UNLOCK */
#endif
		goto out;
die:
		switch_from(me); /* go_exit; AFTER_DEAD */
		ended++;
out:
		skip
	od
}

/* Nothing moves any more: everybody must have come through. */
active proctype Watch()
{
	timeout;
	assert(ended == GS)
}

init {
	byte i;
	atomic {
		for (i : 0 .. GS - 1) {
			g[i].saved = true;
			g[i].queued = 1;
			runq!i
		}
		for (i : 1 .. MS) {
			run M(i)
		}
	}
}
