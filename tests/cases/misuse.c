/*
 * misuse.c: pthread locks used wrongly, and what looks like it and is not.
 */
#include "case.h"

#include <errno.h>
#include <pthread.h>
#include <threads.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static mtx_t mtx;

ACCESS(lock_m, pthread_mutex_lock(&m))
ACCESS(lock_m_again, pthread_mutex_lock(&m))
ACCESS(unlock_m, pthread_mutex_unlock(&m))
ACCESS(destroy_m, pthread_mutex_destroy(&m))
ACCESS(init_m, pthread_mutex_init(&m, NULL))
ACCESS(read_lock_rw, pthread_rwlock_rdlock(&rw))
ACCESS(write_lock_rw, pthread_rwlock_wrlock(&rw))
ACCESS(write_lock_rw_again, pthread_rwlock_wrlock(&rw))
ACCESS(unlock_rw, pthread_rwlock_unlock(&rw))
ACCESS(destroy_rw, pthread_rwlock_destroy(&rw))
ACCESS(lock_spin, pthread_spin_lock(&spin))
ACCESS(lock_spin_again, pthread_spin_lock(&spin))
ACCESS(unlock_spin, pthread_spin_unlock(&spin))
ACCESS(lock_mtx, mtx_lock(&mtx))
ACCESS(lock_mtx_again, mtx_lock(&mtx))
ACCESS(unlock_mtx, mtx_unlock(&mtx))
ACCESS(destroy_mtx, mtx_destroy(&mtx))

static void thread(void *(*f)(void *))
{
	pthread_t th;
	pthread_create(&th, NULL, f, NULL);
	pthread_join(th, NULL);
}

/* ---- double lock ---- */

/* The second lock never returns: once it is told, main ends the process. */
void __tsan_on_report(void *report);
void __tsan_on_report(void *report)
{
	(void)report;
	step(100);
}
static void *locks_twice(void *arg)
{
	lock_m();
	lock_m_again();
	return arg;
}
static void ends_while(void *(*f)(void *))
{
	pthread_t th;
	pthread_create(&th, NULL, f, NULL);
	pthread_detach(th);
	after(100);
	exit(0);
}
static void race_misuse_double_lock(void)
{
	ends_while(locks_twice);
}
static void *write_locks_twice_reading(void *arg)
{
	read_lock_rw();
	write_lock_rw_again();
	return arg;
}
static void race_misuse_upgrade_of_a_read_lock(void)
{
	ends_while(write_locks_twice_reading);
}
static void race_misuse_write_lock_twice(void)
{
	write_lock_rw();
	write_lock_rw_again(); /* the libc answers EDEADLK */
	unlock_rw();
}
static void race_misuse_read_lock_of_write_locked(void)
{
	write_lock_rw();
	read_lock_rw();
	unlock_rw();
}
static void *spins_twice(void *arg)
{
	lock_spin();
	lock_spin_again();
	return arg;
}
static void race_misuse_spin_lock_twice(void)
{
	pthread_spin_init(&spin, 0);
	ends_while(spins_twice);
}
static void *locks_mtx_twice(void *arg)
{
	lock_mtx();
	lock_mtx_again();
	return arg;
}
static void race_misuse_mtx_twice(void)
{
	mtx_init(&mtx, mtx_plain);
	ends_while(locks_mtx_twice);
}

static void make(int kind)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, kind);
	pthread_mutex_init(&m, &attr);
	pthread_mutexattr_destroy(&attr);
}
static void norace_misuse_recursive(void)
{
	make(PTHREAD_MUTEX_RECURSIVE);
	for (int i = 0; i < 3; i++)
		lock_m();
	for (int i = 0; i < 3; i++)
		unlock_m();
	destroy_m();
}
/* It asks for the error code. */
static void *unlocks_m(void *arg)
{
	if (pthread_mutex_unlock(&m) != EPERM)
		abort();
	return arg;
}
static void norace_misuse_error_checking(void)
{
	make(PTHREAD_MUTEX_ERRORCHECK);
	lock_m();
	if (pthread_mutex_lock(&m) != EDEADLK)
		abort();
	thread(unlocks_m);
	unlock_m();
	unlocks_m(NULL);
}
static void norace_misuse_trylock_of_ones_own(void)
{
	lock_m();
	if (pthread_mutex_trylock(&m) != EBUSY)
		abort();
	unlock_m();
	lock_m();
	unlock_m();
}
static void norace_misuse_readers_twice(void)
{
	read_lock_rw();
	read_lock_rw();
	unlock_rw();
	unlock_rw();
	write_lock_rw();
	unlock_rw();
	destroy_rw();
}

