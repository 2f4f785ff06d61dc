/*
 * wg.c: Done is before the return of the Wait that it lets go. Add and Wait are before nothing.
 */
#include "case.h"

#include <pthread.h>

static goro_waitgroup wg;

static void write_done(void)
{
	write_x();
	goro_waitgroup_done(&wg);
}
static void norace_wg_done_before_wait(void)
{
	goro_waitgroup_add(&wg, 1);
	go(write_done);
	goro_waitgroup_wait(&wg);
	read_x();
}

static int slots[16];
static void write_slot(int i)
{
	slots[i] = i;
	goro_waitgroup_done(&wg);
}
static void norace_wg_many(void)
{
	goro_waitgroup_add(&wg, 16);
	for (int i = 0; i < 16; i++)
		go(write_slot, i);
	goro_waitgroup_wait(&wg);
	for (int i = 0; i < 16; i++)
		USE(slots[i]);
}

static void wait_read(void)
{
	goro_waitgroup_wait(&wg);
	read_x();
	arrive();
}
static void norace_wg_many_waiters(void)
{
	goro_waitgroup_add(&wg, 1);
	for (int i = 0; i < 5; i++)
		go(wait_read);
	settle(100);
	go(write_done);
	arrived(5);
}
/* A Wait that need not wait. */
static void norace_wg_wait_after_the_fact(void)
{
	goro_waitgroup_add(&wg, 1);
	go(write_done);
	settle(1000);
	goro_waitgroup_wait(&wg);
	read_x();
}

static void done_write(void)
{
	goro_waitgroup_done(&wg);
	write_x();
	step(1);
}
static void race_wg_write_after_done(void)
{
	goro_waitgroup_add(&wg, 1);
	go(done_write);
	goro_waitgroup_wait(&wg);
	after(1);
	read_x();
}

static void write_step(void)
{
	write_x();
	step(1);
}
static void race_wg_forgotten(void)
{
	go(write_step);
	goro_waitgroup_wait(&wg);
	after(1);
	read_x();
}

/* Two that are counted are not before each other. */
static void write_step_done(void)
{
	write_x();
	step(1);
	goro_waitgroup_done(&wg);
}
static void write_too_done(void)
{
	after(1);
	write_x_too();
	goro_waitgroup_done(&wg);
}
static void race_wg_workers(void)
{
	goro_waitgroup_add(&wg, 2);
	go(write_step_done);
	go(write_too_done);
	goro_waitgroup_wait(&wg);
}
static void done_step(void)
{
	write_x();
	goro_waitgroup_done(&wg);
	step(1);
}
static void read_done(void)
{
	after(1);
	read_x();
	goro_waitgroup_done(&wg);
}
static void race_wg_done_orders_no_done(void)
{
	goro_waitgroup_add(&wg, 2);
	go(done_step);
	go(read_done);
	goro_waitgroup_wait(&wg);
}

/* The Add of one goroutine orders nothing for another. */
static void write_add(void)
{
	write_x();
	goro_waitgroup_add(&wg, 1);
	step(1);
}
static void add_read(void)
{
	after(1);
	goro_waitgroup_add(&wg, 1);
	read_x();
	step(2);
}
static void race_wg_add_orders_nothing(void)
{
	go(write_add);
	go(add_read);
	after(2);
}

/* Two waiters are not before each other. */
static void wait_write(void)
{
	goro_waitgroup_wait(&wg);
	write_x();
	step(1);
}
static void wait_read_late(void)
{
	goro_waitgroup_wait(&wg);
	after(1);
	read_x();
	step(2);
}
static void race_wg_waiters(void)
{
	goro_waitgroup_add(&wg, 1);
	go(wait_write);
	go(wait_read_late);
	settle(100);
	goro_waitgroup_done(&wg);
	after(2);
}

static void norace_wg_reused(void)
{
	for (int round = 0; round < 50; round++) {
		goro_waitgroup_add(&wg, 2);
		go(write_done);
		goro_waitgroup_done(&wg);
		goro_waitgroup_wait(&wg);
		read_x();
		write_x_too();
	}
}

