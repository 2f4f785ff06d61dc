/*
 * seed.h: what the files of the seeded scheduler share: seed.c (points, the clock, who runs), strategy.c
 * (the choice), schedule.c (the file of decisions), debug/interleaving.c (the list of steps).
 *
 * One P, hence one goroutine at a time: its thread owns all of this, but for the set, which threads of
 * the program may add to (sched.lock), and where said.
 */
#ifndef GORO_SCHED_SEED_H
#define GORO_SCHED_SEED_H

#include "internal.h"

#define SPIN_STEPS 10000 /* in a row, then the running one makes way once */

/* The runnable goroutines, in no order but a reproducible one. */
typedef struct SeedSet {
	G **g;
	uint32_t n, cap;
} SeedSet;

/* Who gives way, where, and why. */
typedef struct SeedLeave {
	G *stays;      /* it could go on, and is in the set; NULL: it stopped, or nobody ran */
	uint64_t from; /* its number; 0: nobody */
	uint64_t k;    /* its point */
	bool yields;   /* another is to go on, if there is one */
} SeedLeave;

typedef struct Seed {
	SeedOptions o;
	SeedSet set;
	SeedLeave leave;
	bool leaving; /* `leave` is to be decided */
	bool follows; /* a schedule */
	G *next;      /* decided already */
	uint64_t step, switches, diverged;
	uint32_t streak; /* steps since the last switch */
	int64_t clock, idle_since;
	uint32_t away;         /* goroutines in system calls without the P; atomic */
	uint32_t uncontrolled; /* atomic */
	uint64_t rand;
} Seed;
extern Seed seed;

uint64_t seed_random(void);

/* ---- strategy.c ---- */
void strategy_init(void);
void strategy_made(G *g);  /* new */
void strategy_woken(G *g); /* about to enter the set, having waited */
/* g is at a point: is there anything to decide? */
bool strategy_asks(G *g, SeedPoint what, const void *on, bool yields);
/* The next of the set, which is not empty; sched.lock held. */
G *strategy_choose(const SeedLeave *l);
/* By the plain rule (docs/schedules.md, 4). */
G *strategy_plain(const SeedLeave *l);

/* ---- schedule.c ---- */
/* Read GORACE's schedule= (fatal when malformed), open record=. */
void schedule_init(void);
/* The decision in the schedule: the goroutine's number, 0: none. The case, -1: none. */
uint64_t schedule_next(uint64_t from, uint64_t k);
int schedule_case(uint64_t g, uint64_t k);
void schedule_switched(uint64_t from, uint64_t k, uint64_t to);
void schedule_chose(uint64_t g, uint64_t k, int which);
/* What is written so far goes out; `last`: with its end. */
void schedule_end(bool last);
/* Lines whose point has not come. */
uint64_t schedule_unused(void);
/* `path` with %p replaced by the process id, in out; false: too long. */
bool schedule_path(const char *path, char *out, size_t size);

/* ---- debug/interleaving.c ---- */
extern bool interleaving_on;
void interleaving_init(void);
void interleaving_step(const G *g, SeedPoint what, const void *on, const void *pc);
void interleaving_switch(uint64_t to);
void interleaving_found(uintptr_t addr, size_t size);
void interleaving_end(void);

#endif
