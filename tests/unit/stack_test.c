/*
 * Stacks: classes, guards, finding the G of an address, the caches.
 */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/sched/internal.h"

static sigjmp_buf jmp;

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(jmp, 1);
}

static bool faults(uintptr_t addr)
{
	struct sigaction sa, old;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_fault;
	sigaction(SIGSEGV, &sa, &old);
	bool bad = true;
	if (sigsetjmp(jmp, 1) == 0) {
		*(volatile char *)addr = 1;
		bad = false;
	}
	sigaction(SIGSEGV, &old, NULL);
	return bad;
}

Test(stack, default_is_256_kib)
{
	cr_assert_eq(stack_default_size(), 262144);
	G *g = stack_new(0);
	cr_assert_eq(g->stack_class, 18);
}

Test(stack, size_is_rounded_up_to_a_power_of_two)
{
	cr_assert_eq(stack_new(1)->stack_class, 14);
	cr_assert_eq(stack_new(16 << 10)->stack_class, 14);
	cr_assert_eq(stack_new((16 << 10) + 1)->stack_class, 15);
	cr_assert_eq(stack_new((size_t)1 << 30)->stack_class, 30);
	cr_assert_null(stack_new(((size_t)1 << 30) + 1));
}

Test(stack, environment_sets_the_default)
{
	setenv("GORO_STACK_SIZE", "64k", 1);
	stack_init();
	cr_assert_eq(stack_default_size(), 65536);
}

Test(stack, bad_environment_keeps_the_default)
{
	const char *const bad[] = {"x", "-1", "0", "12q", "99999999999999"};
	for (int i = 0; i < 5; i++) {
		setenv("GORO_STACK_SIZE", bad[i], 1);
		stack_init();
		cr_assert_eq(stack_default_size(), 262144, "%s", bad[i]);
	}
}

Test(stack, all_of_it_is_usable_and_the_guard_is_not)
{
	for (size_t size = 16 << 10; size <= 1 << 20; size <<= 1) {
		G *g = stack_new(size);
		cr_assert_lt(g->stack_lo, g->stack_hi);
		cr_assert_geq(g->stack_hi - g->stack_lo + (size <= 32 << 10 ? 2 : 5) * 4096, size);
		memset((void *)g->stack_lo, 1, g->stack_hi - g->stack_lo);
		cr_assert(faults(g->stack_lo - 1));
		cr_assert(faults(stack_base(g)));
	}
}

Test(stack, guard_without_madvise)
{
	setenv("GORO_NO_MADV_GUARD", "1", 1);
	G *g = stack_new(0);
	memset((void *)g->stack_lo, 1, g->stack_hi - g->stack_lo);
	cr_assert(faults(g->stack_lo - 1));
}

Test(stack, find_by_any_address_of_it)
{
	G *a = stack_new(0), *b = stack_new(0), *c = stack_new(1 << 20);
	G *gs[] = {a, b, c};
	for (int i = 0; i < 3; i++) {
		G *g = gs[i];
		cr_assert_eq(stack_find(g->stack_lo), g);
		cr_assert_eq(stack_find(g->stack_hi - 1), g);
		cr_assert_eq(stack_find((uintptr_t)g), g);
		cr_assert_eq(stack_find(stack_base(g)), g, "the guard too");
	}
	int local;
	cr_assert_null(stack_find((uintptr_t)&local));
	cr_assert_null(stack_find(0));
}

Test(stack, freed_ones_are_used_again)
{
	G *a = stack_new(0);
	stack_free(a);
	cr_assert_eq(stack_new(0), a);
	G *b = stack_new(0);
	cr_assert_neq(a, b);
}

Test(stack, ten_thousand_do_not_overlap)
{
	enum { N = 10000 };
	static G *g[N];
	for (int i = 0; i < N; i++) {
		g[i] = stack_new(0);
		cr_assert(g[i]);
		g[i]->id = (uint64_t)i;
	}
	for (int i = 0; i < N; i++) {
		cr_assert_eq(g[i]->id, (uint64_t)i);
		cr_assert_eq(stack_find(g[i]->stack_lo), g[i]);
	}
}

static void count_alive(G *g, void *arg)
{
	(void)g;
	++*(int *)arg;
}

Test(stack, each_g_sees_the_living_only)
{
	G *a = stack_new(0), *b = stack_new(1 << 20), *c = stack_new(0);
	a->state = G_WAITING;
	b->state = G_RUNNABLE;
	c->state = G_DEAD;
	int n = 0;
	stack_each_g(count_alive, &n);
	cr_assert_eq(n, 2);
}

Test(stack, trimming_keeps_the_caches_whole)
{
	enum { N = 3000 };
	static G *g[N];
	for (int i = 0; i < N; i++) {
		g[i] = stack_new(0);
		memset((void *)g[i]->stack_lo, 7, 4096);
	}
	for (int i = 0; i < N; i++)
		stack_free(g[i]);
	for (int i = 0; i < 20; i++)
		stack_trim();
	int zero = 0;
	for (int i = 0; i < N; i++) {
		G *h = stack_new(0);
		cr_assert_eq(stack_find((uintptr_t)h), h);
		zero += *(char *)h->stack_lo == 0;
	}
	cr_assert_eq(zero, N - 1024, "all but the kept ones gave their pages back");
}
