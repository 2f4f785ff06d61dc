/*
 * internal.h: what the files of sched/ say to each other and to nobody else.
 */
#ifndef GORO_SCHED_INTERNAL_H
#define GORO_SCHED_INTERNAL_H

#include "runtime.h"

#define MS_MAX 10000 /* threads; as Go's */

/* The M of this thread (NULL on foreign threads), and its P (NULL: none, or in a system call). */
static inline M *m_here(void)
{
	G *g = g_self();
	return g ? g->m : m_self();
}

static inline P *p_here(void)
{
	M *m = m_here();
	return m ? m->p : NULL;
}

/* A G that was not touched for a while is soon to be: its first line, and the frame below. */
static inline void g_prefetch(const G *g)
{
	__builtin_prefetch(g);
	__builtin_prefetch((const char *)g - 64);
}

static inline void tls_g_set(G *g)
{
#if defined(__x86_64__)
	uintptr_t off;
	__asm__ volatile("movq tls_g@gottpoff(%%rip), %0\n\tmovq %1, %%fs:(%0)"
			 : "=&r"(off)
			 : "r"(g)
			 : "memory");
#else
	g_set_slow(g);
#endif
}
void g_set_slow(G *g);
void m_set(M *m);

/* ---- sched.c ---- */
/* Leave the running goroutine g for the next one or for g0, and come back when it runs again. m->after
 * says what becomes of g. dying: it never comes back. */
void leave(G *g, bool dying);
/* The running goroutine g goes to runnext and `next`, which is on no queue, runs in its place. False, and nothing
 * done: g has to stay, or an order waits for the M. g has a P. */
bool leave_for(G *g, G *next);

/* ---- threads.c ---- */
/* With sched.lock held: */
void p_idle_put(P *p);
P *p_idle_get(void);
P *p_extra(void);
/* P changes hands; no lock. */
void p_own(M *m, P *p);
void p_disown(M *m);
/* p, whose status nobody else may change now, has lost its M: give it to another or make it idle. */
void p_handoff(P *p);
/* Have some M run with p (NULL: an idle one, if any). False: no thread could be made; p is idle then. */
bool m_start(P *p, bool spinning);
M *m_new(void);
/* Set up the calling thread as m: thread-locals, alternate signal stack. */
void m_init_thread(M *m);
/* m, idle and perhaps asleep, is so no longer: off the list, out of its roles. sched.lock held. */
void m_not_idle(M *m);
/* m's note was written: wake it, wherever it sleeps. sched.lock held. */
void m_ring(M *m);
/* With no P: onto the idle list until there is one for us. A host (until) comes back without one when its time
 * is over. */
void m_stop(M *m, uint32_t *until);
/* m's wired goroutine is not running: sleep until another M found it and hands over its P. */
void m_stop_wired(M *m, const uint32_t *until);
/* The goroutine of m, wired to it, takes its place in the global queue, and m, which gives its P to others, sleeps
 * until it has come round. No lock, no thread is made, nothing of libc is called: for a signal handler. */
void m_make_way(M *m, G *g);
/* g is wired to another M: give it our P. False: it is wired no more. */
bool run_wired(M *m, G *g);
/* No more spinning: work was found. The last spinner sees to it that another looks on. */
void m_stop_spinning(M *m);
/* Has a P something that another could take? runnext of one that runs does not count. Hints. */
bool any_surplus(void);
int64_t timers_earliest(void);
/* sched.lock held. Where no M sleeps for the timers one is told to, if there is one. False: there is none, and there are
 * timers. */
bool timer_m_is_there(void);

/* ---- preempt.c ---- */
typedef enum Poke { POKE_NONE, POKE_STOP, POKE_STOP_LIBC } Poke;
void preempt_init(void);
/* sysmon: p runs the same goroutine for a slice or more. wanted: others could use it. */
void preempt_look(P *p, int64_t now, bool wanted);
/* sysmon: it does not any more. */
static inline void preempt_forget(P *p)
{
	p->look_at = 0;
	p->stuck = false;
}
/* On the way into a system call that a signal would end: let one that is under way come first. */
void preempt_settle(M *m);

/* ---- seed.c: where SEEDED ---- */
void seed_init(void);
void seed_made(G *g); /* a new goroutine */
/* With sched.lock held: into the set of the runnable; one out of it, by the strategy (NULL: none). */
void seed_put(G *g);
G *seed_take(void);
/* m's goroutine stops: the next, or NULL: g0 must look. */
G *seed_pick(M *m);
G *seed_find(M *m);
/* The only P becomes idle, or is taken from there; sched.lock held. */
void seed_idle(bool idle);
/* sysmon: is p, in a system call since `since`, to be taken from it? Its goroutine is back. */
bool seed_retakes(const P *p, int64_t since, int64_t now);
void seed_back(void);
void seed_note(uint32_t uncontrolled);
void seed_linger(void); /* main has returned: the others may go on for a while */
void seed_forked(void);

/* ---- mask.c ---- */
void mask_init(void); /* the mask of this thread is that of all */
void mask_end(G *g);  /* g ends, which had its own */

/* ---- the rest ---- */
G *g_foreign(void);
void foreign_park(G *g);
void foreign_ready(G *g);
void stack_trim(void);            /* sysmon: give back pages of long-idle stacks */
uintptr_t stack_base(const G *g); /* lowest address, guard included */
bool stack_guards_cost(void);     /* mprotect instead of guard markers */
void stack_init(void);
void fault_init(void);           /* handlers of faults, once */
bool altstack_init(void);        /* an alternate signal stack for this thread, if it has none */
void altstack_fini(void);        /* take that one away again */
void sysmon_start(void);         /* once; with no lock held */
void sysmon_wake(void);          /* out of its deep sleep; sched.lock held */
void sysmon_poke(void);          /* out of it if it would not look again; sched.lock held */
void sysmon_look(void);          /* look now; no lock */
void procs_attention(void);      /* every P goes through g0 at its next pick */
void procs_stand_in(uint32_t n); /* n Ps more than GOMAXPROCS; sysmon */
void procs_retire(M *m, P *p);   /* m gives up its p, which is beyond GOMAXPROCS */

#endif
