/*
 * rworder.c: readers that wait for readers, because a writer waits between them: goro_rwmutex, and rwlocks
 * that were made so. Silent: the libc's default, which lets readers pass; without a writer; with a writer
 * that a gate keeps away. And locks that are given up in another mode than they were taken in.
 */
#define _GNU_SOURCE /* the libc's fair rwlocks */
#include "case.h"

#include <pthread.h>

static goro_mutex gate;
static goro_rwmutex ra, rb, rc;
static pthread_rwlock_t pr = PTHREAD_RWLOCK_INITIALIZER,
			fair = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

ACCESS(read_lock_ra, goro_rwmutex_rlock(&ra))
ACCESS(read_lock_ra_again, goro_rwmutex_rlock(&ra))
ACCESS(read_lock_rb, goro_rwmutex_rlock(&rb))
ACCESS(read_lock_rc, goro_rwmutex_rlock(&rc))
ACCESS(write_lock_ra, goro_rwmutex_lock(&ra))
ACCESS(write_lock_rb, goro_rwmutex_lock(&rb))
ACCESS(write_lock_rc, goro_rwmutex_lock(&rc))
ACCESS(read_unlock_ra, goro_rwmutex_runlock(&ra))
ACCESS(write_unlock_ra, goro_rwmutex_unlock(&ra))
ACCESS(read_lock_pr, pthread_rwlock_rdlock(&pr))
ACCESS(write_lock_pr, pthread_rwlock_wrlock(&pr))
ACCESS(read_lock_fair, pthread_rwlock_rdlock(&fair))
ACCESS(read_lock_fair_again, pthread_rwlock_rdlock(&fair))
ACCESS(write_lock_fair, pthread_rwlock_wrlock(&fair))

static void writes_ra(void)
{
	write_lock_ra();
	goro_rwmutex_unlock(&ra);
	arrive();
}
static void writes_rb(void)
{
	write_lock_rb();
	goro_rwmutex_unlock(&rb);
	arrive();
}
static void writes_rc(void)
{
	write_lock_rc();
	goro_rwmutex_unlock(&rc);
	arrive();
}
static void reads_ra_twice(void)
{
	read_lock_ra();
	read_lock_ra_again();
	goro_rwmutex_runlock(&ra);
	goro_rwmutex_runlock(&ra);
	arrive();
}
/* One after the other, so that nothing hangs. */
static int done;
static void in_turn(void (*f)(void))
{
	go(f);
	arrived(++done);
}

/* ---- the same reader again ---- */

static void race_rworder_reads_again_after_a_writer(void)
{
	in_turn(writes_ra);
	in_turn(reads_ra_twice);
}
static void race_rworder_reads_again_before_a_writer(void)
{
	in_turn(reads_ra_twice);
	in_turn(writes_ra);
	in_turn(reads_ra_twice);
}
/* Told before it comes about, and the runtime says that it has. */
static void waits_to_write_ra(void)
{
	step(1);
	write_lock_ra();
}
static void race_rworder_the_deadlock_itself(void)
{
	read_lock_ra();
	go(waits_to_write_ra);
	after(1);
	while (goro_rwmutex_tryrlock(&ra)) {
		goro_rwmutex_runlock(&ra);
		goro_gosched();
	}
	read_lock_ra_again();
}
static void norace_rworder_reads_again_without_a_writer(void)
{
	in_turn(reads_ra_twice);
	in_turn(reads_ra_twice);
}
/* Who reads is the only one that writes: it cannot come between. */
static void norace_rworder_writes_itself(void)
{
	write_lock_ra();
	goro_rwmutex_unlock(&ra);
	read_lock_ra();
	read_lock_ra_again();
	goro_rwmutex_runlock(&ra);
	goro_rwmutex_runlock(&ra);
	write_lock_ra();
}
static void tries_to_write_ra(void)
{
	if (goro_rwmutex_trylock(&ra))
		goro_rwmutex_unlock(&ra);
	arrive();
}
static void norace_rworder_writer_that_only_tries(void)
{
	in_turn(tries_to_write_ra);
	in_turn(reads_ra_twice);
}
static void tries_to_read_again(void)
{
	read_lock_ra();
	if (goro_rwmutex_tryrlock(&ra))
		goro_rwmutex_runlock(&ra);
	goro_rwmutex_runlock(&ra);
	arrive();
}
static void norace_rworder_only_tries_to_read_again(void)
{
	in_turn(writes_ra);
	in_turn(tries_to_read_again);
}
static void gate_writes_ra(void)
{
	goro_mutex_lock(&gate);
	write_lock_ra();
	goro_rwmutex_unlock(&ra);
	goro_mutex_unlock(&gate);
	arrive();
}
static void gate_reads_ra_twice(void)
{
	goro_mutex_lock(&gate);
	read_lock_ra();
	read_lock_ra_again();
	goro_rwmutex_runlock(&ra);
	goro_rwmutex_runlock(&ra);
	goro_mutex_unlock(&gate);
	arrive();
}
static void norace_rworder_writer_behind_a_gate(void)
{
	in_turn(gate_writes_ra);
	in_turn(gate_reads_ra_twice);
	in_turn(gate_writes_ra);
}
static void race_rworder_gate_of_the_writer_alone(void)
{
	in_turn(gate_writes_ra);
	in_turn(reads_ra_twice);
}
static void norace_rworder_another_lock_by_then(void)
{
	in_turn(writes_ra);
	ra = (goro_rwmutex){0};
	in_turn(reads_ra_twice);
}

