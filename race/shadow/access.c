/*
 * access.c: the slow path of an access: is it ordered after what the granule remembers?
 *
 * FastTrack (Flanagan and Freund, 2009) with exact sets in place of a last-access cell. Model, for an
 * access X of some bytes by goroutine g:
 *
 *	for every remembered access Y of an overlapping byte that conflicts with X:
 *		unless Y is before X (Y's slot is g's, or g's clock knows Y's epoch): a race
 *	forget, of these bytes, what X stands for from now on; remember X
 *
 * X stands for Y when Y is before X and whatever conflicts with Y conflicts with X: then an access that
 * races with Y and is after X does not exist, and one that is not after X races with X as well. A plain
 * write stands for everything, a read for reads, an atomic for atomics of no greater strength. So no
 * race is lost by forgetting. Racing accesses stay side by side: a report does not hide the next race.
 * Only there is a bound: of accesses that have raced at a granule, RACY_KEEP are kept (lost_racy counts
 * the others), or else n goroutines racing on one counter would cost n^2.
 *
 * Within one epoch the first access counts: a second one of the same bytes and no greater strength
 * changes nothing.
 *
 * Many Ps at once. Two checks on one granule lose nothing to each other: each reads the state, decides and
 * stores the new one under the granule's block lock, so the second starts from a state that includes the
 * first, and of two accesses that race at the same moment the one checked second sees the other. The fast
 * path takes no lock, and stores nothing: it passes when the state that it reads includes its access already
 * (ctx.h). A state read a moment too late or too early was a state all the same: whoever replaced it started
 * from it, found our access there, and was checked against it. A known transition (access_again, access_brief) is stored
 * under the lock, and only where the state is still the one it starts from. The records that a state names
 * are not freed meanwhile: collections wait for who is inside, and ids rest for one more. tests/model/crowd.c
 * has eight at once check the same granules.
 *
 * Rejected: evicting at random when several readers do not fit (peers lose half of the races there).
 */
#include "access.h"

#include "../cancel.h"
#include "../history/context.h"
#include "set.h"

#define RACY_KEEP 16
#define FAR       64 /* records made in between: another call, not the next line */
#define OWN_LOOK  16 /* entries of a long set looked at for an access of one's own */

#define BIT(k) (1u << (k))
#define ALL    (BIT(KIND_ALLOC) - 1)

/* what races with it */
const uint8_t access_conflicts[KINDS] = {
    [KIND_READ] = BIT(KIND_WRITE) | BIT(KIND_AWRITE) | BIT(KIND_FREE),
    [KIND_AREAD] = BIT(KIND_WRITE) | BIT(KIND_FREE),
    [KIND_AWRITE] = BIT(KIND_WRITE) | BIT(KIND_READ) | BIT(KIND_FREE),
    [KIND_WRITE] = ALL,
    [KIND_FREE] = ALL,
};

/* what it stands for, once ordered: each conflicts with no more than it does */
const uint8_t access_stands_for[KINDS] = {
    [KIND_READ] = BIT(KIND_READ) | BIT(KIND_AREAD),
    [KIND_AREAD] = BIT(KIND_AREAD),
    [KIND_AWRITE] = BIT(KIND_AREAD) | BIT(KIND_AWRITE),
    [KIND_WRITE] = ALL & ~BIT(KIND_FREE),
    [KIND_FREE] = ALL | BIT(KIND_ALLOC),
};

static bool is_mine(const Access *a, RecId rec)
{
	ClockPair r = *record_when(rec);
	return r.slot == a->ctx->slot && r.epoch == a->ctx->epoch;
}

static bool is_before(const Access *a, RecId rec)
{
	ClockPair r = *record_when(rec);
	return r.slot == a->ctx->slot || clock_get(&a->ctx->clock, r.slot) >= r.epoch ||
	       (cancel_take(a->ctx) && clock_get(&a->ctx->clock, r.slot) >= r.epoch);
}

