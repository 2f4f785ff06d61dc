/*
 * pthread.c: a plain pthread program, without a goroutine in it, is checked just as well: create, join,
 * mutexes of all kinds, conditions, barriers, semaphores, once, keys, C11 threads.
 */
#include "case.h"

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

static pthread_t one, two;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t sem;
static bool ready;

static void start(pthread_t *t, void *(*f)(void *))
{
	if (pthread_create(t, NULL, f, NULL) != 0)
		abort();
}
#define THREAD(name, ...)                                                                          \
	static void *name(void *arg)                                                               \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
		return arg;                                                                        \
	}
#define PAIR(case_, a, b)                                                                          \
	static void case_(void)                                                                    \
	{                                                                                          \
		start(&one, a);                                                                    \
		start(&two, b);                                                                    \
		pthread_join(one, NULL);                                                           \
		pthread_join(two, NULL);                                                           \
	}

THREAD(writer, write_x(); step(1))
THREAD(reader, after(1); read_x())
PAIR(race_pthread_siblings, writer, reader)

static void norace_pthread_create_and_join(void)
{
	write_x();
	start(&one, reader);
	step(1);
	pthread_join(one, NULL);
	write_x();
}
static void race_pthread_before_join(void)
{
	start(&one, writer);
	after(1);
	read_x();
	pthread_join(one, NULL);
}
/* By the name that it gave itself, or was given. */
THREAD(named_writer, pthread_setname_np(pthread_self(), "of itself"); write_x(); step(1))
THREAD(named_reader, after(2); read_x())
static void race_pthread_names(void)
{
	start(&one, named_writer);
	start(&two, named_reader);
	pthread_setname_np(two, "of another");
	after(1);
	step(2);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
}

static void race_pthread_detached(void)
{
	start(&one, writer);
	pthread_detach(one);
	after(1);
	read_x();
}

THREAD(locked_writer, pthread_mutex_lock(&m); write_x(); pthread_mutex_unlock(&m); step(1))
THREAD(locked_reader, after(1); pthread_mutex_lock(&m); read_x(); pthread_mutex_unlock(&m))
PAIR(norace_pthread_mutex, locked_writer, locked_reader)
PAIR(race_pthread_mutex_one_sided, writer, locked_reader)
THREAD(try_reader, after(1); if (pthread_mutex_trylock(&m) == 0) { read_x(); pthread_mutex_unlock(&m); })
PAIR(norace_pthread_trylock, locked_writer, try_reader)

static pthread_mutex_t recursive;
THREAD(recursive_writer, pthread_mutex_lock(&recursive); pthread_mutex_lock(&recursive);
       pthread_mutex_unlock(&recursive); write_x(); pthread_mutex_unlock(&recursive); step(1))
THREAD(recursive_reader, after(1); pthread_mutex_lock(&recursive); read_x(); pthread_mutex_unlock(&recursive))
static void norace_pthread_mutex_recursive(void)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attr);
	start(&one, recursive_writer);
	start(&two, recursive_reader);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
}

THREAD(rw_writer, pthread_rwlock_wrlock(&rw); write_x(); pthread_rwlock_unlock(&rw); step(1))
THREAD(rw_reader, after(1); pthread_rwlock_rdlock(&rw); read_x(); pthread_rwlock_unlock(&rw))
PAIR(norace_pthread_rwlock, rw_writer, rw_reader)
THREAD(rd_writer, pthread_rwlock_rdlock(&rw); write_x(); pthread_rwlock_unlock(&rw); step(1))
PAIR(race_pthread_rwlock_readers, rd_writer, rw_reader)

THREAD(spin_writer, pthread_spin_lock(&spin); write_x(); pthread_spin_unlock(&spin); step(1))
THREAD(spin_reader, after(1); pthread_spin_lock(&spin); read_x(); pthread_spin_unlock(&spin))
static void norace_pthread_spin(void)
{
	pthread_spin_init(&spin, 0);
	start(&one, spin_writer);
	start(&two, spin_reader);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
}

THREAD(signaler, write_x(); pthread_mutex_lock(&m); ready = true; pthread_cond_signal(&cond); pthread_mutex_unlock(&m))
THREAD(waiter, pthread_mutex_lock(&m); while (!ready) pthread_cond_wait(&cond, &m); pthread_mutex_unlock(&m); read_x())
PAIR(norace_pthread_cond, signaler, waiter)

