/*
 * shadow_test.c: cells, sets and the forgetting of memory.
 */
#include <criterion/criterion.h>

#include "../../race/ctx.h"
#include "../../race/history/record.h"
#include "../../race/shadow/set.h"
#include "../../race/shadow/shadow.h"

Test(cell, every_simple_form_round_trips)
{
	for (unsigned code = 1; code <= 36; code++) {
		uint8_t mask = mask_of_code(code);
		cr_assert_eq(code_of_mask(mask), code);
		for (int kind = 0; kind < KINDS; kind++)
			for (RecId rec = 0; rec <= CELL_REC_MAX; rec = rec * 3 + 1) {
				Entry e = {rec, (uint8_t)kind, mask};
				Cell c = cell_simple(e);
				cr_assert_neq(c, 0u);
				cr_assert_not(cell_is_set(c));
				cr_assert_eq(cell_rec(c), rec);
				cr_assert_eq(cell_mask(c), mask);
				cr_assert_eq(cell_kind(c, kind_plane((Kind)kind)), (Kind)kind);
			}
	}
}

Test(cell, odd_masks_and_far_records_are_no_simple_cells)
{
	int simple = 0;
	for (unsigned mask = 1; mask < 256; mask++)
		simple += cell_simple((Entry){1, KIND_READ, (uint8_t)mask}) != 0;
	cr_assert_eq(simple, 36);
	cr_assert_eq(cell_simple((Entry){CELL_REC_MAX + 1, KIND_READ, 0xff}), 0u);
}

/* Sets look at the records that they name: those of the first ids are there. */
static void have_records(void)
{
	IdBlock b = {0};
	cr_assert(record_new(&b, (ClockPair){0, 0}, &(Record){.size = 1}));
	ids_give_back(&record_ids, &b);
}

TestSuite(set, .init = have_records);

Test(set, equal_sets_are_equal_cells)
{
	bool lost = false;
	Entry a[] = {{7, KIND_READ, 0x0f}, {3, KIND_READ, 0xff}, {9, KIND_AWRITE, 0x01}, {2, KIND_READ, 0xf0}, {1, KIND_READ, 0xff}};
	Entry b[] = {{1, KIND_READ, 0xff}, {9, KIND_AWRITE, 0x01}, {3, KIND_READ, 0xff}, {7, KIND_READ, 0x03}, {2, KIND_READ, 0xf0},
	    {7, KIND_READ, 0x0c}};
	Cell x = cell_build(a, 5, &lost), y = cell_build(b, 6, &lost);
	cr_assert(cell_is_set(x));
	cr_assert_eq(x, y, "any order, and parts of one access merged");
	cr_assert_eq(cell_len(x), 5u);
	cr_assert_not(lost);
	CellIter it = cell_iter(x, PLANE_R);
	Entry e;
	RecId want[] = {9, 7, 3, 2, 1};
	for (int i = 0; cell_next(&it, &e); i++)
		cr_assert_eq(e.rec, want[i]);
}

Test(set, a_few_are_found_again_by_their_thread)
{
	bool lost = false;
	race_attach(&race_thread);
	Entry a[] = {{7, KIND_READ, 0x0f}, {3, KIND_READ, 0xff}, {9, KIND_AWRITE, 0x01}};
	Entry b[] = {{9, KIND_AWRITE, 0x01}, {3, KIND_READ, 0xff}, {7, KIND_READ, 0x03}, {7, KIND_READ, 0x0c}};
	Cell x = cell_build(a, 3, &lost), y = cell_build(b, 4, &lost);
	cr_assert(cell_is_few(x));
	cr_assert_eq(x, y, "any order, and parts of one access merged");
	cr_assert_eq(cell_len(x), 3u);
	cr_assert_not(lost);
	CellIter it = cell_iter(x, PLANE_R);
	Entry e;
	RecId want[] = {9, 7, 3};
	int n = 0;
	for (; cell_next(&it, &e); n++)
		cr_assert_eq(e.rec, want[n]);
	cr_assert_eq(n, 3);
	Cell four = cell_build((Entry[]){{1, KIND_READ, 1}, {2, KIND_READ, 1}, {3, KIND_READ, 1}, {4, KIND_READ, 1}}, 4, &lost);
	cr_assert(cell_is_few(four));
	cr_assert_eq(cell_len(four), 4u);
}

