/*
 * context.c: cancel is before a receive from done and before an error that is seen; freeing races with
 * nobody who has a reference.
 */
#include "case.h"

static goro_context *ctx;

static void write_and_cancel(void)
{
	write_x();
	goro_cancel(ctx);
	step(1);
}
static void done_read(void)
{
	goro_context *below = goro_with_cancel(ctx);
	chan_recv(goro_context_done(below));
	read_x();
	goro_context_free(below);
	step(2);
}
static void norace_context_cancel_before_done(void)
{
	ctx = goro_with_cancel(goro_background());
	go(done_read);
	go(write_and_cancel);
	after(2);
}

static void error_read(void)
{
	after(1);
	if (goro_context_err(ctx))
		read_x();
	step(2);
}
static void norace_context_cancel_before_error(void)
{
	ctx = goro_with_cancel(goro_background());
	go(error_read);
	go(write_and_cancel);
	after(2);
}

static void born_late_read(void)
{
	after(1);
	goro_context *below = goro_with_timeout(ctx, GORO_HOUR);
	chan_recv(goro_context_done(below));
	read_x();
	goro_context_free(below);
	step(2);
}
static void norace_context_child_of_a_cancelled_one(void)
{
	ctx = goro_with_cancel(goro_background());
	go(born_late_read);
	go(write_and_cancel);
	after(2);
}

static void cancel_and_write(void)
{
	goro_cancel(ctx);
	write_x();
	step(1);
}
static void done_late_read(void)
{
	after(1);
	chan_recv(goro_context_done(ctx));
	read_x();
	step(2);
}
static void race_context_write_after_cancel(void)
{
	ctx = goro_with_cancel(goro_background());
	go(done_late_read);
	go(cancel_and_write);
	after(2);
}

static void look_and_write(void)
{
	if (!goro_context_err(ctx) && !goro_context_value(ctx, &ctx))
		write_x();
	step(1);
}
static void look_and_read(void)
{
	after(1);
	if (!goro_context_err(ctx))
		read_x();
	step(2);
}
static void race_context_looking_orders_nothing(void)
{
	ctx = goro_with_cancel(goro_background());
	go(look_and_read);
	go(look_and_write);
	after(2);
}

/* A second cancel does nothing, and publishes nothing. */
static void cancelled_write(void)
{
	goro_cancel(ctx);
	write_x();
	goro_cancel(ctx);
	step(1);
}
static void race_context_only_the_first_counts(void)
{
	ctx = goro_with_cancel(goro_background());
	go(done_late_read);
	go(cancelled_write);
	after(2);
}

static void make_deadline(void)
{
	write_x();
	__atomic_store_n(&ctx, goro_with_timeout(goro_background(), GORO_MILLISECOND), __ATOMIC_RELAXED);
	step(1);
}
static void deadline_read(void)
{
	after(1);
	chan_recv(goro_context_done(__atomic_load_n(&ctx, __ATOMIC_RELAXED)));
	read_x();
	step(2);
}
static void norace_context_deadline(void)
{
	go(make_deadline);
	go(deadline_read);
	after(2);
}
static void late_writer(void)
{
	write_x();
	step(1);
}
static void race_context_deadline_passed(void)
{
	ctx = goro_with_timeout(goro_background(), GORO_MILLISECOND);
	go(late_writer);
	go(deadline_read);
	after(2);
}

static void holder(void *p)
{
	goro_context *mine = p, *below = goro_with_timeout(mine, 200 * GORO_MICROSECOND);
	chan_recv(goro_context_done(below));
	goro_context_err(mine);
	goro_context_free(mine);
	goro_context_free(below);
	arrive();
}
static void norace_context_freed_by_whoever_is_last(void)
{
	for (int i = 0; i < 10; i++) {
		goro_context *c = goro_with_cancel(goro_background());
		for (int k = 0; k < 3; k++)
			go(holder, (void *)goro_context_ref(c));
		if (i % 2)
			goro_cancel(c);
		goro_context_free(c);
	}
	arrived(30);
}

CASES(
    NORACE(norace_context_cancel_before_done)
    NORACE(norace_context_cancel_before_error)
    NORACE(norace_context_child_of_a_cancelled_one)
    RACE(race_context_write_after_cancel, "read read_x<done_late_read / write write_x<cancel_and_write / global x")
    RACE(race_context_looking_orders_nothing, "read read_x<look_and_read / write write_x<look_and_write / global x")
    RACE(race_context_only_the_first_counts, "read read_x<done_late_read / write write_x<cancelled_write / global x")
    NORACE(norace_context_deadline)
    RACE(race_context_deadline_passed, "read read_x<deadline_read / write write_x<late_writer / global x")
    NORACE(norace_context_freed_by_whoever_is_last)
)
