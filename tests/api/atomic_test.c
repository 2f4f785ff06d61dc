/*
 * atomic_test.c: goro_atomic_*: results, and that nothing is lost between goroutines.
 */
#include "help.h"

#define CHECK_ARITHMETIC(name, T)                                                                  \
	do {                                                                                       \
		T x = 5;                                                                           \
		cr_assert_eq(goro_atomic_add_##name(&x, (T)3), 8);                                 \
		cr_assert_eq(goro_atomic_add_##name(&x, (T)-8), 0);                                \
		cr_assert_eq(goro_atomic_add_##name(&x, (T)-1), (T)-1);                            \
		goro_atomic_store_##name(&x, 7);                                                   \
		cr_assert_eq(goro_atomic_load_##name(&x), 7);                                      \
		cr_assert_eq(goro_atomic_swap_##name(&x, 9), 7);                                   \
		cr_assert_not(goro_atomic_cas_##name(&x, 7, 1));                                   \
		cr_assert(goro_atomic_cas_##name(&x, 9, 1));                                       \
		cr_assert_eq(x, 1);                                                                \
	} while (0)

GoTest(atomic, results)
{
	CHECK_ARITHMETIC(int32, int32_t);
	CHECK_ARITHMETIC(int64, int64_t);
	CHECK_ARITHMETIC(uint32, uint32_t);
	CHECK_ARITHMETIC(uint64, uint64_t);
	CHECK_ARITHMETIC(uintptr, uintptr_t);
	int a, b;
	void *p = &a;
	cr_assert_eq(goro_atomic_load_ptr(&p), &a);
	cr_assert_eq(goro_atomic_swap_ptr(&p, &b), &a);
	cr_assert_not(goro_atomic_cas_ptr(&p, &a, NULL));
	cr_assert(goro_atomic_cas_ptr(&p, &b, NULL));
	goro_atomic_store_ptr(&p, &a);
	cr_assert_eq(p, &a);
	return 0;
}

typedef struct Sum {
	int64_t added, swapped;
} Sum;

static void add_up(void *p)
{
	Sum *s = p;
	for (int i = 0; i < 10000; i++) {
		goro_atomic_add_int64(&s->added, 1);
		for (int64_t v = goro_atomic_load_int64(&s->swapped);
		     !goro_atomic_cas_int64(&s->swapped, v, v + 1);
		     v = goro_atomic_load_int64(&s->swapped))
			;
	}
}

GoTest(atomic, nothing_is_lost)
{
	Sum s = {0, 0};
	goro_waitgroup wg = {0};
	for (int i = 0; i < 8; i++)
		goro_waitgroup_go(&wg, add_up, &s);
	goro_waitgroup_wait(&wg);
	cr_assert_eq(s.added, 80000);
	cr_assert_eq(s.swapped, 80000);
	return 0;
}
