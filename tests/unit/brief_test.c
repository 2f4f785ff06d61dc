/*
 * The short ways of shadow/leaf.c and shadow/brief.c against the long one of shadow/access.c: the same access in the same state, of all
 * states with up to one access in each plane, and many with more, leaves the same bytes remembered of the same moments,
 * as the same kinds. Which of a goroutine's accesses of one epoch stands for a byte may differ.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "../../race/shadow/access.h"

#define OTHER 1000u /* a slot; known up to epoch 7 */

typedef void Slow(uintptr_t addr, unsigned code, const void *pc);

static uint64_t memory[64] __attribute__((aligned(512)));
static RaceThread *t;

/* A byte's past: who at what moment in which way, as a bag. */
typedef struct Past {
	uint64_t of[8];
} Past;

static uint64_t mix(ClockPair when, unsigned kind)
{
	uint64_t h = ((uint64_t)when.slot << 32 | when.epoch) * 0x9e3779b97f4a7c15u + kind + 1;
	return (h ^ h >> 31) * 0xd6e8feb86659fd93u;
}

static bool is_now(ClockPair when)
{
	return when.slot == t->ctx->slot && when.epoch == t->ctx->epoch;
}

/* Accesses of one moment and kind count once, whatever their records; and not where an access of now that stands for
 * them is remembered too. */
static Past past(uintptr_t at)
{
	Past p = {{0}};
	Entry all[16];
	int n = 0;
	for (int plane = PLANE_R; plane <= PLANE_W; plane++) {
		CellIter it = cell_iter(plane == PLANE_W ? *shadow_w(at) : *shadow_r_of(shadow_w(at)), (Plane)plane);
		while (cell_next(&it, &all[n]))
			n++;
	}
	for (int b = 0; b < 8; b++)
		for (int i = 0; i < n; i++) {
			ClockPair when = *record_when(all[i].rec);
			bool told = !(all[i].mask >> b & 1);
			for (int j = 0; j < n; j++) {
				ClockPair other = *record_when(all[j].rec);
				if (j == i || !(all[j].mask >> b & 1))
					continue;
				bool same = mix(other, all[j].kind) == mix(when, all[i].kind);
				told |= same && j < i;
				told |= !same && is_now(other) && (access_stands_for[all[j].kind] & 1u << all[i].kind) &&
					(when.slot == t->ctx->slot || when.epoch <= 7);
			}
			if (!told)
				p.of[b] += mix(when, all[i].kind);
		}
	return p;
}

static void set(uintptr_t at, Cell w, Cell r)
{
	shadow_touch(at);
	*shadow_w(at) = w;
	*shadow_r_of(shadow_w(at)) = r;
}

typedef struct Way {
	const char *name;
	unsigned code;
	Slow *slow;
} Way;

static void atomic_way(uintptr_t addr, unsigned code, const void *pc)
{
	cr_assert(race_enter_self(t));
	if (!access_brief_atomic(t, t->ctx, addr, code, pc))
		access_check(t, t->ctx, addr, code, pc);
	race_leave(t);
}

static const Way ways[] = {
    {"read 1", CODE_SIZE(0) | CODE_PLAIN, access_slow_r1},
    {"read 4", CODE_SIZE(2) | CODE_PLAIN, access_slow_r4},
    {"read 8", CODE_SIZE(3) | CODE_PLAIN, access_slow_r8},
    {"write 1", CODE_SIZE(0) | CODE_PLAIN | CODE_WRITE, access_slow_w1},
    {"write 4", CODE_SIZE(2) | CODE_PLAIN | CODE_WRITE, access_slow_w4},
    {"write 8", CODE_SIZE(3) | CODE_PLAIN | CODE_WRITE, access_slow_w8},
    {"atomic read 4", CODE_SIZE(2), atomic_way},
    {"atomic write 4", CODE_SIZE(2) | CODE_WRITE, atomic_way},
    {"atomic write 8", CODE_SIZE(3) | CODE_WRITE, atomic_way},
};

