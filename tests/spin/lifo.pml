/*
 * lifo.pml: runnext and lifo, the slots for those that made way for a goroutine they made; and the two rings.
 *
 * Models   runq_put_lifo, runq_put, runq_put_new, runq_put_yielded, claim, push_lifo, lifo_pop, lifo_age, lifo_steal, promote, runq_get,
 *          take_next (sched/runq.c), with LSIZE slots. Turns, there after so many picks, may come at any.
 * As in C  slots and runnext are filled by the owner alone, and emptied by cas by whoever comes first; low and high are the
 *          owner's, and a thief's copies of them are old; thieves leave holes; counters run freely, here modulo 8.
 * Left out the rings, which are lists here whose operations are single steps (runq.pml); weak memory order.
 * Holds    each goroutine is picked exactly once, none is lost; a slot is empty when it is filled; the owner is told that
 *          there is nothing only if there is nothing.
 * BUG=1    the owner takes from lifo by a plain store.
 * BUG=2    the owner moves runnext to lifo without taking it first.
 * BUG=3    no second look at runnext, after the rings and lifo were found empty.
 * BUG=4    no look whether lifo is full.
 */
#ifndef BUG
#define BUG 0
#endif
#define LSIZE   2
#define ITEMS   4
#define THIEFS  1 /* with 2 it holds as well, in 34 million states and two minutes */
#define MOD     8
#define NONE    0

byte low, high, lifo[LSIZE], runnext;
bool made_way; /* next_made_way */
chan ring = [ITEMS] of { byte };
chan fresh = [ITEMS] of { byte };
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

/* A load and, if there is one, the cas; x is NONE when somebody else had it. */
inline claim(slot, x)
{
	x = slot;
	if
	:: x != NONE -> atomic { if :: slot == x -> slot = NONE :: else -> x = NONE fi }
	:: else
	fi
}

inline lifo_pop()
{
	g = NONE;
	do
	:: g == NONE && high != low ->
#if BUG == 1
		g = lifo[(high + MOD - 1) & (LSIZE - 1)];
		lifo[(high + MOD - 1) & (LSIZE - 1)] = NONE;
#else
		claim(lifo[(high + MOD - 1) & (LSIZE - 1)], g);
#endif
		high = (high + MOD - 1) % MOD
	:: else -> break
	od
}

/* For the ring `to`; `aged` holds it meanwhile. */
inline lifo_age(to)
{
	claim(lifo[low & (LSIZE - 1)], aged);
	low = (low + 1) % MOD;
	if
	:: aged != NONE -> to!aged
	:: else
	fi;
	aged = NONE
}

/* g is what was in runnext, and made way */
inline push_lifo()
{
#if BUG != 4
	if
	:: (high - low + MOD) % MOD == LSIZE -> lifo_age(fresh)
	:: else
	fi;
#endif
	atomic {
		assert(lifo[high & (LSIZE - 1)] == NONE);
		lifo[high & (LSIZE - 1)] = g
	};
	high = (high + 1) % MOD
}

inline put_lifo(x)
{
#if BUG == 2
	g = runnext;
#else
	claim(runnext, g);
#endif
	if
	:: g == NONE -> skip
	:: g != NONE && made_way -> push_lifo()
	:: g != NONE && !made_way -> ring!g
	fi;
	made_way = true;
#if BUG == 2
	runnext = x
#else
	atomic { assert(runnext == NONE); runnext = x }
#endif
}

/* runq_put(p, x, next = true), runq_put_new */
inline put_next(x, to)
{
	was = made_way;
	made_way = false;
	claim(runnext, g); /* there a cas to x; a thief in between finds nothing here */
	atomic { assert(runnext == NONE); runnext = x };
	if
	:: g != NONE && was -> push_lifo()
	:: g != NONE && !was -> to!g
	:: else
	fi
}

inline get()
{
	g = NONE;
	if
	:: true -> claim(runnext, g)
	:: len(ring) > 0 || len(fresh) > 0 || high != low -> /* its turn is over */
		if
		:: high != low -> lifo_age(ring)
		:: true         /* promote: as one more */
		fi
	fi;
	if
	:: g == NONE -> /* fresh_turn: by count, or promoted */
		if
		:: atomic { len(fresh) > 0 -> fresh?g }
		:: true
		fi
	:: else
	fi;
	if
	:: g == NONE ->
		atomic { if :: len(ring) > 0 -> ring?g :: else fi };
		if
		:: g != NONE && high != low -> lifo_age(ring) /* ringticks */
		:: true
		fi
	:: else
	fi;
	if
	:: g == NONE && high != low ->
		lifo_pop()
	:: else
	fi;
	if
	:: g == NONE ->
		atomic { if :: len(fresh) > 0 -> fresh?g :: else fi };
#if BUG != 3
		if
		:: g == NONE -> claim(runnext, g)
		:: else
		fi
#endif
	:: else
	fi;
	if
	:: g != NONE -> pick(g)
	:: else -> assert(runnext == NONE && len(ring) == 0 && len(fresh) == 0 && lifo[0] == NONE && lifo[1] == NONE)
	fi;
	g = NONE
}

active proctype Owner()
{
	byte g, aged, x = 1;
	bool was;
	do
	:: x <= ITEMS -> put_lifo(x); x++
	:: x <= ITEMS -> put_next(x, ring); x++
	:: x <= ITEMS -> put_next(x, fresh); x++
	:: x <= ITEMS -> /* it yields */
		if
		:: high != low -> lifo_age(ring)
		:: else
		fi;
		ring!x;
		x++
	:: x > 1 && x <= ITEMS -> get()
	:: x > ITEMS -> break
	od;
	do
	:: atomic { len(ring) == 0 && len(fresh) == 0 && runnext == NONE && lifo[0] == NONE && lifo[1] == NONE -> break }
	:: else -> get()
	od;
	done = true
}

active [THIEFS] proctype Thief()
{
	byte g, i, h;
	do
	:: !done ->
		atomic { if :: len(fresh) > 0 -> fresh?g :: else fi };
		if
		:: g == NONE -> atomic { if :: len(ring) > 0 -> ring?g :: else fi }
		:: else
		fi;
		if
		:: g == NONE ->
			h = high; /* lifo_steal */
			i = low;
			do
			:: g == NONE && (h - i + MOD) % MOD > 0 && (h - i + MOD) % MOD < MOD / 2 ->
				claim(lifo[i & (LSIZE - 1)], g);
				i = (i + 1) % MOD
			:: else -> break
			od;
			if
			:: g == NONE -> claim(runnext, g)
			:: else
			fi
		:: else
		fi;
		if
		:: g != NONE -> pick(g)
		:: else
		fi;
		atomic { g = NONE; i = 0; h = 0 }
	:: done -> break
	od
}

active proctype Watch()
{
	timeout;
	assert(npicked == ITEMS)
}
