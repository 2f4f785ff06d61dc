/*
 * brief.c: an access that the filter does not know, where little is remembered: one access in each plane, ordered
 * before this one, of no other bytes; or up to four. Most misses are of that kind: what was done in an
 * earlier epoch is done again. Everything else goes to access.c, which has the model, and of which this is a
 * part: with e the old accesses and x the new one, a state without conflicts where x stands for e becomes
 * the state of x alone. brief_test.c runs both on all states of one access a plane, and many of more, and compares.
 *
 * Within the epoch the latest of a goroutine's accesses of the same bytes may take the place of an earlier one, see
 * access_refresh.
 *
 * Three ways, each for less than the next: the leaf (leaf.c), which calls nothing; brief_state, for simple cells;
 * access_brief, for lists of up to four. All of them read, decide and store under the block's lock, as access.c does.
 */
#include "brief.h"

#include "../history/context.h"
#include "use.h"

#define NEAR 64 /* records made in between: the next line, not another call */

/* The record of the access at pc; 0: there is none, and no id at hand for one. */
static inline RecId brief_record(RaceThread *t, RaceCtx *ctx, uintptr_t pc, uint32_t size)
{
	StackId top = known_top(t);
	if (unlikely(!top))
		top = context_top(t, ctx);
	RaceSlow *s = t->slow;
	RecCached *c = &s->rec_cache[record_index(pc, top)];
	if (likely(c->gen == t->gen) && likely(c->pc == pc) && likely(c->top == top) &&
	    likely(c->mset == ctx->mset) && likely(c->size == size))
		return c->rec;
	if (unlikely(!s->block.n))
		return 0; /* access.c takes more, after a collection where one is due */
	Record r = {.pc = pc, .top = top, .ginfo = ctx->ginfo, .mset = ctx->mset, .size = size};
	RecId rec = record_next(&s->block, (ClockPair){ctx->slot, ctx->epoch}, &r);
	*c = (RecCached){
	    .pc = pc, .gen = t->gen, .top = top, .mset = ctx->mset, .size = size, .rec = rec};
	ctx->used = true;
	return rec;
}

/* old, which is of this epoch, and rec's access of the bytes `mask`, in one simple cell; 0: none says both. */
static inline Cell brief_join(Cell old, RecId rec, uint8_t mask)
{
	uint8_t theirs = cell_mask(old);
	if (theirs == mask) /* told already: by rec, where that was long ago */
		return cell_rec(old) - rec + NEAR <= 2 * NEAR ? old : brief_cell(rec, mask);
	if (cell_rec(old) == rec && code_of_mask(theirs | mask)) /* a loop over bytes */
		return brief_cell(rec, theirs | mask);
	return theirs & ~mask ? 0 : brief_cell(rec, mask);
}

/* Plain writes of before this epoch, which a read leaves as they are: of several, or of bytes apart. */
static inline bool old_writes(RaceThread *t, const RaceCtx *ctx, Cell w)
{
	if (likely(filter_has(t, t->gen | CODE_OLD, w)))
		return true;
	int n = 0;
	CellIter it = cell_iter(w, PLANE_W);
	for (Entry e; n < 8 && cell_next(&it, &e); n++) {
		ClockPair when = *record_when(e.rec);
		if (e.kind != KIND_WRITE || mine(ctx, when) || !before(ctx, when))
			return false;
	}
	if (n == 8)
		return false;
	filter_put(t, t->gen | CODE_OLD, w);
	return true;
}

/* The state {w2, r2} that a plain access makes of {w, r}: simple, but for writes that are read. */
static inline __attribute__((always_inline)) Brief brief_state(RaceThread *t, RaceCtx *ctx,
    uintptr_t pc, uint8_t mask, uint32_t size, bool write, Cell w, Cell r, Cell *w2, Cell *r2)
{
	bool again = false; /* what is there is of the same kind and of this epoch */
	*w2 = w;
	*r2 = r;
	if (unlikely(r & CELL_SET))
		return BRIEF_NOT;
	if (unlikely(w & CELL_SET)) {
		if (write || !old_writes(t, ctx, w))
			return BRIEF_NOT;
	} else if (w) {
		ClockPair p = *record_when(cell_rec(w));
		uint8_t theirs = cell_mask(w);
		if (unlikely(cell_kind(w, PLANE_W) != KIND_WRITE))
			return BRIEF_NOT;
		if (mine(ctx, p)) {
			if (!write && !(mask & ~theirs))
				return BRIEF_IN_W;
			again = write;
		} else if (unlikely(!before(ctx, p)) || (write && (theirs & ~mask))) {
			return BRIEF_NOT;
		}
	}
	if (r) {
		ClockPair p = *record_when(cell_rec(r));
		uint8_t theirs = cell_mask(r);
		Kind k = cell_kind(r, PLANE_R);
		if (!write && k == KIND_READ && mine(ctx, p))
			again = true;
		else if (unlikely(theirs & ~mask) || unlikely(!before(ctx, p)) ||
			 (!write && k == KIND_AWRITE))
			return BRIEF_NOT;
	}
	RecId rec = brief_record(t, ctx, pc, size);
	if (unlikely(!rec) || unlikely(rec > CELL_REC_MAX))
		return BRIEF_NOT;
	Cell own = again ? brief_join(write ? w : r, rec, mask) : brief_cell(rec, mask);
	if (unlikely(!own))
		return BRIEF_NOT;
	if (write) {
		*w2 = own;
		*r2 = 0;
		return BRIEF_IN_W;
	}
	*r2 = own;
	return BRIEF_IN_R;
}

