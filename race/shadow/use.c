/*
 * use.c: reads of the runtime's own objects, of which every operation makes one.
 *
 * A channel's operations read an identity byte of it each, so that freeing or closing it meanwhile is a report. A
 * goroutine has one record at each object, of its own: use.h has the argument.
 */
#include "../../runtime/hooks.h"

#include "../history/context.h"
#include "../sample.h"
#include "use.h"

/* Whether something in the W plane has to be looked at. */
static bool is_disturbed(const Access *a, uint8_t mask, Cell w)
{
	Entry e;
	for (CellIter it = cell_iter(w, PLANE_W); cell_next(&it, &e);) {
		ClockPair r = *record_when(e.rec);
		if ((e.mask & mask) &&
		    (e.kind == KIND_FREE ||
			(r.slot != a->ctx->slot && clock_get(&a->ctx->clock, r.slot) < r.epoch)))
			return true;
	}
	return false;
}

RecId use_find(Cell r, uint32_t ginfo, Kind kind, uint8_t mask)
{
	Entry e;
	CellIter it = cell_iter(r, PLANE_R);
	for (int i = 0; i <= USE_KEEP && cell_next(&it, &e); i++) {
		const Record *rec;
		if (e.mask == mask && e.kind == kind && (rec = record_at(e.rec))->ginfo == ginfo &&
		    rec->size & RECORD_USE)
			return e.rec;
	}
	return 0;
}

/* The goroutine's own record at `at`, where nothing conflicts with its next use; else 0. Block lock held. */
static RecId undisturbed(const Access *a, uintptr_t at, uint8_t mask)
{
	uint32_t who = a->ctx->ginfo;
	UseCached *c = use_cached(a->t->slow, who, at, KIND_READ);
	Cell *pw = shadow_w(at);
	Cell w = load_rlx(pw), r = load_rlx(shadow_r_of(pw)); /* relaxed: the block is locked */
	if (likely(use_is(c, who, at, KIND_READ, mask)) && likely(c->w == w) && likely(c->r == r))
		return c->rec;
	RecId own = use_find(r, who, KIND_READ, mask);
	if (!own || is_disturbed(a, mask, w))
		return 0;
	*c = (UseCached){.addr = at,
	    .ginfo = who,
	    .now = shadow_now,
	    .w = w,
	    .r = r,
	    .rec = own,
	    .kind = KIND_READ,
	    .mask = mask};
	return own;
}

/* The first use by this goroutine, or one that something else disturbs. Block lock held. */
static void use_slow(Access *a, uintptr_t granule, uint8_t mask)
{
	Cell *pw = shadow_w(granule), *pr = shadow_r_of(pw);
	Cell w = load_rlx(pw), r = load_rlx(pr), w2 = w, r2 = r;
	if (unlikely(!(w | r)))
		w = shadow_freed(granule);
	a->rec = access_record(a);
	if (a->rec && cell_len(r) < USE_KEEP && !is_disturbed(a, mask, w)) {
		Entry e[USE_KEEP + 1];
		uint32_t n = 0;
		for (CellIter it = cell_iter(r, PLANE_R); cell_next(&it, &e[n]);)
			n++;
		e[n++] = (Entry){a->rec, KIND_READ, mask};
		r2 = cell_build(e, n, &a->lost);
	} else if (a->rec) {
		access_transition(a, granule, mask, 0, w, r, &w2, &r2);
	}
	if (w2 != w || r2 != r) {
		shadow_touch(granule);
		shadow_grow(granule, w2, r2);
		store_rlx(pw, w2); /* relaxed: as in access.c */
		store_rlx(pr, r2);
	}
}

void hook_use(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	RaceThread *t = &race_thread;
	uintptr_t at = (uintptr_t)addr, granule = at & ~(uintptr_t)7;
	uint8_t mask = (uint8_t)(((1u << size) - 1) << (at & 7));
	if (!g || g->ignore_reads || sample_off() || !race_enter(t))
		return;
	race_register(t);
	collect_if_due(t);
	if (likely(shadow_mapped(at) || shadow_map(at))) {
		Access a = {.t = t, .ctx = g, .pc = pc, .size = 1 | RECORD_USE, .kind = KIND_READ};
		StackId top = context_top(t, g);
		block_lock(granule);
		RecId own = undisturbed(&a, at, mask);
		if (likely(own))
			use_again(own, g, top, pc);
		else
			use_slow(&a, granule, mask);
		block_unlock(granule);
		finding_flush(t);
	}
	race_leave(t);
}
