/*
 * once.c: the return of the one call of f is before the return of every Do. Nothing else of the first
 * caller is.
 */
#include "case.h"

static goro_once once;

static void set_up(void *arg)
{
	(void)arg;
	write_x();
}
static void do_read(void)
{
	goro_once_do(&once, set_up, NULL);
	read_x();
	arrive();
}
static void norace_once(void)
{
	for (int i = 0; i < 8; i++)
		go(do_read);
	arrived(8);
}

static void set_up_slowly(void *arg)
{
	(void)arg;
	step(1);
	settle(200);
	write_x();
}
static void do_slowly(void)
{
	goro_once_do(&once, set_up_slowly, NULL);
	arrive();
}
static void do_read_late(void)
{
	after(1);
	do_read();
}
static void norace_once_others_wait(void)
{
	go(do_slowly);
	go(do_read_late);
	go(do_read_late);
	arrived(3);
}

static void nothing(void *arg)
{
	(void)arg;
}
static void do_write(void)
{
	goro_once_do(&once, nothing, NULL);
	write_x();
	step(1);
}
static void do_nothing_read(void)
{
	after(1);
	goro_once_do(&once, nothing, NULL);
	read_x();
	step(2);
}
static void race_once_write_after_do(void)
{
	go(do_write);
	go(do_nothing_read);
	after(2);
}

/* What the first caller did before its Do is before f, and so before all. */
static void write_do(void)
{
	write_x();
	goro_once_do(&once, nothing, NULL);
	step(1);
}
static void norace_once_write_before_do(void)
{
	go(write_do);
	go(do_nothing_read);
	after(2);
}

/* A later caller tells the next one nothing. */
static void second_write_do(void)
{
	after(1);
	write_x();
	goro_once_do(&once, nothing, NULL);
	step(2);
}
static void third_do_read(void)
{
	after(2);
	goro_once_do(&once, nothing, NULL);
	read_x();
	step(3);
}
static void first_do(void)
{
	goro_once_do(&once, nothing, NULL);
	step(1);
}
static void race_once_later_callers(void)
{
	go(first_do);
	go(second_write_do);
	go(third_do_read);
	after(3);
}

CASES(
    NORACE(norace_once)
    NORACE(norace_once_others_wait)
    RACE(race_once_write_after_do,
	"read read_x<do_nothing_read / write write_x<do_write / global x")
    NORACE(norace_once_write_before_do)
    RACE(race_once_later_callers,
	"read read_x<third_do_read / write write_x<second_write_do / global x")
)