typedef struct Step {
	const Way *way;
	unsigned off;
} Step;

/* The steps one after the other, all from one place; twice, so that the second time finds the records and transitions
 * that the first made. */
static Past after(const Step *steps, int n, bool brief, uintptr_t at, Cell w, Cell r)
{
	static char pc[2];
	for (int twice = 0; twice < 2; twice++) {
		set(at, w, r);
		for (int i = 0; i < n; i++) {
			const Way *way = steps[i].way;
			uintptr_t addr = at + steps[i].off;
			if (brief) {
				way->slow(addr, way->code, &pc[1]);
			} else {
				cr_assert(race_enter_self(t));
				access_check(t, t->ctx, addr, way->code, &pc[0]);
				cr_assert_eq(t->slow->nfound, 0u);
				race_leave(t);
			}
		}
	}
	return past(at);
}

/* Nothing of what is there conflicts with the access; else there is a report, and always the long way. */
static bool is_quiet(const Way *way, Cell w, Cell r)
{
	static const Kind kinds[4] = {KIND_AREAD, KIND_AWRITE, KIND_READ, KIND_WRITE};
	Kind k = kinds[(way->code & CODE_PLAIN ? 2 : 0) + (way->code & CODE_WRITE ? 1 : 0)];
	for (int plane = PLANE_R; plane <= PLANE_W; plane++) {
		CellIter it = cell_iter(plane == PLANE_W ? w : r, (Plane)plane);
		for (Entry e; cell_next(&it, &e);) {
			ClockPair when = *record_when(e.rec);
			if (e.kind == KIND_FREE || ((access_conflicts[k] & 1u << e.kind) && when.slot == OTHER && when.epoch > 7))
				return false;
		}
	}
	return true;
}

static const uint8_t masks[] = {0xff, 0x0f, 0xf0, 0x01, 0x7e};
static RecId recs[6]; /* now; earlier; another place now; known of another; not known, two of them */

static void begin(void)
{
	t = &race_thread;
	race_attach(t);
	store_rlx(&collect_threshold, UINT32_MAX); /* or a collection takes the records that only this test names */
	cr_assert(shadow_map((uintptr_t)memory));
	RaceCtx *c = t->ctx;
	c->epoch += 10;
	race_bump(t);
	clock_raise(&c->clock, OTHER, 7);
	ClockPair when[6] = {{c->slot, c->epoch}, {c->slot, c->epoch - 3}, {c->slot, c->epoch}, {OTHER, 7}, {OTHER, 9}, {OTHER, 10}};
	for (int i = 0; i < 6; i++) {
		Record r = {.pc = (uintptr_t)&memory[i], .top = 1, .size = 4};
		recs[i] = record_new(&t->slow->block, when[i], &r);
	}
}

static Cell cell_of(uint32_t n, const Entry *e)
{
	Entry copy[4];
	bool lost = false;
	memcpy(copy, e, n * sizeof *e);
	Cell c = cell_build(copy, n, &lost);
	cr_assert_not(lost);
	return c;
}

static unsigned compared;

static void compare(Cell w, Cell r)
{
	uintptr_t at = (uintptr_t)&memory[8];
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		for (unsigned off = 0; off < 8; off += 1u << (ways[i].code >> 3 & 3)) {
			if (!is_quiet(&ways[i], w, r))
				continue;
			Step step = {&ways[i], off};
			Past long_way = after(&step, 1, false, at, w, r);
			Past brief = after(&step, 1, true, at, w, r);
			cr_assert_arr_eq(brief.of, long_way.of, sizeof brief.of, "%s at %u, w %#x r %#x: %#x %#x",
			    ways[i].name, off, w, r, *shadow_w(at), *shadow_r_of(shadow_w(at)));
			compared++;
		}
}

TestSuite(brief, .init = begin);

