/*
 * distance.c: a race is a race however far apart its two accesses are: in accesses, in calls, in goroutines
 * that came and went, in synchronisations. No history runs out.
 *
 * Each distance is short here and a hundred or a thousand times as long with GORO_FAR=1 (make stress).
 */
#include "case.h"

static int far(int brief, int full)
{
	const char *s = getenv("GORO_FAR");
	return s && *s == '1' ? full : brief;
}

static goro_mutex m;
static goro_waitgroup wg;
static char *many;

/* A read and a write of each byte of a million, over and over: 2e6 accesses, or 1e9. */
ACCESS(touch_many, for (int k = far(1, 500); k > 0; k--) for (size_t i = 0; i < 1000000; i++) many[i]++)
static APART void call_nothing(void)
{
	USE(y); /* or the compiler tells the detector of no call */
}

static void writer(void)
{
	write_x();
	step(1);
}

/* Accesses by the one who wrote. */
static void write_and_go_on(void)
{
	write_x();
	touch_many();
	step(1);
}
static void read_at_last(void)
{
	after(1);
	read_x();
	step(2);
}
static void race_distance_accesses(void)
{
	many = malloc(1000000);
	go(write_and_go_on);
	go(read_at_last);
	after(2);
}

static void write_and_call(void)
{
	write_x();
	for (int i = far(1000000, 100000000); i > 0; i--)
		call_nothing();
	step(1);
}
static void race_distance_calls(void)
{
	go(write_and_call);
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
static void race_distance_accesses_of_the_second(void)
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
static void race_distance_1000_goroutines(void)
{
	go(writer);
	after(1);
	goro_waitgroup_add(&wg, 1000);
	for (int i = 0; i < 1000; i++)
		go(brief);
	goro_waitgroup_wait(&wg);
	read_x();
}
static void race_distance_10000_goroutines(void)
{
	go(writer);
	after(1);
	for (int i = far(100, 1000); i > 0; i--) {
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

/* A million lock pairs in between, or 1e8. */
static void lock_often(void)
{
	goro_mutex own = {0};
	for (int i = far(1000000, 100000000); i > 0; i--) {
		goro_mutex_lock(&own);
		goro_mutex_unlock(&own);
	}
}
static void write_lock_often(void)
{
	write_x();
	lock_often();
	step(1);
}
static void race_distance_locks(void)
{
	go(write_lock_often);
	go(read_at_last);
	after(2);
}
static void lock_often_read(void)
{
	after(1);
	lock_often();
	read_x();
	step(2);
}
static void race_distance_locks_of_the_second(void)
{
	go(writer);
	go(lock_often_read);
	after(2);
}
static void norace_distance_locks_and_an_edge(void)
{
	write_x();
	lock_often();
	goro_waitgroup_add(&wg, 1);
	go(brief);
	goro_waitgroup_wait(&wg);
	go(read_at_last);
	step(1);
	after(2);
}

/* The other kinds of synchronisation. */
static void write_and_count(void)
{
	static int count;
	write_x();
	for (int i = far(1000000, 100000000); i > 0; i--)
		__atomic_fetch_add(&count, 1, __ATOMIC_ACQ_REL);
	step(1);
}
static void race_distance_atomics(void)
{
	go(write_and_count);
	go(read_at_last);
	after(2);
}
static chan(int) gate;
static void echo(void)
{
	chan_range(v, gate)
		USE(v);
}
static void write_and_send(void)
{
	write_x();
	for (int i = far(200000, 100000000); i > 0; i--)
		chan_send(gate, i);
	step(1);
}
static void race_distance_messages(void)
{
	gate = chan_make(int, 16);
	go(echo);
	go(write_and_send);
	go(read_at_last);
	after(2);
}

/* Many parked goroutines alive at once, each with a clock of its own, known to all others: each newcomer
 * has taken the lock. */
static void wait_at_gate(void)
{
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	arrive();
	chan_recv(gate);
	goro_waitgroup_done(&wg);
}
static APART void alive_between(int n)
{
	gate = chan_make(int);
	go(writer);
	goro_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(wait_at_gate);
	after(1);
	arrived(n);
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	read_x();
	chan_close(gate);
	goro_waitgroup_wait(&wg);
}
static void race_distance_300_alive(void)
{
	alive_between(300);
}
static void race_distance_1000_alive(void)
{
	alive_between(1000);
}
static void race_distance_10000_alive(void)
{
	alive_between(far(10000, 100000));
}

/* One slot of the writer's and one of the reader's, so many apart: whatever a clock's fan-out. Those in
 * between live. The ordered one is not taken for its neighbour. */
static void stand(void)
{
	chan_recv(gate);
}
static APART void apart_by(int n)
{
	gate = chan_make(int);
	go(writer);
	after(1);
	for (int i = 1; i < n; i++)
		go(stand);
	go(read_at_last);
	after(2);
	chan_close(gate);
}
#define APART_BY(n)                                                                                \
	static void race_distance_slots_##n(void)                                                  \
	{                                                                                          \
		apart_by(n);                                                                       \
	}
APART_BY(1) APART_BY(15) APART_BY(16) APART_BY(17) APART_BY(255) APART_BY(256) APART_BY(257) APART_BY(4096)
static void write_for_both(void)
{
	write_x();
	goro_waitgroup_done(&wg);
}
static APART void ordered_apart_by(int n)
{
	gate = chan_make(int);
	goro_waitgroup_add(&wg, 1);
	go(write_for_both);
	for (int i = 1; i < n; i++)
		go(stand);
	goro_waitgroup_wait(&wg);
	go(read_at_last);
	step(1);
	after(2);
	chan_close(gate);
}
#define ORDERED_APART_BY(n)                                                                        \
	static void norace_distance_slots_##n(void)                                                \
	{                                                                                          \
		ordered_apart_by(n);                                                               \
	}
ORDERED_APART_BY(1) ORDERED_APART_BY(16) ORDERED_APART_BY(256)

CASES(
    RACE(race_distance_accesses,
	"read read_x<read_at_last / write write_x<write_and_go_on / global x")
    RACE(race_distance_calls, "read read_x<read_at_last / write write_x<write_and_call / global x")
    RACE(race_distance_accesses_of_the_second,
	"read read_x<touch_then_read / write write_x<writer / global x")
    RACE(race_distance_300_goroutines,
	"read read_x<race_distance_300_goroutines / write write_x<writer / global x")
    RACE(race_distance_10000_goroutines,
	"read read_x<race_distance_10000_goroutines / write write_x<writer / global x")
    RACE(race_distance_1000_goroutines,
	"read read_x<race_distance_1000_goroutines / write write_x<writer / global x")
    NORACE(norace_distance_300_goroutines)
    RACE(race_distance_locks,
	"read read_x<read_at_last / write write_x<write_lock_often / global x")
    RACE(race_distance_locks_of_the_second,
	"read read_x<lock_often_read / write write_x<writer / global x")
    NORACE(norace_distance_locks_and_an_edge)
    RACE(race_distance_atomics, "read read_x<read_at_last / write write_x<write_and_count / global x")
    RACE(race_distance_messages, "read read_x<read_at_last / write write_x<write_and_send / global x")
    RACE(race_distance_300_alive, "read read_x<alive_between / write write_x<writer / global x")
    RACE(race_distance_1000_alive, "read read_x<alive_between / write write_x<writer / global x")
    RACE(race_distance_10000_alive, "read read_x<alive_between / write write_x<writer / global x")
#define SLOTS(n) RACE(race_distance_slots_##n, "read read_x<read_at_last / write write_x<writer / global x")
    SLOTS(1) SLOTS(15) SLOTS(16) SLOTS(17) SLOTS(255) SLOTS(256) SLOTS(257) SLOTS(4096)
    NORACE(norace_distance_slots_1) NORACE(norace_distance_slots_16) NORACE(norace_distance_slots_256)
)