/* ---- rwlocks of pthreads ---- */

static void *writes_pr(void *arg)
{
	write_lock_pr();
	pthread_rwlock_unlock(&pr);
	return arg;
}
static void *writes_fair(void *arg)
{
	write_lock_fair();
	pthread_rwlock_unlock(&fair);
	return arg;
}
static void *reads_fair_twice(void *arg)
{
	read_lock_fair();
	read_lock_fair_again();
	pthread_rwlock_unlock(&fair);
	pthread_rwlock_unlock(&fair);
	return arg;
}
static void thread(void *(*f)(void *))
{
	pthread_t th;
	pthread_create(&th, NULL, f, NULL);
	pthread_join(th, NULL);
}
/* The libc lets readers pass a writer that waits. */
static void norace_rworder_pthread_reads_again(void)
{
	thread(writes_pr);
	read_lock_pr();
	read_lock_pr();
	pthread_rwlock_unlock(&pr);
	pthread_rwlock_unlock(&pr);
}
static void race_rworder_pthread_writers_first(void)
{
	thread(writes_fair);
	thread(reads_fair_twice);
}
static void race_rworder_pthread_writers_first_later(void)
{
	thread(reads_fair_twice);
	thread(writes_fair);
	thread(reads_fair_twice);
}

/* ---- several readers ---- */

static void ra_then_rb(void)
{
	read_lock_ra();
	read_lock_rb();
	goro_rwmutex_runlock(&rb);
	goro_rwmutex_runlock(&ra);
	arrive();
}
static void rb_then_ra(void)
{
	read_lock_rb();
	read_lock_ra();
	goro_rwmutex_runlock(&ra);
	goro_rwmutex_runlock(&rb);
	arrive();
}
static void rb_then_rc(void)
{
	read_lock_rb();
	read_lock_rc();
	goro_rwmutex_runlock(&rc);
	goro_rwmutex_runlock(&rb);
	arrive();
}
static void rc_then_ra(void)
{
	read_lock_rc();
	read_lock_ra();
	goro_rwmutex_runlock(&ra);
	goro_rwmutex_runlock(&rc);
	arrive();
}
static void race_rworder_two_readers_and_writers(void)
{
	in_turn(writes_ra);
	in_turn(writes_rb);
	in_turn(ra_then_rb);
	in_turn(rb_then_ra);
}
static void race_rworder_the_last_writer_comes_late(void)
{
	in_turn(ra_then_rb);
	in_turn(rb_then_ra);
	in_turn(writes_ra);
	in_turn(writes_rb);
}
static void race_rworder_three_readers_and_writers(void)
{
	in_turn(writes_ra);
	in_turn(ra_then_rb);
	in_turn(rb_then_rc);
	in_turn(writes_rc);
	in_turn(rc_then_ra);
	in_turn(writes_rb);
}
/* Nobody writes to rb: who wants to read it gets it. */
static void norace_rworder_one_writer_for_two(void)
{
	in_turn(writes_ra);
	in_turn(ra_then_rb);
	in_turn(rb_then_ra);
	in_turn(writes_ra);
}

