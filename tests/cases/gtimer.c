/*
 * gtimer.c: goro_timer, goro_ticker, goro_after_func: arming and resetting are before what they fire, and
 * nothing else is.
 */
#include "case.h"

static goro_timer *timer;
static goro_ticker *ticker;

/* Pointers pass unseen; the edges are the timer's alone. */
#define PASS(to, v) __atomic_store_n(&(to), (v), __ATOMIC_RELAXED)
#define SEEN(from)  __atomic_load_n(&(from), __ATOMIC_RELAXED)

static void arm(void)
{
	write_x();
	PASS(timer, goro_timer_new(GORO_MILLISECOND));
	step(1);
}
static void receive_read(void)
{
	after(1);
	chan(int64_t) c = SEEN(timer)->c;
	chan_recv(c);
	read_x();
	step(2);
}
static void norace_gtimer_arming(void)
{
	go(arm);
	go(receive_read);
	after(2);
}

static void reset_it(void)
{
	write_x();
	goro_timer_reset(SEEN(timer), GORO_MILLISECOND);
	step(1);
}
static void norace_gtimer_reset(void)
{
	PASS(timer, goro_timer_new(GORO_HOUR));
	go(reset_it);
	go(receive_read);
	after(2);
}

static void stop_it(void)
{
	write_x();
	goro_timer_stop(SEEN(timer));
	step(1);
}
static void rearm_and_read(void)
{
	after(1);
	goro_timer_reset(SEEN(timer), 0);
	chan_recv(SEEN(timer)->c);
	read_x();
	step(2);
}
static void race_gtimer_stop_orders_nothing(void)
{
	PASS(timer, goro_timer_new(GORO_HOUR));
	go(stop_it);
	go(rearm_and_read);
	after(2);
}

/* What the stop took back stays unsaid too. */
static void let_fire_and_stop(void)
{
	PASS(timer, goro_timer_new(0));
	chan(int64_t) c = SEEN(timer)->c;
	while (chan_len(c) == 0)
		goro_gosched();
	write_x();
	goro_timer_stop(SEEN(timer));
	step(1);
}
static void race_gtimer_value_taken_back(void)
{
	go(let_fire_and_stop);
	go(rearm_and_read);
	after(2);
}

static void func_read(void *unused)
{
	(void)unused;
	read_x();
	step(2);
}
static void norace_gtimer_after_func(void)
{
	write_x();
	goro_after_func(GORO_MILLISECOND, func_read, NULL);
	after(2);
}
static void race_gtimer_write_after_func_armed(void)
{
	goro_after_func(20 * GORO_MILLISECOND, func_read, NULL);
	write_x();
	after(2);
}
static void func_write(void *unused)
{
	(void)unused;
	write_x();
	step(1);
}
static void race_gtimer_func_is_before_nothing(void)
{
	goro_timer *t = goro_after_func(0, func_write, NULL);
	after(1);
	goro_timer_stop(t);
	read_x();
}

static void start_ticker(void)
{
	write_x();
	PASS(ticker, goro_ticker_new(GORO_MILLISECOND));
	step(1);
}
static void tick_read(void)
{
	after(1);
	chan(int64_t) c = SEEN(ticker)->c;
	chan_recv(c);
	chan_recv(c);
	read_x();
	step(2);
}
static void norace_ticker_start(void)
{
	go(start_ticker);
	go(tick_read);
	after(2);
}
static void late_writer(void)
{
	write_x();
	step(1);
}
static void tick_on_and_read(void)
{
	after(1);
	chan_recv(ticker->c);
	read_x();
	step(2);
}
static void race_ticker_time_passed(void)
{
	ticker = goro_ticker_new(GORO_MILLISECOND);
	go(late_writer);
	go(tick_on_and_read);
	after(2);
}

static void arm_and_free(void)
{
	for (int i = 0; i < 50; i++) {
		goro_timer *t = goro_timer_new(i * GORO_MICROSECOND), *f = goro_after_func(0, func_read, NULL);
		goro_ticker *k = goro_ticker_new(10 * GORO_MICROSECOND);
		chan_recv(k->c);
		goro_timer_reset(t, 0);
		goro_timer_stop(f);
		goro_timer_free(f);
		goro_timer_free(t);
		goro_ticker_free(k);
	}
	arrive();
}
static void norace_gtimer_many(void)
{
	for (int i = 0; i < 4; i++)
		go(arm_and_free);
	arrived(4);
}

CASES(
    NORACE(norace_gtimer_arming)
    NORACE(norace_gtimer_reset)
    RACE(race_gtimer_stop_orders_nothing, "read read_x<rearm_and_read / write write_x<stop_it / global x")
    RACE(race_gtimer_value_taken_back, "read read_x<rearm_and_read / write write_x<let_fire_and_stop / global x")
    NORACE(norace_gtimer_after_func)
    RACE(race_gtimer_write_after_func_armed,
	"read read_x<func_read / write write_x<race_gtimer_write_after_func_armed / global x")
    RACE(race_gtimer_func_is_before_nothing,
	"read read_x<race_gtimer_func_is_before_nothing / write write_x<func_write / global x")
    NORACE(norace_ticker_start)
    RACE(race_ticker_time_passed, "read read_x<tick_on_and_read / write write_x<late_writer / global x")
    NORACE(norace_gtimer_many)
)
