/*
 * syncvar.c: sync objects by address, and the edges through them.
 *
 * An acquire of what the goroutine knows already is one comparison: where a release overwrote the
 * clock, (slot, epoch) of the releaser names its whole content, because race_publish advances the epoch
 * whenever the releaser did or learnt anything since. So "I know that epoch of that slot" implies "I know
 * all of it".
 *
 * Lock-free lookup: a chain is read by load_acq, its nodes never unmapped. A reader may follow a node that
 * was forgotten and reused meanwhile into another chain: it then misses, and looks again under the
 * insertion lock; it can hold no wrong node, since the address is checked again under the node's lock.
 */
#include "syncvar.h"

#include <string.h>

#include "../../runtime/os/os.h"
#include "../lock/order.h"
#include "../shadow/shadow.h"
#include "../spin.h"
#include "slot.h"

#define SV_CHUNK_BITS 10
#define SV_CHUNK      (1u << SV_CHUNK_BITS)
#define SV_CHUNKS     65536u /* 6.7e7 objects */
#define META_BITS     8
#define STEPS         64 /* a granule has 8 addresses; identities beyond 47 bits share some */
#define ADDR_MASK     (((uintptr_t)1 << 47) - 1) /* identities may be any number */

static struct {
	Lock lock; /* rank RACE_SYNC */
	uint32_t top, free;
	SyncVar *chunk[SV_CHUNKS];
} vars = {.lock = LOCK_INIT(RACE_SYNC)};

/* A cache line each, and scattered, as the locks of blocks are: neighbours are counters of several threads. */
static struct MetaLock {
	_Alignas(64) uint32_t word;
} meta_locks[1u << META_BITS];

static SyncVar *var_at(uint32_t id)
{
	return &vars.chunk[id >> SV_CHUNK_BITS][id & (SV_CHUNK - 1)];
}

static SyncVar *var_new(uintptr_t addr)
{
	SyncVar *s = NULL;
	lock(&vars.lock);
	if (vars.free) {
		s = var_at(vars.free);
		vars.free = s->next;
	} else if ((vars.top + 1) >> SV_CHUNK_BITS < SV_CHUNKS) {
		uint32_t id = ++vars.top;
		SyncVar **chunk = &vars.chunk[id >> SV_CHUNK_BITS];
		if (!*chunk)
			*chunk = race_alloc(SV_CHUNK * sizeof **chunk);
		s = var_at(id);
		s->id = id;
		race_count(syncvars);
	}
	unlock(&vars.lock);
	if (!s) {
		race_count(lost_memory);
		return NULL;
	}
	store_rlx(&s->addr, addr); /* relaxed: published with the chain's head */
	return s;
}

static uint32_t *meta_lock(uintptr_t addr)
{
	uint64_t granule = (addr & ADDR_MASK) >> 3;
	return &meta_locks[granule * UINT64_C(0x9e3779b97f4a7c15) >> (64 - META_BITS)].word;
}

static uint32_t *meta_cell(uintptr_t addr, bool map)
{
	addr &= ADDR_MASK;
	if (!shadow_mapped(addr) && (!map || !shadow_map(addr)))
		return NULL;
	return shadow_meta_of(shadow_w(addr));
}

static SyncVar *chain_find(uint32_t *cell, uintptr_t addr)
{
	int steps = STEPS;
	for (uint32_t id = load_acq(cell);
	     id && steps-- > 0;) { /* pairs with store_rel in sync_get */
		SyncVar *s = var_at(id);
		if (load_rlx(&s->addr) == addr) /* relaxed: checked again under its lock */
			return s;
		id = load_acq(&s->next);
	}
	return NULL;
}

/* What this thread found lately, by address: who locks unlocks soon. Never cleared, since SyncVars are type-stable:
 * one that is another address's by now, or nobody's, shows so once it is locked. */
#define RECENT 16u
static __thread struct Recent {
	uintptr_t addr;
	SyncVar *s;
} recent[RECENT] __attribute__((tls_model("initial-exec")));

static inline struct Recent *recent_of(uintptr_t addr)
{
	return &recent[(addr >> 3 ^ addr >> 7 ^ addr >> 12) % RECENT];
}

/*
 * No lock: own alone is read, in one load, and says all. It may be an older one's than is there a moment later, as
 * under the lock; it is never an older one's than was there when the call was made. That it is addr's is seen
 * afterwards: one that was forgotten and made again meanwhile, for the same address, nobody had who knew addr as alive.
 */
bool sync_is_known(const RaceCtx *ctx, uintptr_t addr)
{
	const struct Recent *c = recent_of(addr);
	if (unlikely(c->addr != addr) || unlikely(!c->s))
		return false;
	ClockPair own = sync_own(c->s);
	/* relaxed: after own, which sync_own acquires */
	return own.epoch && load_rlx(&c->s->addr) == addr && ctx_knows(ctx, own);
}

static SyncVar *find_far(uintptr_t addr);