/* ---- the wrong unlock ---- */

static void race_rworder_read_unlock_of_write_locked(void)
{
	write_lock_ra();
	read_unlock_ra();
}
static void race_rworder_write_unlock_of_read_locked(void)
{
	read_lock_ra();
	write_unlock_ra();
}
/* Go allows both: another may unlock, and then who locked it holds nothing. */
static void unlocks_ra(void)
{
	goro_rwmutex_unlock(&ra);
	arrive();
}
static void norace_rworder_unlocked_by_another(void)
{
	write_lock_ra();
	in_turn(unlocks_ra);
	read_lock_ra();
	read_unlock_ra();
}

static char own[8];
void AnnotateRWLockAcquired(const char *file, int line, void *lock, long is_writer);
void AnnotateRWLockReleased(const char *file, int line, void *lock, long is_writer);
void __tsan_mutex_pre_lock(void *, unsigned);
void __tsan_mutex_post_lock(void *, unsigned, int);
int __tsan_mutex_pre_unlock(void *, unsigned);
void __tsan_mutex_post_unlock(void *, unsigned);
ACCESS(own_acquired_to_write, AnnotateRWLockAcquired(__FILE__, __LINE__, own, 1))
ACCESS(own_acquired_to_read, AnnotateRWLockAcquired(__FILE__, __LINE__, own, 0))
ACCESS(own_released_as_writer, AnnotateRWLockReleased(__FILE__, __LINE__, own, 1))
ACCESS(own_released_as_reader, AnnotateRWLockReleased(__FILE__, __LINE__, own, 0))
static APART void own_lock(unsigned flags)
{
	__tsan_mutex_pre_lock(own, flags);
	__tsan_mutex_post_lock(own, flags, 0);
	__asm__ volatile("");
}
static APART void own_unlock(unsigned flags)
{
	__tsan_mutex_pre_unlock(own, flags);
	__tsan_mutex_post_unlock(own, flags);
	__asm__ volatile("");
}
enum { READ_FLAG = 8 }; /* __tsan_mutex_read_lock */
static void race_rworder_annotated_read_unlock_of_write_locked(void)
{
	own_acquired_to_write();
	own_released_as_reader();
}
static void race_rworder_annotated_write_unlock_of_read_locked(void)
{
	own_acquired_to_read();
	own_released_as_writer();
}
static void race_rworder_tsan_read_unlock_of_write_locked(void)
{
	own_lock(0);
	own_unlock(READ_FLAG);
}
static void race_rworder_tsan_write_unlock_of_read_locked(void)
{
	own_lock(READ_FLAG);
	own_unlock(0);
}
static void norace_rworder_annotated_unlocks(void)
{
	own_acquired_to_write();
	own_released_as_writer();
	own_acquired_to_read();
	own_acquired_to_read();
	own_released_as_reader();
	own_released_as_reader();
	own_lock(READ_FLAG);
	own_unlock(READ_FLAG);
	own_lock(0);
	own_unlock(0);
}

#define AGAIN "says WARNING: RECURSIVE READ LOCK (POTENTIAL DEADLOCK)"
#define READER_OF_RA "read lock read_lock_ra_again<reads_ra_twice / read lock read_lock_ra<reads_ra_twice / global ra / lock "

