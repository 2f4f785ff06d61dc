/*
 * sync_test.c: mutexes, wait groups, once and conditions through goro.h.
 */
#include "help.h"

enum { N = 8, ROUNDS = 2000 };

static goro_mutex mu;
static goro_rwmutex rw;
static goro_waitgroup group;
static int64_t count;

static void add_locked(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		goro_mutex_lock(&mu);
		int64_t c = count;
		if (i % 100 == 0)
			goro_gosched();
		count = c + 1;
		goro_mutex_unlock(&mu);
	}
}

GoTest(mutex, excludes)
{
	for (int i = 0; i < N; i++)
		goro_waitgroup_go(&group, add_locked, NULL);
	goro_waitgroup_wait(&group);
	cr_assert_eq(count, N * ROUNDS);
	cr_assert(goro_mutex_trylock(&mu));
	cr_assert_not(goro_mutex_trylock(&mu));
	goro_mutex_unlock(&mu);
	return 0;
}

static int stop;

static void hog(void *unused)
{
	(void)unused;
	while (!goro_atomic_load_int32(&stop)) {
		goro_mutex_lock(&mu);
		for (int64_t end = goro_now() + GORO_MILLISECOND / 10; goro_now() < end;)
			;
		goro_mutex_unlock(&mu);
	}
}

/* Who waits longer than a millisecond is handed the lock, however greedy the others. */
GoTest(mutex, does_not_starve)
{
	int64_t begin = goro_now();
	for (int i = 0; i < 2; i++)
		goro_waitgroup_go(&group, hog, NULL);
	for (int i = 0; i < 20; i++) {
		goro_mutex_lock(&mu);
		goro_mutex_unlock(&mu);
		goro_gosched();
	}
	goro_atomic_store_int32(&stop, 1);
	goro_waitgroup_wait(&group);
	cr_assert(goro_now() - begin < 5 * GORO_SECOND);
	return 0;
}

static int inside;

static void read_locked(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		goro_rwmutex_rlock(&rw);
		int n = goro_atomic_add_int32(&inside, 1);
		cr_assert(n > 0);
		if (i % 10 == 0)
			goro_gosched();
		goro_atomic_add_int32(&inside, -1);
		goro_rwmutex_runlock(&rw);
	}
}

static void write_locked(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS / 4; i++) {
		goro_rwmutex_lock(&rw);
		cr_assert_eq(goro_atomic_add_int32(&inside, -1000), -1000);
		count++;
		if (i % 10 == 0)
			goro_gosched();
		cr_assert_eq(goro_atomic_add_int32(&inside, 1000), 0);
		goro_rwmutex_unlock(&rw);
	}
}

GoTest(rwmutex, readers_share_writers_exclude)
{
	for (int i = 0; i < 4; i++) {
		goro_waitgroup_go(&group, read_locked, NULL);
		goro_waitgroup_go(&group, write_locked, NULL);
	}
	goro_waitgroup_wait(&group);
	cr_assert_eq(count, 4 * (ROUNDS / 4));
	return 0;
}

static void read_until_all_do(void *unused)
{
	(void)unused;
	goro_rwmutex_rlock(&rw);
	goro_atomic_add_int32(&inside, 1);
	while (goro_atomic_load_int32(&inside) < 4)
		goro_gosched();
	goro_rwmutex_runlock(&rw);
}

GoTest(rwmutex, readers_are_inside_together)
{
	for (int i = 0; i < 4; i++)
		goro_waitgroup_go(&group, read_until_all_do, NULL);
	goro_waitgroup_wait(&group);
	return 0;
}

GoTest(rwmutex, try)
{
	cr_assert(goro_rwmutex_tryrlock(&rw));
	cr_assert(goro_rwmutex_tryrlock(&rw));
	cr_assert_not(goro_rwmutex_trylock(&rw));
	goro_rwmutex_runlock(&rw);
	goro_rwmutex_runlock(&rw);
	cr_assert(goro_rwmutex_trylock(&rw));
	cr_assert_not(goro_rwmutex_trylock(&rw));
	cr_assert_not(goro_rwmutex_tryrlock(&rw));
	goro_rwmutex_unlock(&rw);
	return 0;
}

static void take_read(void *p)
{
	goro_rwmutex_rlock(&rw);
	goro_atomic_add_int32(p, 1);
	goro_rwmutex_runlock(&rw);
}

static void take_write(void *p)
{
	goro_rwmutex_lock(&rw);
	goro_atomic_add_int32(p, 100);
	goro_rwmutex_unlock(&rw);
}

GoTest(rwmutex, waiting_writer_holds_off_readers)
{
	int n = 0;
	goro_gomaxprocs(1);
	goro_rwmutex_rlock(&rw);
	goro_waitgroup_go(&group, take_write, &n);
	goro_gosched();
	goro_waitgroup_go(&group, take_read, &n);
	goro_gosched();
	cr_assert_not(goro_rwmutex_tryrlock(&rw));
	cr_assert_eq(goro_atomic_load_int32(&n), 0);
	goro_rwmutex_runlock(&rw);
	goro_waitgroup_wait(&group);
	cr_assert_eq(n, 101);
	return 0;
}

static void finish(void *p)
{
	goro_atomic_add_int32(p, 1);
	goro_waitgroup_done(&group);
}

GoTest(waitgroup, waits_for_all_and_again)
{
	int n = 0;
	goro_waitgroup_wait(&group);
	for (int round = 1; round <= 200; round++) {
		goro_waitgroup_add(&group, 10);
		for (int i = 0; i < 10; i++)
			goro_go(finish, &n);
		goro_waitgroup_wait(&group);
		cr_assert_eq(goro_atomic_load_int32(&n), 10 * round);
	}
	return 0;
}