SyncVar *sync_find(uintptr_t addr)
{
	struct Recent *c = recent_of(addr);
	if (likely(c->addr == addr) && likely(c->s != NULL)) {
		SyncVar *s = c->s;
		spin_lock(&s->lock);
		if (likely(load_rlx(&s->addr) ==
			   addr)) /* relaxed: changes under the lock we hold, but from 0 */
			return s;
		spin_unlock(&s->lock);
	}
	SyncVar *s = find_far(addr);
	if (s)
		*c = (struct Recent){addr, s};
	return s;
}

static __attribute__((noinline)) SyncVar *find_far(uintptr_t addr)
{
	uint32_t *cell = meta_cell(addr, false);
	if (!cell || load_rlx(cell) == 0) /* relaxed: nothing is read through it */
		return NULL;
	SyncVar *s = chain_find(cell, addr);
	if (likely(s)) {
		spin_lock(&s->lock);
		if (likely(load_rlx(&s->addr) == addr))
			return s;
		spin_unlock(&s->lock);
	}
	spin_lock(meta_lock(addr)); /* it changed under us, or a chain led astray */
	s = chain_find(cell, addr);
	if (s)
		spin_lock(&s->lock);
	spin_unlock(meta_lock(addr));
	return s;
}

SyncVar *sync_get(uintptr_t addr)
{
	SyncVar *s = sync_find(addr);
	if (likely(s))
		return s;
	uint32_t *cell = meta_cell(addr, true);
	if (!cell)
		return NULL;
	spin_lock(meta_lock(addr));
	s = chain_find(cell, addr);
	if (!s && (s = var_new(addr)) != NULL) {
		store_rel(&s->next, load_rlx(cell)); /* relaxed: changes under the lock we hold */
		Chunk *c = shadow_chunk(addr & ADDR_MASK);
		store_rlx(&c->has_sync, (uint8_t)1);
		if (unlikely(load_rlx(&c->is_stack)))
			shadow_touch_stack(c, addr & ADDR_MASK);
		store_rel(cell, s->id); /* publishes s; pairs with load_acq in chain_find */
	}
	if (s)
		spin_lock(&s->lock);
	spin_unlock(meta_lock(addr));
	return s;
}

void sync_unlock(SyncVar *s)
{
	spin_unlock(&s->lock);
}

bool sync_hold(uintptr_t addr)
{
	uint32_t *cell = meta_cell(addr, true);
	if (!cell)
		return false;
	spin_lock(meta_lock(addr));
	if (!chain_find(cell, addr))
		return true;
	spin_unlock(meta_lock(addr));
	return false;
}

void sync_hold_end(uintptr_t addr)
{
	spin_unlock(meta_lock(addr));
}

/* Take the members of [lo, hi) off one granule's chain. */
static void forget_granule(uint32_t *cell, uintptr_t granule, uintptr_t lo, uintptr_t hi)
{
	uint32_t dead = 0;
	spin_lock(meta_lock(granule));
	for (uint32_t *link = cell; *link;) {
		SyncVar *s = var_at(*link);
		if (s->addr < lo || s->addr >= hi) {
			link = &s->next;
			continue;
		}
		spin_lock(&s->lock);
		store_rlx(&s->addr, (uintptr_t)0);
		sync_clear(s);
		spin_unlock(&s->lock);
		store_rel(link,
		    s->next); /* readers on s go on along its next, see the head of the file */
		store_rel(&s->next, dead);
		dead = s->id;
	}
	spin_unlock(meta_lock(granule));
	while (dead) {
		SyncVar *s = var_at(dead);
		dead = s->next;
		order_gone(s->order); /* nobody finds s any more */
		s->order = 0;
		lock(&vars.lock);
		store_rel(&s->next, vars.free);
		vars.free = s->id;
		unlock(&vars.lock);
	}
}

void sync_forget(uintptr_t addr)
{
	uint32_t *cell = meta_cell(addr, false);
	if (cell && load_rlx(cell)) /* relaxed: the caller knows of no release still under way */
		forget_granule(cell, addr, addr, addr + 1);
}

void sync_forget_range(uintptr_t lo, uintptr_t hi)
{
	for (uintptr_t at = lo & ~(uintptr_t)7; at < hi;) {
		uintptr_t end = (at | (CHUNK_BYTES - 1)) + 1;
		if (!shadow_valid(at))
			return;
		if (shadow_mapped(at) && load_rlx(&shadow_chunk(at)->has_sync)) {
			uint32_t *cell = shadow_meta_of(shadow_w(at));
			for (; at < end && at < hi; at += GRANULE, cell++)
				if (load_rlx(cell))
					forget_granule(cell, at, lo, hi);
		}
		at = end;
	}
}

/* The one at addr, if any, has its like at addr + by. Nobody else asks for it, so it is read without its lock: two
 * are never held. */
static void copy_to(uintptr_t addr, uintptr_t by)
{
	SyncVar *to, *s = sync_find(addr);
	if (!s)
		return;
	sync_unlock(s);
	if (!(to = sync_get(addr + by)))
		return;
	clock_copy(&to->clock, &s->clock);
	sync_own_set(to, sync_own(s));
	to->full = s->full;
	to->nheads = s->nheads;
	memcpy(to->heads, s->heads, sizeof to->heads);
	sync_unlock(to);
}

