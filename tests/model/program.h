/*
 * program.h: a random concurrent program as a list of steps, and the generator.
 *
 * A step is one operation of one goroutine, or a pair of two that meet: the second would block and the
 * first lets it go (send and receive, unlock and lock, Done and Wait). Steps are executed strictly one
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
	MUTEXES = 3,
	RWMUTEXES = 2,
	CHANS = 4,
	WAITGROUPS = 2,
	ONCES = 2,
	CELLS = 4,          /* atomic variables */
	ARENA = 96,         /* bytes of shared memory; the cells lie in it, from CELL_START */
	CELL_START = 64,
	CELL_STRIDE = 8,
	BLOCKS = 3,         /* heap blocks, allocated afresh again and again */
	BLOCK_SIZE = 40,
};

#define KINDS(K)                                                                                   \
	K(GO) K(END) K(READ) K(WRITE) K(COPY) K(LOCK) K(UNLOCK) K(TRYLOCK) K(RLOCK) K(RUNLOCK) K(WLOCK)  \
	K(WUNLOCK) K(TRYRLOCK) K(TRYWLOCK) K(SEND) K(RECV) K(TRYSEND_FULL) K(TRYRECV_EMPTY) K(CLOSE)     \
	K(RECV_CLOSED) K(ADD) K(DONE) K(WAIT) K(ONCE) K(LOAD) K(STORE) K(RMW) K(CAS_FAIL) K(FENCE)       \
	K(ALLOC) K(FREE) K(YIELD)
typedef enum Kind {
#define K_(k) OP_##k,
	KINDS(K_)
#undef K_
} Kind;

typedef struct Op {
	uint8_t kind;
	uint8_t g;
	uint8_t obj;     /* mutex, channel, cell, ...; GO: the child; READ, WRITE: see block */
	uint8_t way;     /* channel: by operation, try, select or select with default; access: form */
	uint8_t off;     /* access: offset */
	uint8_t size;    /* access: bytes; COPY: from off to off2 */
	uint8_t off2;
	uint8_t block;   /* access: 0 the arena, k the block k - 1; LOCK etc. that fail: 1 */
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
