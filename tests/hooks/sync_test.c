/*
 * sync_test.c: the hooks of the blocking primitives, of goroutines and of time. 1 is the main
 * goroutine, which records; 2 the first other.
 */
#include "hooktest.h"

static goro_mutex mu;
static goro_rwmutex rw;
static goro_waitgroup wg;
static goro_once once;
static goro_cond cond;

static void nothing(void *unused)
{
	(void)unused;
}

HookTest(mutex, unlock_is_before_lock)
{
	rec_name(&mu, "m");
	rec_start(REC_ORDER | REC_LOCKS);
	goro_mutex_lock(&mu);
	goro_mutex_unlock(&mu);
	expect("1 acquire m; 1 lock m; 1 unlock m; 1 release m");
	record();
	cr_assert(goro_mutex_trylock(&mu));
	cr_assert_not(goro_mutex_trylock(&mu));
	expect("1 acquire m");
	return 0;
}

static void lock_unlock(void *unused)
{
	(void)unused;
	goro_mutex_lock(&mu);
	goro_mutex_unlock(&mu);
}

HookTest(mutex, contended_is_no_different)
{
	rec_name(&mu, "m");
	goro_mutex_lock(&mu);
	goro_go(lock_unlock, NULL);
	let_run();
	record();
	goro_mutex_unlock(&mu);
	let_run();
	expect("1 release m; 2 acquire m; 2 release m");
	return 0;
}

HookTest(rwmutex, readers_and_writers)
{
	rec_name(&rw.reader_sema, "toreaders");
	rec_name(&rw.writer_sema, "towriter");
	rec_name(&rw, "rw");
	rec_start(REC_ORDER | REC_LOCKS);
	goro_rwmutex_rlock(&rw);
	goro_rwmutex_runlock(&rw);
	expect("1 acquire toreaders; 1 rlock rw; 1 runlock rw; 1 merge towriter");
	rec_start(REC_ORDER | REC_LOCKS);
	goro_rwmutex_lock(&rw);
	goro_rwmutex_unlock(&rw);
	expect(
	    "1 acquire toreaders; 1 acquire towriter; 1 lock rw; 1 unlock rw; 1 release toreaders");
	record();
	cr_assert(goro_rwmutex_tryrlock(&rw));
	cr_assert_not(goro_rwmutex_trylock(&rw));
	expect("1 acquire toreaders");
	return 0;
}

HookTest(waitgroup, done_is_before_wait)
{
	rec_name(&wg, "wg");
	record();
	goro_waitgroup_add(&wg, 2);
	goro_waitgroup_add(&wg, 1);
	expect("");
	record();
	goro_waitgroup_done(&wg);
	goro_waitgroup_add(&wg, -2);
	goro_waitgroup_wait(&wg);
	expect("1 merge wg; 1 merge wg; 1 acquire wg");
	record();
	goro_waitgroup_add(&wg, 1); /* who adds has waited: it knows the old round */
	expect("forget wg");
	record();
	goro_waitgroup_done(&wg);
	goro_waitgroup_add(&wg, 1); /* nobody has waited: a later Wait is let go by both */
	expect("1 merge wg");
	return 0;
}

static void wait_for_group(void *unused)
{
	(void)unused;
	goro_waitgroup_wait(&wg);
}

HookTest(waitgroup, last_done_acquires_for_those_that_wait)
{
	rec_name(&wg, "wg");
	goro_waitgroup_add(&wg, 1);
	goro_go(wait_for_group, NULL);
	let_run();
	goro_go(wait_for_group, NULL);
	let_run();
	record();
	goro_waitgroup_done(&wg);
	goro_waitgroup_add(&wg, 1);
	let_run();
	expect("1 merge wg; 2 acquire wg; 3 acquire wg");
	return 0;
}

HookTest(waitgroup, go_is_add_go_and_done)
{
	rec_name(&wg, "wg");
	record();
	goro_waitgroup_go(&wg, nothing, NULL);
	let_run();
	expect("1 go 2; 2 merge wg");
	return 0;
}

HookTest(waitgroup, add_in_the_goroutine_races_with_wait)
{
	rec_name(&wg, "wg");
	rec_start(REC_MEMORY);
	goro_waitgroup_add(&wg, 1);
	goro_go(wait_for_group, NULL);
	let_run();
	goro_go(wait_for_group, NULL);
	let_run();
	const char *text = rec_stop();
	cr_assert(strstr(text, "1 read wg 1"), "%s", text);
	cr_assert(strstr(text, "2 write wg 1"), "%s", text);
	cr_assert_not(strstr(text, "3 write wg 1"), "%s", text);
	return 0;
}

HookTest(once, function_is_before_every_return)
{
	rec_name(&once, "once");
	record();
	goro_once_do(&once, nothing, NULL);
	goro_once_do(&once, nothing, NULL);
	expect("1 release once; 1 acquire once");
	return 0;
}

static void wait_cond(void *unused)
{
	(void)unused;
	goro_mutex_lock(&mu);
	goro_cond_wait(&cond);
	goro_mutex_unlock(&mu);
}

HookTest(cond, signal_reaches_the_one_it_wakes)
{
	rec_name(&mu, "m");
	goro_cond_init(&cond, &mu);
	goro_go(wait_cond, NULL);
	let_run();
	goro_go(wait_cond, NULL);
	let_run();
	record();
	goro_cond_signal(&cond);
	let_run();
	expect("1 release a; 2 acquire a; forget a; 2 acquire m; 2 release m");
	record();
	goro_cond_broadcast(&cond);
	let_run();
	expect("1 release a; 3 acquire a; forget a; 3 acquire m; 3 release m");
	record();
	goro_cond_signal(&cond);
	expect("");
	return 0;
}

HookTest(go, creation_alone_orders)
{
	record();
	goro_go(nothing, NULL);
	let_run();
	goro_go(nothing, NULL); /* on the same stack */
	let_run();
	expect("1 go 2; 1 go 3");
	return 0;
}

HookTest(time, sleeping_and_yielding_say_nothing)
{
	record();
	goro_gosched();
	goro_sleep(1000);
	goro_sleep(0);
	goro_now();
	expect("");
	return 0;
}

HookTest(time, arming_is_before_the_receive)
{
	record();
	goro_chan *c = goro_after_chan(0);
	expect("1 release a");
	goro_sleep(GORO_MILLISECOND); /* it fires: the scheduler has no clock to give */
	record();
	goro_chan_recv(c, NULL);
	expect("1 acquire a; 1 release a");
	goro_chan_free(c);

	c = goro_after_chan(GORO_MILLISECOND);
	record();
	goro_chan_recv(c, NULL); /* the scheduler acquires for the one that waits */
	expect("1 acquire a; 1 release a");
	goro_chan_free(c);
	return 0;
}
