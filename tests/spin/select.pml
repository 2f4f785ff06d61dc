/*
 * select.pml: select's locking: on the queues of all its channels, woken by one, off the others.
 *
 * Models   goro_select, lock_all, enqueue_all, unlock_parked, leave (chan/select.c); dequeue, do_send, do_recv,
 *          send_park (chan/chan.c); the states of w->leaving (chan/chan.h).
 * As in C  all channels are locked in the order of their numbers (addresses); the waiters lie on the select's stack; the locks
 *          are let go on the other side of the switch (process After), while the select may be running again;
 *          who wins select_done by cas serves it; a stale waiter is taken off by a peer (GONE) or by its owner (LEAVING).
 * Left out buffers, close, the first look without all locks (it only answers sooner).
 *
 * Two goroutines select to receive from both channels, in opposite order, ROUNDS times each; one thread sends on
 * channel 0, one on channel 1, as often as that takes in sum.
 * Holds    every send is received once, nobody waits for ever, no lock is taken twice, no waiter is touched that is
 *          no more (its stack frame is used for something else), nothing stays on a queue.
 * BUG=1    channels are locked in the order of the cases: two selects block each other.
 * BUG=2    the peer takes stale waiters off without saying so (no GONE): the owner's removal meets a waiter that is gone.
 * BUG=3    a peer serves without the cas of select_done: one select is served twice.
 * BUG=4    the owner leaves without taking its other waiters off.
 */
#ifndef BUG
#define BUG 0
#endif
#define SELS   2
#define ROUNDS 2
#define NONE   255
/* waiters: w = 2 * select + channel; plain senders: 4 + channel */
#define IS_SELECT(w) ((w) < 4)
#define WG(w) ((w) / 2)
#define WC(w) ((w) % 2)

#define QUEUED  0
#define LEAVING 1
#define GONE    2

bool locked[2];
chan recvq0 = [4] of { byte };
chan recvq1 = [4] of { byte };
byte sendw[2] = NONE;          /* one sender a channel: its waiter or none */
bool select_done[SELS], woken[SELS], frame[SELS];
byte wake_arg[SELS];
byte leaving[4];
bool alive[4];                 /* the waiter lies on a stack that is still its own */
byte onq[4];
bool sender_woken[2];
byte received, sent;

inline lock_(c) { atomic { !locked[c] -> locked[c] = true } }
inline unlock_(c) { assert(locked[c]); locked[c] = false }

/* recvq of channel c is a chan; Promela has no pointers to them. */
inline push(c, w) { atomic { assert(locked[c]); onq[w]++; assert(onq[w] == 1); if :: c == 0 -> recvq0!w :: else -> recvq1!w fi } }
inline pop(c, w) { atomic { assert(locked[c]); if :: c == 0 -> recvq0?w :: else -> recvq1?w fi; onq[w]-- } }
inline unlink(c, w) { atomic { assert(locked[c]); assert(onq[w] == 1); onq[w]--; if :: c == 0 -> recvq0??eval(w) :: else -> recvq1??eval(w) fi } }

/* c->lock held: w = dequeue(&c->recvq) */
inline dequeue(c, w)
{
	n = (c == 0 -> len(recvq0) : len(recvq1));
	do
	:: n == 0 -> w = NONE; break
	:: else ->
		n--;
		pop(c, w);
		assert(alive[w]);
#if BUG == 3
		select_done[WG(w)] = true;
		break;
#endif
		atomic { won = !select_done[WG(w)]; if :: won -> select_done[WG(w)] = true :: else fi };
		if
		:: won -> break
		:: else
		fi;
		/* stale */
		assert(alive[w]);
#if BUG == 2
		skip
#else
		atomic { won = (leaving[w] == QUEUED); if :: won -> leaving[w] = GONE :: else fi };
		if
		:: won -> skip         /* off, and no more touched */
		:: else -> push(c, w)  /* its owner is on the way; all are taken in turn: the order stays */
		fi
#endif
	od
}

inline ready_select(w) { wake_arg[WG(w)] = w; woken[WG(w)] = true }

/* unlock_parked, on the M, after the switch */
proctype After(byte s)
{
	assert(frame[s]);
	unlock_(0);
	assert(frame[s]);
	unlock_(1)
}

proctype Select(byte s)
{
	byte round, c, w, other, i;
	for (round : 1 .. ROUNDS) {
		frame[s] = true;
#if BUG == 1
		lock_(s);
		lock_(1 - s);
#else
		lock_(0);
		lock_(1);
#endif
		c = NONE;
		i = 0;
		do
		:: i == 2 -> break
		:: else ->
			w = (s == 0 -> i : 1 - i);
			if
			:: sendw[w] != NONE -> c = w; break
			:: else -> i++
			fi
		od;
		if
		:: c != NONE -> /* a sender waits: take it, unlock, ready */
			sendw[c] = NONE;
			received++;
			unlock_(0);
			unlock_(1);
			sender_woken[c] = true
		:: else ->
			/* enqueue_all */
			select_done[s] = false;
			for (i : 0 .. 1) {
				w = 2 * s + i;
				leaving[w] = QUEUED;
				alive[w] = true;
				push(i, w)
			}
			woken[s] = false;
			run After(s);   /* park_fn */
			woken[s];
			woken[s] = false;
			/* leave */
			w = wake_arg[s];
			assert(WG(w) == s);
			received++;
#if BUG != 4
			other = 2 * s + 1 - WC(w);
			atomic { c = leaving[other]; if :: c == QUEUED -> leaving[other] = LEAVING :: else fi };
			if
			:: c == QUEUED ->
				lock_(WC(other));
				unlink(WC(other), other);
				unlock_(WC(other))
			:: else
			fi;
#endif
			alive[2 * s] = false;
			alive[2 * s + 1] = false
		fi;
		/* the frame goes; After must have looked at it for the last time */
		frame[s] = false
	}
}

proctype Send(byte c)
{
	byte w, n;
	bool won;
	do
	:: atomic { sent < SELS * ROUNDS -> sent++ };
		lock_(c);
		dequeue(c, w);
		if
		:: w != NONE ->
			unlock_(c);
			ready_select(w)
		:: else ->
			sendw[c] = 4 + c;       /* send_park */
			unlock_(c);
			sender_woken[c];
			sender_woken[c] = false
		fi
	:: atomic { sent == SELS * ROUNDS -> break }
	od
}

active proctype Watch()
{
	timeout;
	assert(received == SELS * ROUNDS && sent == received);
	assert(!locked[0] && !locked[1] && onq[0] + onq[1] + onq[2] + onq[3] == 0)
}

init { atomic { run Select(0); run Select(1); run Send(0); run Send(1) } }
