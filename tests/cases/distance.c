/*
 * distance.c: a race is a race however far apart its two accesses are: in accesses, in goroutines that
 * came and went, in locks taken, in readers since. No history runs out.
 */
#include "case.h"

static goro_mutex m;
static goro_waitgroup wg;
static char *many;

ACCESS(touch_many, for (size_t i = 0; i < 1000000; i++) many[i]++)
static APART void call_nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

static void writer(void)
{
	write_x();
	step(1);
}

/* A million accesses, and calls, by the one who wrote. */
static void write_and_go_on(void)
{
	write_x();
	touch_many();
	for (int i = 0; i < 1000000; i++)
		call_nothing();
	step(1);
}
static void read_at_last(void)
{
	after(1);
	read_x();
	step(2);
}
static void race_distance_million_accesses_and_calls(void)
{
	many = malloc(1000000);
	go(write_and_go_on);
	go(read_at_last);
	after(2);
}

static void touch_then_read(void)
{
	after(1);
	touch_many();
	read_x();
	step(2);
}
static void race_distance_million_accesses_of_the_second(void)
{
	many = malloc(1000000);
	go(writer);
	go(touch_then_read);
	after(2);
}

/* Goroutines that come, synchronise and go: their slots are used again. */
static void brief(void)
{
	goro_mutex_lock(&m);
	y++;
	goro_mutex_unlock(&m);
	goro_waitgroup_done(&wg);
}
static void race_distance_300_goroutines(void)
{
	go(writer);
	after(1);
	for (int i = 0; i < 300; i++) {
		goro_waitgroup_add(&wg, 1);
		go(brief);
		goro_waitgroup_wait(&wg);
	}
	read_x();
}
static void race_distance_10000_goroutines(void)
{
	go(writer);
	after(1);
	for (int i = 0; i < 100; i++) {
		goro_waitgroup_add(&wg, 100);
		for (int k = 0; k < 100; k++)
			go(brief);
		goro_waitgroup_wait(&wg);
	}
	read_x();
}
static void norace_distance_300_goroutines(void)
{
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	for (int i = 0; i < 300; i++) {
		write_x();
		goro_waitgroup_add(&wg, 1);
		go(brief);
		goro_waitgroup_wait(&wg);
		read_x();
	}
}

/* A million lock pairs in between. */
static void lock_a_million(int n)
{
	goro_mutex own = {0};
	for (int i = 0; i < n; i++) {
		goro_mutex_lock(&own);
		goro_mutex_unlock(&own);
	}
}
static void write_lock_million(void)
{
	write_x();
	lock_a_million(1000000);
	step(1);
}
static void race_distance_million_locks(void)
{
	go(write_lock_million);
	go(read_at_last);
	after(2);
}
static void lock_million_read(void)
{
	after(1);
	lock_a_million(1000000);
	read_x();
	step(2);
}
static void race_distance_million_locks_of_the_second(void)
{
	go(writer);
	go(lock_million_read);
	after(2);
}
static void norace_distance_million_locks_and_an_edge(void)
{
	write_x();
	lock_a_million(1000000);
	goro_waitgroup_add(&wg, 1);
	go(brief);
	goro_waitgroup_wait(&wg);
	go(read_at_last);
	step(1);
	after(2);
}

/* Many parked goroutines alive at once, each with a clock of its own. */
static chan(int) gate;
static void wait_at_gate(void)
{
	chan_recv(gate);
	goro_waitgroup_done(&wg);
}
static void race_distance_10000_alive(void)
{
	gate = chan_make(int);
	goro_waitgroup_add(&wg, 10000);
	for (int i = 0; i < 10000; i++)
		go(wait_at_gate);
	go(writer);
	after(1);
	chan_close(gate);
	goro_waitgroup_wait(&wg);
	read_x();
}

CASES(
    RACE(race_distance_million_accesses_and_calls,
	"read read_x<read_at_last / write write_x<write_and_go_on / global x")
    RACE(race_distance_million_accesses_of_the_second,
	"read read_x<touch_then_read / write write_x<writer / global x")
    RACE(race_distance_300_goroutines,
	"read read_x<race_distance_300_goroutines / write write_x<writer / global x")
    RACE(race_distance_10000_goroutines,
	"read read_x<race_distance_10000_goroutines / write write_x<writer / global x")
    NORACE(norace_distance_300_goroutines)
    RACE(race_distance_million_locks,
	"read read_x<read_at_last / write write_x<write_lock_million / global x")
    RACE(race_distance_million_locks_of_the_second,
	"read read_x<lock_million_read / write write_x<writer / global x")
    NORACE(norace_distance_million_locks_and_an_edge)
    RACE(race_distance_10000_alive, "read read_x<race_distance_10000_alive / write write_x<writer / global x")
)
