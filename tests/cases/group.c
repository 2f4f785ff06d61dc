/*
 * group.c: goro_group (end -> Wait; with a limit end -> the _go that takes its place), goro_semaphore
 * (release -> acquire), goro_pool (put -> the get that returns it).
 */
#include "case.h"

static goro_group group;
static goro_semaphore sema;
static goro_pool pool;

static int task_write_x(void *unused)
{
	(void)unused;
	write_x();
	return 0;
}
static int task_write_y(void *unused)
{
	(void)unused;
	write_y();
	return 1;
}
static void norace_group_wait(void)
{
	write_x();
	goro_group_go(&group, task_write_x, NULL);
	goro_group_go(&group, task_write_y, NULL);
	goro_group_wait(&group);
	read_x();
	read_y();
}
static int task_read_x(void *unused)
{
	(void)unused;
	after(1);
	read_x();
	return 0;
}
static int task_step(void *unused)
{
	(void)unused;
	write_x();
	step(1);
	return 0;
}
static void race_group_between_members(void)
{
	goro_group_go(&group, task_read_x, NULL);
	goro_group_go(&group, task_step, NULL);
	goro_group_wait(&group);
}
static void norace_group_limit_of_one(void)
{
	goro_group_set_limit(&group, 1);
	for (int i = 0; i < 20; i++)
		goro_group_go(&group, task_write_x, NULL);
	goro_group_wait(&group);
	read_x();
}
static int task_until_cancelled(void *p)
{
	chan_recv(goro_context_done(p));
	read_y();
	return 0;
}
static void norace_group_error_before_cancel(void)
{
	goro_context *ctx = goro_group_with_context(&group, goro_background());
	goro_group_go(&group, task_until_cancelled, ctx);
	goro_group_go(&group, task_write_y, NULL);
	goro_group_wait(&group);
	goro_context_free(ctx);
}

/* ---- semaphore ---- */

static void write_and_release(void)
{
	write_x();
	step(1);
	settle(3);
	goro_semaphore_release(&sema, 1);
}
static void acquire_and_read(void)
{
	after(1);
	goro_semaphore_acquire(&sema, NULL, 2);
	read_x();
	step(2);
}
static void norace_semaphore_release(void)
{
	goro_semaphore_init(&sema, 2);
	goro_semaphore_acquire(&sema, NULL, 2);
	goro_semaphore_release(&sema, 1);
	go(acquire_and_read);
	go(write_and_release);
	after(2);
}
static void hold_and_write(void)
{
	goro_semaphore_acquire(&sema, NULL, 1);
	write_x();
	step(1);
}
static void share_and_read(void)
{
	after(1);
	goro_semaphore_acquire(&sema, NULL, 1);
	read_x();
	step(2);
}
static void race_semaphore_sharing(void)
{
	goro_semaphore_init(&sema, 2);
	go(share_and_read);
	go(hold_and_write);
	after(2);
}
static void fail_and_read(void)
{
	after(1);
	if (!goro_semaphore_try_acquire(&sema, 2))
		read_x();
	step(2);
}
static void race_semaphore_failure_orders_nothing(void)
{
	goro_semaphore_init(&sema, 2);
	go(fail_and_read);
	go(hold_and_write);
	after(2);
}

/* ---- pool ---- */

static void write_and_put(void)
{
	write_x();
	goro_pool_put(&pool, &x);
	step(1);
}
static void get_and_read(void)
{
	after(1);
	if (goro_pool_get(&pool) == &x)
		read_x();
	step(2);
}
static void norace_pool_put_before_get(void)
{
	go(get_and_read);
	go(write_and_put);
	after(2);
}
static void put_and_write(void)
{
	goro_pool_put(&pool, &x);
	write_x();
	step(1);
}
static void race_pool_write_after_put(void)
{
	go(get_and_read);
	go(put_and_write);
	after(2);
}
static void put_another(void)
{
	write_x();
	goro_pool_put(&pool, &group);
	step(1);
}
static void take_both(void)
{
	after(1);
	goro_pool_get(&pool);
	goro_pool_get(&pool);
	read_x();
	step(2);
}
static void norace_pool_both(void)
{
	goro_pool_put(&pool, &sema);
	go(take_both);
	go(put_another);
	after(2);
}
CASES(
    NORACE(norace_group_wait)
    RACE(race_group_between_members, "read read_x<task_read_x / write write_x<task_step / global x")
    NORACE(norace_group_limit_of_one)
    NORACE(norace_group_error_before_cancel)
    NORACE(norace_semaphore_release)
    RACE(race_semaphore_sharing, "read read_x<share_and_read / write write_x<hold_and_write / global x")
    RACE(race_semaphore_failure_orders_nothing, "read read_x<fail_and_read / write write_x<hold_and_write / global x")
    NORACE(norace_pool_put_before_get)
    RACE(race_pool_write_after_put, "read read_x<get_and_read / write write_x<put_and_write / global x")
    NORACE(norace_pool_both)
)
