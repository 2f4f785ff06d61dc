/*
 * A signal mask belongs to the goroutine that set it, wherever it and the others run.
 */
#include "help.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#ifdef CRITERION_TSAN_H
#define TAKEN true /* pthread_sigmask and sigprocmask are ThreadSanitizer's there (runtime/sched/mask.c) */
#else
#define TAKEN false
#endif

static goro_waitgroup all;
static int bad; /* atomic */

static bool blocked(int sig)
{
	sigset_t now;
	sigemptyset(&now);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, sig) == 1;
}

static void change(int how, int sig)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	cr_assert_eq(pthread_sigmask(how, &set, NULL), 0);
}

/* Its thread is given to others and taken again, by all ways. */
static void move_about(void)
{
	goro_gosched();
	goro_sleep(20 * GORO_MICROSECOND);
	usleep(20);
}

static void expect(bool usr1, bool usr2)
{
	for (int i = 0; i < 50; i++) {
		if (blocked(SIGUSR1) != usr1 || blocked(SIGUSR2) != usr2)
			__atomic_store_n(&bad, 1, __ATOMIC_RELAXED);
		move_about();
	}
}

static void blocks_one(void *arg)
{
	(void)arg;
	change(SIG_BLOCK, SIGUSR1);
	expect(true, false);
	goro_waitgroup_done(&all); /* and ends with it */
}

static void blocks_other_and_unblocks(void *arg)
{
	(void)arg;
	change(SIG_BLOCK, SIGUSR2);
	expect(false, true);
	change(SIG_UNBLOCK, SIGUSR2);
	expect(false, false);
	goro_waitgroup_done(&all);
}

static void blocks_none(void *arg)
{
	(void)arg;
	expect(false, false);
	goro_waitgroup_done(&all);
}

static int mixed(void *unused)
{
	(void)unused;
	goro_waitgroup_add(&all, 24);
	for (int i = 0; i < 8; i++) {
		goro_go(blocks_one, NULL);
		goro_go(blocks_other_and_unblocks, NULL);
		goro_go(blocks_none, NULL);
	}
	goro_waitgroup_wait(&all);
	/* Whoever comes after them finds the threads clean. */
	goro_waitgroup_add(&all, 16);
	for (int i = 0; i < 16; i++)
		goro_go(blocks_none, NULL);
	expect(false, false);
	goro_waitgroup_wait(&all);
	return __atomic_load_n(&bad, __ATOMIC_RELAXED);
}

Test(mask, p1_each_has_its_own, .disabled = TAKEN) { in_goro(1, mixed); }
Test(mask, p4_each_has_its_own, .disabled = TAKEN) { in_goro(4, mixed); }

/* What main blocks before anything else is blocked everywhere: the idiom of sigwait. */
static void all_blocked(void *arg)
{
	(void)arg;
	expect(true, true);
	goro_waitgroup_done(&all);
}

static int main_first(void *unused)
{
	(void)unused;
	change(SIG_BLOCK, SIGUSR1);
	change(SIG_BLOCK, SIGUSR2);
	goro_waitgroup_add(&all, 16);
	for (int i = 0; i < 16; i++)
		goro_go(all_blocked, NULL);
	expect(true, true);
	kill(getpid(), SIGUSR1); /* would end us */
	goro_waitgroup_wait(&all);
	sigset_t set;
	int sig = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	cr_assert_eq(sigwait(&set, &sig), 0);
	cr_assert_eq(sig, SIGUSR1);
	return __atomic_load_n(&bad, __ATOMIC_RELAXED);
}

Test(mask, p4_what_main_blocks_first_is_blocked_everywhere, .disabled = TAKEN) { in_goro(4, main_first); }

static int answers(void *unused)
{
	sigset_t set, old;
	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	cr_assert_eq(pthread_sigmask(77, &set, NULL), EINVAL);
	errno = 0;
	cr_assert_eq(sigprocmask(77, &set, NULL), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
	cr_assert_eq(sigismember(&old, SIGUSR1), 0);
	cr_assert_eq(sigprocmask(SIG_SETMASK, &old, &set), 0);
	cr_assert_eq(sigismember(&set, SIGUSR1), 1);
	cr_assert(!blocked(SIGUSR1));
	return 0;
}

Test(mask, answers_as_libc) { in_goro(1, answers); }