/* What the second round waits for is the second round. */
static void first_round(void)
{
	goro_waitgroup_done(&wg);
	write_x();
	step(1);
}
static void second_round(void)
{
	after(1);
	goro_waitgroup_done(&wg);
}
static void race_wg_reused(void)
{
	goro_waitgroup_add(&wg, 1);
	go(first_round);
	goro_waitgroup_wait(&wg);
	goro_waitgroup_add(&wg, 1);
	go(second_round);
	goro_waitgroup_wait(&wg);
	read_x();
}

static void set_arg(void *arg)
{
	*(int *)arg = 5;
}
static void norace_wg_go(void)
{
	goro_waitgroup_go(&wg, set_arg, &x);
	goro_waitgroup_wait(&wg);
	read_x();
}
static void write_x_step(void *arg)
{
	(void)arg;
	write_x();
	step(1);
}
static void race_wg_go_before_wait(void)
{
	goro_waitgroup_go(&wg, write_x_step, NULL);
	after(1);
	read_x();
	goro_waitgroup_wait(&wg);
}

/* Who has waited for the first round begins the second: a Wait for that is let go by the second alone. */
static void wait_and_begin(void)
{
	goro_waitgroup_wait(&wg);
	goro_waitgroup_add(&wg, 1);
	step(1);
}
static void *wait_and_begin_thread(void *none)
{
	wait_and_begin();
	return none;
}
static void done_second(void)
{
	goro_waitgroup_done(&wg);
	step(2);
}
/* The second is over before: a Wait that waits would race with the Add. */
static void second_round_read(void)
{
	after(1);
	go(done_second);
	after(2);
	goro_waitgroup_wait(&wg);
	read_x();
}
static void race_wg_round_begun_by_a_waiter(void)
{
	goro_waitgroup_add(&wg, 1);
	go(wait_and_begin);
	go(write_done);
	second_round_read();
}
static void race_wg_round_begun_by_a_thread(void)
{
	pthread_t th;
	goro_waitgroup_add(&wg, 1);
	pthread_create(&th, NULL, wait_and_begin_thread, NULL);
	pthread_detach(th);
	go(write_done);
	second_round_read();
}
/* The thread itself goes on knowing. */
static void *rounds_thread(void *none)
{
	for (int round = 0; round < 20; round++) {
		goro_waitgroup_add(&wg, 1);
		go(write_done);
		goro_waitgroup_wait(&wg);
		read_x();
	}
	return none;
}
static void norace_wg_rounds_of_a_thread(void)
{
	pthread_t th;
	pthread_create(&th, NULL, rounds_thread, NULL);
	pthread_join(th, NULL);
	read_x();
}

CASES(
    RACE(race_wg_round_begun_by_a_waiter, "read read_x<second_round_read / write write_x<write_done / global x")
    RACE(race_wg_round_begun_by_a_thread, "read read_x<second_round_read / write write_x<write_done / global x")
    NORACE(norace_wg_rounds_of_a_thread)
    NORACE(norace_wg_done_before_wait)
    NORACE(norace_wg_many)
    NORACE(norace_wg_many_waiters)
    NORACE(norace_wg_wait_after_the_fact)
    RACE(race_wg_write_after_done, "read read_x<race_wg_write_after_done / write write_x<done_write / global x")
    RACE(race_wg_forgotten, "read read_x<race_wg_forgotten / write write_x<write_step / global x")
    RACE(race_wg_workers, "write write_x_too<write_too_done / write write_x<write_step_done / global x")
    RACE(race_wg_done_orders_no_done, "read read_x<read_done / write write_x<done_step / global x")
    RACE(race_wg_add_orders_nothing, "read read_x<add_read / write write_x<write_add / global x")
    RACE(race_wg_waiters, "read read_x<wait_read_late / write write_x<wait_write / global x")
    NORACE(norace_wg_reused)
    RACE(race_wg_reused, "read read_x<race_wg_reused / write write_x<first_round / global x")
    NORACE(norace_wg_go)
    RACE(race_wg_go_before_wait, "read read_x<race_wg_go_before_wait / write write_x<write_x_step / global x")
)
