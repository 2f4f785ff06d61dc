/*
 * abi.h: what the entry points share. They are called by code that the compiler instrumented, and are
 * visible to it; nothing in the detector calls them.
 */
#ifndef GORO_RACE_ABI_H
#define GORO_RACE_ABI_H

#include "../ctx.h"
#include "../sample.h"
#include "../shadow/access.h"

#define ABI __attribute__((visibility("default")))
#define PC  __builtin_return_address(0)
/* An entry point whose own code holds no lock and is not busy (ctx.h), as it ends by a tail call of whatever does:
 * a goroutine may be stopped in the middle of it (runtime/base/frame.h), and hardly is elsewhere in a hot loop. */
#define ABI_FAST ABI __attribute__((section("goro_access")))

/* The fast path: see ctx.h for why a hit is enough. `code` is of constant size and kind. An access that
 * crosses granules has a code that is never put into the filter. */
static inline __attribute__((always_inline)) void access_fast(
    uintptr_t addr, unsigned code, const void *pc, void (*slow)(uintptr_t, unsigned, const void *))
{
	RaceThread *t = &race_thread;
	if (unlikely(sample_off()))
		return;
	uintptr_t base = load_rlx(&shadow_base[addr >> REGION_BITS & (REGIONS - 1)]);
	if (likely(base)) {
		Cell *w = (Cell *)base + ((uint32_t)addr >> 3);
		uint32_t hi = t->gen + ((uint32_t)addr & 7) + code;
		if (code & CODE_WRITE) {
			if (likely(filter_has(
				t, hi, load_rlx(w)))) /* relaxed: any state that was is enough */
				return;
		} else {
			/* What is read again and again, and written by others or long ago, is in R. */
			Cell r = load_rlx(shadow_r_of(w));
			if (r && likely(filter_has(t, hi, r)))
				return;
			if (filter_has(t, hi + CODE_WRITE, load_rlx(w)))
				return; /* read what this epoch wrote */
		}
	}
	slow(addr, code, pc);
}

/* 16 bytes: two accesses of 8. Where both granules are in one state, as in most arrays, one look at the
 * filter answers for both. The last granule of a region has no neighbour in its plane. */
static inline __attribute__((always_inline)) void access_fast16(
    uintptr_t addr, unsigned code, const void *pc, void (*slow)(uintptr_t, unsigned, const void *))
{
	RaceThread *t = &race_thread;
	if (unlikely(sample_off()))
		return;
	uintptr_t base = load_rlx(&shadow_base[addr >> REGION_BITS & (REGIONS - 1)]);
	if (likely(base) && likely((uint32_t)addr < 0u - 2 * GRANULE)) {
		Cell *w = (Cell *)base + ((uint32_t)addr >> 3);
		uint32_t hi = t->gen + ((uint32_t)addr & 7) + code;
		Cell c, d;
		if (!(code & CODE_WRITE)) {
			c = load_rlx(shadow_r_of(w));
			d = load_rlx(shadow_r_of(w + 1));
			if (c && likely(filter_has(t, hi, c)) &&
			    (likely(c == d) || (d && filter_has(t, hi, d))))
				return;
			hi += CODE_WRITE;
		}
		c = load_rlx(w);
		d = load_rlx(w + 1);
		if (filter_has(t, hi, c) && (likely(c == d) || filter_has(t, hi, d)))
			return;
	}
	slow(addr, code, pc);
}

#endif
