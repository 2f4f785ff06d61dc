/*
 * atomic.c: __tsan_atomic*: C11 atomics with the edges of their own memory orders.
 *
 * The operation on memory and the one on the address's clock happen under the SyncVar's lock, so that
 * no edge is missing and none invented. The edges:
 *
 *	load acquire            learns the clock; relaxed: remembers it for a later acquire fence
 *	store release           overwrites the clock; relaxed: publishes what a release fence before it
 *	                        left, and ends the release sequences but the goroutine's own (C11 5.1.2.4p10;
 *	                        C++20 ends these too). Which of the clock is whose is not kept: where others
 *	                        have released as well theirs stays with it, an edge too many
 *	read-modify-write       acquire as a load; release joins its clock into the address's, relaxed
 *	                        leaves that alone: it goes on with the release sequence
 *	compare-exchange        as the read-modify-write or, failed, as a load with its failure order
 *
 * An address that was never released to has no SyncVar, and needs none: a relaxed operation there runs
 * under the insertion lock (sync_hold), an acquire load makes sure that none came up meanwhile.
 * Accesses are remembered as KIND_AREAD and KIND_AWRITE before the clock is published: whoever acquires
 * from the operation is ordered after its access too. In the scheduler, or where a signal handler has
 * interrupted the detector, the bare operation is left.
 *
 * Memory is touched once before any lock is taken: a bad address faults outside.
 */
#include "../clock/syncvar.h"
#include "abi.h"

typedef unsigned __int128 u128;

typedef enum Op { OP_LOAD, OP_STORE, OP_RMW, OP_CAS } Op;

typedef struct Atomic {
	RaceThread *t;
	RaceCtx *ctx; /* NULL: the bare operation */
	uintptr_t addr;
	const void *pc;
	SyncVar *sync; /* locked; NULL: none */
	int order;
	unsigned log2;
	bool held; /* sync_hold */
} Atomic;

static bool is_acquire(int order)
{
	return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
}

