/*
 * chan_use.c: a channel used by many goroutines, again and again, and closed: which use was the last of each counts.
 */
#include "case.h"

static chan(int) c;

/* What the detector keeps of each user is its latest use, however many there were and others are. */
enum { USERS = 12 }; /* more than lie side by side: race/shadow/use.c */
static APART void send_late(void) { chan_send(c, 2); __asm__ volatile("" ::: "memory"); }
static APART void close_c(void) { chan_close(c); __asm__ volatile("" ::: "memory"); }
static void sends_early(goro_waitgroup *wg)
{
	chan_send(c, 1);
	chan_send(c, 1);
	goro_waitgroup_done(wg);
}
static void sends_early_and_late(goro_waitgroup *wg)
{
	sends_early(wg);
	after(1);
	send_late();
	step(2);
}
static void users_send(int n, bool late)
{
	goro_waitgroup wg = {0};
	c = chan_make(int, 2 * USERS + 1);
	goro_waitgroup_add(&wg, n);
	if (late)
		go(sends_early_and_late, &wg);
	for (int i = late; i < n; i++)
		go(sends_early, &wg);
	goro_waitgroup_wait(&wg);
}
static void race_chan_close_and_later_send(void)
{
	users_send(2, true);
	step(1);
	after(2);
	close_c();
}
static void race_chan_close_and_later_send_of_many(void)
{
	users_send(USERS, true);
	step(1);
	after(2);
	close_c();
}
static void norace_chan_close_after_sends_of_many(void)
{
	users_send(USERS, false);
	close_c();
}

CASES(
    RACE(race_chan_close_and_later_send, "write close_c / read send_late / -")
    RACE(race_chan_close_and_later_send_of_many, "write close_c / read send_late / -")
    NORACE(norace_chan_close_after_sends_of_many)
)
