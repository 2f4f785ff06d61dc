/*
 * group_test.c: goro_group through goro.h: the first error, cancelling the rest, the limit.
 */
#include "help.h"

#include <errno.h>

#define MS GORO_MILLISECOND

static int give(void *p)
{
	return *(int *)p;
}

GoTest(group, empty)
{
	goro_group g = {0};
	cr_assert_eq(goro_group_wait(&g), 0);
	return 0;
}

GoTest(group, all_well)
{
	int zero = 0;
	goro_group g = {0};
	for (int i = 0; i < 20; i++)
		cr_assert_eq(goro_group_go(&g, give, &zero), 0);
	cr_assert_eq(goro_group_wait(&g), 0);
	return 0;
}

static int later(void *p)
{
	goro_sleep(5 * MS);
	return *(int *)p;
}

GoTest(group, the_first_error_is_the_answer)
{
	int zero = 0, first = -EIO, second = -EPIPE;
	goro_group g = {0};
	goro_group_go(&g, later, &second);
	goro_group_go(&g, give, &first);
	goro_group_go(&g, give, &zero);
	cr_assert_eq(goro_group_wait(&g), -EIO);
	return 0;
}

static int until_cancelled(void *p)
{
	goro_context *ctx = p;
	(void)chan_recv(goro_context_done(ctx));
	return goro_context_err(ctx);
}

GoTest(group, an_error_cancels_the_rest)
{
	int bad = -EIO;
	goro_group g = {0};
	goro_context *ctx = goro_group_with_context(&g, goro_background());
	for (int i = 0; i < 5; i++)
		goro_group_go(&g, until_cancelled, ctx);
	goro_group_go(&g, give, &bad);
	cr_assert_eq(goro_group_wait(&g), -EIO);
	cr_assert_eq(goro_context_err(ctx), -ECANCELED);
	cr_assert_eq(goro_context_cause(ctx), -EIO);
	goro_context_free(ctx);
	return 0;
}

GoTest(group, wait_cancels_its_context)
{
	int zero = 0;
	goro_group g = {0};
	goro_context *ctx = goro_group_with_context(&g, goro_background());
	goro_group_go(&g, give, &zero);
	cr_assert_eq(goro_group_wait(&g), 0);
	cr_assert_eq(goro_context_err(ctx), -ECANCELED);
	goro_context_free(ctx);
	return 0;
}

typedef struct Load {
	int32_t now, most, ran;
} Load;

static int work(void *p)
{
	Load *l = p;
	int32_t n = goro_atomic_add_int32(&l->now, 1), most;
	while (n > (most = goro_atomic_load_int32(&l->most)) &&
	       !goro_atomic_cas_int32(&l->most, most, n))
		;
	goro_gosched();
	goro_atomic_add_int32(&l->now, -1);
	goro_atomic_add_int32(&l->ran, 1);
	return 0;
}

GoTest(group, limit)
{
	Load l = {0};
	goro_group g = {0};
	goro_group_set_limit(&g, 3);
	for (int i = 0; i < 200; i++)
		cr_assert_eq(goro_group_go(&g, work, &l), 0);
	cr_assert_eq(goro_group_wait(&g), 0);
	cr_assert_eq(l.ran, 200);
	cr_assert_leq(l.most, 3);
	goro_group_set_limit(&g, -1);
	cr_assert_eq(goro_group_go(&g, work, &l), 0);
	cr_assert_eq(goro_group_wait(&g), 0);
	return 0;
}

static int wait_for(void *p)
{
	chan(int) c = *(chan(int) *)p;
	return chan_recv(c);
}

GoTest(group, try_go)
{
	chan(int) c = chan_make(int);
	int zero = 0;
	goro_group g = {0};
	goro_group_set_limit(&g, 0);
	cr_assert_eq(goro_group_try_go(&g, give, &zero), -EAGAIN);
	goro_group_set_limit(&g, 1);
	cr_assert_eq(goro_group_try_go(&g, wait_for, &c), 0);
	cr_assert_eq(goro_group_try_go(&g, wait_for, &c), -EAGAIN);
	chan_send(c, 0);
	cr_assert_eq(goro_group_wait(&g), 0);
	cr_assert_eq(goro_group_go(&g, NULL, NULL), -EINVAL);
	chan_free(c);
	return 0;
}

static int leaves(void *p)
{
	(void)p;
	goro_goexit();
}

GoTest(group, goexit_counts_as_an_end)
{
	goro_group g = {0};
	goro_group_set_limit(&g, 1);
	for (int i = 0; i < 3; i++)
		goro_group_go(&g, leaves, NULL);
	cr_assert_eq(goro_group_wait(&g), 0);
	return 0;
}

DieTest(group, limit_while_active,
    "errgroup: modify limit while 1 goroutines in the group are still active")
{
	chan(int) c = chan_make(int);
	goro_group g = {0};
	goro_group_go(&g, wait_for, &c);
	goro_group_set_limit(&g, 2);
	return 0;
}