/* The bytes of mask that c remembers of this very goroutine, epoch, and sufficient strength. */
static uint8_t own_bytes(const Access *a, uint8_t mask, Cell c, Plane p)
{
	uint8_t have = 0;
	CellIter it = cell_iter(c, p);
	Entry e;
	for (int i = 0; i < OWN_LOOK && cell_next(&it, &e); i++)
		if ((e.mask & mask) && (access_stands_for[e.kind] & BIT(a->kind)) &&
		    e.kind != KIND_FREE && is_mine(a, e.rec))
			have |= e.mask;
	return have & mask;
}

bool access_in_w(const Access *a, uint8_t mask, Cell w)
{
	return w && a->kind != KIND_FREE && own_bytes(a, mask, w, PLANE_W) == mask;
}

bool access_in_r(const Access *a, uint8_t mask, Cell r)
{
	return r && kind_plane(a->kind) == PLANE_R && own_bytes(a, mask, r, PLANE_R) == mask;
}

static RecId make_record(Access *a, StackId top)
{
	RaceCtx *ctx = a->ctx;
	Record r = {.top = top,
	    .pc = (uintptr_t)a->pc,
	    .ginfo = ctx->ginfo,
	    .mset = a->kind == KIND_FREE ? RECORD_ALLOC | a->alloc : ctx->mset,
	    .size = a->size};
	a->rec = record_new(&a->t->slow->block, (ClockPair){ctx->slot, ctx->epoch}, &r);
	if (a->rec)
		ctx->used = true;
	return a->rec;
}

RecId access_record(Access *a)
{
	return a->rec ? a->rec : make_record(a, context_top(a->t, a->ctx));
}

/* The record of this access; 0 where there is no memory for one. */
static RecId record_of(Access *a)
{
	if (a->rec)
		return a->rec;
	StackId top = context_top(a->t, a->ctx);
	if (a->t->ctx != a->ctx || a->kind == KIND_FREE)
		return make_record(a, top);
	uintptr_t pc = (uintptr_t)a->pc;
	uint32_t gen = a->t->gen;
	RecCached *c = &a->t->slow->rec_cache[record_index(pc, top)];
	if (c->gen == gen && c->pc == pc && c->top == top && c->mset == a->ctx->mset &&
	    c->size == a->size)
		return a->rec = c->rec;
	if (make_record(a, top))
		*c = (RecCached){.pc = pc,
		    .gen = gen,
		    .top = top,
		    .mset = a->ctx->mset,
		    .size = a->size,
		    .rec = a->rec};
	return a->rec;
}

static Entry *scratch(RaceSlow *s, uint32_t n)
{
	if (unlikely(n > s->scratch_cap)) {
		uint32_t cap = s->scratch_cap ? s->scratch_cap : 32;
		while (cap < n)
			cap *= 2;
		s->scratch =
		    race_alloc(cap * sizeof *s->scratch); /* the old one is less than half of it */
		s->scratch_cap = cap;
	}
	return s->scratch;
}

/* In the variables of the thread that a goroutine runs on: see tls.c. */
static bool in_own_tls(const Access *a, uintptr_t granule)
{
	return unlikely(granule - a->t->tls_lo < a->t->tls_hi - a->t->tls_lo) &&
	       !a->ctx->is_thread && a->t->ctx == a->ctx;
}

/* An atomic load beside a store of no earlier epoch by the same goroutine, each in a record of its own (use.h): what
 * races with the load races with the store, and is told of that. */
static bool has_later_store(Cell c, Plane p, Entry load, uint8_t mask)
{
	ClockPair when = *record_when(load.rec);
	if (load.kind != KIND_AREAD || cell_len(c) > SET_SORTED)
		return false;
	CellIter it = cell_iter(c, p);
	for (Entry e; cell_next(&it, &e);) {
		ClockPair then = *record_when(e.rec);
		if (e.kind == KIND_AWRITE && then.slot == when.slot && then.epoch >= when.epoch &&
		    !(load.mask & mask & (uint8_t)~e.mask))
			return true;
	}
	return false;
}

