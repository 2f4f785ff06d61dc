/*
 * pool_test.c: goro_pool through goro.h: what is put comes back, each to one taker; drain gives it all.
 */
#include "help.h"

#include <stdlib.h>

static int32_t made;

static void *make_int(void)
{
	goro_atomic_add_int32(&made, 1);
	return calloc(1, sizeof(int32_t));
}

GoTest(pool, makes_when_empty_and_reuses)
{
	goro_pool p = {.make = make_int};
	void *a = goro_pool_get(&p), *b = goro_pool_get(&p);
	cr_assert_neq(a, b);
	goro_pool_put(&p, a);
	goro_pool_put(&p, NULL);
	cr_assert_eq(goro_pool_get(&p), a);
	goro_pool_put(&p, a);
	goro_pool_put(&p, b);
	goro_pool_drain(&p, free);
	cr_assert_eq(made, 2);
	goro_pool none = {0};
	cr_assert_null(goro_pool_get(&none));
	goro_pool_drain(&none, free);
	return 0;
}

GoTest(pool, holds_any_number)
{
	enum { N = 1000 };
	static char thing[N];
	static bool seen[N];
	goro_pool p = {0};
	for (int i = 0; i < N; i++)
		goro_pool_put(&p, &thing[i]);
	for (int i = 0; i < N; i++) {
		char *x = goro_pool_get(&p);
		cr_assert_not_null(x);
		cr_assert_not(seen[x - thing]);
		seen[x - thing] = true;
	}
	cr_assert_null(goro_pool_get(&p));
	goro_pool_drain(&p, NULL);
	return 0;
}

static goro_pool shared = {.make = make_int};

static void take_and_put(void *unused)
{
	(void)unused;
	for (int i = 0; i < 3000; i++) {
		int32_t *a = goro_pool_get(&shared), *b = goro_pool_get(&shared);
		cr_assert_eq(goro_atomic_add_int32(a, 1), 1, "it is ours alone");
		cr_assert_eq(goro_atomic_add_int32(b, 1), 1);
		if (i % 16 == 0)
			goro_gosched();
		goro_atomic_add_int32(a, -1);
		goro_atomic_add_int32(b, -1);
		goro_pool_put(&shared, a);
		goro_pool_put(&shared, b);
	}
}

static int32_t dropped;

static void drop(void *x)
{
	dropped++;
	free(x);
}

GoTest(pool, many_goroutines)
{
	goro_waitgroup wg = {0};
	for (int i = 0; i < 8; i++)
		goro_waitgroup_go(&wg, take_and_put, NULL);
	goro_waitgroup_wait(&wg);
	goro_pool_drain(&shared, drop);
	cr_assert_eq(dropped, made);
	return 0;
}
