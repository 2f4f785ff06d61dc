/*
 * group_test.c: the hooks of groups, semaphores and pools.
 */
#include "hooktest.h"

static goro_group group;
static goro_semaphore sema;
static goro_pool pool;

static int task(void *unused)
{
	(void)unused;
	return 0;
}

HookTest(group, end_is_before_wait)
{
	rec_name(&group.wg, "wg");
	goro_group_go(&group, task, NULL);
	goro_group_go(&group, task, NULL);
	record();
	goro_group_wait(&group);
	expect("3 merge wg; 2 merge wg; 1 acquire wg");
	return 0;
}

HookTest(semaphore, release_is_before_acquire)
{
	rec_name(&sema, "s");
	goro_semaphore_init(&sema, 2);
	record();
	cr_assert_eq(goro_semaphore_acquire(&sema, NULL, 2), 0);
	cr_assert_not(goro_semaphore_try_acquire(&sema, 1));
	expect("1 acquire s");
	record();
	goro_semaphore_release(&sema, 2);
	cr_assert(goro_semaphore_try_acquire(&sema, 1));
	expect("1 merge s; 1 acquire s");
	return 0;
}

static void acquire_both(void *unused)
{
	(void)unused;
	goro_semaphore_acquire(&sema, NULL, 2);
}

HookTest(semaphore, waiting_is_no_different)
{
	rec_name(&sema, "s");
	goro_semaphore_init(&sema, 2);
	goro_semaphore_acquire(&sema, NULL, 1);
	goro_go(acquire_both, NULL);
	let_run();
	record();
	goro_semaphore_release(&sema, 1);
	let_run();
	expect("1 merge s; 2 acquire s");
	return 0;
}

HookTest(pool, put_is_before_its_get)
{
	static int a, b;
	record();
	goro_pool_put(&pool, &a);
	goro_pool_put(&pool, &b);
	cr_assert_eq(goro_pool_get(&pool), &b);
	cr_assert_eq(goro_pool_get(&pool), &a);
	cr_assert_null(goro_pool_get(&pool));
	expect("1 release a; 1 release b; 1 acquire b; 1 acquire a");
	goro_pool_drain(&pool, NULL);
	return 0;
}
