/*
 * use.c: reads of the runtime's own objects, of which every operation makes one.
 *
 * A channel's operations read an identity byte of it each, so that freeing or closing it meanwhile is a report. Told
 * as plain reads they were dear: a new record and a new set for each operation, since each is of a new epoch, and
 * collections after them (a pipeline of channels took 60 times its time). Here a goroutine has one record at each
 * object, of its own (RECORD_USE), which later uses change in place: epoch, stack, locks.
 *
 * Why that loses and invents nothing. A later read by the same goroutine stands for the earlier one (access.c). The
 * record is named by this granule's cells alone, and read and changed under the granule's block lock only: by other
 * accesses there, which decide under it whether they are ordered; findings take a copy. What is decided without the
 * lock, by filter or known transition, never names such a record: those go by states, which do not change when it
 * does, so uses go into neither, and whatever else touches an identity byte is a range of part of a granule, or a
 * free, which do not either (range.c). Collections stop the world.
 *
 * Others' records stay beside one's own even where they are ordered, up to USE_KEEP: they would be back at their next
 * use. Beyond that the rule of access.c thins them.
 */
#include "../../runtime/hooks.h"

#include "../history/context.h"
#include "../sample.h"
#include "access.h"

#define USE_KEEP 8

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

/* The goroutine's own record of this use; 0: none yet. Block lock held. */
static RecId own_use(const Access *a, uint8_t mask, Cell r)
{
	Entry e;
	CellIter it = cell_iter(r, PLANE_R);
	for (int i = 0; i <= USE_KEEP && cell_next(&it, &e); i++) {
		const Record *rec = record_at(e.rec);
		if (e.mask == mask && e.kind == KIND_READ && rec->ginfo == a->ctx->ginfo &&
		    rec->size & RECORD_USE)
			return e.rec;
	}
	return 0;
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
		Cell w = load_rlx(shadow_w(granule)); /* relaxed: the block is locked */
		RecId own = own_use(&a, mask, load_rlx(shadow_r_of(shadow_w(granule))));
		if (likely(own) && likely(!w || !is_disturbed(&a, mask, w))) {
			Record *r = record_at(own);
			*record_when(own) = (ClockPair){g->slot, g->epoch};
			r->top = top;
			r->pc = (uintptr_t)pc;
			r->mset = g->mset;
			g->used = true;
		} else {
			use_slow(&a, granule, mask);
		}
		block_unlock(granule);
		finding_flush(t);
	}
	race_leave(t);
}