/* ---- unlock ---- */

static void race_misuse_unlock_of_unlocked(void)
{
	unlock_m();
}
static void race_misuse_unlock_twice(void)
{
	lock_m();
	unlock_m();
	unlock_m();
}
static void *unlocks(void *arg)
{
	unlock_m();
	return arg;
}
static void race_misuse_unlock_by_another_thread(void)
{
	lock_m();
	thread(unlocks);
}
static void race_misuse_rwlock_unlock_of_unlocked(void)
{
	unlock_rw();
}
static void *unlocks_rw(void *arg)
{
	unlock_rw();
	return arg;
}
static void race_misuse_rwlock_unlock_by_another_thread(void)
{
	write_lock_rw();
	thread(unlocks_rw);
}
static void race_misuse_spin_unlock_of_unlocked(void)
{
	pthread_spin_init(&spin, 0);
	unlock_spin();
	lock_spin();
	unlock_spin();
}
static void race_misuse_mtx_unlock_of_unlocked(void)
{
	mtx_init(&mtx, mtx_plain);
	unlock_mtx();
}
/* A goroutine holds a lock, whichever thread it runs on. */
static void locks_across_yields(void)
{
	for (volatile int i = 0; i < 50; i++) {
		if (pthread_mutex_trylock(&m) == 0) {
			goro_gosched();
			unlock_m();
		}
		goro_gosched();
	}
	arrive();
}
static void norace_misuse_goroutine_changes_threads(void)
{
	for (int i = 0; i < 4; i++)
		go(locks_across_yields);
	arrived(4);
}
/* goro's mutex may be unlocked by another, as Go's. */
static goro_mutex gm;
static void unlocks_gm(void)
{
	goro_mutex_unlock(&gm);
	arrive();
}
static void norace_misuse_goro_unlock_by_another(void)
{
	goro_mutex_lock(&gm);
	go(unlocks_gm);
	arrived(1);
	goro_mutex_lock(&gm);
	goro_mutex_unlock(&gm);
}
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready;
static void *signals(void *arg)
{
	lock_m();
	ready = 1;
	pthread_cond_signal(&cond);
	unlock_m();
	return arg;
}
static void norace_misuse_condition(void)
{
	pthread_t th;
	lock_m();
	pthread_create(&th, NULL, signals, NULL);
	while (!ready)
		pthread_cond_wait(&cond, &m);
	unlock_m();
	pthread_join(th, NULL);
	destroy_m();
}
ACCESS(wait_without, { struct timespec t = {0, 0}; pthread_cond_timedwait(&cond, &m, &t); })
static void race_misuse_condition_without_its_mutex(void)
{
	wait_without();
}

/* ---- destroy ---- */

static void race_misuse_destroy_locked(void)
{
	lock_m();
	destroy_m();
	unlock_m();
}
static void *locks(void *arg)
{
	lock_m();
	step(1);
	arrived(1);
	unlock_m();
	return arg;
}
static void race_misuse_destroy_locked_by_another(void)
{
	pthread_t th;
	pthread_create(&th, NULL, locks, NULL);
	after(1);
	destroy_m();
	arrive();
	pthread_join(th, NULL);
}
static void race_misuse_destroy_read_locked(void)
{
	read_lock_rw();
	destroy_rw();
}
static void norace_misuse_destroy_and_make_anew(void)
{
	for (volatile int i = 0; i < 3; i++) {
		init_m();
		lock_m();
		unlock_m();
		destroy_m();
	}
	m = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	lock_m();
	unlock_m();
	destroy_rw();
	rw = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
	read_lock_rw();
	unlock_rw();
	destroy_rw();
	pthread_rwlock_init(&rw, NULL);
	write_lock_rw();
	unlock_rw();
}
static void race_misuse_lock_of_destroyed(void)
{
	destroy_m();
	lock_m();
}
static void race_misuse_destroy_twice(void)
{
	destroy_m();
	destroy_m();
}
static void race_misuse_write_lock_of_destroyed(void)
{
	destroy_rw();
	write_lock_rw();
}
static void race_misuse_mtx_of_destroyed(void)
{
	mtx_init(&mtx, mtx_plain);
	destroy_mtx();
	lock_mtx();
}