CASES(
    RACE(race_rworder_reads_again_after_a_writer, READER_OF_RA "write_lock_ra<writes_ra / " AGAIN)
    RACE(race_rworder_reads_again_before_a_writer, READER_OF_RA "write_lock_ra<writes_ra / " AGAIN)
    RACE(race_rworder_the_deadlock_itself, "read lock read_lock_ra_again<race_rworder_the_deadlock_itself / read lock read_lock_ra<race_rworder_the_deadlock_itself / global ra / lock write_lock_ra<waits_to_write_ra / " AGAIN " / says all goroutines are asleep - deadlock!")
    NORACE(norace_rworder_reads_again_without_a_writer)
    NORACE(norace_rworder_writes_itself)
    NORACE(norace_rworder_writer_that_only_tries)
    NORACE(norace_rworder_only_tries_to_read_again)
    NORACE(norace_rworder_writer_behind_a_gate)
    RACE(race_rworder_gate_of_the_writer_alone, READER_OF_RA "write_lock_ra<gate_writes_ra / " AGAIN)
    NORACE(norace_rworder_another_lock_by_then)
    NORACE(norace_rworder_pthread_reads_again)
    RACE(race_rworder_pthread_writers_first, "read lock read_lock_fair_again<reads_fair_twice / read lock read_lock_fair<reads_fair_twice / global fair / lock write_lock_fair<writes_fair / " AGAIN)
    RACE(race_rworder_pthread_writers_first_later, "read lock read_lock_fair_again<reads_fair_twice / read lock read_lock_fair<reads_fair_twice / global fair / lock write_lock_fair<writes_fair / " AGAIN)
    RACE(race_rworder_two_readers_and_writers, "read lock read_lock_ra<rb_then_ra / read lock read_lock_rb<rb_then_ra / global ra / read lock read_lock_rb<ra_then_rb / read lock read_lock_ra<ra_then_rb / lock write_lock_ra<writes_ra / lock write_lock_rb<writes_rb / says WARNING: LOCK ORDER INVERSION")
    RACE(race_rworder_the_last_writer_comes_late, "read lock read_lock_rb<ra_then_rb / read lock read_lock_ra<ra_then_rb / global rb / read lock read_lock_ra<rb_then_ra / read lock read_lock_rb<rb_then_ra / lock write_lock_rb<writes_rb / lock write_lock_ra<writes_ra / says WARNING: LOCK ORDER INVERSION")
    RACE(race_rworder_three_readers_and_writers, "read lock read_lock_rb<ra_then_rb / read lock read_lock_ra<ra_then_rb / global rb / read lock read_lock_rc<rb_then_rc / read lock read_lock_rb<rb_then_rc / read lock read_lock_ra<rc_then_ra / read lock read_lock_rc<rc_then_ra / lock write_lock_rb<writes_rb")
    NORACE(norace_rworder_one_writer_for_two)
    RACE(race_rworder_read_unlock_of_write_locked, "read unlock read_unlock_ra / lock write_lock_ra / global ra / says WARNING: READ UNLOCK OF A WRITE LOCKED MUTEX / says fatal error: sync: RUnlock of unlocked RWMutex")
    RACE(race_rworder_write_unlock_of_read_locked, "unlock write_unlock_ra / read lock read_lock_ra / global ra / says WARNING: WRITE UNLOCK OF A READ LOCKED MUTEX / says fatal error: sync: Unlock of unlocked RWMutex")
    NORACE(norace_rworder_unlocked_by_another)
    RACE(race_rworder_annotated_read_unlock_of_write_locked, "read unlock own_released_as_reader / lock own_acquired_to_write / global own / says WARNING: READ UNLOCK OF A WRITE LOCKED MUTEX")
    RACE(race_rworder_annotated_write_unlock_of_read_locked, "unlock own_released_as_writer / read lock own_acquired_to_read / global own / says WARNING: WRITE UNLOCK OF A READ LOCKED MUTEX")
    RACE(race_rworder_tsan_read_unlock_of_write_locked, "read unlock own_unlock / lock own_lock / global own / says WARNING: READ UNLOCK OF A WRITE LOCKED MUTEX")
    RACE(race_rworder_tsan_write_unlock_of_read_locked, "unlock own_unlock / read lock own_lock / global own / says WARNING: WRITE UNLOCK OF A READ LOCKED MUTEX")
    NORACE(norace_rworder_annotated_unlocks)
)
