/*
 * sample.h: GORACE=sample=P: accesses are checked in windows of time that are a share P of it.
 */
#ifndef GORO_RACE_SAMPLE_H
#define GORO_RACE_SAMPLE_H

#include "../runtime/base/buf.h"
#include "race.h"

/* Between windows: accesses count for nothing. Relaxed atomic: who sees it a moment late checks one access more or
 * less. (race.h declares race_off, for the fast path.) */
static inline bool sample_off(void)
{
	return load_rlx(&race_off);
}

/* Begin the windows where P < 1; idempotent. Not in a seeded run: each access is a point of it. */
void sample_init(void);
/* In a child of fork, which has no threads but its own: begin anew. */
void sample_forked(void);
/* A line for stats=1; nothing where P = 1. */
void sample_text(Buf *b);

#endif
