/*
 * mutex.c: unlock n is before lock m > n. Also across goroutines, by trylock when it succeeds, and for no
 * other mutex.
 */
#include "case.h"

static goro_mutex m, n;

static void locked_write(void)
{
	goro_mutex_lock(&m);
	write_x();
	goro_mutex_unlock(&m);
	step(1);
}
static void locked_read(void)
{
	goro_mutex_lock(&m);
	read_x();
	goro_mutex_unlock(&m);
	arrive();
}
static void norace_mutex(void)
{
	go(locked_write);
	go(locked_read);
	go(locked_read);
	arrived(2);
	after(1);
}

static void locked_read_late(void)
{
	after(1);
	goro_mutex_lock(&n);
	read_x();
	goro_mutex_unlock(&n);
	step(2);
}
static void race_mutex_different_ones(void)
{
	go(locked_write);
	go(locked_read_late);
	after(2);
}

static void unlock_write(void)
{
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	write_x();
	step(1);
}
static void lock_then_read(void)
{
	after(1);
	goro_mutex_lock(&m);
	read_x();
	goro_mutex_unlock(&m);
	step(2);
}
static void race_mutex_write_after_unlock(void)
{
	go(unlock_write);
	go(lock_then_read);
	after(2);
}

static void write_before_lock(void)
{
	write_x();
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	step(1);
}
static void norace_mutex_write_before_lock(void)
{
	go(write_before_lock);
	go(lock_then_read);
	after(2);
}

/* The other way about: who locks first learns nothing of who locks later. */
static void lock_first_then_read(void)
{
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	step(1);
	after(2);
	read_x();
	step(3);
}
static void lock_second_write(void)
{
	after(1);
	write_x();
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	step(2);
}
static void race_mutex_order_is_one_way(void)
{
	go(lock_first_then_read);
	go(lock_second_write);
	after(3);
}

static void unlocked_write(void)
{
	write_x();
	step(1);
}
static void race_mutex_held_by_one_only(void)
{
	go(unlocked_write);
	go(lock_then_read);
	after(2);
}

static void hold_and_write(void)
{
	goro_mutex_lock(&m);
	write_x();
	step(1);
	after(2);
	goro_mutex_unlock(&m);
	step(3);
}
static void fail_trylock_read(void)
{
	after(1);
	if (!goro_mutex_trylock(&m))
		read_x();
	step(2);
}
static void race_mutex_failed_trylock(void)
{
	go(hold_and_write);
	go(fail_trylock_read);
	after(3);
}

static void trylock_read(void)
{
	after(1);
	if (goro_mutex_trylock(&m)) {
		read_x();
		goro_mutex_unlock(&m);
	}
	step(2);
}
static void norace_mutex_trylock(void)
{
	go(locked_write);
	go(trylock_read);
	after(2);
}
/* What failed to lock has no unlock to order it. */
static void fail_trylock_write(void)
{
	after(1);
	write_x();
	if (!goro_mutex_trylock(&m))
		step(2);
}
static void hold_unlock_lock_read(void)
{
	goro_mutex_lock(&m);
	step(1);
	after(2);
	goro_mutex_unlock(&m);
	goro_mutex_lock(&m);
	read_x();
	goro_mutex_unlock(&m);
	step(3);
}
static void race_mutex_failed_trylock_releases_nothing(void)
{
	go(hold_unlock_lock_read);
	go(fail_trylock_write);
	after(3);
}

/* A mutex is not tied to a goroutine: another may unlock it. */
static void unlock_for_other(void)
{
	after(1);
	write_x();
	goro_mutex_unlock(&m);
}
static void lock_twice_read(void)
{
	goro_mutex_lock(&m);
	step(1);
	goro_mutex_lock(&m);
	read_x();
	goro_mutex_unlock(&m);
	arrive();
}
static void norace_mutex_unlocked_by_other(void)
{
	go(lock_twice_read);
	go(unlock_for_other);
	arrived(1);
}

