/*
 * go_test.c: starting, running and ending goroutines through goro.h.
 */
#include "help.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

typedef struct Pair {
	double a;
	int64_t b;
} Pair;

typedef struct Big {
	int v[20];
} Big;

static goro_waitgroup group;
static int64_t total;

static void none(void)
{
	goro_atomic_add_int64(&total, 1);
	goro_waitgroup_done(&group);
}

static void eight(int a, char b, double c, int64_t d, const char *e, float f, Pair g, Big h)
{
	cr_assert_eq(a, 1);
	cr_assert_eq(b, 'b');
	cr_assert(c == 2.5);
	cr_assert_eq(d, INT64_MIN);
	cr_assert_str_eq(e, "five");
	cr_assert(f == 0.5f);
	cr_assert(g.a == 1.25 && g.b == 77);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(h.v[i], i);
	goro_atomic_add_int64(&total, 8);
	goro_waitgroup_done(&group);
}

static void one(int x)
{
	goro_atomic_add_int64(&total, x);
	goro_waitgroup_done(&group);
}

GoTest(go, takes_any_arguments)
{
	Big h;
	for (int i = 0; i < 20; i++)
		h.v[i] = i;
	goro_waitgroup_add(&group, 3);
	go(none);
	go(one, 100);
	go(eight, 1, 'b', 2.5, INT64_MIN, "five", 0.5f, (Pair){1.25, 77}, h);
	memset(&h, 0, sizeof(h)); /* it has its own copy */
	goro_waitgroup_wait(&group);
	cr_assert_eq(total, 109);
	return 0;
}

static void add_one(void *p)
{
	goro_atomic_add_int64(p, 1);
	goro_waitgroup_done(&group);
}

GoTest(go, a_hundred_thousand)
{
	int64_t n = 0;
	goro_waitgroup_add(&group, 100000);
	for (int i = 0; i < 100000; i++)
		cr_assert_eq(goro_go(add_one, &n), 0);
	goro_waitgroup_wait(&group);
	cr_assert_eq(n, 100000);
	return 0;
}

static void parked(void *c)
{
	goro_chan_recv(c, NULL);
	goro_waitgroup_done(&group);
}

GoTest(go, counts_and_numbers_goroutines)
{
	goro_chan *c = goro_chan_make(0, 0);
	cr_assert_eq(goro_id(), 1);
	cr_assert_eq(goro_num_goroutine(), 1);
	goro_waitgroup_add(&group, 10);
	for (int i = 0; i < 10; i++)
		goro_go(parked, c);
	cr_assert_eq(goro_num_goroutine(), 11);
	goro_chan_close(c);
	goro_waitgroup_wait(&group);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	goro_chan_free(c);
	return 0;
}

static void leave(void *p)
{
	goro_atomic_add_int64(p, 1);
	goro_waitgroup_done(&group);
	goro_goexit();
	goro_atomic_add_int64(p, 1000);
}

GoTest(go, goexit_ends_it)
{
	int64_t n = 0;
	goro_waitgroup_add(&group, 1);
	goro_go(leave, &n);
	goro_waitgroup_wait(&group);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	cr_assert_eq(n, 1);
	return 0;
}

static void deep(void *p)
{
	volatile char room[700 * 1024];
	for (size_t i = 0; i < sizeof(room); i += 512)
		room[i] = (char)i;
	goro_atomic_add_int64(p, room[512] == 0 ? 1 : 1);
	goro_waitgroup_done(&group);
}

GoTest(go, with_attributes)
{
	int64_t n = 0;
	goro_waitgroup_add(&group, 1);
	cr_assert_eq(
	    goro_go_with(&(goro_attr){.name = "deep", .stack_size = 1 << 20}, deep, &n), 0);
	goro_waitgroup_wait(&group);
	cr_assert_eq(n, 1);
	cr_assert_eq(goro_go(NULL, NULL), -EINVAL);
	return 0;
}

static void keep_errno(void *p)
{
	for (int i = 0; i < 100; i++) {
		errno = (int)(intptr_t)p;
		goro_gosched();
		cr_assert_eq(errno, (int)(intptr_t)p);
	}
	goro_waitgroup_done(&group);
}

GoTest(go, errno_is_its_own)
{
	goro_waitgroup_add(&group, 8);
	for (int i = 0; i < 8; i++)
		goro_go(keep_errno, (void *)(intptr_t)(i + 1));
	goro_waitgroup_wait(&group);
	return 0;
}

GoTest(go, gomaxprocs_asks_and_sets)
{
	int n = goro_gomaxprocs(0);
	cr_assert(n >= 1 && goro_num_cpu() >= 1);
	cr_assert_eq(goro_gomaxprocs(3), n);
	cr_assert_eq(goro_gomaxprocs(-5), 3);
	goro_gosched();
	cr_assert_eq(goro_gomaxprocs(1), 3);
	cr_assert_eq(goro_gomaxprocs(0), 1);
	goro_set_name("a name that is much longer than it may be");
	goro_lock_os_thread();
	goro_gosched();
	goro_unlock_os_thread();
#ifdef __GORO_RACE__
	cr_assert(goro_race_enabled());
#else
	cr_assert_not(goro_race_enabled());
#endif
	return 0;
}

static int result(void *p)
{
	return *(int *)p;
}

Test(go, run_returns_its_result)
{
	int v = 42;
	cr_assert_eq(goro_run(result, &v), 42);
}

/* A thread of the program's own works with goroutines. */
static goro_chan *to, *from;

static void *thread(void *unused)
{
	int v;
	(void)unused;
	cr_assert_eq(goro_id(), 0);
	while (goro_chan_recv(to, &v)) {
		v *= 2;
		goro_chan_send(from, &v);
	}
	goro_sleep(GORO_MILLISECOND);
	goro_waitgroup_done(&group);
	return NULL;
}

GoTest(go, foreign_threads_take_part)
{
	pthread_t t;
	to = goro_chan_make(sizeof(int), 0);
	from = goro_chan_make(sizeof(int), 0);
	goro_waitgroup_add(&group, 1);
	cr_assert_eq(pthread_create(&t, NULL, thread, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		int v = i;
		goro_chan_send(to, &v);
		goro_chan_recv(from, &v);
		cr_assert_eq(v, 2 * i);
	}
	goro_chan_close(to);
	goro_waitgroup_wait(&group);
	pthread_join(t, NULL);
	goro_chan_free(to);
	goro_chan_free(from);
	return 0;
}

DieTest(go, panic_says_so, "panic: value 7 is bad\n\ngoroutine 1 [running")
{
	goro_panic("value %d is bad", 7);
}

DieTest(go, main_goexit_then_nothing, "no goroutines (main called runtime.Goexit) - deadlock!")
{
	goro_goexit();
}
