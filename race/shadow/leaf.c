/*
 * leaf.c: where an access goes that the filter does not know: one plain access of a constant kind and size whose record
 * is known already, or two of 8 bytes in one state. What loops over memory come to in a new epoch. No function is
 * called before the end, so nothing but registers is used: a known record, the state's two cells, and either the rule of
 * brief.c for simple cells or a transition that is known. All else goes on to brief.c.
 *
 * The clock's tree is not asked, which would be a call: what only it knows is not known here.
 */
#include "brief.h"

static inline RecId known_record(
    const RaceThread *t, const RaceCtx *ctx, uintptr_t pc, uint32_t size)
{
	StackId top = known_top(t);
	const RecCached *c = &t->slow->rec_cache[record_index(pc, top)];
	return likely(c->gen == t->gen) && likely(c->pc == pc) && likely(c->top == top) &&
		       likely(c->mset == ctx->mset) && likely(c->size == size)
		   ? c->rec
		   : 0;
}

/* c, of the plane of the access, with rec's access; 0: not for here. The caller has looked at the kind. */
static inline __attribute__((always_inline)) Cell leaf_own(
    const RaceCtx *ctx, Cell c, RecId rec, uint8_t mask, bool whole)
{
	if (!whole && (c & (CELL_REC_MAX | 3u << CELL_KIND_AT)) == rec) { /* a loop over bytes */
		unsigned code = code_of_mask(cell_mask(c) | mask);
		return code ? code << CELL_MASK_AT | rec : 0;
	}
	if (!whole && unlikely(cell_mask(c) & ~mask))
		return 0;
	ClockPair p = *record_when(cell_rec(c));
	if (p.slot == ctx->slot ? p.epoch == ctx->epoch : !clock_shows(&ctx->clock, p))
		return 0; /* of this epoch: it may include the access */
	return brief_cell(rec, mask);
}

/* c, of the other plane, is before the access: of whatever bytes for a read, of no others for a write. */
static inline __attribute__((always_inline)) bool leaf_other(
    const RaceCtx *ctx, Cell c, uint8_t mask, bool whole, bool write)
{
	if (write && !whole && unlikely(cell_mask(c) & ~mask))
		return false;
	ClockPair p = *record_when(cell_rec(c));
	if (p.slot == ctx->slot) /* a write of this epoch may include the read */
		return write || p.epoch != ctx->epoch || (!whole && mask & ~cell_mask(c));
	return clock_shows(&ctx->clock, p);
}

/* two: of 16 bytes, in one state. */
static inline __attribute__((always_inline)) bool leaf(RaceThread *t, RaceCtx *ctx, uintptr_t addr,
    unsigned log2, bool write, bool two, unsigned code, const void *pc)
{
	unsigned off = log2 == 3 ? 0 : (unsigned)addr & 7, size = 1u << log2;
	uint8_t mask = log2 == 3 ? 0xff : (uint8_t)(((1u << size) - 1) << off);
	if (log2 == 3 ? unlikely(addr & 7) : unlikely(off + size > GRANULE))
		return false;
	if (two && unlikely((addr & (BLOCK - 1)) > BLOCK - 2 * GRANULE))
		return false;
	uintptr_t base = load_rlx(&shadow_base[addr >> REGION_BITS & (REGIONS - 1)]);
	if (unlikely(!base) || unlikely(!shadow_valid(addr)))
		return false;
	RecId rec = known_record(t, ctx, (uintptr_t)pc, size);
	Cell *pw = (Cell *)base + ((uint32_t)addr >> 3), *pr = shadow_r_of(pw);
	uint32_t *lock = block_lock_of(addr);
	brief_prefetch(load_rlx(pw)); /* relaxed: a hint */
	brief_prefetch(load_rlx(pr));
	if (unlikely(!rec) || unlikely(rec > CELL_REC_MAX) || unlikely(!spin_try(lock)))
		return false;
	Cell w = load_rlx(pw), r = load_rlx(pr), cell = 0, w2 = w, r2 = 0;
	uint32_t hi = t->gen + off + code;
	if (unlikely(!(w | r)) ||
	    (two && (unlikely(w != load_rlx(pw + 1)) || unlikely(r != load_rlx(pr + 1)))))
		goto out;
	bool old = !write && unlikely(w & CELL_SET) && filter_has(t, t->gen | CODE_OLD, w);
	/* Kinds: of W only 0, a plain write; of R a write makes all give way, a read all but AWRITE. */
	if (likely(!(w & (CELL_SET | 3u << CELL_KIND_AT)) || old) &&
	    likely(!(r & (CELL_SET | (write ? 0 : (unsigned)KIND_AWRITE << CELL_KIND_AT))))) {
		Cell own = write ? w : r, other = write ? r : w;
		if (!other || old || leaf_other(ctx, other, mask, log2 == 3, write))
			cell =
			    own ? leaf_own(ctx, own, rec, mask, log2 == 3) : brief_cell(rec, mask);
		if (write)
			w2 = cell;
		else
			r2 = cell;
	}
	if (unlikely(!cell)) {
		const Trans *c = &t->slow->trans[trans_index(w, r, hi, (uintptr_t)pc)];
		if (!trans_is(c, known_top(t), ctx->mset, (uintptr_t)pc, size, hi, w, r))
			goto out;
		w2 = c->w2;
		r2 = c->r2;
		cell = write ? w2 : r2;
	}
	if (w != w2) {
		store_rlx(pw, w2); /* relaxed: as in check_granule */
		if (two)
			store_rlx(pw + 1, w2);
	}
	if (r != r2) {
		store_rlx(pr, r2);
		if (two)
			store_rlx(pr + 1, r2);
	}
	uint64_t key = (uint64_t)hi << 32 | cell;
	t->filter[filter_index(key)] = key;
out:
	spin_unlock(lock);
	return cell != 0;
}

static __attribute__((noinline)) void signals_held(RaceThread *t)
{
	race_signals_held(t);
}

#define LEAF(name, log2, write, two, more)                                                         \
	void access_slow_##name(uintptr_t addr, unsigned code, const void *pc)                     \
	{                                                                                          \
		RaceThread *t = race_thread_now();                                                 \
		RaceCtx *ctx = t->ctx;                                                             \
		if (likely(ctx) && brief_may(ctx) && race_try_enter(t)) {                          \
			bool done = leaf(t, ctx, addr, log2, write, two,                           \
			    CODE_SIZE(log2) | CODE_PLAIN | ((write) ? CODE_WRITE : 0), pc);        \
			store_rel(&t->busy, 0u); /* as race_leave */                               \
			if (likely(done)) {                                                        \
				if (unlikely(load_rlx(&t->held))) /* relaxed: as in race_leave */  \
					signals_held(t);                                           \
				return;                                                            \
			}                                                                          \
		}                                                                                  \
		more(addr, code, pc);                                                              \
	}

LEAF(r1, 0, false, false, access_slow)
LEAF(r2, 1, false, false, access_slow)
LEAF(r4, 2, false, false, access_slow)
LEAF(r8, 3, false, false, access_slow)
LEAF(w1, 0, true, false, access_slow)
LEAF(w2, 1, true, false, access_slow)
LEAF(w4, 2, true, false, access_slow)
LEAF(w8, 3, true, false, access_slow)

LEAF(r16, 3, false, true, access_slow16)
LEAF(w16, 3, true, true, access_slow16)