static bool is_release(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

/* The access on the granule(s), as the fast path of a plain one. */
static void remember(Atomic *a, bool write)
{
	if (unlikely(sample_off()))
		return;
	unsigned log2 = a->log2 > 3 ? 3 : a->log2;
	unsigned code = CODE_SIZE(log2) | (write ? CODE_WRITE : 0);
	for (unsigned off = 0; off < 1u << a->log2; off += 8) {
		uintptr_t addr = a->addr + off;
		if (shadow_mapped(addr)) {
			Cell *w = shadow_w(addr);
			uint32_t hi = a->t->gen + ((uint32_t)addr & 7) + code;
			if (filter_has(a->t, hi, load_rlx(shadow_r_of(w))) ||
			    filter_has(a->t, hi | CODE_WRITE | CODE_PLAIN, load_rlx(w)))
				continue;
		}
		if (!access_brief_atomic(a->t, a->ctx, addr, code, a->pc))
			access_check(a->t, a->ctx, addr, code, a->pc);
	}
}

static void begin(Atomic *a, volatile void *p, unsigned log2, int order, Op op, const void *pc)
{
	if (unlikely(race_seed_here()))
		race_seed->point(op == OP_LOAD ? POINT_ATOMIC_LOAD : POINT_ATOMIC,
		    (const void *)(uintptr_t)p, pc);
	*a = (Atomic){.t = race_thread_now(),
	    .addr = (uintptr_t)p,
	    .log2 = log2,
	    .order = order & 0xff,
	    .pc = pc};
	(void)*(volatile char *)p;
	if (!race_enter_self(a->t))
		return;
	a->ctx = a->t->ctx;
	collect_if_due(a->t);
	if (op != OP_CAS)
		remember(a, op != OP_LOAD);
	if (a->ctx->ignore_sync)
		return;
	bool publishes = op != OP_LOAD &&
			 (is_release(a->order) || (a->ctx->fences && a->ctx->fences->has_release));
	for (;;) {
		a->sync = publishes ? sync_get(a->addr) : sync_find(a->addr);
		if (a->sync || publishes)
			return;
		if (sync_hold(a->addr)) {
			a->held = true;
			return;
		}
		if (!shadow_mapped(a->addr))
			return;
	}
}

static void edges_in(Atomic *a, int order)
{
	SyncVar *s = a->sync;
	if (!s || !s->full)
		return;
	if (is_acquire(order)) {
		sync_acquire(a->ctx, s);
		return;
	}
	ClockPair own = sync_own(s);
	if (own.epoch && ctx_knows(a->ctx, own))
		return;
	Fences *f = ctx_fences(a->ctx);
	clock_join(&f->acquire, &s->clock);
	clock_raise(&f->acquire, own.slot, own.epoch);
	f->has_acquire = true;
}

static void edges_out(Atomic *a, Op op)
{
	SyncVar *s = a->sync;
	if (!s)
		return;
	Fences *f = a->ctx->fences;
	bool merge = op != OP_STORE;
	if (is_release(a->order)) {
		if (merge)
			sync_release_merge(a->ctx, s);
		else
			sync_release(a->ctx, s);
		return;
	}
	/* Relaxed. An update goes on with the release sequence; a store does with its own goroutine's. */
	if (!merge) {
		if (sync_has_head(s, a->ctx))
			sync_head(s, a->ctx, true);
		else
			sync_clear(s);
	}
	if (f && f->has_release) {
		sync_mix(s);
		clock_join(&s->clock, &f->release);
		clock_raise(&s->clock, f->release_own.slot, f->release_own.epoch);
		s->full = true;
		sync_head(s, a->ctx, false);
	}
}

static void end(Atomic *a, Op op)
{
	if (!a->ctx)
		return;
	if (op != OP_STORE)
		edges_in(a, a->order);
	if (op != OP_LOAD)
		edges_out(a, op);
	if (a->sync)
		sync_unlock(a->sync);
	if (a->held)
		sync_hold_end(a->addr);
	finding_flush(a->t);
	race_leave(a->t);
}

static void end_cas(Atomic *a, bool done, int fail_order)
{
	if (!a->ctx)
		return;
	remember(a, done);
	if (!done)
		a->order = fail_order & 0xff;
	end(a, done ? OP_RMW : OP_LOAD);
}

/* ---- 1 to 8 bytes ---- */

#define RMW(bits, log2, T, name, builtin)                                                          \
	ABI T __tsan_atomic##bits##_##name(volatile T *p, T v, int order);                         \
	ABI T __tsan_atomic##bits##_##name(volatile T *p, T v, int order)                          \
	{                                                                                          \
		Atomic a;                                                                          \
		begin(&a, p, log2, order, OP_RMW, PC);                                             \
		T old = builtin(p, v, __ATOMIC_SEQ_CST);                                           \
		end(&a, OP_RMW);                                                                   \
		return old;                                                                        \
	}

#define CAS_FLAG(bits, log2, T, name)                                                              \
	ABI int __tsan_atomic##bits##_##name(                                                      \
	    volatile T *p, T *expected, T v, int order, int fail);                                 \
	ABI int __tsan_atomic##bits##_##name(volatile T *p, T *expected, T v, int order, int fail) \
	{                                                                                          \
		T want = *expected;                                                                \
		T old = cas##bits(p, want, v, order, fail, PC);                                    \
		if (old == want)                                                                   \
			return 1;                                                                  \
		*expected = old;                                                                   \
		return 0;                                                                          \
	}

#define COMMON(bits, log2, T)                                                                      \
	ABI T __tsan_atomic##bits##_load(const volatile T *p, int order);                          \
	ABI T __tsan_atomic##bits##_load(const volatile T *p, int order)                           \
	{                                                                                          \
		Atomic a;                                                                          \
		begin(&a, (volatile void *)(uintptr_t)p, log2, order, OP_LOAD, PC);                \
		T v = load##bits(p);                                                               \
		end(&a, OP_LOAD);                                                                  \
		return v;                                                                          \
	}                                                                                          \
	ABI void __tsan_atomic##bits##_store(volatile T *p, T v, int order);                       \
	ABI void __tsan_atomic##bits##_store(volatile T *p, T v, int order)                        \
	{                                                                                          \
		Atomic a;                                                                          \
		begin(&a, p, log2, order, OP_STORE, PC);                                           \
		store##bits(p, v);                                                                 \
		end(&a, OP_STORE);                                                                 \
	}                                                                                          \
	static inline T cas##bits(volatile T *p, T want, T v, int order, int fail, const void *pc) \
	{                                                                                          \
		Atomic a;                                                                          \
		begin(&a, p, log2, order, OP_CAS, pc);                                             \
		T old = __sync_val_compare_and_swap(p, want, v);                                   \
		end_cas(&a, old == want, fail);                                                    \
		return old;                                                                        \
	}                                                                                          \
	CAS_FLAG(bits, log2, T, compare_exchange_strong)                                           \
	CAS_FLAG(bits, log2, T, compare_exchange_weak)                                             \
	ABI T __tsan_atomic##bits##_compare_exchange_val(                                          \
	    volatile T *p, T want, T v, int order, int fail);                                      \
	ABI T __tsan_atomic##bits##_compare_exchange_val(                                          \
	    volatile T *p, T want, T v, int order, int fail)                                       \
	{                                                                                          \
		return cas##bits(p, want, v, order, fail, PC);                                     \
	}

