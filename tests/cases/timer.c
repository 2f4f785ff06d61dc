/*
 * timer.c: arming a timer is before the receive of what it fires. Time itself orders nothing.
 */
#include "case.h"

static goro_chan *timer;

/* The pointer passes unseen; the edge is the timer's alone. */
static void arm(void)
{
	write_x();
	__atomic_store_n(&timer, goro_after_chan(GORO_MILLISECOND), __ATOMIC_RELAXED);
	step(1);
}
static void receive_read(void)
{
	after(1);
	goro_chan_recv(__atomic_load_n(&timer, __ATOMIC_RELAXED), NULL);
	read_x();
	step(2);
}
static void norace_timer_arming(void)
{
	go(arm);
	go(receive_read);
	after(2);
}

static chan(goro_chan *) handed;
static void arm_and_hand_over(void)
{
	goro_chan *c = goro_after_chan(GORO_MILLISECOND);
	chan_send(handed, c);
	write_x();
	step(1);
}
static void receive_late_read(void)
{
	goro_chan *c = chan_recv(handed);
	goro_chan_recv(c, NULL);
	after(1);
	read_x();
	step(2);
}
static void race_timer_write_after_arming(void)
{
	handed = chan_make(goro_chan *);
	go(arm_and_hand_over);
	go(receive_late_read);
	after(2);
}

/* A timer of one's own says nothing of what others did meanwhile. */
static void writer(void)
{
	write_x();
	step(1);
}
static void time_out_read(void)
{
	after(1);
	chan(int64_t) timeout = goro_after(GORO_MILLISECOND);
	chan_recv(timeout);
	read_x();
	step(2);
}
static void race_timer_of_another(void)
{
	go(writer);
	go(time_out_read);
	after(2);
}
static void select_time_out_read(void)
{
	int v;
	chan(int) never = chan_make(int);
	after(1);
	chan_select(on_recv(never, &v), on_recv(goro_after(GORO_MILLISECOND), (int64_t *)NULL));
	read_x();
	step(2);
}
static void race_timer_select_timeout(void)
{
	go(writer);
	go(select_time_out_read);
	after(2);
}
static void sleep_long_read(void)
{
	goro_sleep(20 * GORO_MILLISECOND);
	read_x();
	step(2);
}
static void race_timer_sleep_long_enough(void)
{
	go(sleep_long_read);
	write_x();
	after(2);
}

static void many_timers(void)
{
	for (int i = 0; i < 20; i++) {
		chan(int64_t) c = goro_after((i % 3) * GORO_MICROSECOND * 100);
		chan_recv(c);
		chan_free(c);
	}
	arrive();
}
static void norace_timer_many(void)
{
	for (int i = 0; i < 10; i++)
		go(many_timers);
	arrived(10);
}
static void norace_timer_freed_unfired(void)
{
	for (int i = 0; i < 100; i++)
		chan_free(goro_after(GORO_HOUR));
}

CASES(
    NORACE(norace_timer_arming)
    RACE(race_timer_write_after_arming,
	"read read_x<receive_late_read / write write_x<arm_and_hand_over / global x")
    RACE(race_timer_of_another, "read read_x<time_out_read / write write_x<writer / global x")
    RACE(race_timer_select_timeout, "read read_x<select_time_out_read / write write_x<writer / global x")
    RACE(race_timer_sleep_long_enough,
	"read read_x<sleep_long_read / write write_x<race_timer_sleep_long_enough / global x")
    NORACE(norace_timer_many)
    NORACE(norace_timer_freed_unfired)
)
