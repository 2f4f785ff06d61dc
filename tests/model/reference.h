/*
 * reference.h: the happens-before detector by definition: a full vector clock for each event, all
 * accesses kept, every pair compared. Slow and obvious; race/ must agree with it.
 */
#ifndef TESTS_MODEL_REFERENCE_H
#define TESTS_MODEL_REFERENCE_H

#include "program.h"

/* Where an access lies. Places do not overlap: the arena, each incarnation of a block, each channel. */
typedef struct Access {
	int step;
	int g;
	int place;         /* 0 the arena; 1 + c channel c; PLACE_BLOCK + n the n-th allocation */
	int off, size;
	bool write, atomic, frees;
	int clock[MAX_GOROUTINES];
} Access;

enum { PLACE_ARENA = 0, PLACE_CHAN = 1, PLACE_BLOCK = 1 + CHANS, MAX_PLACES = PLACE_BLOCK + MAX_STEPS };

typedef struct Reference {
	int n;
	Access accesses[3 * MAX_STEPS];
	int block_of[MAX_STEPS];  /* n-th allocation: which block it was in */
	int allocations;
} Reference;

void reference_run(Reference *r, const Program *p);
/* Conflicting and unordered, or b uses what a freed; a before b in the trace. */
bool reference_race(const Access *a, const Access *b);

#endif
