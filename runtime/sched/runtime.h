/*
 * runtime.h: the scheduler's data: G, M, P, Sched; their states; what guards each field.
 *
 * G  a goroutine: stack, saved registers, state. It lives at the top of its own stack mapping (one page
 *    holds both for a small goroutine) and is never unmapped: a stale G pointer may be read.
 *    A thread of the program that blocks in goro is represented by a G of its own kind (foreign).
 * M  an operating-system thread of goro's, or one that called goro_run. Its own stack is "g0", which
 *    looks for work and sleeps; no goroutine code runs there.
 * P  the right to run goroutines, with its run queue and timers. As many as GOMAXPROCS.
 *
 * Switching. A parking goroutine picks its successor itself and switches straight to it. What must
 * happen only once its registers are saved (release the lock it parks under, put it on a queue, free a
 * dead G) is left in m->after and done first thing on the other side, by sched_switched(). g->m and
 * g->m->p are valid while g runs and must be read anew after every park: a G may wake on another M.
 *
 * Nothing thread-bound survives a park (style rule 7): use me->m, never a saved M or P; errno is carried
 * across by park.
 *
 * States of G: DEAD -> RUNNABLE -> RUNNING -> {RUNNABLE, WAITING, SYSCALL, DEAD}; WAITING -> RUNNABLE
 * by ready() alone. The state is written by the one who has the G in hand: its own M while it runs, the
 * waker after it took it off a wait queue. Others read it for dumps only, hence relaxed.
 */
#ifndef GORO_SCHED_RUNTIME_H
#define GORO_SCHED_RUNTIME_H

#include <signal.h>

#include "../base/atomic.h"
#include "../base/fatal.h"
#include "../base/frame.h"
#include "../base/list.h"
#include "../base/lock.h"
#include "../goro.h"
#include "../hooks.h"
#include "../os/os.h"
#include "trace.h"

typedef struct G G;
typedef struct M M;
typedef struct P P;
typedef struct Waiter Waiter;
typedef struct Timer Timer;
typedef struct TimerSlot TimerSlot;
typedef struct AtExit AtExit;
typedef struct IoWaiter IoWaiter;

#define PROCS_MAX 1024 /* more are clamped */
#ifdef GORO_HARD       /* HARD builds shrink limits so that overflow paths run in the tests */
#define RUNQ_SIZE 4
#define LIFO_SIZE 8
#else
#define RUNQ_SIZE 256 /* as Go's; a power of two */
#define LIFO_SIZE 256 /* goroutines that made way for those they made; a power of two */
#endif

/* With that many new ones waiting a P runs a new goroutine at once, on the stack that died last, instead of
 * queueing it. */
#ifndef BREADTH
#define BREADTH (RUNQ_SIZE / 4)
#endif

#define GFREE_MAX 128 /* dead Gs that a P keeps */

typedef enum GState { G_DEAD, G_RUNNABLE, G_RUNNING, G_WAITING, G_SYSCALL } GState;

/* Why a G waits; the text stands in dumps (Go's words). */
#define WAIT_REASONS(W)                                                                            \
	W(WAIT_NONE, "")                                                                           \
	W(WAIT_CHAN_RECV, "chan receive")                                                          \
	W(WAIT_CHAN_SEND, "chan send")                                                             \
	W(WAIT_CHAN_RECV_NIL, "chan receive (nil chan)")                                           \
	W(WAIT_CHAN_SEND_NIL, "chan send (nil chan)")                                              \
	W(WAIT_SELECT, "select")                                                                   \
	W(WAIT_SELECT_NONE, "select (no cases)")                                                   \
	W(WAIT_SLEEP, "sleep")                                                                     \
	W(WAIT_SEMACQUIRE, "semacquire")                                                           \
	W(WAIT_MUTEX, "sync.Mutex.Lock")                                                           \
	W(WAIT_RWMUTEX_R, "sync.RWMutex.RLock")                                                    \
	W(WAIT_RWMUTEX_W, "sync.RWMutex.Lock")                                                     \
	W(WAIT_WAITGROUP, "sync.WaitGroup.Wait")                                                   \
	W(WAIT_COND, "sync.Cond.Wait")                                                             \
	W(WAIT_ONCE, "sync.Once.Do")                                                               \
	W(WAIT_IO, "IO wait")                                                                      \
	W(WAIT_GOMAXPROCS, "GOMAXPROCS")                                                           \
	W(WAIT_EXIT, "pthread_exit")