void sync_move_range(uintptr_t lo, uintptr_t hi, uintptr_t by)
{
	for (uintptr_t at = lo; at < hi; at += GRANULE) {
		if (!shadow_mapped(at) || !load_rlx(&shadow_chunk(at)->has_sync)) {
			at |= CHUNK_BYTES - GRANULE; /* the chunk's last granule */
			continue;
		}
		if (load_rlx(shadow_meta_of(shadow_w(at))))
			for (uintptr_t k = at; k < at + GRANULE; k++)
				copy_to(k, by);
	}
	sync_forget_range(lo, hi);
}

void sync_forget_stack(uintptr_t lo, uintptr_t hi)
{
	for (uintptr_t at = lo; at < hi; at = (at | (CHUNK_BYTES - 1)) + 1) {
		if (!shadow_mapped(at))
			continue;
		Chunk *c = shadow_chunk(at);
		uintptr_t start = at & ~(uintptr_t)(CHUNK_BYTES - 1), end = start + CHUNK_BYTES;
		if (!load_rlx(&c->has_sync))
			continue;
		uintptr_t low = load_rlx(&c->is_stack) ? end - load_rlx(&c->depth) : start;
		sync_forget_range(low > at ? low : at, end < hi ? end : hi);
		if (at == start && end <= hi)
			store_rlx(&c->has_sync, (uint8_t)0); /* all of it is the dead one's */
	}
}

void sync_mark(void)
{
	for (uint32_t id = 1; id <= vars.top; id++) {
		SyncVar *s = var_at(id);
		ClockPair own = sync_own(s);
		if (own.epoch)
			slot_mark(own.slot);
	}
}

/* ---- edges ---- */

bool ctx_knows(const RaceCtx *ctx, ClockPair p)
{
	return p.slot == ctx->slot || clock_get(&ctx->clock, p.slot) >= p.epoch;
}

void ctx_learn(RaceCtx *ctx, ClockPair own, const Clock *clock)
{
	bool grew = clock_join(&ctx->clock, clock);
	if (own.epoch && own.slot != ctx->slot)
		grew |= clock_raise(&ctx->clock, own.slot, own.epoch);
	ctx->grown |= grew;
}

void sync_acquire(RaceCtx *ctx, SyncVar *s)
{
	ClockPair own = sync_own(s);
	if (!s->full || (own.epoch && ctx_knows(ctx, own)))
		return;
	ctx_learn(ctx, own, &s->clock);
}

bool sync_has_head(const SyncVar *s, const RaceCtx *ctx)
{
	for (uint32_t i = 0; i < s->nheads && i < SYNC_HEADS; i++)
		if (s->heads[i] == ctx->ginfo)
			return true;
	return s->nheads > SYNC_HEADS;
}

void sync_head(SyncVar *s, const RaceCtx *ctx, bool alone)
{
	if (alone)
		s->nheads = 0;
	else if (sync_has_head(s, ctx))
		return;
	if (s->nheads < SYNC_HEADS)
		s->heads[s->nheads] = ctx->ginfo;
	s->nheads++;
}

/* What ctx knows, in the place of what s holds. */
static void overwrite(RaceCtx *ctx, SyncVar *s)
{
	ClockPair p = race_publish(ctx);
	/* clock_copy is cheap where the content is the same: the root is compared first */
	clock_copy(&s->clock, &ctx->clock);
	sync_own_set(s, p);
	s->full = true;
}

void sync_release(RaceCtx *ctx, SyncVar *s)
{
	overwrite(ctx, s);
	sync_head(s, ctx, true);
}

void sync_release_merge(RaceCtx *ctx, SyncVar *s)
{
	sync_head(s, ctx, false);
	ClockPair own = sync_own(s);
	if (!s->full || (own.epoch && ctx_knows(ctx, own))) {
		overwrite(ctx, s);
		return;
	}
	ClockPair p = race_publish(ctx);
	sync_mix(s);
	clock_join(&s->clock, &ctx->clock);
	clock_raise(&s->clock, p.slot, p.epoch);
}

void sync_mix(SyncVar *s)
{
	ClockPair own = sync_own(s);
	if (!own.epoch)
		return;
	sync_own_set(s, (ClockPair){0, 0}); /* before the clock is another than own says */
	clock_raise(&s->clock, own.slot, own.epoch);
}

void sync_release_acquire(RaceCtx *ctx, SyncVar *s)
{
	sync_acquire(ctx, s);
	sync_release(ctx, s);
}

void sync_clear(SyncVar *s)
{
	sync_own_set(s, (ClockPair){0, 0});
	clock_clear(&s->clock);
	s->full = false;
	s->nheads = 0;
}

MemoryUse sync_memory(void)
{
	uint32_t top = load_rlx(&vars.top); /* relaxed: a count */
	uint64_t live = 0;
	for (uint32_t id = 1; id <= top; id++)
		live += load_rlx(&var_at(id)->addr) != 0;
	uint64_t chunks = top ? (top >> SV_CHUNK_BITS) + 1 : 0;
	return (MemoryUse){live, chunks * SV_CHUNK * sizeof(SyncVar) + shadow_meta_bytes()};
}
