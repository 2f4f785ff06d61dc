/*
 * fill.h: one shape for the many calls of libc that read what the caller hands in and fill what it
 * points to: say the reads, do the work, and where it succeeded say what was written.
 *
 *	CALL(type, name, params, args, said, ok, told)
 *
 * `said` and `told` are statements (or nothing) over IN, OUT and TEXT; `ok` is a condition on r, the
 * result. What a failed call may have left behind is not said: never more than the contract has.
 */
#ifndef GORO_RACE_INTERCEPT_FILL_H
#define GORO_RACE_INTERCEPT_FILL_H

#include "core.h"

static inline void reads_text(RaceCtx *g, const char *s, const void *pc)
{
	if (g && s)
		reads(g, s, goro_real_strlen(s) + 1, pc);
}

static inline void writes_text(RaceCtx *g, const char *s, const void *pc)
{
	if (g && s)
		writes(g, s, goro_real_strlen(s) + 1, pc);
}

static inline void reads_some(RaceCtx *g, const void *p, size_t n, const void *pc)
{
	if (p)
		reads(g, p, n, pc);
}

static inline void writes_some(RaceCtx *g, const void *p, size_t n, const void *pc)
{
	if (p)
		writes(g, p, n, pc);
}

#define IN(p)       reads_some(g, p, sizeof *(p), pc)
#define IN_N(p, n)  reads_some(g, p, n, pc)
#define OUT(p)      writes_some(g, p, sizeof *(p), pc)
#define OUT_N(p, n) writes_some(g, p, n, pc)
#define TEXT(s)     reads_text(g, s, pc)
#define OUT_TEXT(s) writes_text(g, s, pc)

#define CALL(type, name, params, args, said, ok, told)                                             \
	INTERCEPT type name params                                                                 \
	{                                                                                          \
		__attribute__((unused)) const void *pc = CALLER;                                   \
		__attribute__((unused)) RaceCtx *g = self();                                       \
		type r;                                                                            \
		said;                                                                              \
		r = goro_real_##name args;                                                         \
		if (ok) {                                                                          \
			told;                                                                      \
		}                                                                                  \
		return r;                                                                          \
	}

/* The same for one whose answer is allocated: the block belongs to the caller. */
#define CALL_HEAP(type, name, params, args, said, ok, told)                                        \
	INTERCEPT type name params                                                                 \
	{                                                                                          \
		__attribute__((unused)) const void *pc = CALLER;                                   \
		__attribute__((unused)) RaceCtx *g = self();                                       \
		type r;                                                                            \
		said;                                                                              \
		heap_caller = pc;                                                                  \
		r = goro_real_##name args;                                                         \
		heap_caller = NULL;                                                                \
		if (ok) {                                                                          \
			told;                                                                      \
		}                                                                                  \
		return r;                                                                          \
	}

#endif
