/*
 * atomic.c: atomic accesses by a record of the goroutine's own: see use.h.
 *
 * Who comes to a variable once leaves an ordinary record. Who comes again gets one of its own; and where that does not
 * last, since more goroutines than a list keeps take turns, most of its visits leave ordinary ones again: a list of
 * many that changes with each of them costs more than one record that stands for all that are before it.
 */
#include "use.h"

/* Of 16 visits that find no record of one's own, those that make one. */
#define TRY_OF 16
#define TRIES  4

/* Plain writes, of earlier epochs, all before ctx: they stay so. */
static bool is_past(const RaceCtx *ctx, Cell w)
{
	CellIter it = cell_iter(w, PLANE_W);
	Entry e;
	for (int n = 0; cell_next(&it, &e); n++) {
		ClockPair when = *record_when(e.rec);
		if (n == USE_KEEP || e.kind != KIND_WRITE || mine(ctx, when) || !before(ctx, when))
			return false;
	}
	return true;
}

/* The same of the plain reads in r. */
static bool reads_are_past(const RaceCtx *ctx, Cell r)
{
	CellIter it = cell_iter(r, PLANE_R);
	Entry e;
	for (int n = 0; cell_next(&it, &e); n++)
		if (n == USE_KEEP ||
		    (e.kind == KIND_READ &&
			(!before(ctx, *record_when(e.rec)) || record_at(e.rec)->size & RECORD_USE)))
			return false;
	return true;
}

/* r with a first use of one's own; 0: there is no room. */
static Cell add_use(RaceSlow *s, RaceCtx *ctx, Kind kind, uint8_t mask, Cell r, const Record *use)
{
	Entry e[USE_KEEP + 1], x;
	uint32_t n = 0;
	CellIter it = cell_iter(r, PLANE_R);
	while (cell_next(&it, &x)) {
		if ((x.mask & mask) && (access_stands_for[kind] & 1u << x.kind) &&
		    before(ctx, *record_when(x.rec)) && !(record_at(x.rec)->size & RECORD_USE))
			x.mask &= (uint8_t)~mask;
		if (x.mask && n == USE_KEEP - 1)
			return 0;
		if (x.mask)
			e[n++] = x;
	}
	RecId rec = record_next(&s->block, (ClockPair){ctx->slot, ctx->epoch}, use);
	ctx->used = true;
	e[n++] = (Entry){rec, (uint8_t)kind, mask};
	bool lost = false;
	return cell_build(e, n, &lost);
}

/* The state is not the one that c knows. */
static __attribute__((noinline)) bool use_anew(UseCached *c, RaceThread *t, RaceCtx *ctx,
    StackId top, const void *pc, uint32_t size, Cell w, Cell r, Cell *r2)
{
	Kind kind = (Kind)c->kind;
	c->rec = 0;
	if (!is_past(ctx, w) || (kind == KIND_AWRITE && !reads_are_past(ctx, r)))
		return false;
	RecId rec = use_find(r, ctx->ginfo, kind, c->mask);
	*r2 = r;
	if (rec) {
		use_again(rec, ctx, top, pc);
	} else {
		if (c->misses++ % TRY_OF - 1u >= TRIES || !t->slow->block.n)
			return false;
		Record use = {.top = top,
		    .pc = (uintptr_t)pc,
		    .ginfo = ctx->ginfo,
		    .mset = ctx->mset,
		    .size = size | RECORD_USE};
		*r2 = add_use(t->slow, ctx, kind, c->mask, r, &use);
		if (!*r2)
			return false;
		rec = use_find(*r2, ctx->ginfo, kind, c->mask);
	}
	c->w = w;
	c->r = *r2;
	c->rec = rec;
	return true;
}

bool use_atomic(RaceThread *t, RaceCtx *ctx, uintptr_t addr, Kind kind, uint8_t mask,
    const void *pc, uint32_t size, Cell w, Cell r, Cell *r2)
{
	UseCached *c = use_cached(t->slow, ctx->ginfo, addr, kind);
	StackId top = known_top(t);
	if (unlikely(!top))
		top = context_top(t, ctx);
	if (likely(use_is(c, ctx->ginfo, addr, kind, mask))) {
		if (likely(c->rec) && likely(c->w == w) && likely(c->r == r)) {
			use_again(c->rec, ctx, top, pc);
			*r2 = r;
			return true;
		}
	} else {
		*c = (UseCached){.addr = addr,
		    .ginfo = ctx->ginfo,
		    .now = shadow_now,
		    .kind = (uint8_t)kind,
		    .mask = mask};
	}
	return r && use_anew(c, t, ctx, top, pc, size, w, r, r2);
}