typedef enum WaitReason {
#define WAIT_(name, text) name,
	WAIT_REASONS(WAIT_)
#undef WAIT_
	    WAIT_COUNT
} WaitReason;

/* What the seeded scheduler keeps of a goroutine (seed.c); race builds. */
typedef struct SeedG {
	uint64_t steps; /* points so far */
	int64_t prio;   /* pct, pos */
	const void *on; /* pos: what it is about to use; NULL: not known */
	uint32_t what;  /* SeedPoint */
	uint32_t at;    /* its place in the set of the runnable; sched.lock */
} SeedG;

/* The first line is all that a goroutine needs that never waits, the second what waiting needs; the frames
 * begin right below. Creation writes the first only: what it would write elsewhere is left clean by
 * go_exit. */
struct G {
	void *sp;               /* saved stack pointer while not running; see os/switch_amd64.S */
	M *m;                   /* who runs it; own M */
	RaceCtx *race;          /* constant while alive */
	uint64_t id;            /* goroutine number from 1; constant while alive */
	const void *created_pc; /* return address of the go statement; constant while alive */
	uint64_t created_by; /* id of the creator, 0: none; foreign: the thread's number, from 1 */
	AtExit *at_exit;     /* innermost first; own; run by go_exit before hook_end */
	uint32_t state;      /* GState; see above */
	int saved_errno;     /* across a park */

	Waiter *waiter; /* while waiting: its waiters (sync.h, chan); the lock it parked under */
	void *wake_arg; /* from the waker to the woken: the Waiter that fired, or NULL; the waker */
	const void *wait_on;  /* what it waits for, or its select (select_waits); own M */
	int64_t wait_since;   /* sched.coarse_now when it parked, 0 when not known; relaxed */
	uint32_t wait_reason; /* WaitReason; own M */
	uint32_t select_done; /* select: 0 until one waker wins, by cas; see chan/select.c */
	uint32_t preempt;     /* asked to yield at the next safe point; relaxed */
	uint32_t locked;      /* goro_lock_os_thread depth; own */
	uint8_t stack_class;  /* log2 of the stack's size; constant. 0: a foreign thread's G */
	bool is_main;
	bool named;   /* name is set */
	bool masked;  /* its signal mask is not sched.mask: wired for that; own; mask.c */
	bool foreign; /* stands for a thread of the program: park sleeps on `note`; constant */
	G *next;      /* link of foreign.c's free list */

	uintptr_t stack_lo;   /* lowest usable address (above the guard); constant */
	uintptr_t stack_hi;   /* where frames start, below this struct; constant */
	M *locked_m;          /* the M it is wired to, while locked > 0; own */
	void *san;            /* sanitizer's own (fake stack or fiber); see os/sanitizer.h */
	void *cxx_globals[2]; /* __cxa_get_globals contents across a park, in C++ programs */
	uint32_t note;        /* foreign: futex its park sleeps on: 0 asleep, 1 readied */
	char name[24];        /* goro_set_name; own, read torn at worst by dumps */
	void *
	    stopped; /* preempted: the ucontext where it stands, on its thread; own M, read by dumps */
	SeedG seed;
	const void *trace_fn; /* what it began with, where TRACED; constant while alive */
};

/* The registers of a caller, as far as unwinding needs them: where code keeps its frame's address in another
 * register than bp, compilers store it in the frame. */
typedef struct CallSite {
	uintptr_t pc, sp, bp;
} CallSite;

/* What the new side does for the old one, once the old one's registers are saved. */
typedef enum After {
	AFTER_NOTHING,
	AFTER_UNLOCK, /* release after_lock */
	AFTER_YIELD,  /* after_g to the tail of the local queue */
	AFTER_NEXT,   /* after_g to runnext */
	AFTER_GLOBAL, /* after_g to the global queue */
	AFTER_DEAD,   /* after_g's stack may be used again */
	AFTER_CALL    /* after_fn(after_g, after_arg) */
} After;

