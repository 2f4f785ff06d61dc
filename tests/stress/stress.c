/*
 * stress.c: see stress.h.
 */
#include "stress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t end;
static uint64_t progress;
static void (*on_hang)(void);

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

bool stress_over(void)
{
	return now() >= end;
}

void stress_progress(void)
{
	__atomic_fetch_add(&progress, 1, __ATOMIC_RELAXED);
}

void stress_on_hang(void (*f)(void))
{
	__atomic_store_n(&on_hang, f, __ATOMIC_RELEASE);
}

uint32_t stress_random(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)((*state >> 32) * n >> 32);
}

_Noreturn void stress_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
	_exit(1);
}

static void *watch(void *unused)
{
	(void)unused;
	const char *limit = getenv("GORO_STRESS_HANG");
	int s = limit ? atoi(limit) : 10;
	for (uint64_t last = 0, seen, still = 0; still < 2 * (uint64_t)s; last = seen) {
		struct timespec half = {0, 500000000};
		nanosleep(&half, NULL);
		seen = __atomic_load_n(&progress, __ATOMIC_RELAXED);
		still = seen == last ? still + 1 : 0;
	}
	fprintf(stderr, "stress: no progress for %d s\n", s);
	void (*f)(void) = __atomic_load_n(&on_hang, __ATOMIC_ACQUIRE);
	if (f)
		f();
	goro_traceback(2, true);
	_exit(3);
}

_Noreturn void stress_run(const char *procs, int (*body)(void *))
{
	const char *factor = getenv("GORO_STRESS");
	double times = factor ? atof(factor) : 1;
	pthread_t t;
	setenv("GOMAXPROCS", procs, 1);
	end = now() + (int64_t)(1e9 * (times > 0 ? times : 1));
	if (pthread_create(&t, NULL, watch, NULL) != 0)
		stress_failed(__FILE__, __LINE__, "a thread for the watchdog");
	_exit(goro_run(body, NULL));
}

void stress(int (*body)(void *))
{
	static const char *const procs[] = {"1", "2", "8"};
	const char *only = getenv("GORO_STRESS_PROCS");
	for (int i = 0; i < 3; i++) {
		int status;
		if (only && strcmp(only, procs[i]) != 0)
			continue;
		pid_t pid = fork();
		cr_assert(pid >= 0);
		if (pid == 0)
			stress_run(procs[i], body);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		    "GOMAXPROCS=%s: status %#x", procs[i], (unsigned)status);
	}
}