static void contend(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		goro_mutex_lock(&m);
		write_x();
		read_x();
		if (i % 8 == 0)
			goro_gosched();
		goro_mutex_unlock(&m);
	}
	arrive();
}
static void norace_mutex_contended(void)
{
	for (int i = 0; i < 8; i++)
		go(contend, 100);
	arrived(8);
}

/* Handed over from parked to parked. */
static void norace_mutex_handed_over(void)
{
	goro_mutex_lock(&m);
	write_x();
	for (int i = 0; i < 8; i++)
		go(contend, 3);
	settle(100);
	goro_mutex_unlock(&m);
	arrived(8);
}

static void chain_first(void)
{
	write_x();
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	step(1);
}
static void chain_second(void)
{
	after(1);
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	goro_mutex_lock(&n);
	goro_mutex_unlock(&n);
	step(2);
}
static void chain_third(void)
{
	after(2);
	goro_mutex_lock(&n);
	goro_mutex_unlock(&n);
	read_x();
	step(3);
}
static void norace_mutex_chain(void)
{
	go(chain_first);
	go(chain_second);
	go(chain_third);
	after(3);
}
/* The links in the wrong order make no chain. */
static void chain_second_backwards(void)
{
	after(1);
	goro_mutex_lock(&n);
	goro_mutex_unlock(&n);
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	step(2);
}
static void race_mutex_chain_backwards(void)
{
	go(chain_first);
	go(chain_second_backwards);
	go(chain_third);
	after(3);
}

/* A new mutex at the address of an old one brings no past with it. */
static void write_under_heap_mutex(void)
{
	goro_mutex *heap = calloc(1, sizeof *heap);
	write_x();
	goro_mutex_lock(heap);
	goro_mutex_unlock(heap);
	free(heap);
	step(1);
}
static void read_under_heap_mutex(void)
{
	after(1);
	goro_mutex *heap = calloc(1, sizeof *heap);
	goro_mutex_lock(heap);
	goro_mutex_unlock(heap);
	free(heap);
	read_x();
	step(2);
}
static void race_mutex_in_recycled_memory(void)
{
	go(write_under_heap_mutex);
	go(read_under_heap_mutex);
	after(2);
}

/* The report names the locks held. */
static void race_mutex_held_is_reported(void)
{
	go(unlocked_write);
	go(lock_then_read);
	after(2);
}

CASES(
    NORACE(norace_mutex)
    RACE(race_mutex_different_ones,
	"read read_x<locked_read_late / write write_x<locked_write / global x")
    RACE(race_mutex_write_after_unlock,
	"read read_x<lock_then_read / write write_x<unlock_write / global x")
    NORACE(norace_mutex_write_before_lock)
    RACE(race_mutex_order_is_one_way,
	"read read_x<lock_first_then_read / write write_x<lock_second_write / global x")
    RACE(race_mutex_held_by_one_only,
	"read read_x<lock_then_read / write write_x<unlocked_write / global x")
    RACE(race_mutex_failed_trylock,
	"read read_x<fail_trylock_read / write write_x<hold_and_write / global x")
    NORACE(norace_mutex_trylock)
    RACE(race_mutex_failed_trylock_releases_nothing,
	"read read_x<hold_unlock_lock_read / write write_x<fail_trylock_write / global x")
    NORACE(norace_mutex_unlocked_by_other)
    NORACE(norace_mutex_contended)
    NORACE(norace_mutex_handed_over)
    NORACE(norace_mutex_chain)
    RACE(race_mutex_chain_backwards, "read read_x<chain_third / write write_x<chain_first / global x")
    RACE(race_mutex_in_recycled_memory,
	"read read_x<read_under_heap_mutex / write write_x<write_under_heap_mutex / global x")
    RACE(race_mutex_held_is_reported,
	"read read_x<lock_then_read / write write_x<unlocked_write / global x / says holding mutex")
)
