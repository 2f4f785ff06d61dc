/*
 * access.h: the check of an access against what its memory remembers.
 */
#ifndef GORO_RACE_ACCESS_H
#define GORO_RACE_ACCESS_H

#include "../slow.h"
#include "cell.h"
#include "set.h"
#include "shadow.h"

/* One access under way. */
typedef struct Access {
	RaceThread *t; /* who does it */
	RaceCtx *ctx;  /* on whose behalf */
	const void *pc;
	uint32_t size;
	Kind kind;
	RecId alloc;   /* KIND_FREE: the block's allocation; 0: unknown */
	RecId rec;     /* made when first needed; 0 before */
	bool lost;     /* no memory for a record: the state does not include it */
	bool conflict; /* the last transition met an access that is not ordered with this one */
} Access;

/* Which plane's cell includes the access now; not: nothing was done, see access_transition. */
typedef enum Brief { BRIEF_NOT, BRIEF_IN_W, BRIEF_IN_R } Brief;
/* The state of a granule {w, r} after the access of the bytes `mask` at pc by ctx, which t runs, where no more than
 * FEW accesses are remembered in a plane and none conflicts; its block is locked. */
Brief access_brief(RaceThread *t, RaceCtx *ctx, uintptr_t pc, Kind kind, uint8_t mask,
    uint32_t size, Cell w, Cell r, Cell *w2, Cell *r2);

/* The free of a granule whose accesses are all before it: *w2, and nothing in R. False: nothing was done. */
bool access_brief_free(Access *a, Cell w, Cell r, Cell *w2);

/* The whole of an access by who runs here, plain or atomic, where that is enough; false: access_check has to do it. */
bool access_brief_plain(RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc);
bool access_brief_atomic(
    RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc);

/* By kind: what races with it; what it stands for, once ordered (access.c). */
extern const uint8_t access_conflicts[KINDS], access_stands_for[KINDS];

/* What the fast path could not settle. code: of ctx.h, with the address's low bits. Enters and leaves
 * the detector, reports. */
#define ACCESS_SLOW(n) void access_slow_##n(uintptr_t addr, unsigned code, const void *pc)
ACCESS_SLOW(r1);
ACCESS_SLOW(r2);
ACCESS_SLOW(r4);
ACCESS_SLOW(r8);
ACCESS_SLOW(w1);
ACCESS_SLOW(w2);
ACCESS_SLOW(w4);
ACCESS_SLOW(w8);
/* The same for an object's pointer to its virtual functions, so that a report can say so. */
ACCESS_SLOW(vptr);
/* Two accesses of 8 bytes, side by side. */
ACCESS_SLOW(r16);
ACCESS_SLOW(w16);
/* In a seeded run others may go on before a plain access: not where a signal handler interrupted the
 * detector. The thread may be another afterwards. */
static inline void seed_access(uintptr_t addr, bool write, const void *pc)
{
	if (unlikely(race_seed_here()))
		race_seed->point(write ? POINT_WRITE : POINT_READ, (const void *)addr, pc);
}
/* The same for code inside the detector: size 1, 2, 4, 8 or 16; findings stay in t->slow. */
void access_check(RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc);
/* The same where the transition is known already; false: it is not, and nothing was done. */
bool access_again(RaceThread *t, uintptr_t addr, unsigned code, const void *pc);
/* A range of any size. */
void access_range(Access *a, uintptr_t addr, size_t size);
/* The same, reporting, with a collection before it where one is due, and within it where memory is limited. */
void access_range_flush(Access *a, uintptr_t addr, size_t size);
/* The same, entering and leaving, by the goroutine that runs here. */
void access_range_slow(uintptr_t addr, size_t size, bool write, const void *pc);

/* The record of a free; 0 without memory. */
RecId access_record(Access *a);

/* The new state of a granule {w, r} after the access of the bytes `mask`; its block is locked. hi: the
 * high word of the filter's key; 0: caches are not to be used. */
void access_transition(
    Access *a, uintptr_t granule, uint8_t mask, uint32_t hi, Cell w, Cell r, Cell *w2, Cell *r2);
/* Whether w alone (a write of this epoch) already includes the access. */
bool access_in_w(const Access *a, uint8_t mask, Cell w);
bool access_in_r(const Access *a, uint8_t mask, Cell r);
/* The state c, which includes the access, perhaps by this access's record; block locked. */
Cell access_refresh(Access *a, uint8_t mask, Cell c, Plane p);

/* Collection: ids in what was told already mean nothing any more. */
void finding_forget(void);
/* Report what was found since; no lock held. */
void finding_report(RaceThread *t);
static inline void finding_flush(RaceThread *t)
{
	if (unlikely(t->slow->nfound))
		finding_report(t);
}
void finding_add(Access *a, uintptr_t granule, Entry old, uint8_t mask);
/* The block at addr, freed already as `old` says, is freed again by g. Reports. */
void finding_double_free(RaceThread *t, RaceCtx *g, uintptr_t addr, Entry old, const void *pc);

/* Run a collection when it is time. No lock held. */
extern uint32_t collect_threshold, collect_deep; /* relaxed atomics */
void collect(RaceThread *t);
static inline void collect_if_due(RaceThread *t)
{
	if (unlikely(load_rlx(&record_ids.made) + load_rlx(&few_ids.made) + load_rlx(&set_made) >=
			 load_rlx(&collect_threshold) ||
		     load_rlx(&race_made) >= load_rlx(&collect_deep)))
		collect(t);
}

#endif
