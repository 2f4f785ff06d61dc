/*
 * semaphore_test.c: goro_semaphore through goro.h: exclusion, first come first served, contexts.
 */
#include "help.h"

#include <errno.h>

#define MS GORO_MILLISECOND

typedef struct User {
	goro_semaphore s;
	int32_t used, size, ran;
} User;

static void use(void *p)
{
	User *u = p;
	for (int i = 0; i < 300; i++) {
		int n = i % u->size + 1;
		cr_assert_eq(goro_semaphore_acquire(&u->s, NULL, n), 0);
		cr_assert_leq(goro_atomic_add_int32(&u->used, n), u->size);
		if (i % 8 == 0)
			goro_gosched();
		goro_atomic_add_int32(&u->used, -n);
		goro_semaphore_release(&u->s, n);
	}
	goro_atomic_add_int32(&u->ran, 1);
}

GoTest(semaphore, never_more_than_there_are)
{
	User u = {.size = 5};
	goro_waitgroup wg = {0};
	goro_semaphore_init(&u.s, u.size);
	for (int i = 0; i < 10; i++)
		goro_waitgroup_go(&wg, use, &u);
	goro_waitgroup_wait(&wg);
	cr_assert_eq(u.ran, 10);
	cr_assert(goro_semaphore_try_acquire(&u.s, 5));
	cr_assert_not(goro_semaphore_try_acquire(&u.s, 1));
	cr_assert(goro_semaphore_try_acquire(&u.s, 0));
	return 0;
}

typedef struct Turn {
	goro_semaphore *s;
	chan(int) order;
	int n;
} Turn;

static void take(void *p)
{
	Turn *t = p;
	cr_assert_eq(goro_semaphore_acquire(t->s, NULL, t->n), 0);
	chan_send(t->order, t->n);
	goro_semaphore_release(t->s, t->n);
}

GoTest(semaphore, a_large_request_is_not_overtaken)
{
	goro_semaphore s;
	chan(int) order = chan_make(int, 3);
	Turn large = {&s, order, 4}, small = {&s, order, 1};
	goro_semaphore_init(&s, 4);
	cr_assert_eq(goro_semaphore_acquire(&s, NULL, 3), 0);
	goro_go(take, &large);
	goro_sleep(2 * MS);
	goro_go(take, &small);
	goro_sleep(2 * MS);
	cr_assert_not(goro_semaphore_try_acquire(&s, 1), "one is there, but somebody waits");
	cr_assert_eq(chan_len(order), 0);
	goro_semaphore_release(&s, 3);
	cr_assert_eq(chan_recv(order), 4);
	cr_assert_eq(chan_recv(order), 1);
	while (!goro_semaphore_try_acquire(&s, 4))
		goro_gosched();
	chan_free(order);
	return 0;
}

GoTest(semaphore, a_context_ends_the_wait)
{
	goro_semaphore s;
	goro_semaphore_init(&s, 1);
	cr_assert_eq(goro_semaphore_acquire(&s, goro_background(), 1), 0);
	goro_context *ctx = goro_with_timeout(goro_background(), 3 * MS);
	cr_assert_eq(goro_semaphore_acquire(&s, ctx, 1), -ETIMEDOUT);
	cr_assert_eq(goro_semaphore_acquire(&s, ctx, 1), -ETIMEDOUT);
	goro_semaphore_release(&s, 1);
	cr_assert_eq(
	    goro_semaphore_acquire(&s, ctx, 1), -ETIMEDOUT, "done already: nothing is taken");
	cr_assert(goro_semaphore_try_acquire(&s, 1));
	goro_context_free(ctx);
	return 0;
}

GoTest(semaphore, the_one_that_gives_up_lets_others_pass)
{
	goro_semaphore s;
	chan(int) order = chan_make(int, 1);
	Turn small = {&s, order, 1};
	goro_semaphore_init(&s, 4);
	cr_assert_eq(goro_semaphore_acquire(&s, NULL, 3), 0);
	goro_context *ctx = goro_with_timeout(goro_background(), 8 * MS);
	goro_waitgroup wg = {0};
	goro_sleep(MS);
	goro_waitgroup_go(&wg, take, &small);
	cr_assert_eq(goro_semaphore_acquire(&s, ctx, 4), -ETIMEDOUT);
	cr_assert_eq(chan_recv(order), 1);
	goro_waitgroup_wait(&wg);
	goro_context_free(ctx);
	chan_free(order);
	return 0;
}

GoTest(semaphore, more_than_there_is)
{
	goro_semaphore s;
	goro_semaphore_init(&s, 2);
	cr_assert_eq(goro_semaphore_acquire(&s, NULL, 3), -EINVAL);
	cr_assert_eq(goro_semaphore_acquire(&s, goro_background(), 3), -EINVAL);
	goro_context *ctx = goro_with_timeout(goro_background(), 2 * MS);
	cr_assert_eq(goro_semaphore_acquire(&s, ctx, 3), -ETIMEDOUT);
	cr_assert(goro_semaphore_try_acquire(&s, 2), "it held up nobody");
	goro_context_free(ctx);
	return 0;
}

static void compete(void *p)
{
	User *u = p;
	for (int i = 0; i < 100; i++) {
		goro_context *ctx =
		    goro_with_timeout(goro_background(), (i % 4) * 30 * GORO_MICROSECOND);
		int n = i % u->size + 1;
		if (goro_semaphore_acquire(&u->s, ctx, n) == 0) {
			cr_assert_leq(goro_atomic_add_int32(&u->used, n), u->size);
			goro_sleep(20 * GORO_MICROSECOND);
			goro_atomic_add_int32(&u->used, -n);
			goro_semaphore_release(&u->s, n);
		}
		goro_context_free(ctx);
	}
}

GoTest(semaphore, cancelled_and_granted_at_once)
{
	User u = {.size = 3};
	goro_waitgroup wg = {0};
	goro_semaphore_init(&u.s, u.size);
	for (int i = 0; i < 6; i++)
		goro_waitgroup_go(&wg, compete, &u);
	goro_waitgroup_wait(&wg);
	cr_assert(goro_semaphore_try_acquire(&u.s, u.size), "nothing leaked");
	return 0;
}

DieTest(semaphore, released_more_than_held, "panic: semaphore: released more than held")
{
	goro_semaphore s;
	goro_semaphore_init(&s, 2);
	goro_semaphore_release(&s, 1);
	return 0;
}