/* ---- up to four accesses in a plane, of any kind ---- */

typedef struct List {
	uint32_t n;
	Entry e[FEW + 1]; /* and the new one */
} List;

static inline bool list_of(Cell c, Plane p, List *f)
{
	f->n = 0;
	if (!c)
		return true;
	if (cell_is_simple(c)) {
		f->e[f->n++] = (Entry){cell_rec(c), (uint8_t)cell_kind(c, p), cell_mask(c)};
		return true;
	}
	if (!cell_is_few(c))
		return false;
	const Few *few = few_at(c);
	while (f->n < FEW && few->e[f->n].rec) {
		f->e[f->n] = few->e[f->n];
		f->n++;
	}
	return true;
}

/* Order f, and one entry of those of one access. */
static inline void list_order(List *f)
{
	Entry *e = f->e;
	for (uint32_t i = 1; i < f->n; i++) {
		Entry x = e[i];
		uint32_t j = i;
		for (; j > 0 &&
		       (e[j - 1].rec != x.rec ? e[j - 1].rec < x.rec : e[j - 1].kind < x.kind);
		     j--)
			e[j] = e[j - 1];
		e[j] = x;
	}
	uint32_t n = f->n != 0;
	for (uint32_t i = 1; i < f->n; i++)
		if (e[i].rec == e[n - 1].rec && e[i].kind == e[n - 1].kind)
			e[n - 1].mask |= e[i].mask;
		else
			e[n++] = e[i];
	f->n = n;
}

/* The cell of f; false where it takes more, or there is no memory. */
static inline bool list_cell(RaceSlow *s, List *f, Cell *out)
{
	list_order(f);
	*out = 0;
	if (f->n == 0 || (f->n == 1 && (*out = cell_simple(f->e[0])) != 0))
		return true;
	return f->n <= FEW && (*out = few_make(s, f->e, f->n)) != 0;
}

/* Whether all in f that conflicts is before ctx; nothing of freed blocks. */
static inline bool list_before(const RaceCtx *ctx, const List *f, Kind kind, uint8_t mask)
{
	for (uint32_t i = 0; i < f->n; i++) {
		if (f->e[i].kind >= KIND_FREE)
			return false;
		if ((f->e[i].mask & mask) && (access_conflicts[kind] & 1u << f->e[i].kind) &&
		    !before(ctx, *record_when(f->e[i].rec)))
			return false;
	}
	return true;
}

/* The bytes of mask in f that are of this epoch, and of no less strength. */
static inline uint8_t list_mine(const RaceCtx *ctx, const List *f, Kind kind, uint8_t mask)
{
	uint8_t have = 0;
	for (uint32_t i = 0; i < f->n; i++)
		if ((f->e[i].mask & mask) && f->e[i].kind < KIND_FREE &&
		    (access_stands_for[f->e[i].kind] & 1u << kind) &&
		    mine(ctx, *record_when(f->e[i].rec)))
			have |= f->e[i].mask;
	return have & mask;
}

/* f without the bytes of mask in what the access stands for; what is mine already stays (keep). */
static inline void list_drop(const RaceCtx *ctx, List *f, Kind kind, uint8_t mask, bool keep)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < f->n; i++) {
		Entry e = f->e[i];
		if ((e.mask & mask) && (access_stands_for[kind] & 1u << e.kind)) {
			ClockPair p = *record_when(e.rec);
			if (!(keep && mine(ctx, p) && (access_stands_for[e.kind] & 1u << kind)) &&
			    before(ctx, p))
				e.mask &= (uint8_t)~mask;
		}
		if (e.mask)
			f->e[n++] = e;
	}
	f->n = n;
}