Test(set, bytes_apart_are_no_simple_cell)
{
	bool lost = false;
	Entry e = {5, KIND_WRITE, 0x5a}, back;
	Cell c = cell_build(&e, 1, &lost);
	cr_assert_not(cell_is_simple(c));
	CellIter it = cell_iter(c, PLANE_W);
	cr_assert(cell_next(&it, &back));
	cr_assert_eq(back.mask, 0x5a);
	cr_assert_eq(back.kind, KIND_WRITE);
	cr_assert_not(cell_next(&it, &back));
}

Test(set, grows_at_the_head)
{
	bool lost = false;
	Entry e[SET_SORTED + 1];
	for (uint32_t i = 0; i <= SET_SORTED; i++)
		e[i] = (Entry){i + 1, KIND_READ, 0xff};
	Cell c = cell_build(e, SET_SORTED + 1, &lost);
	for (uint32_t i = 0; i < 10000; i++)
		c = cell_cons(c, (Entry){100 + i, KIND_READ, 0xff}, &lost);
	cr_assert_eq(cell_len(c), SET_SORTED + 1 + 10000u);
	uint32_t n = 0;
	CellIter it = cell_iter(c, PLANE_R);
	for (Entry x; cell_next(&it, &x); n++)
		;
	cr_assert_eq(n, cell_len(c));
}

static uint64_t memory[65536] __attribute__((aligned(65536)));

static void set_cell(uintptr_t at, Cell v)
{
	shadow_map(at);
	shadow_touch(at);
	*shadow_w(at) = v;
	*shadow_r_of(shadow_w(at)) = v;
}

static bool empty(uintptr_t lo, uintptr_t hi)
{
	for (; lo < hi; lo += 8)
		if (*shadow_w(lo) || *shadow_r_of(shadow_w(lo)))
			return false;
	return true;
}

Test(shadow, clears_what_it_is_told_and_nothing_else)
{
	uintptr_t m = (uintptr_t)memory;
	for (uintptr_t at = m; at < m + sizeof memory; at += 8)
		set_cell(at, 5);
	shadow_clear(m + 1000, m + 300001);
	cr_assert(empty(m + 1000, m + 300008));
	cr_assert_eq(*shadow_w(m + 992), 5u);
	cr_assert_eq(*shadow_r_of(shadow_w(m + 300008)), 5u);
}

Test(shadow, a_stack_forgets_down_to_its_lowest_touched_byte)
{
	uintptr_t m = (uintptr_t)memory, lo = m + 4096, hi = m + 3 * CHUNK_BYTES - 256;
	set_cell(m + 8, 5); /* a neighbour in the same chunk */
	shadow_clear_stack(lo, hi);
	for (int round = 0; round < 3; round++) {
		set_cell(hi - 8, 5);
		set_cell(hi - 3000, 5);
		set_cell(lo + 16, 5);
		set_cell(hi + 8, 5); /* the other neighbour */
		shadow_clear_stack(lo, hi);
		cr_assert(empty(lo, hi), "round %d", round);
		cr_assert_eq(*shadow_w(m + 8), 5u);
		cr_assert_eq(*shadow_w(hi + 8), 5u);
	}
}

Test(filter, holds_a_key_of_this_generation_only)
{
	static RaceThread t;
	race_bump_wrapped(&t);
	uint32_t hi = t.gen | CODE_SIZE(3) | CODE_PLAIN;
	cr_assert_not(filter_has(&t, hi, 42));
	filter_put(&t, hi, 42);
	cr_assert(filter_has(&t, hi, 42));
	cr_assert_not(filter_has(&t, hi | CODE_WRITE, 42));
	race_bump(&t);
	cr_assert_not(filter_has(&t, t.gen | CODE_SIZE(3) | CODE_PLAIN, 42));
	for (uint32_t i = 0; i < RACE_GEN_MAX % 100000 + 300; i++)
		race_bump(&t);
	cr_assert_not(filter_has(&t, t.gen | CODE_SIZE(3) | CODE_PLAIN, 42));
}
