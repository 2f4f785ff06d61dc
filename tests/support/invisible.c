/*
 * invisible.c: see invisible.h. Never compiled with -fsanitize=thread. The runtime is referred to weakly:
 * a plain pthread program that links this gets no runtime by it.
 */
#include "invisible.h"

#include <sched.h>
#include <stdint.h>

__attribute__((weak)) void goro_gosched(void);
__attribute__((weak)) uint64_t goro_id(void);

static int level;
static int count;

static void yield(void)
{
	if (goro_gosched && goro_id && goro_id() != 0)
		goro_gosched();
	else
		sched_yield();
}

static void wait_for(const int *p, int n)
{
	while (__atomic_load_n(p, __ATOMIC_ACQUIRE) < n) /* pairs with step, arrive */
		yield();
}

void step(int n)
{
	int old = __atomic_load_n(&level, __ATOMIC_RELAXED); /* CAS checks it */

	while (old < n &&
	    !__atomic_compare_exchange_n(&level, &old, n, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		;
}

void after(int n)
{
	wait_for(&level, n);
}

void arrive(void)
{
	__atomic_fetch_add(&count, 1, __ATOMIC_ACQ_REL); /* pairs with wait_for */
}

void arrived(int n)
{
	wait_for(&count, n);
}

void settle(int n)
{
	while (n-- > 0)
		yield();
}