/* The same as access_refresh: of accesses like this one, those of long ago make way. Whether all of mask is told
 * by what stays. */
static inline uint8_t list_refresh(const RaceCtx *ctx, List *f, Kind kind, uint8_t mask, RecId rec)
{
	uint8_t far = 0;
	uint32_t n = 0;
	for (uint32_t i = 0; i < f->n; i++) {
		Entry e = f->e[i];
		if ((e.mask & mask) && e.kind == kind && e.rec - rec + NEAR > 2 * NEAR &&
		    mine(ctx, *record_when(e.rec))) {
			far |= e.mask & mask;
			e.mask &= (uint8_t)~mask;
		}
		if (e.mask)
			f->e[n++] = e;
	}
	f->n = n;
	return far;
}

Brief access_brief(RaceThread *t, RaceCtx *ctx, uintptr_t pc, Kind kind, uint8_t mask,
    uint32_t size, Cell w, Cell r, Cell *w2, Cell *r2)
{
	List fw, fr;
	*w2 = w;
	*r2 = r;
	if (!list_of(w, PLANE_W, &fw) || !list_of(r, PLANE_R, &fr))
		return BRIEF_NOT;
	bool in_r = kind_plane(kind) == PLANE_R;
	List *own = in_r ? &fr : &fw;
	if (w && list_mine(ctx, &fw, kind, mask) == mask) {
		if (kind != KIND_WRITE)
			return BRIEF_IN_W;
	} else if (in_r && r && list_mine(ctx, &fr, kind, mask) == mask) {
		if (kind != KIND_READ)
			return BRIEF_IN_R;
	} else {
		if (!list_before(ctx, &fw, kind, mask) || !list_before(ctx, &fr, kind, mask))
			return BRIEF_NOT;
		own = NULL;
	}
	RecId rec = brief_record(t, ctx, pc, size);
	if (unlikely(!rec))
		return BRIEF_NOT;
	uint8_t add = mask;
	if (own) { /* told already: by this one, where that was long ago */
		add = list_refresh(ctx, own, kind, mask, rec);
		if (!add)
			return in_r ? BRIEF_IN_R : BRIEF_IN_W;
	} else if (in_r) {
		list_drop(ctx, &fr, kind, mask, true);
		add &= (uint8_t)~list_mine(ctx, &fr, kind, mask);
		own = &fr;
	} else {
		list_drop(ctx, &fw, kind, mask, true);
		add &= (uint8_t)~list_mine(ctx, &fw, kind, mask);
		list_drop(ctx, &fr, kind, mask, false);
		own = &fw;
		if (!list_cell(t->slow, &fr, r2))
			return BRIEF_NOT;
	}
	own->e[own->n++] = (Entry){rec, (uint8_t)kind, add};
	if (!list_cell(t->slow, own, in_r ? r2 : w2))
		return BRIEF_NOT;
	return in_r ? BRIEF_IN_R : BRIEF_IN_W;
}

bool access_brief_free(Access *a, Cell w, Cell r, Cell *w2)
{
	List all[2];
	if (!list_of(w, PLANE_W, &all[0]) || !list_of(r, PLANE_R, &all[1]) || !access_record(a))
		return false;
	for (int p = 0; p < 2; p++)
		for (uint32_t i = 0; i < all[p].n; i++)
			if (all[p].e[i].kind == KIND_FREE ||
			    (all[p].e[i].kind != KIND_ALLOC &&
				!before(a->ctx, *record_when(all[p].e[i].rec))))
				return false;
	Cell c = cell_simple((Entry){a->rec, KIND_FREE, 0xff});
	if (!c)
		return false;
	*w2 = c;
	return true;
}

/* The one or the other; what the second found out is kept, since an array's elements ask for it again and again. */
static inline __attribute__((always_inline)) Brief brief_any(RaceThread *t, RaceCtx *ctx,
    uintptr_t pc, uint8_t mask, uint32_t size, uint32_t hi, Cell w, Cell r, Cell *w2, Cell *r2)
{
	bool write = hi & CODE_WRITE;
	Brief b = brief_state(t, ctx, pc, mask, size, write, w, r, w2, r2);
	if (likely(b != BRIEF_NOT))
		return b;
	b = access_brief(t, ctx, pc, write ? KIND_WRITE : KIND_READ, mask, size, w, r, w2, r2);
	if (b == (write ? BRIEF_IN_W : BRIEF_IN_R) && !cell_has_atomics(r))
		t->slow->trans[trans_index(w, r, hi, pc)] = (Trans){.w = w,
		    .r = r,
		    .hi = hi,
		    .top = known_top(t),
		    .pc = pc,
		    .mset = ctx->mset,
		    .size = size,
		    .w2 = *w2,
		    .r2 = *r2};
	return b;
}

