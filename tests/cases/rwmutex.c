/*
 * rwmutex.c: Unlock is before the next locks of either kind; RUnlock is before the next Lock; readers do
 * not order each other.
 */
#include "case.h"

static goro_rwmutex rw;

static void wlock_write(void)
{
	goro_rwmutex_lock(&rw);
	write_x();
	goro_rwmutex_unlock(&rw);
	step(1);
}
static void rlock_read(void)
{
	after(1);
	goro_rwmutex_rlock(&rw);
	read_x();
	goro_rwmutex_runlock(&rw);
	step(2);
}
static void norace_rwmutex_writer_to_reader(void)
{
	go(wlock_write);
	go(rlock_read);
	after(2);
}

static void rlock_read_first(void)
{
	goro_rwmutex_rlock(&rw);
	read_x();
	goro_rwmutex_runlock(&rw);
	arrive();
}
static void wlock_write_after_readers(void)
{
	arrived(3);
	goro_rwmutex_lock(&rw);
	write_x();
	goro_rwmutex_unlock(&rw);
	step(1);
}
static void norace_rwmutex_readers_to_writer(void)
{
	for (int i = 0; i < 3; i++)
		go(rlock_read_first);
	go(wlock_write_after_readers);
	after(1);
}

static void wlock_write_too(void)
{
	after(1);
	goro_rwmutex_lock(&rw);
	write_x_too();
	goro_rwmutex_unlock(&rw);
	step(2);
}
static void norace_rwmutex_writer_to_writer(void)
{
	go(wlock_write);
	go(wlock_write_too);
	after(2);
}

/* A read lock around a write: it holds off writers, not readers. */
static void rlock_write(void)
{
	goro_rwmutex_rlock(&rw);
	write_x();
	goro_rwmutex_runlock(&rw);
	step(1);
}
static void race_rwmutex_reader_to_reader(void)
{
	go(rlock_write);
	go(rlock_read);
	after(2);
}

static void rlock_write_overlapping(void)
{
	goro_rwmutex_rlock(&rw);
	write_x();
	step(1);
	after(2);
	goro_rwmutex_runlock(&rw);
	step(3);
}
static void race_rwmutex_readers_at_once(void)
{
	go(rlock_write_overlapping);
	go(rlock_read);
	after(3);
}

static void write_then_rlock(void)
{
	write_x();
	goro_rwmutex_rlock(&rw);
	goro_rwmutex_runlock(&rw);
	step(1);
}
static void race_rwmutex_read_unlock_orders_no_reader(void)
{
	go(write_then_rlock);
	go(rlock_read);
	after(2);
}

/* Through a writer in between, readers are ordered. */
static void wlock_between(void)
{
	after(1);
	goro_rwmutex_lock(&rw);
	goro_rwmutex_unlock(&rw);
	step(2);
}
static void rlock_read_third(void)
{
	after(2);
	goro_rwmutex_rlock(&rw);
	read_x();
	goro_rwmutex_runlock(&rw);
	step(3);
}
static void norace_rwmutex_reader_writer_reader(void)
{
	go(write_then_rlock);
	go(wlock_between);
	go(rlock_read_third);
	after(3);
}

static void runlock_then_write(void)
{
	goro_rwmutex_rlock(&rw);
	goro_rwmutex_runlock(&rw);
	write_x();
	step(1);
}
static void wlock_read(void)
{
	after(1);
	goro_rwmutex_lock(&rw);
	read_x();
	goro_rwmutex_unlock(&rw);
	step(2);
}
static void race_rwmutex_write_after_read_unlock(void)
{
	go(runlock_then_write);
	go(wlock_read);
	after(2);
}

static void tryrlock_read(void)
{
	after(1);
	if (goro_rwmutex_tryrlock(&rw)) {
		read_x();
		goro_rwmutex_runlock(&rw);
	}
	step(2);
}
static void norace_rwmutex_tryrlock(void)
{
	go(wlock_write);
	go(tryrlock_read);
	after(2);
}

static void hold_write(void)
{
	goro_rwmutex_lock(&rw);
	write_x();
	step(1);
	after(2);
	goro_rwmutex_unlock(&rw);
	step(3);
}
static void fail_tryrlock_read(void)
{
	after(1);
	if (!goro_rwmutex_tryrlock(&rw) && !goro_rwmutex_trylock(&rw))
		read_x();
	step(2);
}
static void race_rwmutex_failed_trylocks(void)
{
	go(hold_write);
	go(fail_tryrlock_read);
	after(3);
}

static void trylock_write_too(void)
{
	after(1);
	if (goro_rwmutex_trylock(&rw)) {
		write_x_too();
		goro_rwmutex_unlock(&rw);
	}
	step(2);
}
static void norace_rwmutex_trylock(void)
{
	go(rlock_write);
	go(trylock_write_too);
	after(2);
}

/* The readers wait parked while the writer holds it, the writer while readers hold it. */
static void parked_reader(void)
{
	goro_rwmutex_rlock(&rw);
	read_x();
	goro_rwmutex_runlock(&rw);
	arrive();
}
static void norace_rwmutex_parked_readers(void)
{
	goro_rwmutex_lock(&rw);
	for (int i = 0; i < 5; i++)
		go(parked_reader);
	settle(100);
	write_x();
	goro_rwmutex_unlock(&rw);
	arrived(5);
}
static void parked_writer(void)
{
	goro_rwmutex_lock(&rw);
	write_x();
	goro_rwmutex_unlock(&rw);
	arrive();
}
static void norace_rwmutex_parked_writer(void)
{
	goro_rwmutex_rlock(&rw);
	go(parked_writer);
	settle(100);
	read_x();
	goro_rwmutex_runlock(&rw);
	arrived(1);
}

static void mixed_crowd(int id)
{
	for (int i = 0; i < 50; i++) {
		if ((i + id) % 4 == 0) {
			goro_rwmutex_lock(&rw);
			write_x();
			goro_rwmutex_unlock(&rw);
		} else {
			goro_rwmutex_rlock(&rw);
			read_x();
			goro_rwmutex_runlock(&rw);
		}
	}
	arrive();
}
static void norace_rwmutex_crowd(void)
{
	for (int i = 0; i < 8; i++)
		go(mixed_crowd, i);
	arrived(8);
}

CASES(
    NORACE(norace_rwmutex_writer_to_reader)
    NORACE(norace_rwmutex_readers_to_writer)
    NORACE(norace_rwmutex_writer_to_writer)
    RACE(race_rwmutex_reader_to_reader,
	"read read_x<rlock_read / write write_x<rlock_write / global x")
    RACE(race_rwmutex_readers_at_once,
	"read read_x<rlock_read / write write_x<rlock_write_overlapping / global x")
    RACE(race_rwmutex_read_unlock_orders_no_reader,
	"read read_x<rlock_read / write write_x<write_then_rlock / global x")
    NORACE(norace_rwmutex_reader_writer_reader)
    RACE(race_rwmutex_write_after_read_unlock,
	"read read_x<wlock_read / write write_x<runlock_then_write / global x")
    NORACE(norace_rwmutex_tryrlock)
    RACE(race_rwmutex_failed_trylocks,
	"read read_x<fail_tryrlock_read / write write_x<hold_write / global x")
    NORACE(norace_rwmutex_trylock)
    NORACE(norace_rwmutex_parked_readers)
    NORACE(norace_rwmutex_parked_writer)
    NORACE(norace_rwmutex_crowd)
)