Test(brief, is_the_long_way_where_one_access_is_remembered)
{
	for (int wr = -1; wr < 4; wr++)
		for (size_t wm = 0; wm < sizeof masks; wm++)
			for (int rr = -1; rr < 6; rr++)
				for (size_t rm = 0; rm < sizeof masks; rm++)
					for (uint8_t kind = KIND_READ; kind <= KIND_AWRITE; kind++) {
						Entry w = {wr < 0 ? 0 : recs[wr], KIND_WRITE, masks[wm]};
						Entry r = {rr < 0 ? 0 : recs[rr], kind, masks[rm]};
						compare(cell_of(wr >= 0, &w), cell_of(rr >= 0, &r));
					}
	cr_assert_gt(compared, 5000u);
}

/* What is to be told, and what is of a block freed, no short way decides. (Plain ones go on to the long way by themselves.) */
Test(brief, conflicts_are_not_for_the_short_way)
{
	uintptr_t at = (uintptr_t)&memory[8];
	unsigned declined = 0;
	for (int wr = 0; wr < 6; wr++)
		for (uint8_t wk = KIND_WRITE; wk < KINDS; wk++)
			for (int rr = -1; rr < 6; rr++)
				for (uint8_t kind = KIND_READ; kind <= KIND_AWRITE; kind++)
					for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
						Entry we = {recs[wr], wk, 0xff}, re = {rr < 0 ? 0 : recs[rr], kind, 0xff};
						Cell w = cell_of(1, &we), r = cell_of(rr >= 0, &re);
						if (ways[i].slow != atomic_way || is_quiet(&ways[i], w, r))
							continue;
						set(at, w, r);
						cr_assert(race_enter_self(t));
						cr_assert_not(access_brief_atomic(t, t->ctx, at, ways[i].code, &at), "%s, w %#x r %#x",
						    ways[i].name, w, r);
						race_leave(t);
						cr_assert(*shadow_w(at) == w && *shadow_r_of(shadow_w(at)) == r);
						declined++;
					}
	cr_assert_gt(declined, 300u);
}

Test(brief, is_the_long_way_where_several_are_remembered)
{
	uint64_t seed = 4711;
	for (int round = 0; round < 20000; round++) {
		Entry w[4], r[4];
		uint32_t nw = 0, nr = 0;
		for (int i = 0; i < 4; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			uint32_t x = (uint32_t)(seed >> 33);
			Entry e = {recs[x % 6], KIND_WRITE, (uint8_t)(x >> 3 | 1u << (x >> 11 & 7))};
			if (x >> 14 & 1 && e.rec != recs[4] && e.rec != recs[5])
				w[nw++] = e;
			e.kind = (uint8_t)((x >> 15) % 3);
			e.rec = recs[(x >> 17) % 6];
			e.mask = (uint8_t)(x >> 20 | 1u << (x >> 28 & 7));
			if (x & 1)
				r[nr++] = e;
		}
		compare(cell_of(nw, w), cell_of(nr, r));
	}
	cr_assert_gt(compared, 20000u);
}

Test(brief, is_the_long_way_step_by_step)
{
	uint64_t seed = 99;
	uintptr_t at = (uintptr_t)&memory[8];
	for (int round = 0; round < 20000; round++) {
		Step steps[6];
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		Entry e = {recs[1 + (seed >> 40) % 3], KIND_WRITE, masks[(seed >> 50) % 5]};
		Cell w = cell_of((seed >> 62) & 1, &e), r = 0;
		for (int i = 0; i < 6; i++) {
			/* mostly one size and kind, as loops are */
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			unsigned x = (unsigned)(seed >> 33), n = sizeof ways / sizeof ways[0];
			steps[i].way = i && x % 4 ? steps[i - 1].way : &ways[x / 4 % n];
			unsigned size = 1u << (steps[i].way->code >> 3 & 3);
			steps[i].off = x / 64 % (8 / size) * size;
		}
		Past long_way = after(steps, 6, false, at, w, r), brief = after(steps, 6, true, at, w, r);
		cr_assert_arr_eq(brief.of, long_way.of, sizeof brief.of, "round %d: %s first, w %#x", round,
		    steps[0].way->name, w);
	}
}
