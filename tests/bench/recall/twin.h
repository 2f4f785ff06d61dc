/*
 * twin.h: what the programs of recall.c are written in, on pthreads or, with GOROUTINES, on goroutines: start,
 * join, lock. Steps are ordered by tests/support/invisible.h, which no detector sees; their Go twins in
 * recall.go do the same by functions that go:norace leaves alone.
 */
#ifndef BENCH_RECALL_TWIN_H
#define BENCH_RECALL_TWIN_H

#include <pthread.h>
#include <stdlib.h>

#include "../../support/invisible.h"

#define APART  __attribute__((noinline))
#define USE(v) __asm__ volatile("" : : "r"(v) : "memory")
/* A function of one access, that stays one. */
#define ACCESS(name, ...) static APART void name(void) { __VA_ARGS__; __asm__ volatile("" ::: "memory"); }

#ifdef GOROUTINES
#include <goro.h>

typedef goro_mutex Lock;
#define lock(l)   goro_mutex_lock(l)
#define unlock(l) goro_mutex_unlock(l)

static goro_waitgroup started;
static void run_and_tell(void (*f)(int), int i)
{
	f(i);
	goro_waitgroup_done(&started);
}
/* Run f(i) beside the caller; join waits for all of these, and is ordered after them. */
static void start(void (*f)(int), int i)
{
	goro_waitgroup_add(&started, 1);
	go(run_and_tell, f, i);
}
static void join(void)
{
	goro_waitgroup_wait(&started);
}
/* Run f(i) beside the caller; nobody is ever ordered after it. */
static void start_apart(void (*f)(int), int i)
{
	go(f, i);
}
#else
typedef pthread_mutex_t Lock; /* all zero is unlocked */
#define lock(l)   pthread_mutex_lock(l)
#define unlock(l) pthread_mutex_unlock(l)

struct start {
	void (*f)(int);
	int i;
};
static void *run(void *arg)
{
	struct start s = *(struct start *)arg;
	free(arg);
	s.f(s.i);
	return NULL;
}
static pthread_t create(void (*f)(int), int i)
{
	struct start *s = malloc(sizeof *s);
	pthread_t th;
	*s = (struct start){f, i};
	if (pthread_create(&th, NULL, run, s) != 0)
		abort();
	return th;
}
static pthread_t threads[1000];
static int nthreads;
static void start(void (*f)(int), int i)
{
	threads[nthreads++] = create(f, i);
}
static void join(void)
{
	while (nthreads > 0)
		pthread_join(threads[--nthreads], NULL);
}
static void start_apart(void (*f)(int), int i)
{
	pthread_detach(create(f, i));
}
#endif

#endif
