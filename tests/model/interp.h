/*
 * interp.h: what the interpreter's two parts share. interp.c has the steps of memory, locks, channels and
 * atomics, and runs the program; interp_waits.c has those of what else orders.
 */
#ifndef TESTS_MODEL_INTERP_H
#define TESTS_MODEL_INTERP_H

#include <goro.h>
#include <pthread.h>

#include "program.h"

extern Program p;
extern goro_mutex mutexes[MUTEXES];
extern pthread_mutex_t plain_mutex;

/* An Add beside a Wait is told of their bytes, or not: it depends on who parks. */
typedef struct Counted {
	goro_waitgroup waitgroups[WAITGROUPS];
	goro_group groups[GROUPS];
} Counted;
extern Counted counted;

/* Synchronisation in between makes no edge. */
void quiet_begin(void);
void quiet_end(void);
void check(int t, bool ok);
void mutex_lock(int m);
void mutex_unlock(int m);
bool mutex_trylock(int m);
/* One operation of step t is done. */
void done_step(int t);
/* The argument of these three, for a child that is born in step t. */
void *birth(int child, int t);
void body(void *arg);
void *thread_body(void *arg);
int task_body(void *arg);

void waits_init(void);
void perform_wait(int t, const Op *op);

#endif
