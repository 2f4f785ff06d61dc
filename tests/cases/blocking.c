/*
 * blocking.c: a pthread call that waits, made on a goroutine, with one P for all: the P serves the others
 * meanwhile, or nobody would ever let the waiter go; and it comes back on its thread, as its owner.
 */
#include "case.h"

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, checking;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t sem;
static mtx_t mtx;
static bool flag;
static goro_waitgroup wg;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct timespec later(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	t.tv_sec += 20;
	return t;
}

/* First runs up to its gosched, second then up to where it waits. */
static void both(void (*first)(void), void (*second)(void))
{
	goro_gomaxprocs(1);
	goro_waitgroup_add(&wg, 2);
	go(first);
	go(second);
	goro_waitgroup_wait(&wg);
}
#define PART(name, ...)                                                                            \
	static void name(void)                                                                     \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
		goro_waitgroup_done(&wg);                                                          \
	}
/* After `seen` it cannot give way but by the call under test. */
static int seen;
static void until(int n)
{
	while (__atomic_load_n(&seen, __ATOMIC_RELAXED) < n)
		goro_gosched();
}
static void reached(int n)
{
	__atomic_store_n(&seen, n, __ATOMIC_RELAXED);
}
static void yields(void)
{
	for (int i = 0; i < 5; i++)
		goro_gosched();
}

/* The lock's holder gives way to who waits for it. */
#define LOCKS(case_, take, wait, give)                                                             \
	PART(case_##_first, must(take == 0); write_x(); reached(1); until(2); yields(); must(give == 0)) \
	PART(case_##_second, until(1); reached(2); must(wait == 0); write_x(); must(give == 0))    \
	static void case_(void)                                                                    \
	{                                                                                          \
		prepare();                                                                         \
		both(case_##_first, case_##_second);                                               \
	}

static void prepare(void)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checking, &attr);
	pthread_spin_init(&spin, 0);
	mtx_init(&mtx, mtx_timed);
}

LOCKS(norace_blocking_mutex, pthread_mutex_lock(&m), pthread_mutex_lock(&m), pthread_mutex_unlock(&m))
LOCKS(norace_blocking_timedlock, pthread_mutex_lock(&m),
    (pthread_mutex_timedlock(&m, &(struct timespec){later(CLOCK_REALTIME).tv_sec, 0})), pthread_mutex_unlock(&m))
LOCKS(norace_blocking_wrlock, pthread_rwlock_rdlock(&rw), pthread_rwlock_wrlock(&rw), pthread_rwlock_unlock(&rw))
LOCKS(norace_blocking_spin, pthread_spin_lock(&spin), pthread_spin_lock(&spin), pthread_spin_unlock(&spin))
LOCKS(norace_blocking_mtx, mtx_lock(&mtx), mtx_lock(&mtx), mtx_unlock(&mtx))

/* A thread holds it: who waited for it owns it afterwards, so it came back on the thread it waited on. */
static void *hold(void *arg)
{
	must(pthread_mutex_lock(&checking) == 0);
	reached(1);
	while (__atomic_load_n(&seen, __ATOMIC_RELAXED) < 3)
		usleep(20);
	must(pthread_mutex_unlock(&checking) == 0);
	return arg;
}
PART(takes_over, until(1); reached(2); must(pthread_mutex_lock(&checking) == 0);
     must(pthread_mutex_unlock(&checking) == 0))
PART(lets_go, until(2); yields(); reached(3))
static void norace_blocking_mutex_owner(void)
{
	pthread_t th;
	prepare();
	must(pthread_create(&th, NULL, hold, NULL) == 0);
	both(takes_over, lets_go);
	pthread_join(th, NULL);
}

/* The first waits, the second lets it go. */
PART(cond_wait, pthread_mutex_lock(&m); reached(1); while (!flag) pthread_cond_wait(&cond, &m); read_x();
     pthread_mutex_unlock(&m))
PART(cond_signal, until(1); write_x(); pthread_mutex_lock(&m); flag = true; pthread_cond_signal(&cond);
     pthread_mutex_unlock(&m))
static void norace_blocking_cond(void)
{
	both(cond_wait, cond_signal);
}
PART(sem_waits, reached(1); must(sem_wait(&sem) == 0); read_x())
PART(sem_posts, until(1); write_x(); sem_post(&sem))
static void norace_blocking_sem(void)
{
	sem_init(&sem, 0, 0);
	both(sem_waits, sem_posts);
}
PART(barrier_reads, reached(1); pthread_barrier_wait(&barrier); read_x())
PART(barrier_writes, until(1); write_x(); pthread_barrier_wait(&barrier))
static void norace_blocking_barrier(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	both(barrier_reads, barrier_writes);
}
static void slowly(void)
{
	reached(1);
	until(2);
	yields();
	write_x();
}
PART(once_first, pthread_once(&once, slowly); read_x())
PART(once_second, until(1); reached(2); pthread_once(&once, slowly); read_x())
static void norace_blocking_once(void)
{
	both(once_first, once_second);
}

static chan(int) go_on;
static void *until_sent(void *arg)
{
	write_x();
	USE(chan_recv(go_on));
	return arg;
}
static pthread_t thread;
PART(joins, reached(1); must(pthread_join(thread, NULL) == 0); read_x())
PART(sends, until(1); chan_send(go_on, 1))
static void norace_blocking_join(void)
{
	go_on = chan_make(int);
	must(pthread_create(&thread, NULL, until_sent, NULL) == 0);
	both(joins, sends);
}

/* Many of them, more Ps, and no wake-up lost. */
static int total;
static void work(void)
{
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&m);
		total++;
		if (i % 8 == 0)
			goro_gosched();
		pthread_mutex_unlock(&m);
		sem_wait(&sem);
		sem_post(&sem);
	}
	goro_waitgroup_done(&wg);
}
static void norace_blocking_many(void)
{
	sem_init(&sem, 0, 2);
	for (int procs = 1; procs <= 3; procs++) {
		goro_gomaxprocs(procs);
		goro_waitgroup_add(&wg, 20);
		for (int i = 0; i < 20; i++)
			go(work);
		goro_waitgroup_wait(&wg);
		must(total == procs * 20 * 50);
	}
}
static void race_blocking_sem_after(void)
{
	sem_init(&sem, 0, 0);
	goro_gomaxprocs(1);
	goro_waitgroup_add(&wg, 1);
	go(sem_waits);
	goro_gosched();
	sem_post(&sem);
	write_x();
	goro_waitgroup_wait(&wg);
}

CASES(
    NORACE(norace_blocking_mutex)
    NORACE(norace_blocking_timedlock)
    NORACE(norace_blocking_mutex_owner)
    NORACE(norace_blocking_wrlock)
    NORACE(norace_blocking_spin)
    NORACE(norace_blocking_mtx)
    NORACE(norace_blocking_cond)
    NORACE(norace_blocking_sem)
    NORACE(norace_blocking_barrier)
    NORACE(norace_blocking_once)
    NORACE(norace_blocking_join)
    NORACE(norace_blocking_many)
    RACE(race_blocking_sem_after, "? * / ? * / global x")
)
