/*
 * kinds.c: one finding of each kind that is no race, by name. What is reported of each stands beside, word for
 * word, in NAME.txt: golden_test.c.
 */
#define _GNU_SOURCE
#include <goro.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APART __attribute__((noinline))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static struct {
	int balance;
	goro_rwmutex guard;
} account;
static char *block;

static void in_thread(void *(*f)(void *))
{
	pthread_t t;
	pthread_create(&t, NULL, f, NULL);
	pthread_join(t, NULL);
}

/* ---- locks ---- */

static const char *ends_the_process;
void __tsan_on_report(void *report);
void __tsan_on_report(void *report)
{
	(void)report;
	if (ends_the_process)
		exit(0);
}
/* The second lock never returns. */
static void double_lock(void)
{
	ends_the_process = "yes";
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
}
static void read_lock_of_write_locked(void)
{
	pthread_rwlock_wrlock(&rwlock);
	pthread_rwlock_rdlock(&rwlock);
}
static void *unlocks(void *arg)
{
	pthread_mutex_unlock(&mutex);
	return arg;
}
static void foreign_unlock(void)
{
	pthread_mutex_lock(&mutex);
	in_thread(unlocks);
}
static void unlock_of_unlocked(void)
{
	pthread_mutex_unlock(&mutex);
}
static void destroy_locked(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_destroy(&mutex);
}
static void use_of_destroyed(void)
{
	pthread_mutex_destroy(&mutex);
	pthread_mutex_lock(&mutex);
}
/* Of a lock that is part of something. */
static void read_unlock_of_write_locked(void)
{
	goro_rwmutex_lock(&account.guard);
	goro_rwmutex_runlock(&account.guard);
}
static void write_unlock_of_read_locked(void)
{
	goro_rwmutex_rlock(&account.guard);
	goro_rwmutex_unlock(&account.guard);
}
static void writes(chan(int) done)
{
	goro_rwmutex_lock(&account.guard);
	account.balance++;
	goro_rwmutex_unlock(&account.guard);
	chan_send(done, 1);
}
static void recursive_read_lock(void)
{
	chan(int) done = chan_make(int);
	go(writes, done);
	chan_recv(done);
	goro_rwmutex_rlock(&account.guard);
	goro_rwmutex_rlock(&account.guard);
}

/* ---- memory ---- */

static APART char *allocates(size_t n)
{
	return malloc(n);
}
static APART void frees(char *p)
{
	free(p);
}
static void *frees_block(void *arg)
{
	frees(block);
	return arg;
}
static APART void uses(char *p)
{
	p[3] = 1;
}
static void use_after_free(void)
{
	block = allocates(24);
	in_thread(frees_block);
	uses(block);
}
/* So large that it is marked by chunk, and not given back to the system. */
static void use_after_free_of_a_large_block(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	block = allocates(10 << 20);
	in_thread(frees_block);
	uses(block + (5 << 20));
}
static void double_free(void)
{
	block = allocates(24);
	frees(block);
	in_thread(frees_block);
}

/* ---- threads ---- */

static void *waits(void *arg)
{
	pause();
	return arg;
}
static void *starts_three(void *arg)
{
	for (int i = 0; i < 3; i++) {
		pthread_t t;
		pthread_create(&t, NULL, waits, NULL);
	}
	return arg;
}
static void thread_leak(void)
{
	in_thread(starts_three);
}

/* ---- signals ---- */

static volatile int caught;
static pthread_t main_thread;
static void *sends(void *arg)
{
	pthread_kill(main_thread, SIGUSR1);
	return arg;
}
static void receive(void (*handler)(int))
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signal(SIGUSR1, handler);
	main_thread = pthread_self();
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* until we are at a known place */
	in_thread(sends);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	while (!caught)
		;
}
static void handler_allocates(int sig)
{
	free(malloc(10));
	caught = sig;
}
static void signal_unsafe_call(void)
{
	receive(handler_allocates);
}
static void handler_spoils_errno(int sig)
{
	errno = EBADF;
	caught = sig;
}
static void signal_errno(void)
{
	receive(handler_spoils_errno);
}

#define CASE(f) {#f, f}
int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*f)(void);
	} cases[] = {CASE(double_lock), CASE(read_lock_of_write_locked), CASE(foreign_unlock), CASE(unlock_of_unlocked),
	    CASE(destroy_locked), CASE(use_of_destroyed), CASE(read_unlock_of_write_locked),
	    CASE(write_unlock_of_read_locked), CASE(recursive_read_lock), CASE(use_after_free),
	    CASE(use_after_free_of_a_large_block), CASE(double_free), CASE(thread_leak), CASE(signal_unsafe_call),
	    CASE(signal_errno)};
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(argv[1], cases[i].name))
			return cases[i].f(), 0;
	return 99;
}