struct M {
	G *g;                          /* running goroutine; NULL on g0; own */
	P *p;                          /* NULL: none; own M, sched.lock when idle */
	void *g0_sp;                   /* saved while a goroutine runs; own */
	After after;                   /* own: see above */
	G *after_g;                    /* the G left behind */
	Lock *after_lock;              /* AFTER_UNLOCK */
	void (*after_fn)(G *, void *); /* AFTER_CALL */
	void *after_arg;
	int *errno_at;    /* this thread's errno; constant */
	void **cxx;       /* this thread's __cxa_get_globals, NULL without C++; constant */
	bool spinning;    /* looking for work; counted in sched.nspinning */
	int naps;         /* m_stop: how often to look for work before a sleep for good; own */
	int poor;         /* how often in a row what it stole was not worth it; own */
	int64_t stole_at; /* os_now when it last stole, 0 never; own */
	G *picked;        /* taken from a queue but not to be run without g0's judgement; own */
	P *next_p;        /* P handed over by the waker; set under sched.lock before note */
	uint32_t note;    /* futex: 0, 1 woken (next_p), 2 look at the timers again */
	bool in_poller;   /* sleeps in the poller, not on note; own M, while it is idle */
	IoWaiter *polled; /* what it found there; own */
	M *idle_next;     /* sched.lock */
	M *all_next;      /* sched.lock to write, never removed */
	uint64_t rand;    /* xorshift state; own */
	uint32_t tid;     /* own; relaxed: a host's changes with each goro_run */
	int id;
	bool left_main;         /* the goroutine that came back to g0 last was the main one; own */
	bool frozen;            /* while sched.ended: on g0, and stays there; own, read by leak.c */
	uintptr_t host_frame;   /* host: where goro_run was called; constant while it is */
	bool is_host;           /* thread of the caller of goro_run, not ours */
	bool idle;              /* on sched.idle_m; sched.lock */
	G *locked_g;            /* goro_lock_os_thread */
	bool own_altstack;      /* the alternate signal stack is goro's; own */
	void *san;              /* sanitizer's own, for g0 */
	uintptr_t g0_lo, g0_hi; /* this thread's own stack; constant */
	/* syscall */
	P *syscall_p;        /* P it had when it went into a system call; own */
	uint32_t in_syscall; /* own: 0, 1, or M_FORKED: alone in a forked child, see fork.c */
	uint32_t site_seq;   /* a sequence lock: odd inside; own M writes, dumps read */
	CallSite site;       /* who called; under site_seq */
	/* preempt.c */
	uint32_t poked;      /* Poke: sysmon sets, own M clears; relaxed */
	uint32_t poked_tick; /* schedtick of the P that it is meant for; written before poked */
	uint32_t looked;     /* a dump sets, own M clears; relaxed */
};

typedef struct RunQ {
	uint32_t head; /* cas: owner and thieves */
	uint32_t tail; /* owner stores */
	G *slot[RUNQ_SIZE];
} RunQ;

typedef enum PStatus { P_IDLE, P_RUNNING, P_SYSCALL, P_DEAD } PStatus;