static inline void brief_known(RaceThread *t, uint32_t hi, Brief b, Cell w2, Cell r2)
{
	if (b == BRIEF_IN_W)
		filter_put(t, hi | CODE_WRITE, w2);
	else
		filter_put(t, hi, r2);
}

static inline __attribute__((always_inline)) bool brief_one(
    RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc)
{
	unsigned log2 = code >> 3 & 3, off = (unsigned)addr & 7;
	if (unlikely(off + (1u << log2) > GRANULE) || unlikely(!shadow_mapped(addr)))
		return false;
	Cell *pw = shadow_w(addr), *pr = shadow_r_of(pw), w2, r2;
	uint32_t *lock = block_lock_of(addr);
	Brief b = BRIEF_NOT;
	brief_prefetch(load_rlx(pw)); /* relaxed: a hint */
	brief_prefetch(load_rlx(pr));
	if (unlikely(!spin_try(lock)))
		return false;
	Cell w = load_rlx(pw), r = load_rlx(pr);
	if (likely(w | r) || shadow_is_touched(shadow_chunk(addr)))
		b = brief_any(t, ctx, (uintptr_t)pc, (uint8_t)(((1u << (1u << log2)) - 1) << off),
		    1u << log2, t->gen + off + code, w, r, &w2, &r2);
	if (likely(b != BRIEF_NOT)) {
		if (w != w2)
			store_rlx(pw, w2); /* relaxed: as in check_granule */
		if (r != r2)
			store_rlx(pr, r2);
		brief_known(t, t->gen + off + code, b, w2, r2);
	}
	spin_unlock(lock);
	return b != BRIEF_NOT;
}

bool access_brief_plain(RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc)
{
	return brief_may(ctx) && brief_one(t, ctx, addr, code, pc);
}

/* An atomic access again of what the same kind did last, before, with nothing but plain writes of long ago beside it: a
 * counter, a flag. The cell of plane R; 0: not for here. */
static inline Cell atomic_again(RaceThread *t, RaceCtx *ctx, uintptr_t pc, Kind kind, uint8_t mask,
    uint32_t size, Cell w, Cell r)
{
	if (!r || !cell_is_simple(r) || cell_mask(r) != mask || cell_kind(r, PLANE_R) != kind)
		return 0;
	ClockPair p = *record_when(cell_rec(r));
	if (mine(ctx, p) || !before(ctx, p))
		return 0;
	if (w && (!cell_is_simple(w) || cell_kind(w, PLANE_W) != KIND_WRITE ||
		     !before(ctx, *record_when(cell_rec(w)))))
		return 0;
	RecId rec = brief_record(t, ctx, pc, size);
	return rec ? cell_simple((Entry){rec, (uint8_t)kind, mask}) : 0;
}
_Static_assert(KIND_AREAD < KIND_WRITE && KIND_AWRITE < KIND_WRITE, "atomics are in plane R");

bool access_brief_atomic(RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc)
{
	uint32_t size = 1u << (code >> 3 & 3), off = (uint32_t)addr & 7;
	if (!brief_may(ctx) || off + size > GRANULE || unlikely(!shadow_mapped(addr)))
		return false;
	Cell *pw = shadow_w(addr), *pr = shadow_r_of(pw), w2, r2;
	Brief b = BRIEF_NOT;
	block_lock(addr);
	Cell w = load_rlx(pw), r = load_rlx(pr);
	Kind kind = code & CODE_WRITE ? KIND_AWRITE : KIND_AREAD;
	uint8_t mask = (uint8_t)(((1u << size) - 1) << off);
	w2 = w;
	if (use_atomic(t, ctx, addr, kind, mask, pc, size, w, r, &r2))
		b = BRIEF_IN_R;
	else if ((r2 = atomic_again(t, ctx, (uintptr_t)pc, kind, mask, size, w, r)) != 0)
		b = BRIEF_IN_R;
	else if (likely(w | r) || shadow_is_touched(shadow_chunk(addr)))
		b = access_brief(t, ctx, (uintptr_t)pc, kind, mask, size, w, r, &w2, &r2);
	if (b != BRIEF_NOT) {
		if (w != w2)
			store_rlx(pw, w2); /* relaxed: as in check_granule */
		if (r != r2)
			store_rlx(pr, r2);
		if (b == BRIEF_IN_W)
			filter_put(t, (t->gen + off + code) | CODE_WRITE | CODE_PLAIN, w2);
		else
			filter_put(t, t->gen + off + code, r2);
	}
	block_unlock(addr);
	return b != BRIEF_NOT;
}