/* Look for conflicts in one cell. Whether there are any. */
static bool find_conflicts(Access *a, uintptr_t granule, uint8_t mask, Cell c, Plane p)
{
	bool any = false;
	if (in_own_tls(a, granule))
		return false;
	if (cell_is_set(c) && !(set_at(c & ~CELL_SET)->kinds & access_conflicts[a->kind]))
		return false; /* the n-th reader does not look at the n-1 others */
	CellIter it = cell_iter(c, p);
	for (Entry e; cell_next(&it, &e);) {
		if (!(e.mask & mask) || !(access_conflicts[a->kind] & BIT(e.kind)))
			continue;
		if (e.kind != KIND_FREE && (is_before(a, e.rec) || has_later_store(c, p, e, mask)))
			continue;
		if (record_of(a))
			finding_add(a, granule, e, mask);
		any = true;
	}
	return any;
}

/* The cell c without the bytes `mask` of what the access stands for, and with the access itself where
 * `add`. */
static Cell update(Access *a, Cell c, Plane p, uint8_t mask, bool add)
{
	uint32_t len = cell_len(c);
	if (cell_is_set(c) && len > SET_SORTED && add && p == PLANE_R &&
	    len < 2 * set_at(c & ~CELL_SET)->thinned) {
		Entry mine = {a->rec, (uint8_t)a->kind, mask};
		return cell_cons(c, mine, &a->lost);
	}
	uint32_t drop =
	    access_stands_for[a->kind] | BIT(KIND_FREE); /* a use after free is told once */
	Entry *e = scratch(a->t->slow, len + 1), x;
	uint32_t n = 0, racing = 0;
	uint8_t have = 0;
	bool changed = false;
	CellIter it = cell_iter(c, p);
	while (cell_next(&it, &x)) {
		uint8_t both = x.mask & mask;
		if (both && add && x.kind != KIND_FREE &&
		    (access_stands_for[x.kind] & BIT(a->kind)) && is_mine(a, x.rec)) {
			have |= both;
		} else if (both && (drop & BIT(x.kind))) {
			if (a->kind == KIND_FREE || x.kind == KIND_FREE || is_before(a, x.rec)) {
				x.mask &= (uint8_t)~mask;
				changed = true;
			} else if ((access_conflicts[a->kind] & BIT(x.kind)) &&
				   ++racing > RACY_KEEP) {
				race_count(lost_racy);
				changed = true;
				x.mask &= (uint8_t)~mask; /* its other bytes have not raced */
			}
		}
		if (x.mask)
			e[n++] = x;
	}
	uint8_t rest = add ? mask & (uint8_t)~have : 0;
	if (!rest && !changed)
		return c;
	if (n > SET_SORTED) /* read from the head; built from the tail */
		for (uint32_t i = 0, j = n - 1; i < j; i++, j--) {
			x = e[i];
			e[i] = e[j];
			e[j] = x;
		}
	if (rest)
		e[n++] = (Entry){a->rec, (uint8_t)a->kind, rest};
	return cell_build(e, n, &a->lost);
}

