/*
 * signal_test.c: goro_signal_* through goro.h. Each test is a process of its own.
 */
#include "help.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define MS GORO_MILLISECOND

static int32_t own;

static void own_handler(int sig)
{
	(void)sig;
	own++;
}

GoTest(signal, arrives_on_its_channel)
{
	chan(int) c = chan_make(int, 4), other = chan_make(int, 4);
	cr_assert_eq(goro_signal_notify(c, SIGUSR1, SIGUSR2, 0), 0);
	cr_assert_eq(goro_signal_notify(other, SIGUSR2, 0), 0);
	kill(getpid(), SIGUSR1);
	cr_assert_eq(chan_recv(c), SIGUSR1);
	kill(getpid(), SIGUSR2);
	cr_assert_eq(chan_recv(c), SIGUSR2);
	cr_assert_eq(chan_recv(other), SIGUSR2);
	cr_assert_eq(chan_len(c), 0);
	cr_assert_eq(chan_len(other), 0);
	goro_signal_stop(c);
	goro_signal_stop(other);
	chan_free(c);
	chan_free(other);
	return 0;
}

static void raise_it(void *sig)
{
	raise(*(int *)sig);
}

GoTest(signal, unbuffered_reaches_who_waits)
{
	static int hup = SIGHUP;
	chan(int) c = chan_make(int);
	int v = 0;
	int64_t late;
	cr_assert_eq(goro_signal_notify_list(c, (const int[]){SIGHUP}, 1), 0);
	goro_timer *t = goro_timer_new(20 * MS);
	/* Waiting is no deadlock. */
	cr_assert_eq(chan_select(on_recv(c, &v), on_recv(t->c, &late)), 1);
	goro_timer *send = goro_after_func(2 * MS, raise_it, &hup);
	cr_assert_eq(chan_recv(c), SIGHUP);
	goro_signal_stop(c);
	goro_timer_free(send);
	goro_timer_free(t);
	chan_free(c);
	return 0;
}

GoTest(signal, a_full_channel_loses_it)
{
	chan(int) c = chan_make(int, 1);
	signal(SIGUSR2, own_handler); /* one may come after stop, and do what it did before */
	cr_assert_eq(goro_signal_notify(c, SIGUSR1, SIGUSR2, 0), 0);
	kill(getpid(), SIGUSR1);
	while (chan_len(c) == 0)
		goro_gosched();
	for (int i = 0; i < 10; i++)
		kill(getpid(), SIGUSR2);
	goro_signal_stop(c); /* after which all is sent that will be */
	cr_assert_eq(chan_recv(c), SIGUSR1);
	cr_assert_eq(chan_len(c), 0);
	chan_free(c);
	return 0;
}

GoTest(signal, stop_sends_what_came_before)
{
	for (int i = 0; i < 200; i++) {
		chan(int) c = chan_make(int, 1);
		cr_assert_eq(goro_signal_notify(c, SIGUSR1, 0), 0);
		raise(SIGUSR1);
		goro_signal_stop(c);
		cr_assert_eq(chan_len(c), 1);
		chan_free(c);
	}
	return 0;
}

GoTest(signal, stop_restores_what_was_before)
{
	chan(int) a = chan_make(int, 1), b = chan_make(int, 1);
	signal(SIGUSR1, own_handler);
	goro_signal_notify(a, SIGUSR1, 0);
	goro_signal_notify(b, SIGUSR1, 0);
	goro_signal_stop(a);
	raise(SIGUSR1);
	cr_assert_eq(own, 0, "b wants it still");
	cr_assert_eq(chan_recv(b), SIGUSR1);
	goro_signal_stop(b);
	goro_signal_stop(b);
	raise(SIGUSR1);
	cr_assert_eq(own, 1);
	cr_assert_eq(chan_len(a), 0);
	chan_free(a);
	chan_free(b);
	return 0;
}

