/*
 * record_test.c: access records, calling contexts, lock sets, collections.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "../../race/clock/mutexset.h"
#include "../../race/history/context.h"
#include "../../race/history/record.h"
#include "../../race/report/report.h"

Test(context, names_a_stack_exactly)
{
	StackId main_ = context_push(CONTEXT_ROOT, 0x1000);
	StackId a = context_push(main_, 0x2000), b = context_push(main_, 0x3000);
	cr_assert_neq(a, b);
	cr_assert_eq(a, context_push(main_, 0x2000), "the same stack is the same id");
	uintptr_t pcs[8];
	cr_assert_eq(context_pcs(context_push(a, 0xffff800012345678u), pcs, 8), 3);
	cr_assert_eq(pcs[0], 0xffff800012345678u);
	cr_assert_eq(pcs[1], 0x2000u);
	cr_assert_eq(pcs[2], 0x1000u);
	cr_assert_eq(context_pcs(b, pcs, 1), 1);
	cr_assert_eq(context_pcs(CONTEXT_ROOT, pcs, 8), 0);
	cr_assert_eq(context_pcs(0, pcs, 8), 0);
}

Test(context, a_hundred_thousand_deep)
{
	StackId id = CONTEXT_ROOT;
	for (uintptr_t i = 1; i <= 100000; i++)
		id = context_push(id, i);
	static uintptr_t pcs[100001];
	cr_assert_eq(context_pcs(id, pcs, 100001), 100000);
	for (uintptr_t i = 0; i < 100000; i++)
		cr_assert_eq(pcs[i], 100000 - i);
}

Test(context, shadow_stack_grows_and_ids_come_late)
{
	RaceThread *t = &race_thread;
	hook_switch(hook_go(NULL, 1, true, 0, 0, NULL));
	for (uintptr_t i = 0; i < 5000; i++)
		if (t->top == t->end)
			context_enter_slow(t, i);
		else
			*t->top++ = (Frame){.pc = i};
	uint64_t before = race_stats.contexts;
	StackId id = context_top(t, t->ctx);
	cr_assert_eq(race_stats.contexts - before, 4999u, "the outermost return address is not kept");
	cr_assert_eq(context_top(t, t->ctx), id);
	static uintptr_t pcs[5001];
	cr_assert_eq(context_pcs(id, pcs, 5001), 4999);
	cr_assert_eq(pcs[0], 4999u);
	cr_assert_eq(pcs[4998], 1u);
}

/* Children in the list and in the table, some of them marked: they keep their ids, the others' are used again,
 * and no stack has two. */
Test(context, what_nothing_names_is_given_back)
{
	enum { N = 3000, WIDE = 100 };
	static StackId wide[WIDE], deep[N];
	StackId parent = context_push(CONTEXT_ROOT, 0x100), pinned = context_push(CONTEXT_ROOT, 0x200);
	context_pin(pinned);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < WIDE; i++)
			wide[i] = context_push(parent, 0x1000 + (uintptr_t)i);
		deep[0] = context_push(CONTEXT_ROOT, 0x5000 + (uintptr_t)round);
		for (int i = 1; i < N; i++)
			deep[i] = context_push(deep[i - 1], 0x9000);
		for (int i = 0; i < WIDE; i += 3)
			context_mark(wide[i]);
		context_mark(deep[N / 2]);
		uint32_t live = context_mark_end();
		cr_assert_eq(live, 1 + 1 + 1 + (WIDE + 2) / 3 + N / 2 + 1u, "%u", live);
		for (int i = 0; i < WIDE; i += 3)
			cr_assert_eq(context_push(parent, 0x1000 + (uintptr_t)i), wide[i]);
		cr_assert_eq(context_push(CONTEXT_ROOT, 0x200), pinned);
		for (int i = 1; i <= N / 2; i++)
			cr_assert_eq(context_push(deep[i - 1], 0x9000), deep[i]);
		for (int i = 0; i < WIDE; i++)
			wide[i] = context_push(parent, 0x1000 + (uintptr_t)i);
		for (int i = 0; i < WIDE; i++) {
			uintptr_t pc;
			cr_assert_eq(context_push(parent, 0x1000 + (uintptr_t)i), wide[i]);
			cr_assert_eq(context_pcs(wide[i], &pc, 1), 1);
			cr_assert_eq(pc, 0x1000 + (uintptr_t)i);
		}
	}
	cr_assert_lt(context_memory().live, 2u * N + 3 * WIDE, "ids come back");
}

