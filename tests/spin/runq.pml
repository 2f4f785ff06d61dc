/*
 * runq.pml: the run queue of a P: a ring with one producer, runnext, and thieves.
 *
 * Models   runq_put, put_tail, put_global, runq_get, runq_steal, take_next (sched/runq.c), with a ring of SIZE.
 * As in C  head is moved by cas, by the owner and by thieves; tail by the owner alone; a thief copies the slots
 *          and then claims them; runnext becomes non-empty by the owner alone and empty by cas; counters run
 *          freely, here modulo 16; what overflows goes to the global queue.
 * Left out lifo (lifo.pml); weak memory order: each step is seen by all at once (the orders
 *          stand in runq.c, beside each access).
 * Holds    each goroutine is picked exactly once, none is lost; a queue never holds more than SIZE.
 * BUG=1    a thief claims before it copies: the owner overwrites the slot meanwhile.
 * BUG=2    the owner takes by a plain store of head.
 * BUG=3    the owner stores into runnext without a look at what a thief does.
 */
#ifndef BUG
#define BUG 0
#endif
#define SIZE   2
#define MASK   (SIZE - 1)
#define ITEMS  4
#define THIEFS 2
#define MOD    16
#define NONE   0

byte head, tail, slot[SIZE], runnext;
bool picked[ITEMS + 1];
byte npicked;
bool done;

inline pick(x)
{
	atomic {
		assert(x != NONE);
		assert(!picked[x]);
		picked[x] = true;
		npicked++
	}
}

/* ok = cas(&var, old, new) */
inline cas(var, old, new, ok)
{
	atomic { if :: var == old -> var = new; ok = true :: else -> ok = false fi }
}

inline put_tail(x)
{
	do
	:: atomic { h = head; t = tail }; /* only the owner writes tail */
		if
		:: (t - h + MOD) % MOD < SIZE ->
			slot[t & MASK] = x;
			atomic {
				tail = (t + 1) % MOD;
				assert((tail - head + MOD) % MOD <= SIZE)
			};
			break
		:: else -> /* put_global: the older half and x */
			got = slot[h & MASK];
			cas(head, h, (h + SIZE / 2) % MOD, ok);
			if
			:: ok -> atomic { pick(got); pick(x) }; break
			:: else -> skip
			fi
		fi
	od
}

/* runq_put(p, x, next = true) */
inline put_next(x)
{
	g = runnext;
	do
	:: g == NONE -> runnext = x; break /* nobody else stores into an empty one */
	:: else ->
#if BUG == 3
		runnext = x;
		put_tail(g);
		break
#else
		cas(runnext, g, x, ok);
		if
		:: ok -> put_tail(g); break
		:: else -> g = runnext
		fi
#endif
	od
}

inline get()
{
	g = runnext;
	ok = false;
	if
	:: g != NONE -> cas(runnext, g, NONE, ok)
	:: else
	fi;
	if
	:: ok -> pick(g)
	:: else ->
		do
		:: atomic { h = head; t = tail };
			if
			:: t == h -> break
			:: else ->
				g = slot[h & MASK];
#if BUG == 2
				head = (h + 1) % MOD;
				ok = true;
#else
				cas(head, h, (h + 1) % MOD, ok);
#endif
				if
				:: ok -> pick(g); break
				:: else -> skip
				fi
			fi
		od
	fi
}

active proctype Owner()
{
	byte h, t, g, got, x = 1;
	bool ok;
	do
	:: x <= ITEMS -> put_tail(x); x++
	:: x <= ITEMS -> put_next(x); x++
	:: x > 1 && x <= ITEMS -> get()
	:: x > ITEMS -> break
	od;
	done = true;
	do
	:: head == tail && runnext == NONE -> break
	:: else -> get()
	od
}

active [THIEFS] proctype Thief()
{
	byte h, t, n, i, g, copy[SIZE];
	bool ok;
	do
	:: h = head;
		atomic {
			t = tail;
			n = (t - h + MOD) % MOD;
			n = n - n / 2;
			t = 0
		};
		if
		:: n == 0 -> /* take_next */
			g = runnext;
			if
			:: g != NONE ->
				cas(runnext, g, NONE, ok);
				if
				:: ok -> pick(g)
				:: else -> skip
				fi
			:: else -> skip
			fi
		:: n > SIZE / 2 -> skip /* head and tail of different times: again */
		:: else ->
#if BUG == 1
			cas(head, h, (h + n) % MOD, ok);
#endif
			do
			:: atomic { i < n -> copy[i] = slot[(h + i) & MASK]; i++ }
			:: atomic { i == n -> i = 0; break }
			od;
#if BUG != 1
			cas(head, h, (h + n) % MOD, ok);
#endif
			if
			:: ok ->
				atomic {
					do
					:: i < n -> pick(copy[i]); i++
					:: else -> break
					od
				}
			:: else -> skip
			fi
		fi;
		atomic { h = 0; n = 0; i = 0; g = 0; ok = false; copy[0] = 0; copy[1] = 0 }
	:: done -> break
	od
}

active proctype Watch()
{
	timeout;
	assert(npicked == ITEMS)
}