struct P {
	RunQ runq;          /* put: owning M only; steal: any M */
	RunQ fresh;         /* the same; see runq.c */
	G *runnext;         /* owner swaps; thieves cas it away after a while */
	bool next_made_way; /* what it last put into runnext belongs to lifo; owner */
	G *lifo
	    [LIFO_SIZE]; /* slots as runnext: owner stores into empty ones, anyone cas them away */
	uint32_t lifo_low,
	    lifo_high;       /* in use: [low, high), free-running; owner writes, others read */
	uint32_t section;    /* 1: inside; owner; read by solo_settle; see solo.h */
	uint32_t status;     /* PStatus; cas between owner and sysmon while in a system call */
	uint32_t schedtick;  /* picks so far; owner writes, sysmon reads relaxed */
	uint32_t nextticks;  /* picks of runnext in a row; owner */
	uint32_t ringticks;  /* picks of the ring while lifo waits; owner */
	uint32_t freshticks; /* picks of the ring and lifo while fresh waits; owner */
	bool behind;         /* lifo or fresh may have something; owner */
	uint32_t turns;      /* of fresh, before the ring; owner writes, sysmon reads relaxed */
	uint32_t fresh_due; /* what stands in fresh before this place goes before the ring; owner */
	uint32_t overdue;   /* lifo and fresh wait for long; sysmon sets, owner clears; relaxed */
	uint32_t syscalltick; /* system calls so far; owner writes, sysmon reads */
	uint32_t attention;   /* go through g0 at the next pick: a timer is due, procs changed, main
	                         returned; anyone sets, owner clears; relaxed */
	int id;               /* constant */
	M *m;                 /* owner; NULL when idle */
	P *idle_next;         /* sched.lock */
	G *gfree[GFREE_MAX];  /* dead Gs with their stacks, default class; owner */
	uint32_t ngfree;
	uint64_t id_next, id_end; /* goroutine numbers in stock; owner */
	TraceRing trace;          /* owner writes, snapshots read */
	int64_t ngoroutines;      /* made minus ended here; owner writes, summed relaxed */
	/* sysmon's notes on this P; sysmon alone */
	uint32_t seen_schedtick, seen_syscalltick;
	uint32_t seen_turns;
	int64_t seen_turns_at;
	int64_t seen_sched_at, seen_syscall_at;
	/* preempt.c's, when it last looked at what runs here; sysmon alone */
	int64_t look_at;   /* when it will again; 0: it has not yet */
	int64_t looked_at; /* when it did */
	int64_t look_cpu;  /* the thread's processor time then */
	uint32_t look_syscalls;
	M *look_m;
	int64_t asleep_since; /* 0: it computes */
	uint32_t asked;       /* to stop, in vain */
	bool stuck;           /* another P stands in for this one; see preempt.c */
	/* timers: time/timer.c */
	Lock timer_lock; /* rank TIMERS; guards the next four */
	TimerSlot *timer_heap;
	uint32_t ntimers, timers_cap;
	int64_t
	    timer_next; /* when of the earliest, 0 none; written under timer_lock, read relaxed */
	Timer *timer_firing; /* whose fn runs now; written under timer_lock, read by load_acq */
};

typedef struct Sched {
	Lock lock; /* rank SCHED: guards the unmarked fields below */
	G **runq;  /* global queue: a ring of runq_cap, a power of two; grows */
	uint32_t runq_cap, runq_head;
	uint32_t runq_size; /* written under lock, read relaxed */
	M *idle_m;
	P *idle_p;
	uint32_t nidle_m;
	uint32_t nidle_p;   /* atomic: read without lock by wakep */
	uint32_t nspinning; /* atomic */
	uint32_t nm;        /* Ms that have a thread */
	uint32_t nhosts;    /* of those, threads inside goro_run */
	M *spare_m;         /* one whose thread could not be made */
	uint32_t
	    sysmon_state; /* 0 no thread, 1 runs, 2 in deep sleep, 3 in deep sleep but will look */
	uint32_t sysmon_note;  /* futex */
	uint32_t npolling;     /* atomic: Gs that wait on a descriptor (net/netpoll.c) */
	uint32_t procs;        /* GOMAXPROCS now; written under lock, read relaxed */
	uint32_t procs_in_use; /* Ps from here on retire: procs and those that stand in; the same */
	bool preempt;  /* who computes without end is to make way; constant after sched_init */
	uint64_t mask; /* of all threads; bit 0 is signal 1; mask.c */
	int64_t slice; /* how long one may run while others wait; ns; constant after sched_init */
	P *all_p[PROCS_MAX]; /* filled once, then constant */
	uint32_t nall_p;     /* grows; store_rel under lock, load_acq in readers */
	M *all_m;            /* grows; store_rel under lock, load_acq in readers */
	int64_t ngoroutines; /* atomic: as P's, for those made or ended without a P */
	uint64_t next_id;    /* atomic: last goroutine number given out */
	int64_t
	    coarse_now; /* os_now at sysmon's last tick: a clock for dumps that parking can afford */
	uint32_t ready;       /* atomic: sched_init is through */
	uint32_t ended;       /* atomic, futex: main has returned: Ms freeze at their next pick */
	uint32_t main_exited; /* main called goro_goexit; atomic */
	G *main_left;         /* main called pthread_exit and waits for the others to end; atomic */
	uint32_t forked; /* this is a child of fork, without the parent's threads; constant there */
	M *timer_m;      /* the idle M that sleeps until the next timer; atomic */
	int64_t idle_until; /* until when it sleeps; 0 while there is none; atomic */
	M *nap_m;          /* the idle M that will look for work soon; written under lock, atomic */
	uint32_t poller;   /* atomic: the poller is open, never closed */
	M *poll_m;         /* the M that sleeps in it; set under lock, cleared by itself */
	int64_t polled_at; /* os_now when somebody last looked there; relaxed */
} Sched;
extern Sched sched;

