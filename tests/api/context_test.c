/*
 * context_test.c: contexts through goro.h: who is cancelled by whom and why, deadlines, values, ownership.
 */
#include "help.h"

#include <errno.h>

#define MS GORO_MILLISECOND

static bool is_done(goro_context *c)
{
	char v;
	return chan_select_default(on_recv(goro_context_done(c), &v)) == 0;
}

GoTest(context, background_is_never_done)
{
	goro_context *b = goro_background();
	int64_t when;
	cr_assert_null((void *)goro_context_done(b));
	cr_assert_eq(goro_context_err(b), 0);
	cr_assert_eq(goro_context_cause(b), 0);
	cr_assert_not(goro_context_deadline(b, &when));
	cr_assert_null(goro_context_value(b, &when));
	cr_assert_eq(goro_context_ref(b), b);
	goro_context_free(b);
	goro_context_free(NULL);
	return 0;
}

GoTest(context, cancel_goes_down_not_up)
{
	static int key;
	goro_context *a = goro_with_cancel(goro_background()), *v = goro_with_value(a, &key, &key),
		     *b = goro_with_cancel(v), *c = goro_with_cancel(b),
		     *side = goro_with_cancel(a);
	cr_assert_eq(goro_context_err(c), 0);
	goro_cancel(b);
	cr_assert_eq(goro_context_err(a), 0);
	cr_assert_eq(goro_context_err(v), 0);
	cr_assert_eq(goro_context_err(b), -ECANCELED);
	cr_assert_eq(goro_context_err(c), -ECANCELED);
	cr_assert(is_done(b) && is_done(c) && !is_done(a) && !is_done(side));
	goro_cancel(b); /* again: nothing */
	goro_cancel(a);
	cr_assert(is_done(a) && is_done(v) && is_done(side));
	goro_context_free(a);
	goro_context_free(v);
	goro_context_free(b);
	goro_context_free(c);
	goro_context_free(side);
	return 0;
}

GoTest(context, born_below_a_cancelled_one)
{
	goro_context *a = goro_with_cancel(goro_background());
	goro_cancel_cause(a, -EPIPE);
	goro_context *b = goro_with_cancel(a), *c = goro_with_timeout(a, GORO_HOUR);
	cr_assert(is_done(b) && is_done(c));
	cr_assert_eq(goro_context_err(b), -ECANCELED);
	cr_assert_eq(goro_context_cause(b), -EPIPE);
	cr_assert_eq(goro_context_err(c), -ECANCELED);
	goro_context_free(c);
	goro_context_free(b);
	goro_context_free(a);
	return 0;
}

GoTest(context, the_first_cause_stands)
{
	goro_context *a = goro_with_cancel(goro_background()), *b = goro_with_cancel(a);
	goro_cancel_cause(b, -EIO);
	goro_cancel_cause(a, -EPIPE);
	goro_cancel_cause(a, -EIO);
	cr_assert_eq(goro_context_cause(a), -EPIPE);
	cr_assert_eq(goro_context_cause(b), -EIO);
	cr_assert_eq(goro_context_err(b), -ECANCELED);
	cr_assert_str_eq(goro_context_err_text(goro_context_err(b)), "context canceled");
	goro_context_free(a);
	goro_context_free(b);
	return 0;
}

GoTest(context, timeout)
{
	int64_t start = goro_now(), when;
	goro_context *c = goro_with_timeout(goro_background(), 5 * MS), *d = goro_with_cancel(c);
	cr_assert(goro_context_deadline(d, &when));
	cr_assert_geq(when, start + 5 * MS);
	cr_assert_eq(goro_context_err(c), 0);
	(void)chan_recv(goro_context_done(d));
	cr_assert_geq(goro_now(), start + 5 * MS);
	cr_assert_eq(goro_context_err(d), -ETIMEDOUT);
	cr_assert_eq(goro_context_cause(c), -ETIMEDOUT);
	cr_assert_str_eq(goro_context_err_text(goro_context_err(d)), "context deadline exceeded");
	goro_context_free(c);
	goro_context_free(d);
	return 0;
}

GoTest(context, earlier_deadline_of_the_parent_stands)
{
	int64_t a_when, b_when;
	goro_context *a = goro_with_timeout(goro_background(), 3 * MS),
		     *b = goro_with_timeout(a, GORO_HOUR);
	cr_assert(goro_context_deadline(a, &a_when) && goro_context_deadline(b, &b_when));
	cr_assert_eq(a_when, b_when);
	(void)chan_recv(goro_context_done(b));
	cr_assert_eq(goro_context_err(b), -ETIMEDOUT);
	goro_context_free(b);
	goro_context_free(a);
	return 0;
}

