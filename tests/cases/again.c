/*
 * again.c: a goroutine that comes back to a variable after it has released: from the same place, so that its old
 * record serves again (race/shadow/access.c, carrying on). Who knows of the first time knows nothing of the second.
 * The loops count by a volatile variable: else a compiler may make two places of the one.
 */
#include "case.h"

#include <stdatomic.h>

static goro_mutex m;
static atomic_int a;
struct { int left, right; } pair; /* not static: clang would make two variables of it */

ACCESS(add_a, atomic_fetch_add_explicit(&a, 1, memory_order_relaxed))
ACCESS(plain_read_a, USE(*(volatile int *)&a))
ACCESS(write_left, pair.left = 1)
ACCESS(write_right, pair.right = 1)
ACCESS(read_left, USE(pair.left))

static void lock_unlock(void)
{
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
}

/* body twice from one place, with a release after the first time: after(2) lies between. */
#define TWICE(name, body)                                                                          \
	static void name(void)                                                                     \
	{                                                                                          \
		for (volatile int i = 0; i < 2; i++) {                                                  \
			if (i == 1)                                                                \
				after(2);                                                          \
			body;                                                                      \
			if (i == 0)                                                                \
				lock_unlock();                                                     \
			step(i == 0 ? 1 : 3);                                                      \
		}                                                                                  \
	}
TWICE(writes_twice, write_x())
TWICE(reads_twice, read_x())
TWICE(adds_twice, add_a())
TWICE(writes_left_twice, write_left())

/* Learns of the first time, and comes after the second. */
#define LATE(name, body)                                                                           \
	static void name(void)                                                                     \
	{                                                                                          \
		after(1);                                                                          \
		lock_unlock();                                                                     \
		step(2);                                                                           \
		after(3);                                                                          \
		body;                                                                              \
		step(4);                                                                           \
	}
LATE(reads_late, read_x())
LATE(writes_late, write_x())
LATE(plain_reads_late, plain_read_a())
LATE(reads_left_late, read_left())
LATE(writes_right_late, write_right())

#define PAIR(name, first, second)                                                                  \
	static void name(void)                                                                     \
	{                                                                                          \
		go(first);                                                                         \
		go(second);                                                                        \
		after(4);                                                                          \
	}
PAIR(race_again_write_then_read, writes_twice, reads_late)
PAIR(race_again_write_then_write, writes_twice, writes_late)
PAIR(race_again_read_then_write, reads_twice, writes_late)
PAIR(race_again_atomic_then_plain, adds_twice, plain_reads_late)
PAIR(race_again_half_of_a_granule, writes_left_twice, reads_left_late)
PAIR(norace_again_other_half_of_a_granule, writes_left_twice, writes_right_late)

/* Between two times of the one another has read, and is known to have: the second time is after that. */
static void reads_between(void)
{
	after(1);
	lock_unlock();
	read_x();
	lock_unlock();
	step(2);
}
static void writes_learns_writes(void)
{
	for (volatile int i = 0; i < 2; i++) {
		if (i == 1) {
			after(2);
			lock_unlock();
		}
		write_x();
		lock_unlock();
		step(i == 0 ? 1 : 3);
	}
}
static void norace_again_in_turns(void)
{
	go(writes_learns_writes);
	go(reads_between);
	after(3);
	lock_unlock();
	read_x();
}
/* The other reads once more, without having learnt of the second time. */
static void reads_twice_between(void)
{
	for (volatile int i = 0; i < 2; i++) {
		after(i == 0 ? 1 : 3);
		if (i == 0)
			lock_unlock();
		read_x();
		if (i == 0)
			lock_unlock();
		step(i == 0 ? 2 : 4);
	}
}
static void race_again_both(void)
{
	go(writes_learns_writes);
	go(reads_twice_between);
	after(4);
}

CASES(
    RACE(race_again_write_then_read, "read read_x<reads_late / write write_x<writes_twice / global x")
    RACE(race_again_write_then_write, "write write_x<writes_late / write write_x<writes_twice / global x")
    RACE(race_again_read_then_write, "write write_x<writes_late / read read_x<reads_twice / global x")
    RACE(race_again_atomic_then_plain, "read plain_read_a<plain_reads_late / atomic write add_a<adds_twice / global a")
    RACE(race_again_half_of_a_granule, "read read_left<reads_left_late / write write_left<writes_left_twice / global pair")
    NORACE(norace_again_other_half_of_a_granule)
    NORACE(norace_again_in_turns)
    RACE(race_again_both, "read read_x<reads_twice_between / write write_x<writes_learns_writes / global x")
)