static void leave_early(void *p)
{
	goro_atomic_add_int32(p, 1);
	goro_goexit();
}

GoTest(waitgroup, go_is_done_after_goexit_too)
{
	int n = 0;
	for (int i = 0; i < 100; i++)
		goro_waitgroup_go(&group, leave_early, &n);
	goro_waitgroup_wait(&group);
	cr_assert_eq(n, 100);
	return 0;
}

static void free_when_done(void *p)
{
	goro_waitgroup_done(p);
}

GoTest(waitgroup, lies_on_the_waiters_stack)
{
	for (int i = 0; i < 20000; i++) {
		goro_waitgroup wg = {0};
		goro_waitgroup_add(&wg, 1);
		goro_go(free_when_done, &wg);
		goro_waitgroup_wait(&wg);
		cr_assert_eq(wg.state, 0);
		wg.state = UINT64_C(0xdeadbeefdeadbeef);
	}
	return 0;
}

static goro_once once;

static void slow_init(void *p)
{
	for (int i = 0; i < 10; i++)
		goro_gosched();
	goro_atomic_add_int32(p, 1);
}

static void do_once(void *p)
{
	goro_once_do(&once, slow_init, p);
	cr_assert_eq(goro_atomic_load_int32(p), 1);
}

GoTest(once, runs_once_and_all_wait_for_it)
{
	int n = 0;
	for (int i = 0; i < 50; i++)
		goro_waitgroup_go(&group, do_once, &n);
	goro_waitgroup_wait(&group);
	cr_assert_eq(n, 1);
	return 0;
}

static void exit_in_once(void *p)
{
	goro_once_do(&once, leave_early, p);
}

GoTest(once, goexit_counts_as_done)
{
	int n = 0;
	goro_waitgroup_go(&group, exit_in_once, &n);
	goro_waitgroup_wait(&group);
	goro_once_do(&once, leave_early, &n);
	cr_assert_eq(n, 1);
	return 0;
}

static goro_cond cond;
static int turn, arrived_n, order[N];

static void wait_turn(void *p)
{
	goro_mutex_lock(&mu);
	arrived_n++;
	goro_cond_wait(&cond);
	order[turn++] = (int)(intptr_t)p;
	goro_mutex_unlock(&mu);
}

static void start_waiters(void)
{
	goro_cond_init(&cond, &mu);
	for (int i = 0; i < N; i++) {
		goro_waitgroup_add(&group, 0);
		goro_waitgroup_go(&group, wait_turn, (void *)(intptr_t)i);
		for (bool in = false; !in;
		     goro_gosched()) { /* it waits before the next one comes */
			goro_mutex_lock(&mu);
			in = arrived_n == i + 1;
			goro_mutex_unlock(&mu);
		}
	}
}

GoTest(cond, signal_wakes_the_oldest)
{
	start_waiters();
	for (int i = 0; i < N; i++) {
		goro_cond_signal(&cond);
		for (bool done = false; !done; goro_gosched()) {
			goro_mutex_lock(&mu);
			done = turn == i + 1;
			goro_mutex_unlock(&mu);
		}
	}
	goro_waitgroup_wait(&group);
	for (int i = 0; i < N; i++)
		cr_assert_eq(order[i], i);
	return 0;
}

GoTest(cond, broadcast_wakes_all)
{
	start_waiters();
	goro_cond_broadcast(&cond);
	goro_waitgroup_wait(&group);
	cr_assert_eq(turn, N);
	goro_cond_signal(&cond);
	goro_cond_broadcast(&cond);
	return 0;
}

DieTest(mutex, unlock_of_unlocked_is_fatal, "fatal error: sync: unlock of unlocked mutex\n")
{
	goro_mutex_unlock(&mu);
	return 0;
}

DieTest(mutex, nil_panics, "panic: sync: lock of nil mutex")
{
	goro_mutex_lock(NULL);
	return 0;
}

DieTest(mutex, double_lock_deadlocks, "all goroutines are asleep - deadlock!", "[sync.Mutex.Lock]")
{
	goro_mutex_lock(&mu);
	goro_mutex_lock(&mu);
	return 0;
}

DieTest(rwmutex, runlock_of_unlocked_is_fatal, "fatal error: sync: RUnlock of unlocked RWMutex\n")
{
	goro_rwmutex_runlock(&rw);
	return 0;
}

DieTest(rwmutex, unlock_of_unlocked_is_fatal, "fatal error: sync: Unlock of unlocked RWMutex\n")
{
	goro_rwmutex_unlock(&rw);
	return 0;
}

DieTest(waitgroup, negative_counter_panics, "panic: sync: negative WaitGroup counter\n")
{
	goro_waitgroup_add(&group, 1);
	goro_waitgroup_add(&group, -2);
	return 0;
}

DieTest(waitgroup, wait_deadlocks, "all goroutines are asleep - deadlock!", "[sync.WaitGroup.Wait]")
{
	goro_waitgroup_add(&group, 1);
	goro_waitgroup_wait(&group);
	return 0;
}

static void again(void *p)
{
	goro_once_do(p, again, p);
}

DieTest(once, do_within_do_deadlocks, "all goroutines are asleep - deadlock!", "[sync.Once.Do]")
{
	goro_once_do(&once, again, &once);
	return 0;
}

DieTest(cond, zeroed_panics, "panic: sync: Cond without a mutex")
{
	goro_cond_wait(&cond);
	return 0;
}
