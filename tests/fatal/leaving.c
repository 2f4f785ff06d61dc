/*
 * leaving.c: one way to leave, to multiply or to be watched per name: leaving NAME. leaving_test.c knows what
 * each must print, and how it must end.
 */
#include <goro.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/delay.h"

extern char **environ;
int racy;

/* ---- faults ---- */

static int *volatile no_address;
static void (*volatile no_function)(void);
static volatile int zero;

static void stores(void)
{
	*no_address = 1;
}

static void segv(void)
{
	stores();
}

static void calls_null(void)
{
	no_function();
	zero = 1; /* no tail call */
}

static void bus(void)
{
	FILE *f = tmpfile();
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	*(volatile char *)p = 1;
}

static void fpe(void)
{
	zero = 7 % zero;
}

static void ill(void)
{
	__asm__ volatile("ud2");
}

static void aborts(void)
{
	abort();
}

/* malloc finds it out with its lock held: no names then. */
static void heap_broken(void)
{
	static char *volatile p;
	p = malloc(24);
	for (int i = 24; i < 64; i++)
		p[i] = 0x7f;
	for (;;)
		p = malloc(5000);
}

static void in_goroutine(void)
{
	go(stores);
	goro_sleep(10 * GORO_SECOND);
}

static void on_signal(int sig)
{
	(void)sig;
	_exit(7);
}

static void handled(void)
{
	signal(SIGSEGV, on_signal);
	stores();
}

/* ---- pthread_exit, exit ---- */

static void works(int ms)
{
	goro_sleep(ms * GORO_MILLISECOND);
	printf("goroutine %d\n", ms);
	fflush(stdout);
}

static void last(void)
{
	puts("exit handler");
}

static void main_pthread_exit(void)
{
	atexit(last);
	go(works, 20);
	go(works, 60);
	pthread_exit(NULL);
}

static void main_pthread_exit_alone(void)
{
	pthread_exit((void *)1);
}

static void main_pthread_exit_deadlock(void)
{
	go(goro_select, NULL, 0, true);
	pthread_exit(NULL);
}

static void *thread(void *unused)
{
	usleep(50000);
	puts("thread");
	return unused;
}

static void main_pthread_exit_threads(void)
{
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	pthread_detach(t);
	pthread_exit(NULL);
}

static void exits_itself(chan(int) c)
{
	chan_send(c, 1);
	pthread_exit(NULL);
}

static void goroutine_pthread_exit(void)
{
	chan(int) c = chan_make(int);
	for (int i = 0; i < 100; i++) {
		go(exits_itself, c);
		(void)chan_recv(c);
	}
	puts("main goes on");
}

static volatile int spinning;

static void spins(void)
{
	for (spinning = 1;;)
		;
}

static void exits(void)
{
	go(spins);
	exit(3);
}

static void exits_fast(void)
{
	_exit(4);
}

static void exit_beside_spin(void)
{
	go(exits);
	goro_sleep(10 * GORO_SECOND);
}

static void fast_exit_beside_spin(void)
{
	go(exits_fast);
	goro_sleep(10 * GORO_SECOND);
}

static void return_beside_spin(void)
{
	go(spins);
}

/* ---- fork ---- */

static void sleeps(void)
{
	goro_sleep(GORO_SECOND);
}

static int status_of(pid_t pid)
{
	int status = -1;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void children(void)
{
	char *argv[] = {"sh", "-c", "exit 5", NULL};
	char line[16] = "";
	goro_gomaxprocs(4);
	for (int i = 0; i < 50; i++)
		go(sleeps);
	goro_sleep(GORO_MILLISECOND);
	pid_t pid = fork();
	if (pid == 0) {
		execv("/bin/sh", argv);
		_exit(99);
	}
	printf("exec %d\n", status_of(pid));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		chan(int) c = chan_make(int, 1); /* needs nobody */
		chan_send(c, 6);
		usleep(1000);
		exit(chan_recv(c));
	}
	printf("exit %d\n", status_of(pid));
	posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
	printf("spawn %d\n", status_of(pid));
	printf("system %d\n", WEXITSTATUS(system("exit 8")));
	FILE *f = popen("echo nine", "r");
	fgets(line, sizeof line, f);
	printf("popen %s", line);
	printf("pclose %d\n", pclose(f));
}

/* system gives the processor away. */
static void ticks(void)
{
	for (int i = 0; i < 10; i++)
		goro_sleep(10 * GORO_MILLISECOND);
	puts("ticked");
}

static void system_blocks(void)
{
	go(ticks);
	system("sleep 0.5");
	puts("slept");
}

static void forked(void (*f)(void))
{
	go(sleeps);
	goro_gosched();
	pid_t pid = fork();
	if (pid == 0) {
		f();
		_exit(0);
	}
	exit(status_of(pid));
}

static void fork_sleeps(void)
{
	forked(sleeps);
}

static void goes(void)
{
	go(sleeps);
}

static void fork_goes(void)
{
	forked(goes);
}

static void returns(void)
{
	goro_goexit();
}

static void fork_ends(void)
{
	forked(returns);
}

static void writes(void)
{
	racy = 1;
}

/* What the parent found is not the child's. */
static void fork_after_race(void)
{
	go(writes);
	goro_sleep(20 * GORO_MILLISECOND);
	racy = 2;
	pid_t pid = fork();
	if (pid == 0)
		exit(0);
	printf("child %d\n", status_of(pid));
}

/* ---- the scheduler's trace ---- */

static void waits_named(chan(int) c)
{
	(void)chan_recv(c);
}

static void traced(void)
{
	go(waits_named, chan_make(int));
	goro_sleep(250 * GORO_MILLISECOND);
	printf("waited %lld ms\n", (long long)run_delay(0) / 1000000);
}

static void waits(void)
{
	chan(int) c = chan_make(int);
	printf("%p\n", (void *)c);
	fflush(stdout);
	(void)chan_recv(c);
}

static goro_mutex jobs_lock;

static void waits_for_a_variable(void)
{
	goro_mutex_lock(&jobs_lock);
	goro_mutex_lock(&jobs_lock);
}

#define CASE(f) {#f, f}
static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {CASE(segv), CASE(calls_null), CASE(bus), CASE(fpe), CASE(ill), CASE(aborts), CASE(heap_broken),
    CASE(in_goroutine), CASE(handled), CASE(main_pthread_exit), CASE(main_pthread_exit_alone),
    CASE(main_pthread_exit_deadlock), CASE(main_pthread_exit_threads), CASE(goroutine_pthread_exit),
    CASE(exit_beside_spin), CASE(fast_exit_beside_spin), CASE(return_beside_spin), CASE(children),
    CASE(system_blocks), CASE(fork_sleeps), CASE(fork_goes), CASE(fork_ends), CASE(fork_after_race),
    CASE(traced), CASE(waits), CASE(waits_for_a_variable)};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(cases[i].name, argv[1]))
			return cases[i].f(), 0;
	return 99;
}
