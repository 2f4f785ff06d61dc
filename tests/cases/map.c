/*
 * map.c: memory from mmap. It is memory like any other while it is mapped; what is mapped anew at the same
 * address has no past, and what was forgotten there hides nothing of what comes.
 */
#define _GNU_SOURCE /* mremap */
#include "case.h"

#include <sys/mman.h>

enum { SIZE = 1 << 20 };

static int *p;
ACCESS(write_p, p[5000] = 1)
ACCESS(read_p, USE(p[5000]))

static int *map_at(void *at)
{
	void *q = mmap(at, SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
	if (q == MAP_FAILED)
		abort();
	return q;
}

static void writer(void)
{
	write_p();
	step(1);
}
static void reader(void)
{
	after(1);
	read_p();
	step(2);
}
static void race_map_memory(void)
{
	p = map_at(NULL);
	go(writer);
	go(reader);
	after(2);
}

static void second_reader(void)
{
	after(2);
	read_p();
	step(3);
}
static void unmapper(void)
{
	after(1);
	munmap(p, SIZE);
	map_at(p);
	step(2);
}
static void norace_map_anew(void)
{
	p = map_at(NULL);
	go(writer);
	go(unmapper);
	go(second_reader);
	after(3);
}

static void over(void)
{
	after(1);
	map_at(p); /* without an munmap */
	step(2);
}
static void norace_map_over(void)
{
	p = map_at(NULL);
	go(writer);
	go(over);
	go(second_reader);
	after(3);
}

static void late_writer(void)
{
	after(2);
	write_p();
	step(3);
}
static void late_reader(void)
{
	after(3);
	read_p();
	step(4);
}
static void race_map_anew_then_race(void)
{
	p = map_at(NULL);
	go(writer);
	go(unmapper);
	go(late_writer);
	go(late_reader);
	after(4);
}

/* A lock in memory that is mapped anew is another lock. */
static void lock_p(void)
{
	goro_mutex *m = (goro_mutex *)(void *)p;
	goro_mutex_lock(m);
	goro_mutex_unlock(m);
}
static void write_and_lock(void)
{
	write_x();
	lock_p();
	step(1);
}
static void lock_and_read(void)
{
	after(2);
	lock_p();
	read_x();
	step(3);
}
static void race_map_lock_of_the_dead(void)
{
	p = map_at(NULL);
	go(write_and_lock);
	go(unmapper);
	go(lock_and_read);
	after(3);
}
static void no_unmapper(void)
{
	after(1);
	step(2);
}
static void norace_map_lock(void)
{
	p = map_at(NULL);
	go(write_and_lock);
	go(no_unmapper);
	go(lock_and_read);
	after(3);
}

/* ---- moved ---- */

static int *old_p;

/* p is told to others behind the detector's back, as the order is. */
__attribute__((no_sanitize("thread"), noinline)) static void set_p(int *to)
{
	old_p = p;
	p = to;
}

/* Always to another place: where the block before it is, and something lies behind it. */
static void move_p(void)
{
	int *to = map_at(NULL);
	munmap(to, SIZE); /* a place that had something in it */
	to = mremap(p, SIZE / 2, SIZE / 2, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to == MAP_FAILED)
		abort();
	set_p(to);
}
static void mover(void)
{
	after(1);
	move_p();
	step(2);
}
static void race_map_moved(void)
{
	p = map_at(NULL);
	go(writer);
	go(mover);
	go(second_reader);
	after(3);
}

static void grower(void)
{
	after(1);
	int *q = mremap(p, SIZE, 64 * SIZE, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		abort();
	set_p(q);
	step(2);
}
static void race_map_grown(void)
{
	int *above = map_at(NULL);
	p = map_at(NULL); /* below it, so that it cannot stay */
	USE(above);
	go(writer);
	go(grower);
	go(second_reader);
	after(3);
}

static void mover_and_mapper(void)
{
	after(1);
	move_p();
	set_p(map_at(old_p));
	step(2);
}
static void norace_map_moved_away(void)
{
	p = map_at(NULL);
	go(writer);
	go(mover_and_mapper);
	go(second_reader);
	after(3);
}

static void over_mover(void)
{
	after(1);
	int *from = map_at(NULL);
	if (mremap(from, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, p) != p)
		abort();
	step(2);
}
static void norace_map_moved_over(void)
{
	p = map_at(NULL);
	go(writer);
	go(over_mover);
	go(second_reader);
	after(3);
}

static void shrinker(void)
{
	after(1);
	if (mremap(p, SIZE, 4096, 0) != p || mremap(p, 4096, SIZE, 0) != p)
		abort();
	step(2);
}
static void norace_map_shrunk(void)
{
	int *room = map_at(NULL);
	p = room;
	go(writer);
	go(shrinker);
	go(second_reader);
	after(3);
}

static void norace_map_lock_moved(void)
{
	p = map_at(NULL);
	go(write_and_lock);
	go(mover);
	go(lock_and_read);
	after(3);
}
static void race_map_lock_moved_away(void)
{
	p = map_at(NULL);
	go(write_and_lock);
	go(mover_and_mapper);
	go(lock_and_read);
	after(3);
}

CASES(
    RACE(race_map_memory, "read read_p<reader / write write_p<writer / -")
    NORACE(norace_map_anew)
    NORACE(norace_map_over)
    RACE(race_map_anew_then_race, "read read_p<late_reader / write write_p<late_writer / -")
    RACE(race_map_lock_of_the_dead, "read read_x<lock_and_read / write write_x<write_and_lock / global x")
    NORACE(norace_map_lock)
    RACE(race_map_moved, "read read_p<second_reader / write write_p<writer / -")
    RACE(race_map_grown, "read read_p<second_reader / write write_p<writer / -")
    NORACE(norace_map_moved_away)
    NORACE(norace_map_moved_over)
    NORACE(norace_map_shrunk)
    NORACE(norace_map_lock_moved)
    RACE(race_map_lock_moved_away, "read read_x<lock_and_read / write write_x<write_and_lock / global x")
)
