/*
 * leak.c: threads that nobody joined or detached by the end of the process.
 */
#include "case.h"

#include <pthread.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

static pthread_t th;
static void *nothing(void *arg) { return arg; }
static int nothing11(void *arg) { return arg != NULL; }
ACCESS(create, pthread_create(&th, NULL, nothing, NULL))

static void race_leak_one(void)
{
	create();
}
static void race_leak_many_of_one_place(void)
{
	for (volatile int i = 0; i < 5; i++)
		create();
}
static void race_leak_c11(void)
{
	thrd_t t;
	if (thrd_create(&t, nothing11, NULL) != thrd_success)
		abort();
}
static void norace_leak_joined(void)
{
	create();
	pthread_join(th, NULL);
}
static void norace_leak_detached(void)
{
	create();
	pthread_detach(th);
}
static void *detaches_itself(void *arg)
{
	pthread_detach(pthread_self());
	step(1);
	return arg;
}
static void norace_leak_detaches_itself(void)
{
	pthread_create(&th, NULL, detaches_itself, NULL);
	after(1);
}
static void norace_leak_created_detached(void)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_create(&th, &attr, nothing, NULL);
	pthread_attr_destroy(&attr);
}
/* Goroutines need no join. */
static void forever(void)
{
	chan_recv(chan_make(int));
}
static void norace_leak_goroutine(void)
{
	go(forever);
	goro_gosched();
}
/* The parent's threads are not the child's. */
static void norace_leak_not_in_the_child(void)
{
	int status = -1;
	create();
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		exit(0);
	waitpid(child, &status, 0);
	pthread_join(th, NULL);
	if (status != 0)
		_exit(9);
}
/* Its creator may be about to join it: another thread ends the process. */
static void *ends_the_process(void *arg)
{
	after(1);
	exit(0);
	return arg;
}
static void norace_leak_cut_off(void)
{
	pthread_t ender;
	pthread_create(&ender, NULL, ends_the_process, NULL);
	create();
	step(1);
	pthread_join(ender, NULL);
	pthread_join(th, NULL);
}
static void *creates(void *arg)
{
	create();
	return arg;
}
static void race_leak_of_an_ended_creator(void)
{
	pthread_t creator;
	pthread_create(&creator, NULL, creates, NULL);
	pthread_join(creator, NULL);
}

CASES(
    RACE(race_leak_one, "creation create<race_leak_one / - / - / says Creation of thread ")
    RACE(race_leak_many_of_one_place, "creation create<race_leak_many_of_one_place / - / - / says And 4 more that were created there.")
    RACE(race_leak_c11, "creation race_leak_c11 / - / - / says WARNING: THREAD LEAK")
    NORACE(norace_leak_cut_off)
    RACE(race_leak_of_an_ended_creator, "creation create<creates / - / - / says WARNING: THREAD LEAK")
    NORACE(norace_leak_joined)
    NORACE(norace_leak_detached)
    NORACE(norace_leak_detaches_itself)
    NORACE(norace_leak_created_detached)
    NORACE(norace_leak_goroutine)
    NORACE(norace_leak_not_in_the_child)
)
