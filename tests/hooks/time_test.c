/*
 * time_test.c: the hooks of timers, tickers and contexts. 1 is the main goroutine, which records.
 */
#include "hooktest.h"

static void nothing(void *unused)
{
	(void)unused;
}

HookTest(timer, arming_is_before_the_receive)
{
	record();
	goro_timer *t = goro_timer_new(0);
	expect("1 merge a");
	goro_sleep(GORO_MILLISECOND); /* it fires: the scheduler has no clock to give */
	record();
	chan_recv(t->c);
	expect("1 acquire a; 1 release a");
	record();
	goro_timer_reset(t, GORO_HOUR);
	goro_timer_stop(t);
	expect("1 merge a");
	goro_timer_free(t);
	return 0;
}

HookTest(timer, taking_a_value_back_says_nothing)
{
	goro_timer *t = goro_timer_new(0);
	goro_sleep(GORO_MILLISECOND);
	record();
	cr_assert(goro_timer_stop(t));
	expect("");
	goro_timer_free(t);
	return 0;
}

HookTest(timer, arming_is_before_the_function)
{
	record();
	goro_timer *t = goro_after_func(0, nothing, NULL);
	goro_sleep(GORO_MILLISECOND);
	expect("1 release a; 0 go 2; 2 acquire a; forget a");
	goro_timer_free(t);
	return 0;
}

HookTest(ticker, ticks_say_nothing)
{
	record();
	goro_ticker *t = goro_ticker_new(100 * GORO_MICROSECOND);
	goro_sleep(GORO_MILLISECOND);
	goro_ticker_stop(t);
	expect("1 merge a");
	goro_ticker_free(t);
	return 0;
}

HookTest(context, cancel_is_before_done)
{
	goro_context *c = goro_with_cancel(goro_background()), *below = goro_with_cancel(c);
	record();
	goro_context_err(below);
	goro_context_value(below, &c);
	expect("");
	record();
	goro_cancel(c); /* both channels; the child was held meanwhile */
	expect("1 release a; 1 release b; 1 merge c");
	record();
	goro_cancel(c);
	goro_cancel_cause(c, 1);
	expect("");
	record();
	goro_context_err(below);
	chan_recv(goro_context_done(c));
	expect("1 acquire a; 1 acquire b");
	goro_context_free(below);
	goro_context_free(c);
	return 0;
}

HookTest(context, the_last_free_is_after_all_others)
{
	goro_context *c = goro_with_value(goro_background(), "key", NULL);
	goro_context_ref(c);
	record();
	goro_context_free(c);
	expect("1 merge a");
	record();
	goro_context_free(c);
	expect("1 merge a; 1 merge a; 1 acquire a");
	return 0;
}