Test(mutexset, what_nothing_names_is_given_back)
{
	static uint32_t set[5000];
	for (int round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < 5000; i++)
			set[i] = mutexset_add(i % 2 ? set[i - 1] : 0, 0x1000 + 8 * i, LOCK_WRITE, 0);
		for (uint32_t i = 1; i < 5000; i += 20)
			mutexset_mark(set[i]);
		uint32_t live = mutexset_mark_end();
		cr_assert_eq(live, 500u);
		ReportLock l[3];
		for (uint32_t i = 1; i < 5000; i += 20) {
			cr_assert_eq(mutexset_list(set[i], l, 3), 2);
			cr_assert_eq(l[0].addr, 0x1000u + 8 * (i - 1));
			cr_assert_eq(l[1].addr, 0x1000u + 8 * i);
		}
	}
	cr_assert_eq(mutexset_memory().live, 500u);
}

Test(mutexset, lists_what_is_held)
{
	uint32_t a = mutexset_add(0, 0x10, LOCK_WRITE, 1), ab = mutexset_add(a, 0x20, LOCK_READ, 2);
	uint32_t abc = mutexset_add(ab, 0x30, LOCK_WRITE, 3);
	ReportLock l[4];
	bool other = false;
	cr_assert_eq(mutexset_list(abc, l, 4), 3);
	cr_assert_eq(l[0].addr, 0x10u);
	cr_assert_eq(l[1].mode, LOCK_READ);
	cr_assert_eq(l[2].locked_at, 3u);
	cr_assert_eq(mutexset_remove(abc, 0x30, LOCK_WRITE, NULL), ab);
	uint32_t ac = mutexset_remove(abc, 0x20, LOCK_READ, &other);
	cr_assert(!other);
	cr_assert_eq(mutexset_remove(ab, 0x20, LOCK_WRITE, &other), a);
	cr_assert(other, "it was held for reading");
	cr_assert_eq(mutexset_list(ac, l, 4), 2);
	cr_assert_eq(l[1].addr, 0x30u);
	cr_assert_eq(ac, mutexset_add(a, 0x30, LOCK_WRITE, 3));
	cr_assert_eq(mutexset_remove(a, 0x99, LOCK_WRITE, NULL), a, "not held");
	cr_assert_eq(mutexset_list(abc, l, 2), 2);
	cr_assert_eq(l[1].addr, 0x30u, "the innermost are kept");
}

Test(record, freed_ids_rest_for_one_collection)
{
	static IdBlock b;
	static RecId id[1000];
	ClockPair when = {1, 1};
	Record r = {.size = 4};
	for (int i = 0; i < 1000; i++) {
		r.top = (StackId)i;
		id[i] = record_new(&b, when, &r);
		cr_assert_neq(id[i], 0u);
	}
	ids_give_back(&record_ids, &b);
	ids_mark_begin(&record_ids);
	for (int i = 0; i < 1000; i += 2)
		cr_assert(record_mark(id[i]));
	cr_assert_not(record_mark(id[0]), "marked already");
	cr_assert_eq(ids_mark_end(&record_ids), 500u);
	for (int i = 0; i < 1000; i += 2)
		cr_assert_eq(record_at(id[i])->top, (StackId)i);
	uint32_t top = record_ids.top;
	static bool again[1 << 16];
	for (int i = 0; i < 400; i++)
		again[record_new(&b, when, &r)] = true;
	for (int i = 1; i < 1000; i += 2)
		cr_assert_not(again[id[i]], "freed by the last collection only");
	ids_mark_begin(&record_ids);
	ids_mark_end(&record_ids);
	ids_mark_begin(&record_ids);
	ids_mark_end(&record_ids);
	ids_give_back(&record_ids, &b);
	for (int i = 0; i < 1000; i++)
		record_new(&b, when, &r);
	cr_assert_leq(record_ids.top, top + 512, "ids come back");
}