#define SIZED(bits, log2, T)                                                                       \
	static inline T load##bits(const volatile T *p)                                            \
	{                                                                                          \
		return load_sc(p);                                                                 \
	}                                                                                          \
	static inline void store##bits(volatile T *p, T v)                                         \
	{                                                                                          \
		store_sc(p, v);                                                                    \
	}                                                                                          \
	COMMON(bits, log2, T)                                                                      \
	RMW(bits, log2, T, exchange, __atomic_exchange_n)                                          \
	RMW(bits, log2, T, fetch_add, __atomic_fetch_add)                                          \
	RMW(bits, log2, T, fetch_sub, __atomic_fetch_sub)                                          \
	RMW(bits, log2, T, fetch_and, __atomic_fetch_and)                                          \
	RMW(bits, log2, T, fetch_or, __atomic_fetch_or)                                            \
	RMW(bits, log2, T, fetch_xor, __atomic_fetch_xor)                                          \
	RMW(bits, log2, T, fetch_nand, __atomic_fetch_nand)

SIZED(8, 0, uint8_t)
SIZED(16, 1, uint16_t)
SIZED(32, 2, uint32_t)
SIZED(64, 3, uint64_t)

/* ---- 16 bytes: by cmpxchg16b, also to load (the memory must be writable, as with libatomic's) ---- */

static inline u128 load128(const volatile u128 *p)
{
	return __sync_val_compare_and_swap((volatile u128 *)(uintptr_t)p, (u128)0, (u128)0);
}

#define LOOP128(name, next)                                                                        \
	static inline u128 name(volatile u128 *p, u128 v, int order)                               \
	{                                                                                          \
		(void)order;                                                                       \
		for (u128 old = load128(p);;) {                                                    \
			u128 seen = __sync_val_compare_and_swap(p, old, (u128)(next));             \
			if (seen == old)                                                           \
				return old;                                                        \
			old = seen;                                                                \
		}                                                                                  \
	}
LOOP128(op_exchange128, v)
LOOP128(op_add128, old + v)
LOOP128(op_sub128, old - v)
LOOP128(op_and128, old &v)
LOOP128(op_or128, old | v)
LOOP128(op_xor128, old ^ v)
LOOP128(op_nand128, ~(old &v))

static inline void store128(volatile u128 *p, u128 v)
{
	op_exchange128(p, v, 0);
}

COMMON(128, 4, u128)
RMW(128, 4, u128, exchange, op_exchange128)
RMW(128, 4, u128, fetch_add, op_add128)
RMW(128, 4, u128, fetch_sub, op_sub128)
RMW(128, 4, u128, fetch_and, op_and128)
RMW(128, 4, u128, fetch_or, op_or128)
RMW(128, 4, u128, fetch_xor, op_xor128)
RMW(128, 4, u128, fetch_nand, op_nand128)

/* ---- fences ---- */

ABI void __tsan_atomic_thread_fence(int order);
ABI void __tsan_atomic_thread_fence(int order)
{
	RaceThread *t = &race_thread;
	fence_sc();
	order &= 0xff;
	if (order == __ATOMIC_RELAXED || !race_enter_self(t))
		return;
	RaceCtx *c = t->ctx;
	if (is_acquire(order) && c->fences && c->fences->has_acquire) {
		ctx_learn(c, (ClockPair){0, 0}, &c->fences->acquire);
		clock_clear(&c->fences->acquire);
		c->fences->has_acquire = false;
	}
	if (is_release(order)) {
		Fences *f = ctx_fences(c);
		f->release_own = race_publish(c);
		clock_copy(&f->release, &c->clock);
		f->has_release = true;
	}
	race_leave(t);
}

/* Orders a thread with its own signal handlers, which are the same goroutine here. */
ABI void __tsan_atomic_signal_fence(int order);
ABI void __tsan_atomic_signal_fence(int order)
{
	(void)order;
	fence_compiler();
}
