/*
 * timer_test.c: a thread of the program arms a timer just when the processors fall asleep, one of them for a nap: somebody
 * has to look to it (runtime/sched/threads.c, "Timers").
 *
 * In each round some goroutines that end at once are made, so that a thief finds its loot too small and naps; then the thread arms a
 * timer and lets main go on, who waits, in a call that blocks its thread, for what the timer's function writes. (Where the
 * end of a nap does not look to the timers, and nobody else does, this stands still within some hundred rounds.)
 */
#include "stress.h"

#include <pthread.h>
#include <unistd.h>

enum { BURST = 12, DELAY = 200000 };

static int begins[2], fired[2];
static chan(int) go_on;

static void say(int fd)
{
	stress_check(write(fd, "x", 1) == 1);
}

static int64_t hear(void *fd)
{
	char c;
	return read(*(int *)fd, &c, 1);
}

static void fires(void *unused)
{
	(void)unused;
	say(fired[1]);
}

static void *thread(void *unused)
{
	uint64_t rnd = 0x9E3779B97F4A7C15;
	while (hear(&begins[0]) == 1) {
		for (volatile uint32_t k = stress_random(&rnd, DELAY); k; k--) /* until some time in the nap */
			;
		goro_after_func(0, fires, NULL);
		chan_send(go_on, 1);
	}
	return unused;
}

static void nothing(goro_waitgroup *wg)
{
	goro_waitgroup_done(wg);
}

StressTest(timers, of_a_thread_fire_when_all_fall_asleep)
{
	pthread_t t;
	uint64_t rnd = 1;
	stress_check(pipe(begins) == 0 && pipe(fired) == 0);
	go_on = chan_make(int);
	stress_check(pthread_create(&t, NULL, thread, NULL) == 0);
	while (!stress_over()) {
		goro_waitgroup wg = {0};
		int n = (int)stress_random(&rnd, BURST);
		goro_waitgroup_add(&wg, n);
		say(begins[1]);
		for (int i = 0; i < n; i++)
			go(nothing, &wg);
		goro_waitgroup_wait(&wg);
		(void)chan_recv(go_on);
		stress_check(goro_blocking(hear, &fired[0]) == 1);
		stress_progress();
	}
	close(begins[1]);
	goro_enter_syscall();
	pthread_join(t, NULL);
	goro_exit_syscall();
	return 0;
}
