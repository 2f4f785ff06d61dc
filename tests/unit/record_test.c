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

Test(mutexset, lists_what_is_held)
{
	uint32_t a = mutexset_add(0, 0x10, LOCK_WRITE, 1), ab = mutexset_add(a, 0x20, LOCK_READ, 2);
	uint32_t abc = mutexset_add(ab, 0x30, LOCK_WRITE, 3);
	ReportLock l[4];
	cr_assert_eq(mutexset_list(abc, l, 4), 3);
	cr_assert_eq(l[0].addr, 0x10u);
	cr_assert_eq(l[1].mode, LOCK_READ);
	cr_assert_eq(l[2].locked_at, 3u);
	cr_assert_eq(mutexset_remove(abc, 0x30, LOCK_WRITE), ab);
	uint32_t ac = mutexset_remove(abc, 0x20, LOCK_READ);
	cr_assert_eq(mutexset_list(ac, l, 4), 2);
	cr_assert_eq(l[1].addr, 0x30u);
	cr_assert_eq(ac, mutexset_add(a, 0x30, LOCK_WRITE, 3));
	cr_assert_eq(mutexset_remove(a, 0x99, LOCK_WRITE), a, "not held");
	cr_assert_eq(mutexset_list(abc, l, 2), 2);
	cr_assert_eq(l[1].addr, 0x30u, "the innermost are kept");
}

Test(record, freed_ids_rest_for_one_collection)
{
	static RecordBlock b;
	static RecId id[1000];
	Record r = {.slot = 1, .epoch = 1};
	for (int i = 0; i < 1000; i++) {
		r.top = (StackId)i;
		id[i] = record_new(&b, &r);
		cr_assert_neq(id[i], 0u);
	}
	record_give_back(&b);
	record_mark_begin();
	for (int i = 0; i < 1000; i += 2)
		cr_assert(record_mark(id[i]));
	cr_assert_not(record_mark(id[0]), "marked already");
	cr_assert_eq(record_mark_end(), 500u);
	for (int i = 0; i < 1000; i += 2)
		cr_assert_eq(record_at(id[i])->top, (StackId)i);
	uint32_t top = record_top();
	static bool again[1 << 16];
	for (int i = 0; i < 400; i++)
		again[record_new(&b, &r)] = true;
	for (int i = 1; i < 1000; i += 2)
		cr_assert_not(again[id[i]], "freed by the last collection only");
	record_mark_begin();
	record_mark_end();
	record_mark_begin();
	record_mark_end();
	record_give_back(&b);
	for (int i = 0; i < 1000; i++)
		record_new(&b, &r);
	cr_assert_leq(record_top(), top + 512, "ids come back");
}
