/*
 * cond.c: Signal and Broadcast are before the return of the Wait that they wake, and of no other. The
 * mutex adds its own edges; where a signaler does not hold it, the condition's are all there is.
 */
#include "case.h"

static goro_mutex m;
static goro_cond cond;
static bool ready;

static void wait_ready_read(void)
{
	goro_mutex_lock(&m);
	while (!ready)
		goro_cond_wait(&cond);
	read_x();
	goro_mutex_unlock(&m);
	arrive();
}
static void norace_cond_usual(void)
{
	goro_cond_init(&cond, &m);
	go(wait_ready_read);
	goro_mutex_lock(&m);
	write_x();
	ready = true;
	goro_cond_signal(&cond);
	goro_mutex_unlock(&m);
	arrived(1);
}
static void norace_cond_broadcast(void)
{
	goro_cond_init(&cond, &m);
	for (int i = 0; i < 5; i++)
		go(wait_ready_read);
	goro_mutex_lock(&m);
	write_x();
	ready = true;
	goro_mutex_unlock(&m);
	goro_cond_broadcast(&cond);
	arrived(5);
}

/* Wait as number n, in this order; one wait, whatever woke it. */
static void wait_once(int n)
{
	goro_mutex_lock(&m);
	step(n);
	goro_cond_wait(&cond);
	goro_mutex_unlock(&m);
}
/* Waiter n is asleep: it gave up the mutex. */
static void asleep(int n)
{
	after(n);
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
}

static void woken_read(void)
{
	wait_once(1);
	read_x();
	arrive();
}
static void signal_after_write(void)
{
	after(2);
	write_x();
	goro_cond_signal(&cond);
}
static void norace_cond_signal_without_mutex(void)
{
	goro_cond_init(&cond, &m);
	go(signal_after_write);
	go(woken_read);
	asleep(1);
	step(2);
	arrived(1);
}
static void broadcast_after_write(void)
{
	after(2);
	write_x();
	goro_cond_broadcast(&cond);
}
static void norace_cond_broadcast_without_mutex(void)
{
	goro_cond_init(&cond, &m);
	go(broadcast_after_write);
	go(woken_read);
	asleep(1);
	step(2);
	arrived(1);
}

static void signal_then_write(void)
{
	after(2);
	goro_cond_signal(&cond);
	write_x();
	step(3);
}
static void woken_read_late(void)
{
	wait_once(1);
	after(3);
	read_x();
	step(4);
}
static void race_cond_write_after_signal(void)
{
	goro_cond_init(&cond, &m);
	go(signal_then_write);
	go(woken_read_late);
	asleep(1);
	step(2);
	after(4);
}

/* The first signal wakes the first waiter; the second signaler's past is the second waiter's alone. */
static void signal_first(void)
{
	after(3);
	goro_cond_signal(&cond);
	step(4);
}
static void signal_second(void)
{
	after(5);
	write_x();
	goro_cond_signal(&cond);
	step(6);
}
static void first_waiter_read(void)
{
	wait_once(1);
	step(5);
	after(7);
	read_x();
	step(8);
}
static void second_waiter(void)
{
	after(2);
	wait_once(3);
	after(6);
	step(7);
}
static void race_cond_signal_wakes_another(void)
{
	goro_cond_init(&cond, &m);
	go(signal_first);
	go(signal_second);
	go(first_waiter_read);
	go(second_waiter);
	asleep(1);
	step(2);
	after(8);
}

/* A signal that wakes nobody is before nothing. */
static void write_signal_nobody(void)
{
	write_x();
	goro_cond_signal(&cond);
	goro_cond_broadcast(&cond);
	step(1);
}
static void woken_by_other_read(void)
{
	after(1);
	goro_mutex_lock(&m);
	step(2);
	goro_cond_wait(&cond);
	goro_mutex_unlock(&m);
	read_x();
	step(4);
}
static void race_cond_signal_wakes_nobody(void)
{
	goro_cond_init(&cond, &m);
	go(write_signal_nobody);
	go(woken_by_other_read);
	after(2);
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	goro_cond_signal(&cond);
	after(4);
}

/* Who is about to wait is before nothing by that; by the mutex it is. */
static void write_wait(void)
{
	write_x();
	wait_once(1);
}
static void signal_read(void)
{
	after(2);
	goro_cond_signal(&cond);
	read_x();
	step(3);
}
static void race_cond_wait_orders_no_signal(void)
{
	goro_cond_init(&cond, &m);
	go(write_wait);
	go(signal_read);
	after(1);
	settle(100);
	step(2);
	after(3);
}
static void locked_signal_read(void)
{
	after(1);
	goro_mutex_lock(&m);
	goro_cond_signal(&cond);
	goro_mutex_unlock(&m);
	read_x();
	step(3);
}
static void norace_cond_wait_unlocks(void)
{
	goro_cond_init(&cond, &m);
	go(write_wait);
	go(locked_signal_read);
	after(3);
}

CASES(
    NORACE(norace_cond_usual)
    NORACE(norace_cond_broadcast)
    NORACE(norace_cond_signal_without_mutex)
    NORACE(norace_cond_broadcast_without_mutex)
    RACE(race_cond_write_after_signal,
	"read read_x<woken_read_late / write write_x<signal_then_write / global x")
    RACE(race_cond_signal_wakes_another,
	"read read_x<first_waiter_read / write write_x<signal_second / global x")
    RACE(race_cond_signal_wakes_nobody,
	"read read_x<woken_by_other_read / write write_x<write_signal_nobody / global x")
    RACE(race_cond_wait_orders_no_signal,
	"read read_x<signal_read / write write_x<write_wait / global x")
    NORACE(norace_cond_wait_unlocks)
)