THREAD(barrier_writer, write_x(); pthread_barrier_wait(&barrier))
THREAD(barrier_reader, pthread_barrier_wait(&barrier); read_x())
THREAD(barrier_late_writer, pthread_barrier_wait(&barrier); write_x(); step(1))
THREAD(barrier_late_reader, pthread_barrier_wait(&barrier); after(1); read_x())
static void norace_pthread_barrier(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	start(&one, barrier_writer);
	start(&two, barrier_reader);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
}
static void race_pthread_after_barrier(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	start(&one, barrier_late_writer);
	start(&two, barrier_late_reader);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
}

THREAD(poster, write_x(); sem_post(&sem))
THREAD(sem_waiter, sem_wait(&sem); read_x())
static void norace_pthread_semaphore(void)
{
	sem_init(&sem, 0, 0);
	start(&one, poster);
	start(&two, sem_waiter);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
}

static void set_up(void)
{
	write_x();
}
THREAD(once_reader, pthread_once(&once, set_up); read_x())
PAIR(norace_pthread_once, once_reader, once_reader)

/* Thread-locals are each thread's own; a stack that is used again has no past. */
static __thread int local;
THREAD(use_local, for (int i = 0; i < 100; i++) local++; USE(local))
static void norace_pthread_locals(void)
{
	for (int i = 0; i < 50; i++) {
		start(&one, use_local);
		start(&two, use_local);
		pthread_join(one, NULL);
		pthread_join(two, NULL);
	}
}

static int c11_write(void *arg)
{
	(void)arg;
	write_x();
	step(1);
	return 0;
}
static void norace_pthread_c11_join(void)
{
	thrd_t t;
	thrd_create(&t, c11_write, NULL);
	thrd_join(t, NULL);
	read_x();
}
static mtx_t c11_mutex;
static int c11_locked_write(void *arg)
{
	(void)arg;
	mtx_lock(&c11_mutex);
	write_x();
	mtx_unlock(&c11_mutex);
	step(1);
	return 0;
}
static void norace_pthread_c11_mutex(void)
{
	thrd_t t;
	mtx_init(&c11_mutex, mtx_plain);
	thrd_create(&t, c11_locked_write, NULL);
	after(1);
	mtx_lock(&c11_mutex);
	read_x();
	mtx_unlock(&c11_mutex);
	thrd_join(t, NULL);
}
static void race_pthread_c11(void)
{
	thrd_t t;
	thrd_create(&t, c11_write, NULL);
	after(1);
	read_x();
	thrd_join(t, NULL);
}

CASES(
    RACE(race_pthread_siblings, "read read_x<reader / write write_x<writer / global x")
    NORACE(norace_pthread_create_and_join)
    RACE(race_pthread_before_join, "read read_x<race_pthread_before_join / write write_x<writer / global x")
    RACE(race_pthread_names, "read read_x<named_reader / write write_x<named_writer / global x"
	" / says by thread 3 \"of another\": / says by thread 2 \"of itself\":")
    RACE(race_pthread_detached, "read read_x<race_pthread_detached / write write_x<writer / global x")
    NORACE(norace_pthread_mutex)
    RACE(race_pthread_mutex_one_sided, "read read_x<locked_reader / write write_x<writer / global x")
    NORACE(norace_pthread_trylock)
    NORACE(norace_pthread_mutex_recursive)
    NORACE(norace_pthread_rwlock)
    RACE(race_pthread_rwlock_readers, "read read_x<rw_reader / write write_x<rd_writer / global x")
    NORACE(norace_pthread_spin)
    NORACE(norace_pthread_cond)
    NORACE(norace_pthread_barrier)
    RACE(race_pthread_after_barrier,
	"read read_x<barrier_late_reader / write write_x<barrier_late_writer / global x")
    NORACE(norace_pthread_semaphore)
    NORACE(norace_pthread_once)
    NORACE(norace_pthread_locals)
    NORACE(norace_pthread_c11_join)
    NORACE(norace_pthread_c11_mutex)
    RACE(race_pthread_c11, "read read_x<race_pthread_c11 / write write_x<c11_write / global x")
)
