/*
 * range.c: accesses of many bytes. Block by block under one lock; granules side by side in the same
 * state take the same transition, computed once. Not where it met a conflict: a finding is each granule's own (one
 * may be annotated as benign, and its neighbour in the same state not).
 *
 * The whole-granule code stands for each full granule in the filter and the transition cache, so that a
 * range and a loop of 8-byte accesses at one place share their work.
 */
#include "access.h"
#include "../sample.h"
#include "shed.h"

static unsigned code_of(Kind k)
{
	return CODE_SIZE(3) | CODE_PLAIN | (k == KIND_WRITE ? CODE_WRITE : 0);
}

/* Full granules [at, end) of one block. */
static void check_run(Access *a, uintptr_t at, uintptr_t end, uint32_t hi)
{
	Cell *pw = shadow_w(at), *pr = shadow_r_of(pw);
	size_t n = (end - at) / GRANULE, i = 0;
	if (hi) { /* all of it known? */
		uint32_t whi = hi | CODE_WRITE;
		while (i < n) {
			Cell w = load_rlx(&pw[i]);
			if (w && filter_has(a->t, whi, w)) {
				i++;
				continue;
			}
			Cell r;
			if (a->kind == KIND_READ && (r = load_rlx(&pr[i])) != 0 &&
			    filter_has(a->t, hi, r)) {
				i++;
				continue;
			}
			break;
		}
		if (i == n)
			return;
	}
	block_lock(at);
	while (i < n) {
		if (unlikely(a->t->slow->nfound >= FOUND_MAX / 2)) { /* room for the rest */
			block_unlock(at);
			finding_flush(a->t);
			block_lock(at);
		}
		Cell w = load_rlx(&pw[i]), r = load_rlx(&pr[i]);
		if (unlikely(!(w | r)))
			w = shadow_freed(at);
		Cell w2 = w, r2 = r;
		bool in_w = access_in_w(a, 0xff, w), in_r = !in_w && access_in_r(a, 0xff, r);
		size_t j = i;
		a->conflict = false;
		if (a->kind == KIND_FREE && access_brief_free(a, w, r, &w2)) {
			r2 = 0;
		} else if (!in_w && !in_r) {
			access_transition(a, at + i * GRANULE, 0xff, hi, w, r, &w2, &r2);
		} else if (hi) {
			if (in_w)
				w2 = access_refresh(a, 0xff, w, PLANE_W);
			else
				r2 = access_refresh(a, 0xff, r, PLANE_R);
		}
		if (w2 != w || r2 != r) {
			shadow_touch(at + i * GRANULE);
			shadow_grow(at, w2, r2);
		}
		do {
			if (w2 != w)
				store_rlx(&pw[j], w2);
			if (r2 != r)
				store_rlx(&pr[j], r2);
			j++;
		} while (!a->conflict && j < n && load_rlx(&pw[j]) == w && load_rlx(&pr[j]) == r);
		if (hi && !a->lost) {
			if (a->kind == KIND_WRITE || in_w)
				filter_put(a->t, hi | CODE_WRITE, w2);
			else
				filter_put(a->t, hi, r2);
		}
		i = j;
	}
	block_unlock(at);
}

/* Part of a granule. */
static void check_part(Access *a, uintptr_t at, uint32_t n)
{
	uintptr_t granule = at & ~(uintptr_t)7;
	uint8_t mask = (uint8_t)(((1u << n) - 1) << (at & 7));
	Cell *pw = shadow_w(granule), *pr = shadow_r_of(pw), w2, r2;
	block_lock(granule);
	Cell w = load_rlx(pw), r = load_rlx(pr);
	if (unlikely(!(w | r)))
		w = shadow_freed(granule);
	if (!access_in_w(a, mask, w) && !access_in_r(a, mask, r)) {
		access_transition(a, granule, mask, 0, w, r, &w2, &r2);
		if (w != w2 || r != r2) {
			shadow_touch(granule);
			shadow_grow(granule, w2, r2);
			store_rlx(pw, w2);
			store_rlx(pr, r2);
		}
	}
	block_unlock(granule);
}

void access_range(Access *a, uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	RaceCtx *ctx = a->ctx;
	if (end < addr || (a->kind == KIND_READ ? ctx->ignore_reads : ctx->ignore_writes))
		return;
	uint32_t hi = ctx == a->t->ctx && a->kind != KIND_FREE ? a->t->gen | code_of(a->kind) : 0;
	for (uintptr_t at = addr; at < end;) {
		uintptr_t stop = (at | (BLOCK - 1)) + 1;
		stop = stop < end ? stop : end;
		if (!shadow_mapped(at) && !shadow_map(at))
			return;
		if (at & 7 || stop - at < GRANULE) {
			uint32_t n = GRANULE - ((uint32_t)at & 7);
			n = n < stop - at ? n : (uint32_t)(stop - at);
			check_part(a, at, n);
			at += n;
			continue;
		}
		stop &= ~(uintptr_t)7;
		check_run(a, at, stop, hi);
		at = stop;
	}
}

void access_range_flush(Access *a, uintptr_t addr, size_t size)
{
	size_t piece = shadow_limited && addr + size > addr ? SHED_PIECE : size;
	for (size_t done = 0; done < size; done += piece) {
		collect_if_due(a->t);
		a->rec = 0; /* of the last piece: no cell may name it any more */
		access_range(a, addr + done, size - done < piece ? size - done : piece);
		finding_flush(a->t);
	}
}

void access_range_slow(uintptr_t addr, size_t size, bool write, const void *pc)
{
	if (unlikely(sample_off()))
		return;
	seed_access(addr, write, pc);
	RaceThread *t = race_thread_now();
	if (size == 0 || !race_enter_self(t))
		return;
	Access a = {.t = t,
	    .ctx = t->ctx,
	    .pc = pc,
	    .size = size > RECORD_SIZE ? RECORD_SIZE : (uint32_t)size,
	    .kind = write ? KIND_WRITE : KIND_READ};
	access_range_flush(&a, addr, size);
	race_leave(t);
}