GoTest(context, past_deadline_is_done_at_once)
{
	goro_context *a = goro_with_deadline(goro_background(), goro_now()),
		     *b = goro_with_timeout(goro_background(), -5);
	cr_assert_eq(goro_context_err(a), -ETIMEDOUT);
	cr_assert_eq(goro_context_err(b), -ETIMEDOUT);
	goro_context_free(a);
	goro_context_free(b);
	return 0;
}

GoTest(context, cancelled_before_its_deadline)
{
	goro_context *c = goro_with_timeout(goro_background(), 3 * MS);
	goro_cancel(c);
	goro_sleep(6 * MS);
	cr_assert_eq(goro_context_err(c), -ECANCELED);
	goro_context_free(c);
	return 0;
}

GoTest(context, values_are_searched_upwards)
{
	static int k1, k2, k3, v1, v2, v3;
	goro_context *a = goro_with_value(goro_background(), &k1, &v1), *b = goro_with_cancel(a),
		     *c = goro_with_value(b, &k2, &v2), *d = goro_with_value(c, &k1, &v3),
		     *e = goro_without_cancel(d);
	cr_assert_eq(goro_context_value(d, &k1), &v3);
	cr_assert_eq(goro_context_value(c, &k1), &v1);
	cr_assert_eq(goro_context_value(d, &k2), &v2);
	cr_assert_null(goro_context_value(d, &k3));
	goro_cancel(b);
	cr_assert(is_done(d) && !is_done(e));
	cr_assert_eq(goro_context_value(e, &k2), &v2);
	goro_context *all[] = {a, b, c, d, e};
	for (int i = 0; i < 5; i++)
		goro_context_free(all[i]);
	return 0;
}

GoTest(context, the_last_free_cancels)
{
	goro_context *a = goro_with_cancel(goro_background()), *b = goro_with_cancel(a);
	goro_context_ref(a);
	goro_context_free(a);
	cr_assert_eq(goro_context_err(b), 0);
	goro_context_free(a);
	cr_assert_eq(goro_context_err(b), -ECANCELED);
	cr_assert_null(goro_context_value(b, &b)); /* the parents' memory is still there */
	goro_context_free(b);
	return 0;
}

static void wait_done(void *p)
{
	goro_context *c = p;
	(void)chan_recv(goro_context_done(c));
	cr_assert_neq(goro_context_err(c), 0);
	goro_context_free(c);
}

GoTest(context, wakes_all_who_wait)
{
	goro_waitgroup wg = {0};
	goro_context *a = goro_with_cancel(goro_background()), *b = goro_with_cancel(a);
	for (int i = 0; i < 50; i++)
		goro_waitgroup_go(&wg, wait_done, goro_context_ref(i % 2 ? a : b));
	for (int i = 0; i < 10; i++)
		goro_gosched();
	goro_cancel(a);
	goro_context_free(b);
	goro_context_free(a);
	goro_waitgroup_wait(&wg);
	return 0;
}

GoTest(context, deep_trees_are_cancelled_without_recursion)
{
	enum { N = 100000 };
	static goro_context *c[N];
	c[0] = goro_with_cancel(goro_background());
	for (int i = 1; i < N; i++)
		c[i] = goro_with_cancel(c[i - 1]);
	goro_cancel(c[0]);
	cr_assert_eq(goro_context_err(c[N - 1]), -ECANCELED);
	for (int i = 0; i < N; i++) /* the memory goes with the last one, in a loop too */
		goro_context_free(c[i]);
	return 0;
}

/* Trees made, cancelled, timed out and freed from all sides. */
static void tree(void *p)
{
	goro_context *root = p;
	for (int i = 0; i < 200; i++) {
		goro_context *a = goro_with_timeout(root, (i % 7) * 20 * GORO_MICROSECOND),
			     *b = goro_with_cancel(a), *c = goro_with_cancel(b);
		if (i % 3 == 0)
			goro_cancel(a);
		if (i % 4 == 0)
			(void)chan_recv(goro_context_done(c));
		goro_context *order[] = {a, b, c};
		for (int k = 0; k < 3; k++)
			goro_context_free(order[(i + k) % 3]);
	}
	goro_context_free(root);
}

GoTest(context, storm)
{
	goro_waitgroup wg = {0};
	goro_context *root = goro_with_cancel(goro_background());
	for (int i = 0; i < 8; i++)
		goro_waitgroup_go(&wg, tree, goro_context_ref(root));
	goro_sleep(3 * MS);
	goro_cancel(root);
	goro_waitgroup_wait(&wg);
	goro_context_free(root);
	return 0;
}

DieTest(context, nil_parent, "panic: cannot create context from nil parent")
{
	(void)goro_with_cancel(NULL);
	return 0;
}

DieTest(context, nil_key, "panic: nil key")
{
	(void)goro_with_value(goro_background(), NULL, NULL);
	return 0;
}

DieTest(context, background_cannot_be_cancelled,
    "panic: context: cancel of a context that cannot be cancelled")
{
	goro_cancel(goro_background());
	return 0;
}
