/*
 * timer.c: timers: on each P a heap of four children per node, as in Go, the time of each entry
 * beside its pointer so that sifting stays within the array.
 *
 * A timer lies in the heap of the P where it was armed, under p->timer_lock; t->p says which.
 * Whoever holds p may fire what is due (its M in the scheduler, another M that steals, sysmon's
 * choice), one at a time: p->timer_firing. The function runs without the lock. When it has begun
 * the timer belongs to it: the sleeper whose stack holds the timer may be running again, so
 * timer_run does not look at it any more; timer_stop, whose caller owns the memory, waits until it
 * is over.
 *
 * Locks: rank TIMERS, never two.
 * Order: sleeping orders nothing; a timer carries no clock. What arming is to be before, the armer
 * releases itself (after.c).
 */
#include "../sched/runtime.h"

#include <stdlib.h>

/* Where timers stand closer than the kernel would keep them apart (its slack is 50 us), a sleeping M lets some come
 * together: a wake-up costs 10 us of processor time here, each. */
#define CROWD    4
#define CROWD_NS INT64_C(200000)
/* The heap's root and the two levels below: not all of the earliest, but some. */
#define CROWD_LOOK 21

/* `at` is the timer's address; of a fixed one, plus 1: nobody asks for its place, and to note it would be a miss in
 * cache and TLB for each level of the heap, as each sleeper lies on a page of its own. */
struct TimerSlot {
	int64_t when;
	uintptr_t at;
};

static inline TimerSlot slot_of(Timer *t)
{
	return (TimerSlot){t->when, (uintptr_t)t | t->fixed};
}

static inline Timer *timer_of(TimerSlot s)
{
	return (Timer *)(s.at & ~(uintptr_t)1);
}

static inline void put(P *p, uint32_t i, TimerSlot s)
{
	p->timer_heap[i] = s;
	if (!(s.at & 1))
		timer_of(s)->index = i;
}

static void sift_up(P *p, uint32_t i, TimerSlot s)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / 4;
		if (p->timer_heap[parent].when <= s.when)
			break;
		put(p, i, p->timer_heap[parent]);
		i = parent;
	}
	put(p, i, s);
}

static void sift_down(P *p, uint32_t i, TimerSlot s)
{
	const TimerSlot *h = p->timer_heap;
	for (uint32_t n = p->ntimers;;) {
		uint32_t c = 4 * i + 1, end = c + 4 < n ? c + 4 : n, least = c;
		if (c >= n)
			break;
		for (c++; c < end; c++)
			if (h[c].when < h[least].when)
				least = c;
		if (h[least].when >= s.when)
			break;
		put(p, i, h[least]);
		i = least;
	}
	put(p, i, s);
}

static inline void note_next(P *p)
{
	store_rlx(&p->timer_next, p->ntimers ? p->timer_heap[0].when : 0);
}

static void insert(P *p, Timer *t)
{
	if (p->ntimers == p->timers_cap) {
		uint32_t cap = p->timers_cap ? 2 * p->timers_cap : 16;
		TimerSlot *h = realloc(p->timer_heap, cap * sizeof(*h));
		if (!h)
			fatal("out of memory: %u timers", cap);
		p->timer_heap = h;
		p->timers_cap = cap;
	}
	sift_up(p, p->ntimers++, slot_of(t));
	store_rel(&t->p, p); /* pairs with load_acq in timer_stop */
	note_next(p);
}

static void take_out(P *p, uint32_t i)
{
	TimerSlot last = p->timer_heap[--p->ntimers];
	if (i < p->ntimers) {
		if (i > 0 && p->timer_heap[(i - 1) / 4].when > last.when)
			sift_up(p, i, last);
		else
			sift_down(p, i, last);
	}
	note_next(p);
}

/* The P for a new timer, its timer_lock held: the caller's own, which cannot stop while it runs
 * here, or for a thread without one P 0, which never stops. */
static P *lock_some_p(void)
{
	M *m = m_self();
	if (!m)
		sched_init(); /* a thread may come before goro_run */
	P *p = m && m->p ? m->p : sched.all_p[0];
	lock(&p->timer_lock);
	return p;
}

void timer_arm(Timer *t, int64_t when)
{
	t->when = when > 0 ? when : 1; /* 0 stands for none */
	when = t->when;
	P *p = lock_some_p();
	insert(p, t);
	bool first = timer_of(p->timer_heap[0]) == t;
	unlock(&p->timer_lock); /* from here on t may fire, and be gone */
	if (first)
		sched_timer_armed(p, when);
}