CASES(
    RACE(race_misuse_double_lock, "lock lock_m_again<locks_twice / lock lock_m<locks_twice / global m / says WARNING: DOUBLE LOCK OF A MUTEX")
    RACE(race_misuse_upgrade_of_a_read_lock, "lock write_lock_rw_again / read lock read_lock_rw / global rw / says WARNING: DOUBLE LOCK OF A MUTEX")
    RACE(race_misuse_write_lock_twice, "lock write_lock_rw_again / lock write_lock_rw / global rw / says WARNING: DOUBLE LOCK OF A MUTEX")
    RACE(race_misuse_read_lock_of_write_locked, "read lock read_lock_rw / lock write_lock_rw / global rw / says WARNING: READ LOCK OF A WRITE LOCKED MUTEX")
    RACE(race_misuse_spin_lock_twice, "lock lock_spin_again / lock lock_spin / global spin / says WARNING: DOUBLE LOCK OF A MUTEX")
    RACE(race_misuse_mtx_twice, "lock lock_mtx_again / lock lock_mtx / global mtx / says WARNING: DOUBLE LOCK OF A MUTEX")
    NORACE(norace_misuse_recursive)
    NORACE(norace_misuse_error_checking)
    NORACE(norace_misuse_trylock_of_ones_own)
    NORACE(norace_misuse_readers_twice)
    RACE(race_misuse_unlock_of_unlocked, "unlock unlock_m / - / global m / says WARNING: UNLOCK OF AN UNLOCKED MUTEX")
    RACE(race_misuse_unlock_twice, "unlock unlock_m<race_misuse_unlock_twice / - / global m / says WARNING: UNLOCK OF AN UNLOCKED MUTEX")
    RACE(race_misuse_unlock_by_another_thread, "unlock unlock_m<unlocks / lock lock_m<race_misuse_unlock_by_another_thread / global m / says WARNING: UNLOCK OF A MUTEX BY A WRONG THREAD")
    RACE(race_misuse_rwlock_unlock_of_unlocked, "unlock unlock_rw / - / global rw / says WARNING: UNLOCK OF AN UNLOCKED MUTEX")
    RACE(race_misuse_rwlock_unlock_by_another_thread, "unlock unlock_rw<unlocks_rw / lock write_lock_rw / global rw / says WARNING: UNLOCK OF A MUTEX BY A WRONG THREAD")
    RACE(race_misuse_spin_unlock_of_unlocked, "unlock unlock_spin / - / global spin / says WARNING: UNLOCK OF AN UNLOCKED MUTEX")
    RACE(race_misuse_mtx_unlock_of_unlocked, "unlock unlock_mtx / - / global mtx / says WARNING: UNLOCK OF AN UNLOCKED MUTEX")
    NORACE(norace_misuse_goroutine_changes_threads)
    NORACE(norace_misuse_goro_unlock_by_another)
    NORACE(norace_misuse_condition)
    RACE(race_misuse_condition_without_its_mutex, "unlock wait_without / - / global m / says WARNING: UNLOCK OF AN UNLOCKED MUTEX")
    RACE(race_misuse_destroy_locked, "destruction destroy_m / lock lock_m / global m / says WARNING: DESTROY OF A LOCKED MUTEX")
    RACE(race_misuse_destroy_locked_by_another, "destruction destroy_m / lock lock_m<locks / global m / says WARNING: DESTROY OF A LOCKED MUTEX")
    RACE(race_misuse_destroy_read_locked, "destruction destroy_rw / read lock read_lock_rw / global rw / says WARNING: DESTROY OF A LOCKED MUTEX")
    NORACE(norace_misuse_destroy_and_make_anew)
    RACE(race_misuse_lock_of_destroyed, "lock lock_m / destruction destroy_m / global m / says WARNING: USE OF A DESTROYED MUTEX")
    RACE(race_misuse_destroy_twice, "destruction destroy_m / destruction destroy_m / global m / says WARNING: USE OF A DESTROYED MUTEX")
    RACE(race_misuse_write_lock_of_destroyed, "lock write_lock_rw / destruction destroy_rw / global rw / says WARNING: USE OF A DESTROYED MUTEX")
    RACE(race_misuse_mtx_of_destroyed, "lock lock_mtx / destruction destroy_mtx / global mtx / says WARNING: USE OF A DESTROYED MUTEX")
)