/* One park of one G on one object: a channel, a semaphore, a condition. Lies on the waiter's stack. */
struct Waiter {
	Waiter *next, *prev; /* queue; the object's lock */
	Waiter *link, *tail; /* semaphore: others waiting on the same object; the bucket's lock */
	G *g;
	void *elem;     /* channel: the value's place; NULL discards */
	void *object;   /* goro_chan*, address of a semaphore, ... */
	int index;      /* select: which case; -1: not a select */
	bool is_select; /* others compete: win g->select_done by cas before taking it off */
	bool success;   /* channel: a value was passed (false: closed); the waker, under the lock */
	uint32_t ticket;  /* semaphore, cond: order and handoff flags */
	uint32_t leaving; /* select: who takes it off its queue; atomic, see chan/chan.h */
	int64_t since;    /* mutex: when it began to wait */
	const void *pc;   /* the public call it waits in, for what a peer does on its behalf */
};

/* What a goroutine owes when it ends, by return or by goro_goexit. Lies on its stack; see G.at_exit. */
struct AtExit {
	AtExit *next;
	void (*fn)(void *arg);
	void *arg;
};

/* ---- this thread ---- */

/* The running goroutine; NULL on g0 and on foreign threads. One instruction through initial-exec TLS;
 * volatile, so that no compiler keeps it across a park. */
