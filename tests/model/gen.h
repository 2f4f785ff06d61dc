/*
 * gen.h: what the generator's parts share: the state that decides what may run next, and how a step is
 * put down. program.c has memory, locks, channels and life; program_waits.c what else orders.
 */
#ifndef TESTS_MODEL_GEN_H
#define TESTS_MODEL_GEN_H

#include "program.h"

typedef enum Life { GOROUTINE, THREAD, TASK } Life;

typedef struct Gen {
	Program *p;
	uint64_t rng;
	int alive[MAX_GOROUTINES], nalive, born;
	Life life[MAX_GOROUTINES];
	int group_of[MAX_GOROUTINES]; /* TASK */
	int target;                /* goroutines that should be alive */
	int holder[MUTEXES];       /* goroutine, -1 free */
	int writer[RWMUTEXES];
	uint64_t readers[RWMUTEXES]; /* one bit each */
	int len[CHANS];
	bool closed[CHANS];
	int count[WAITGROUPS];
	bool live[BLOCKS];
	bool dead[BLOCKS];         /* freed, nothing allocated since, no thread ended: nobody else's memory */
	int waiting[CONDS][MAX_GOROUTINES], nwaiting[CONDS]; /* in order of arrival */
	int units[SEMAS];          /* that are left */
	enum { NO_TIMER, STOPPED, ARMED, FIRED } timer[TIMERS];
	bool after[AFTERS];        /* there, its value not received */
	bool cancelled[CONTEXTS];
	int active[GROUPS];
	bool failed, waited;       /* the first group: an error, a Wait */
	int bytes[PIPES];
	int ended[MAX_GOROUTINES], nended; /* threads that nobody joined yet */
} Gen;

uint32_t rnd(Gen *s, uint32_t below);
Op *put(Gen *s, Kind kind, int g, int obj);
void put_pair(Gen *s, Kind first, int g, Kind second, int h, int obj);
/* Another living goroutine, or -1. */
int other(Gen *s, int g);
/* One more of its life, as alive; its number. There is room: s->born < MAX_GOROUTINES. */
int born(Gen *s, Life life);
/* g is not to be asked for steps: it waits, or has ended. */
void gone(Gen *s, int g);

/* Groups of operations; each puts down a step or two, or none. */
void gen_threads(Gen *s, int g);
void gen_conds(Gen *s, int g);
void gen_semas(Gen *s, int g);
void gen_timers(Gen *s, int g);
void gen_contexts(Gen *s, int g);
void gen_groups(Gen *s, int g);
void gen_pipes(Gen *s, int g);
void gen_barriers(Gen *s, int g);

#endif