void access_transition(
    Access *a, uintptr_t granule, uint8_t mask, uint32_t hi, Cell w, Cell r, Cell *w2, Cell *r2)
{
	Trans *cached = NULL;
	*w2 = w;
	*r2 = r;
	if (hi && !cell_has_atomics(r)) {
		cached = &a->t->slow->trans[trans_index(w, r, hi, (uintptr_t)a->pc)];
		if (trans_is(cached, known_top(a->t), a->ctx->mset, (uintptr_t)a->pc, a->size, hi,
			w, r)) {
			*w2 = cached->w2;
			*r2 = cached->r2;
			return;
		}
	}
	Plane mine = kind_plane(a->kind);
	bool conflict = w && find_conflicts(a, granule, mask, w, PLANE_W);
	if (r)
		conflict |= find_conflicts(a, granule, mask, r, PLANE_R);
	a->conflict = conflict;
	if (!record_of(a)) {
		a->lost = true;
		return;
	}
	if (mine == PLANE_W) {
		*w2 = update(a, w, PLANE_W, mask, true);
		if (r)
			*r2 = update(a, r, PLANE_R, mask, false);
	} else {
		if (conflict && w)
			*w2 = update(a, w, PLANE_W, mask, false);
		*r2 = update(a, r, PLANE_R, mask, true);
	}
	if (cached && !conflict && !a->lost && !in_own_tls(a, granule))
		*cached = (Trans){.w = w,
		    .r = r,
		    .hi = hi,
		    .top = known_top(a->t), /* known since record_of */
		    .pc = (uintptr_t)a->pc,
		    .mset = a->ctx->mset,
		    .size = a->size,
		    .w2 = *w2,
		    .r2 = *r2};
}

/* c includes the access already, by one of this epoch. Where that is far back, take this one in its place:
 * same goroutine, epoch and kind, so nothing that could race with the one does not with the other. What a
 * recursion leaves behind, a state per leaf, becomes one state per call at each level, and the leaves'
 * records are free. Done only where the filter does not know the old state, and the caller puts it there: an
 * array whose elements look alike is not worked over again. */
Cell access_refresh(Access *a, uint8_t mask, Cell c, Plane p)
{
	if (a->kind != (p == PLANE_W ? KIND_WRITE : KIND_READ) || cell_len(c) > SET_SORTED)
		return c;
	Entry e[SET_SORTED + 1], x;
	uint32_t n = 0;
	bool far = false;
	for (CellIter it = cell_iter(c, p); cell_next(&it, &x);) {
		if ((x.mask & mask) && x.kind == a->kind && is_mine(a, x.rec)) {
			if (!far && (!record_of(a) || a->rec - x.rec + FAR <= 2 * FAR))
				return c;
			far = true;
			x.mask &= (uint8_t)~mask;
		}
		if (x.mask)
			e[n++] = x;
	}
	if (!far)
		return c;
	e[n++] = (Entry){a->rec, (uint8_t)a->kind, mask};
	bool lost = false;
	Cell c2 = cell_build(e, n, &lost);
	return lost ? c : c2;
}

static inline void prefetch(Cell c)
{
	if (c && cell_is_simple(c))
		__builtin_prefetch(record_when(cell_rec(c)));
}

/* One granule: `mask` of its bytes. hi: 0 where the access is more than this. */
static void check_granule(Access *a, uintptr_t granule, uint8_t mask, uint32_t hi)
{
	Cell *pw = shadow_w(granule), *pr = shadow_r_of(pw);
	Cell w = load_rlx(pw), r = load_rlx(pr), w2, r2;
	prefetch(
	    w); /* relaxed, and perhaps stale a moment later: a hint, overlapping the two misses */
	prefetch(r);
	block_lock(granule);
	w = load_rlx(pw);
	r = r2 = load_rlx(pr);
	if (unlikely(!(w | r)))
		w = shadow_freed(granule);
	w2 = w;
	bool in_w = access_in_w(a, mask, w), in_r = !in_w && access_in_r(a, mask, r);
	if (!in_w && !in_r) {
		access_transition(a, granule, mask, hi, w, r, &w2, &r2);
	} else if (hi) {
		if (in_w)
			w2 = access_refresh(a, mask, w, PLANE_W);
		else
			r2 = access_refresh(a, mask, r, PLANE_R);
	}
	if (w != w2 || r != r2) {
		shadow_touch(granule);
		shadow_grow(granule, w2, r2);
		if (w != w2)
			store_rlx(pw, w2); /* relaxed: the fast path takes any state as it is */
		if (r != r2)
			store_rlx(pr, r2);
	}
	block_unlock(granule);
	if (!hi || a->lost)
		return;
	/* hi of a new generation is never stored: the goroutine's epoch is that of the caller's look */
	if (in_w) {
		filter_put(a->t, hi | CODE_WRITE | CODE_PLAIN, w);
		if (w != w2)
			filter_put(a->t, hi | CODE_WRITE | CODE_PLAIN, w2);
	} else if (kind_plane(a->kind) == PLANE_W) {
		filter_put(a->t, hi, w2);
	} else {
		if (in_r)
			filter_put(a->t, hi, r);
		if (!in_r || r != r2)
			filter_put(a->t, hi, r2);
	}
}