/* Two granules in one state, of one block. */
static inline bool brief_two(
    RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc)
{
	if (unlikely(addr & 7) || unlikely((addr & (BLOCK - 1)) > BLOCK - 2 * GRANULE) ||
	    unlikely(!shadow_mapped(addr)))
		return false;
	Cell *pw = shadow_w(addr), *pr = shadow_r_of(pw), w2, r2;
	uint32_t *lock = block_lock_of(addr);
	Brief b = BRIEF_NOT;
	brief_prefetch(load_rlx(pw)); /* relaxed: a hint */
	brief_prefetch(load_rlx(pr));
	if (unlikely(!spin_try(lock)))
		return false;
	Cell w = load_rlx(pw), r = load_rlx(pr);
	if (likely(w == load_rlx(pw + 1)) && likely(r == load_rlx(pr + 1)) &&
	    (likely(w | r) || shadow_is_touched(shadow_chunk(addr))))
		b = brief_any(t, ctx, (uintptr_t)pc, 0xff, GRANULE, t->gen + code, w, r, &w2, &r2);
	if (likely(b != BRIEF_NOT)) {
		if (w != w2) {
			store_rlx(pw, w2); /* relaxed: as in check_granule */
			store_rlx(pw + 1, w2);
		}
		if (r != r2) {
			store_rlx(pr, r2);
			store_rlx(pr + 1, r2);
		}
		brief_known(t, t->gen + code, b, w2, r2);
	}
	spin_unlock(lock);
	return b != BRIEF_NOT;
}

static __attribute__((noinline)) void access_slower(uintptr_t addr, unsigned code, const void *pc)
{
	seed_access(addr, code & CODE_WRITE, pc);
	RaceThread *t = race_thread_now(); /* another, where others went on meanwhile */
	if (!race_enter_self(t))
		return;
	collect_if_due(t);
	if (!access_again(t, addr, code, pc)) {
		access_check(t, t->ctx, addr, code, pc);
		finding_flush(t);
	}
	race_leave(t);
}

void access_slow(uintptr_t addr, unsigned code, const void *pc)
{
	RaceThread *t = race_thread_now();
	RaceCtx *ctx = t->ctx;
	if (likely(ctx) && brief_may(ctx) && race_try_enter(t)) {
		if (likely(brief_one(t, ctx, addr, code, pc))) {
			race_leave(t);
			return;
		}
		store_rel(&t->busy, 0u); /* as race_leave; signals held are let go at the next */
	}
	access_slower(addr, code, pc);
}

__attribute__((noinline)) void access_slow_vptr(uintptr_t addr, unsigned code, const void *pc)
{
	seed_access(addr, code & CODE_WRITE, pc);
	RaceThread *t = race_thread_now();
	if (!race_enter_self(t))
		return;
	collect_if_due(t);
	t->slow->size_flag = RECORD_VPTR;
	access_check(t, t->ctx, addr, code, pc);
	t->slow->size_flag = 0;
	finding_flush(t);
	race_leave(t);
}

/* One of the two may be known already. */
static bool known(RaceThread *t, uintptr_t addr, unsigned code)
{
	if (!shadow_mapped(addr))
		return false;
	Cell *w = shadow_w(addr);
	uint32_t hi = t->gen + ((uint32_t)addr & 7) + code;
	return filter_has(t, hi | CODE_WRITE, load_rlx(w)) ||
	       (!(code & CODE_WRITE) && filter_has(t, hi, load_rlx(shadow_r_of(w))));
}

static __attribute__((noinline)) void access_slower16(uintptr_t addr, unsigned code, const void *pc)
{
	seed_access(addr, code & CODE_WRITE, pc);
	RaceThread *t = race_thread_now();
	if (!race_enter_self(t))
		return;
	collect_if_due(t);
	bool brief = brief_may(t->ctx);
	for (uintptr_t at = addr; at < addr + 16; at += 8)
		if (!known(t, at, code) && !(brief && brief_one(t, t->ctx, at, code, pc)) &&
		    !access_again(t, at, code, pc))
			access_check(t, t->ctx, at, code, pc);
	finding_flush(t);
	race_leave(t);
}

void access_slow16(uintptr_t addr, unsigned code, const void *pc)
{
	RaceThread *t = race_thread_now();
	RaceCtx *ctx = t->ctx;
	if (likely(ctx) && brief_may(ctx) && race_try_enter(t)) {
		if (likely(brief_two(t, ctx, addr, code, pc))) {
			race_leave(t);
			return;
		}
		store_rel(&t->busy, 0u); /* as in access_slow */
	}
	access_slower16(addr, code, pc);
}
