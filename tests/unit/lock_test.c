/*
 * Lock: mutual exclusion, with and without sleepers.
 */
#include <criterion/criterion.h>
#include <pthread.h>

#include "../../runtime/base/lock.h"
#include "../../runtime/os/os.h"

static Lock l;
static uint64_t counter; /* l */
static uint32_t inside;

static void *adder(void *arg)
{
	for (int i = 0; i < *(int *)arg; i++) {
		lock(&l);
		cr_assert_eq(add_rlx(&inside, 1), 0, "two hold the lock");
		counter++;
		(void)add_rlx(&inside, (uint32_t)-1);
		unlock(&l);
	}
	return NULL;
}

static void hammer(int threads, int n)
{
	pthread_t t[16];
	for (int i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, adder, &n);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	cr_assert_eq(counter, (uint64_t)threads * (uint64_t)n);
}

Test(lock, excludes_two_threads, .timeout = 30)
{
	hammer(2, 200000);
}

Test(lock, excludes_many_threads, .timeout = 30)
{
	hammer(16, 20000);
}

Test(lock, try_fails_while_held)
{
	cr_assert(lock_try(&l));
	cr_assert_not(lock_try(&l));
	unlock(&l);
	cr_assert(lock_try(&l));
}

static void *sleeper(void *arg)
{
	(void)arg;
	lock(&l);
	unlock(&l);
	return NULL;
}

Test(lock, wakes_one_that_sleeps, .timeout = 10)
{
	pthread_t t;
	lock(&l);
	pthread_create(&t, NULL, sleeper, NULL);
	while (load_rlx(&l.state) != 2) /* it has given up spinning */
		os_yield();
	unlock(&l);
	pthread_join(t, NULL);
	cr_assert_eq(l.state, 0);
}

static void *unlocker(void *arg)
{
	(void)arg;
	unlock(&l);
	return NULL;
}

Test(lock, another_thread_may_release_it)
{
	pthread_t t;
	lock(&l);
	pthread_create(&t, NULL, unlocker, NULL);
	pthread_join(t, NULL);
	cr_assert(lock_try(&l));
}