static bool ignored(const RaceCtx *ctx, Kind k)
{
	return k == KIND_READ || k == KIND_AREAD ? ctx->ignore_reads : ctx->ignore_writes;
}

void access_check(RaceThread *t, RaceCtx *ctx, uintptr_t addr, unsigned code, const void *pc)
{
	uint32_t size = 1u << (code >> 3 & 3), off = (uint32_t)addr & 7;
	bool plain = code & CODE_PLAIN;
	Kind kind = code & CODE_WRITE ? (plain ? KIND_WRITE : KIND_AWRITE)
				      : (plain ? KIND_READ : KIND_AREAD);
	Access a = {.t = t, .ctx = ctx, .pc = pc, .size = size | t->slow->size_flag, .kind = kind};
	if (ignored(ctx, kind))
		return;
	if (likely(off + size <= GRANULE)) {
		if (shadow_mapped(addr) || shadow_map(addr))
			check_granule(&a, addr & ~(uintptr_t)7,
			    (uint8_t)(((1u << size) - 1) << off),
			    ctx == t->ctx ? t->gen | (code & ~7u) | off : 0);
		return;
	}
	for (uintptr_t at = addr; at < addr + size;) { /* across granules */
		uint32_t in = (uint32_t)at & 7, n = GRANULE - in;
		n = n < addr + size - at ? n : (uint32_t)(addr + size - at);
		if (shadow_mapped(at) || shadow_map(at))
			check_granule(&a, at & ~(uintptr_t)7, (uint8_t)(((1u << n) - 1) << in), 0);
		at += n;
	}
}

/* A transition that is known: what access_check does, with no record read. The look without the lock is
 * a guess which state it will be; under the lock it has to be that one. */
bool access_again(RaceThread *t, uintptr_t addr, unsigned code, const void *pc)
{
	RaceCtx *ctx = t->ctx;
	uint32_t size = 1u << (code >> 3 & 3), off = (uint32_t)addr & 7, hi = t->gen + off + code;
	if (off + size > GRANULE || !shadow_mapped(addr) || ctx->ignore_reads || ctx->ignore_writes)
		return false;
	Cell *pw = shadow_w(addr), *pr = shadow_r_of(pw);
	Cell w = load_rlx(pw), r = load_rlx(pr); /* relaxed: looked at again below */
	const Trans *c = &t->slow->trans[trans_index(w, r, hi, (uintptr_t)pc)];
	if (!trans_is(c, known_top(t), ctx->mset, (uintptr_t)pc, size, hi, w, r))
		return false;
	if (!(w | r)) { /* else it was touched before */
		if (unlikely(shadow_freed(addr)))
			return false;
		shadow_touch(addr & ~(uintptr_t)7);
	}
	shadow_grow(addr, c->w2, c->r2);
	block_lock(addr);
	bool same = load_rlx(pw) == w && load_rlx(pr) == r;
	if (likely(same)) {
		if (w != c->w2)
			store_rlx(pw, c->w2); /* relaxed: as in check_granule */
		if (r != c->r2)
			store_rlx(pr, c->r2);
	}
	block_unlock(addr);
	if (same)
		filter_put(t, hi, (code & CODE_WRITE) && (code & CODE_PLAIN) ? c->w2 : c->r2);
	return same;
}