int64_t timer_meet(P *p, int64_t when)
{
	uint32_t near = 0;
	lock(&p->timer_lock);
	uint32_t n = p->ntimers < CROWD_LOOK ? p->ntimers : CROWD_LOOK;
	for (uint32_t i = 0; i < n; i++)
		near += p->timer_heap[i].when - when < CROWD_NS;
	unlock(&p->timer_lock);
	return near >= CROWD ? when + CROWD_NS : when;
}

/* Its function runs, or it is being moved. */
static bool in_hand(Timer *t)
{
	P *on = load_rlx(&t->fired_on); /* written before t->p became NULL */
	/* Pairs with store_rel in timer_run, timer_move_all. */
	return on && load_acq(&on->timer_firing) == t;
}

bool timer_stop(Timer *t)
{
	bool armed = false;
	while (!armed) {
		P *p = load_acq(&t->p); /* pairs with store_rel in insert, timer_run */
		if (p) {
			lock(&p->timer_lock);
			/* Else it fired or moved on before we had the lock. */
			if (load_rlx(&t->p) == p) {
				take_out(p, t->index);
				store_rlx(&t->p, NULL);
				armed = true;
			}
			unlock(&p->timer_lock);
		} else if (!in_hand(t) && !load_acq(&t->p)) {
			break; /* once more: a moved one is in a heap again before it is let go */
		} else {
			os_yield();
		}
	}
	while (in_hand(t)) /* a periodic one */
		os_yield();
	return armed;
}

int64_t timer_run(P *p, int64_t now)
{
	int64_t next = load_rlx(&p->timer_next);
	if (next == 0 || next > now)
		return next;
	lock(&p->timer_lock);
	/* One at a time: who fires already comes round for what is due. */
	while (!p->timer_firing && p->ntimers && p->timer_heap[0].when <= now) {
		Timer *t = timer_of(p->timer_heap[0]);
		/* The next is one of these. */
		for (uint32_t i = 1; i <= 4 && i < p->ntimers; i++)
			__builtin_prefetch(timer_of(p->timer_heap[i]));
		void (*fn)(void *, int64_t) = t->fn;
		void *arg = t->arg;
		store_rel(&p->timer_firing,
		    t); /* stands in for the NULL before; pairs with load_acq in in_hand */
		store_rlx(&t->fired_on, p);
		if (t->period > 0) {
			t->when += t->period * (1 + (now - t->when) / t->period);
			sift_down(p, 0, slot_of(t));
			note_next(p);
		} else {
			take_out(p, 0);
			store_rel(&t->p, NULL); /* pairs with load_acq in timer_stop */
		}
		unlock(&p->timer_lock);
		fn(arg, now);
		lock(&p->timer_lock);
		store_rel(&p->timer_firing, NULL); /* pairs with load_acq in timer_stop */
	}
	next = p->timer_next;
	unlock(&p->timer_lock);
	return next;
}

void timer_each(P *p, void (*fn)(uintptr_t))
{
	lock(&p->timer_lock);
	for (uint32_t i = 0; i < p->ntimers; i++) {
		fn((uintptr_t)timer_of(p->timer_heap[i]));
		fn((uintptr_t)timer_of(p->timer_heap[i])->arg);
	}
	unlock(&p->timer_lock);
}

void timer_move_all(P *from, P *to)
{
	int64_t next = 0;
	lock(&from->timer_lock);
	while (from->ntimers) {
		if (from->timer_firing) { /* an M that came to help */
			unlock(&from->timer_lock);
			os_yield();
			lock(&from->timer_lock);
			continue;
		}
		/* In hand while it is in neither heap: timer_stop waits. */
		Timer *t = timer_of(from->timer_heap[from->ntimers - 1]);
		store_rel(&from->timer_firing, t); /* as above */
		store_rlx(&t->fired_on, from);
		take_out(from, from->ntimers - 1);
		store_rel(&t->p, NULL); /* pairs with load_acq in timer_stop */
		unlock(&from->timer_lock);
		lock(&to->timer_lock);
		insert(to, t);
		next = to->timer_next;
		unlock(&to->timer_lock);
		lock(&from->timer_lock);
		store_rel(&from->timer_firing, NULL); /* pairs with load_acq in in_hand */
	}
	free(from->timer_heap);
	from->timer_heap = NULL;
	from->timers_cap = 0;
	unlock(&from->timer_lock);
	if (next)
		sched_timer_armed(to, next);
}