G *g_self_slow(void);
extern __thread G *tls_g __attribute__((tls_model("initial-exec")));
static inline G *g_self(void)
{
#if defined(__x86_64__)
	G *g;
	__asm__ volatile("movq tls_g@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(g));
	return g;
#else
	return g_self_slow();
#endif
}
/* The M of this thread; NULL on foreign threads. */
M *m_self(void);
/* The running goroutine; on a foreign thread (or g0) NULL is turned into a fatal text naming `what`,
 * unless the operation can serve foreign threads. */

/* ---- goroutines (proc.c) ---- */

/* Park the running goroutine: `l` (held by the caller) is released once its registers are saved, and
 * it runs again after ready(). Saves and restores errno. */
void park(Lock *l, WaitReason why, const void *on);
/* As park, with unlock(g, arg) in place of the release of one lock (AFTER_CALL): it runs on the other
 * side, once the registers are saved; g may be running again before it returns, so it must not touch g
 * after what publishes it. */
void park_fn(void (*unlock)(G *g, void *arg), void *arg, WaitReason why, const void *on);
/* Make a parked G runnable: next on this P when `next`, else at the tail. The caller took it off its
 * wait queue and holds no lock of rank SCHED or above. Works from foreign threads and g0 too (global queue). */
void ready(G *g);
void ready_tail(G *g);
/* Yield: to the tail of the local queue. */
void yield(void);
/* Honour a request to yield (a goroutine that ran for 10 ms): at the end of operations that did not block,
 * with no lock held. */
static inline void preempt_check(void);
/* Create a G that will run f(arg); NULL when out of memory. stack_size 0: the default. `pc`: return
 * address of the public function. The caller may set name, then makes it runnable by go_start. */
G *go_new(void (*f)(void *), void *arg, size_t stack_size, const void *pc);
G *go_new_main(void (*f)(void *), void *arg, size_t stack_size, const void *pc);
void go_start(G *g);
_Noreturn void go_exit(void);
int64_t goroutines(void); /* that live, as it looks */
/* A goroutine, or a foreign thread that blocks on a futex: who waits. Foreign threads may use every
 * blocking operation: they get a G of their own kind whose park sleeps on a futex. */
G *g_current(void);
/* The detector's context of the caller: a goroutine's or a foreign thread's. NULL in a plain build. */
static inline RaceCtx *race_self(void)
{
	if (!GORO_RACE)
		return NULL;
	G *g = g_self();
	return g ? g->race : hook_self();
}

/* ---- an M's life (sched.c, threads.c) ---- */
void sched_init(void);     /* idempotent, thread-safe */
void sched_switched(void); /* the after-switch work; first thing on every arrival */
void sched_loop(
    M *m, uint32_t *until); /* on g0: run goroutines; returns once *until is set (a host) */
void sched_wakep(void);     /* there is surplus work: see that an M looks for it */
void sched_put_global(G *const *g, uint32_t n); /* wakes nobody */

/* ---- run queues (runq.c) ---- */
/* True: the queue proper got something, so there is surplus for another M (not for runnext alone). */
bool runq_put(P *p, G *g, bool next);
/* The same for a new goroutine, to runnext; what was there joins the other new ones. */
bool runq_put_new(P *p, G *g);
/* One that yielded: behind all, the new ones as well. */
void runq_put_yielded(P *p, G *g);
/* How many new ones wait; the owner's. May be less than that. */
static inline uint32_t runq_new(const P *p)
{
	return load_rlx(&p->fresh.tail) - load_rlx(&p->fresh.head);
}
/* To runnext; what was there runs right after it. True as above. */
bool runq_put_lifo(P *p, G *g);
G *runq_get(P *p);
G *runq_steal(P *thief, P *victim, bool take_next);
bool runq_empty(const P *p);
/* Is there something that a thief could take at once? A hint. */
bool runq_surplus(const P *p);

/* ---- stacks (stack.c) ---- */
G *stack_new(size_t size); /* a dead G on top of its stack, or NULL */
void stack_free(G *g);     /* dead; into the cache of the P of this M, or the global one */
size_t stack_default_size(void);
void stack_each_g(void (*fn)(G *, void *), void *arg); /* all Gs ever made, for dumps */
size_t stack_bytes(void);                              /* address space of all stacks ever made */
/* Which G's stack or guard holds addr; NULL for none. Async-signal-safe. */
G *stack_find(uintptr_t addr);

/* ---- timers (time/timer.c) ---- */
struct Timer {
	int64_t when;   /* when it fires next; its P's timer_lock */
	int64_t period; /* 0: once */
	P *p;           /* heap it is in, NULL none; changes under p->timer_lock */
	P *fired_on;    /* P that last took it out to fire it; written before p becomes NULL */
	uint32_t index; /* its place in the heap, unless it is fixed; p->timer_lock */
	bool fixed;     /* never stopped; constant while armed */
	void (*fn)(void *arg, int64_t now); /* runs on the scheduler, short, may ready(); no park */
	void *arg;
};
/* Arm a timer that is not armed: on this thread's P, or on some P from foreign threads. */
void timer_arm(Timer *t, int64_t when);
/* True: it was armed and will not fire. On return fn neither runs nor will run. Not from fn. */
bool timer_stop(Timer *t);
/* Run what is due on p; when of the next, 0 none. fn may take locks of rank CHAN and above: so never
 * from inside park, before the after-switch work, where the parking goroutine may hold them. */
int64_t timer_run(P *p, int64_t now);
/* Until when to sleep for the timers of p, the earliest of which is due at `when`: a little longer where many are. */
int64_t timer_meet(P *p, int64_t when);
/* What the armed timers of p hold on to. */
void timer_each(P *p, void (*fn)(uintptr_t));
/* p stops (GOMAXPROCS sank): all its timers go to `to`. */
void timer_move_all(P *from, P *to);
/* threads.c, called by timer_arm without locks when `when` became the earliest of p: see that an M will
 * look at p's timers by then, even when all sleep or p has no M. */
void sched_timer_armed(P *p, int64_t when);

/* ---- channels (chan/select.c) ---- */
/* What a goroutine in a select waits for, in the order of its cases. */
typedef struct SelectWait {
	const goro_chan *chan;
	int index; /* of the case */
	bool send;
} SelectWait;
/* The first `max` of them; how many there are in all. sel: its wait_on, which may end meanwhile: then what is
 * found means nothing, but no harm is done. */
int select_waits(const void *sel, SelectWait *out, int max);

/* ---- descriptors (net/netpoll.c) ---- */
/* What became ready in the poller, which is open; waits as os_poll_wait. The waiters are the caller's, who
 * makes them runnable: the first next on this P, the others at the tail. */
IoWaiter *netpoll_poll(int64_t ns);
void netpoll_ready(IoWaiter *list);
/* Goroutines wait for descriptors, and no M sleeps in the poller. */
static inline bool netpoll_unwatched(void)
{
	/* Hints: sysmon asks again. */
	return load_rlx(&sched.npolling) && load_acq(&sched.poller) && !load_rlx(&sched.poll_m);
}

/* ---- system calls (syscall.c) ---- */
void syscall_enter(void);
void syscall_exit(void);
/* The same where the process ends: never waits for a P that others may keep for ever. */
void syscall_exit_now(void);
/* Around a call in which the goroutine must stay on its thread (it takes a pthread mutex, say). False:
 * not on a goroutine's own stack, or in such a call already: nothing was done. */
bool syscall_enter_here(void);
void syscall_exit_here(void);

/* ---- fork (fork.c) ---- */
#define M_FORKED 2u
void fork_init(void);
/* What was asked for takes threads that a forked child does not have. */
_Noreturn void fork_fatal(void) __attribute__((cold));

/* ---- deadlock, dumps (deadlock.c, debug/) ---- */
/* sched.lock held; fatal when nothing can ever run again. True: it looks dead but for threads of the
 * program's own, which may wake something or end; sysmon asks again. */
bool deadlock_check(void);
const char *wait_reason_text(WaitReason w);
void quit_init(void); /* SIGQUIT dumps all goroutines and ends; debug/fatal.c */
/* A fault of goroutine g_self(), that nobody handles: words and traceback; returns. debug/fatal.c */
void fault_print(int sig, const siginfo_t *si, const void *ucontext);
/* GODEBUG=schedtrace=MS,scheddetail=1: a line on stderr when it is time; the ns until the next, -1: not
 * asked for. sysmon only; debug/schedtrace.c */
int64_t schedtrace(int64_t now);
/* The value of name in GODEBUG=name=value,...; 0 when it is not there. debug/schedtrace.c */
long godebug(const char *name);
/* The same as text: copied up to the comma, cut to size. False: it is not there. */
bool godebug_text(const char *name, char *to, size_t size);
/* GORACE=leaks=1: report goroutines that wait for ever. On the goroutine that ends the process, whose stack
 * counts from `frame` on; debug/leak.c, race builds. */
void leaks_find(void *frame);
/* preempt.c: have m's thread, if it runs g now, run look_here in a signal handler. No call of the program's is
 * disturbed by it that goro knows. False: it will not. One caller at a time. */
bool preempt_interrupt(M *m, const G *g);
/* debug/walk.c: walk g's stack, interrupted at ucontext uc, for who asked for it, if somebody did. */
void look_here(G *g, const void *uc);
void traceback_g(int fd, G *g); /* "goroutine 7 [chan receive]:" and its frames */
void traceback_all(int fd, G *first);

/* ---- seeded schedules (seed.c), in race builds only ---- */
extern uint32_t seed_on; /* constant once sched_init is through */
#define SEEDED (GORO_RACE && unlikely(load_rlx(&seed_on)))
void seed_point(SeedPoint what, const void *on, const void *pc);
/* In a public function, before its operation, with no lock held: another goroutine may go on here. */
#define sched_point(what, on)                                                                      \
	do {                                                                                       \
		if (SEEDED)                                                                        \
			seed_point(what, on, __builtin_return_address(0));                         \
	} while (0)
/* A select of n cases begins: the order in which to try them; which it took. */
void seed_shuffle(int *order, int n);
void seed_chose(int which, int n);
int64_t seed_now(void);
/* The program's clock: os_now, or that of a seeded run. */
static inline int64_t sched_now(void)
{
	return SEEDED ? seed_now() : os_now();
}

static inline void preempt_check(void)
{
	G *g = g_self();
	if (g && unlikely(load_rlx(&g->preempt))) /* a hint: late or lost does no harm */
		yield();
}

#endif
