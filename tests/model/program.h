/*
 * program.h: a random concurrent program as a list of steps, and the generator.
 *
 * A step is one operation of one goroutine, or a pair of two that meet: the second would block and the
 * first lets it go (send and receive, unlock and lock, Done and Wait). Who waits for a condition does so
 * from the step of its Wait to that of its Back. Steps are executed strictly one
 * after the other, in this order, under a barrier that the detector cannot see; so the trace is known
 * before the program runs, and a seed says all.
 */
#ifndef TESTS_MODEL_PROGRAM_H
#define TESTS_MODEL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	MAX_GOROUTINES = 64,
	MAX_STEPS = 400,
	MUTEXES = 4,        /* the last one is a pthread_mutex_t */
	RWMUTEXES = 2,      /* no pthread_rwlock_t: libc's is unlocked by the thread that locked it alone */
	CHANS = 4,
	WAITGROUPS = 2,
	ONCES = 2,
	CELLS = 4,          /* atomic variables */
	ARENA = 96,         /* bytes of shared memory; the cells lie in it, from CELL_START */
	CELL_START = 64,
	CELL_STRIDE = 8,
	BLOCKS = 3,         /* heap blocks, allocated afresh again and again */
	BLOCK_SIZE = 40,    /* of them, what is accessed */
	BLOCK_ALLOC = 200,  /* what is asked for: a size that nothing else in the process has */
	BLOCK_DEAD = 16,    /* a freed block is written to from here on: malloc's links lie before it */
	CONDS = 2,          /* goro's, with the first mutex; a pthread_cond_t, with the last */
	SEMAS = 2,          /* goro's; a sem_t */
	SEMA_UNITS = 2,
	TIMERS = 2,
	AFTERS = 2,         /* channels of goro_after */
	CONTEXTS = 4,       /* a root, one below it, one with a deadline, one of the first group */
	CTX_BELOW = 1, CTX_DEADLINE = 2, CTX_GROUP = 3,
	GROUPS = 2,
	GROUP_LIMIT = 2,    /* of the second */
	PIPES = 6,          /* two pipes, the two directions of a socketpair, two eventfds */
	BARRIERS = 2,
};

#define KINDS(K)                                                                                   \
	K(GO) K(END) K(READ) K(WRITE) K(COPY) K(LOCK) K(UNLOCK) K(TRYLOCK) K(RLOCK) K(RUNLOCK) K(WLOCK)  \
	K(WUNLOCK) K(TRYRLOCK) K(TRYWLOCK) K(SEND) K(RECV) K(TRYSEND_FULL) K(TRYRECV_EMPTY) K(CLOSE)     \
	K(RECV_CLOSED) K(ADD) K(DONE) K(WAIT) K(ONCE) K(LOAD) K(STORE) K(RMW) K(CAS_FAIL) K(FENCE)       \
	K(ALLOC) K(FREE) K(YIELD)                                                                        \
	K(THREAD) K(JOIN) K(COND_WAIT) K(COND_BACK) K(SIGNAL) K(SEM_TAKE) K(SEM_TRY) K(SEM_GIVE)         \
	K(TIMER_NEW) K(TIMER_RESET) K(TIMER_STOP) K(TIMER_RECV) K(AFTER) K(AFTER_RECV) K(FUNC)           \
	K(FUNC_NEW) K(FUNC_RESET) K(CANCEL) K(CTX_DONE) K(CTX_ERR) K(CTX_DEADLINE) K(GROUP_GO)           \
	K(GROUP_FULL) K(GROUP_WAIT) K(PIPE_WRITE) K(PIPE_READ) K(BARRIER)
typedef enum Kind {
#define K_(k) OP_##k,
	KINDS(K_)
#undef K_
} Kind;

typedef struct Op {
	uint8_t kind;
	uint8_t g;
	uint8_t obj;     /* mutex, channel, cell, ...; GO and the like: the child; READ, WRITE: see block */
	uint8_t way;     /* channel: by operation, try, select or select with default; access: form;
	                    SIGNAL: broadcast; TIMER_*: it fires at once; GROUP_GO: the group;
	                    END: with an error; PIPE_*: by libc */
	uint8_t off;     /* access: offset */
	uint8_t size;    /* access: bytes; COPY: from off to off2 */
	uint8_t off2;
	uint8_t block;   /* access: 0 the arena, k the block k - 1; LOCK, SEM_TRY etc. that fail: 1;
	                    SIGNAL: 1 where somebody is woken */
	int order, order2; /* atomics: __ATOMIC_*; CAS_FAIL: order2 on failure */
} Op;

typedef struct Step {
	int n;
	Op op[2];        /* op[0] lets op[1] go */
} Step;

typedef struct Program {
	uint64_t seed;
	int goroutines;
	int cap[CHANS];
	int nsteps;
	Step steps[MAX_STEPS];
} Program;

void program_generate(Program *p, uint64_t seed);
void program_print(const Program *p, FILE *out);
const char *kind_name(int kind);
/* Size of an atomic cell: 4 or 8 bytes, by its number. */
static inline int cell_size(int cell)
{
	return cell % 2 ? 4 : 8;
}
static inline int cell_offset(int cell)
{
	return CELL_START + cell * CELL_STRIDE;
}

#endif