GoTest(signal, ignore_and_reset)
{
	chan(int) c = chan_make(int, 1);
	signal(SIGUSR1, own_handler);
	goro_signal_notify(c, SIGUSR1, 0);
	cr_assert_eq(goro_signal_ignore(SIGUSR1, 0), 0);
	cr_assert(goro_signal_ignored(SIGUSR1));
	raise(SIGUSR1);
	cr_assert_eq(goro_signal_notify(c, SIGUSR1, 0), 0);
	cr_assert_not(goro_signal_ignored(SIGUSR1));
	raise(SIGUSR1);
	cr_assert_eq(chan_recv(c), SIGUSR1);
	cr_assert_eq(chan_len(c), 0);
	cr_assert_eq(goro_signal_ignore(SIGUSR1, 0), 0);
	cr_assert_eq(goro_signal_reset(SIGUSR1, 0), 0);
	raise(SIGUSR1);
	cr_assert_eq(own, 1);
	cr_assert_eq(chan_len(c), 0);
	chan_free(c);
	return 0;
}

GoTest(signal, no_list_means_all)
{
	chan(int) c = chan_make(int, 8);
	cr_assert_eq(goro_signal_notify(c, 0), 0);
	raise(SIGTERM);
	cr_assert_eq(chan_recv(c), SIGTERM);
	raise(SIGRTMIN + 1);
	cr_assert_eq(chan_recv(c), SIGRTMIN + 1);
	goro_signal_stop(c);
	chan_free(c);
	return 0;
}

GoTest(signal, what_cannot_be_had)
{
	chan(int) c = chan_make(int, 1);
	cr_assert_eq(goro_signal_notify(c, SIGKILL, 0), -EINVAL);
	cr_assert_eq(goro_signal_notify(c, SIGUSR1, SIGSEGV, 0), -EINVAL);
	cr_assert_eq(goro_signal_notify(c, 65, 0), -EINVAL);
	cr_assert_eq(goro_signal_notify_list(c, (const int[]){-1}, 1), -EINVAL);
	cr_assert_eq(goro_signal_notify_list(c, NULL, 1), -EINVAL);
	cr_assert_eq(goro_signal_ignore(SIGSTOP, 0), -EINVAL);
	chan_free(c);
	return 0;
}

static void spin(void *p)
{
	chan(int) c = *(chan(int) *)p;
	int got = 0;
	while (got < 300)
		got += chan_recv(c) == SIGUSR1;
}

GoTest(signal, a_storm_while_goroutines_run)
{
	chan(int) c = chan_make(int, 16);
	goro_waitgroup wg = {0};
	signal(SIGUSR1, own_handler); /* as above */
	goro_signal_notify(c, SIGUSR1, 0);
	goro_waitgroup_go(&wg, spin, &c);
	for (int i = 0; i < 300; i++) {
		kill(getpid(), SIGUSR1);
		goro_sleep(50 * GORO_MICROSECOND);
	}
	for (int i = 0; i < 3000 && goro_num_goroutine() > 1; i++) {
		kill(getpid(), SIGUSR1);
		goro_sleep(50 * GORO_MICROSECOND);
	}
	goro_waitgroup_wait(&wg);
	goro_signal_stop(c);
	chan_free(c);
	return 0;
}

GoTest(signal, cancels_a_context)
{
	signal(SIGUSR1, own_handler);
	goro_context *ctx = goro_signal_context(goro_background(), SIGUSR1, SIGTERM, 0);
	cr_assert_eq(goro_context_err(ctx), 0);
	kill(getpid(), SIGTERM);
	(void)chan_recv(goro_context_done(ctx));
	cr_assert_eq(goro_context_err(ctx), -ECANCELED);
	cr_assert_eq(goro_context_cause(ctx), SIGTERM);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	raise(SIGUSR1);
	cr_assert_eq(own, 1, "stopped once cancelled");
	goro_context_free(ctx);
	ctx = goro_signal_context(goro_background(), SIGUSR1, 0);
	goro_context_free(ctx);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	raise(SIGUSR1);
	cr_assert_eq(own, 2);
	cr_assert_null(goro_signal_context(goro_background(), SIGKILL, 0));
	return 0;
}

DieTest(signal, nil_channel, "panic: os/signal: Notify using nil channel")
{
	(void)goro_signal_notify(NULL, SIGUSR1, 0);
	return 0;
}

DieTest(signal, deadlock_is_seen_again_after_stop, "all goroutines are asleep - deadlock!")
{
	chan(int) c = chan_make(int, 1);
	goro_signal_notify(c, SIGUSR1, 0);
	goro_signal_stop(c);
	(void)chan_recv(c);
	return 0;
}
