/*
 * A P's run queue against its model: what goes in comes out once, oldest first; thieves take half.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "../../runtime/sched/runtime.h"

static P *new_p(void)
{
	P *p = os_map(sizeof *p);
	cr_assert(p);
	return p;
}

static G *new_gs(int n)
{
	G *g = calloc((size_t)n, sizeof *g);
	for (int i = 0; i < n; i++)
		g[i].id = (uint64_t)i + 1;
	return g;
}

static G *global_pop(void)
{
	G *g = NULL;
	lock(&sched.lock);
	if (sched.runq_size) {
		g = sched.runq[sched.runq_head++ & (sched.runq_cap - 1)];
		sched.runq_size--;
	}
	unlock(&sched.lock);
	return g;
}

Test(runq, empty_gives_nothing)
{
	P *p = new_p();
	cr_assert(runq_empty(p));
	cr_assert_null(runq_get(p));
}

Test(runq, fifo_without_next)
{
	P *p = new_p();
	G *g = new_gs(RUNQ_SIZE);
	for (int i = 0; i < RUNQ_SIZE; i++)
		cr_assert(runq_put(p, &g[i], false), "the queue got something");
	cr_assert_not(runq_empty(p));
	for (int i = 0; i < RUNQ_SIZE; i++)
		cr_assert_eq(runq_get(p), &g[i]);
	cr_assert_null(runq_get(p));
}

Test(runq, next_runs_first_and_kicks_out_the_former)
{
	P *p = new_p();
	G *g = new_gs(3);
	runq_put(p, &g[0], false);
	cr_assert_not(runq_put(p, &g[1], true), "runnext alone is no surplus");
	cr_assert(runq_put(p, &g[2], true), "the former runnext went to the queue");
	cr_assert_eq(runq_get(p), &g[2]);
	cr_assert_eq(runq_get(p), &g[0]);
	cr_assert_eq(runq_get(p), &g[1]);
	cr_assert(runq_empty(p));
}

Test(runq, next_does_not_starve_the_queue)
{
	P *p = new_p();
	G *g = new_gs(2);
	runq_put(p, &g[0], false);
	runq_put(p, &g[1], true);
	for (int i = 0; i < 200; i++) {
		G *got = runq_get(p);
		if (got == &g[0])
			return;
		cr_assert_eq(got, &g[1]);
		runq_put(p, &g[1], true);
	}
	cr_assert_fail("the queued one never ran");
}

Test(runq, lifo_newest_first_thieves_oldest_first)
{
	P *a = new_p(), *b = new_p();
	G *g = new_gs(5);
	cr_assert_not(runq_put_lifo(a, &g[0]), "alone in runnext");
	for (int i = 1; i < 5; i++)
		cr_assert(runq_put_lifo(a, &g[i]), "there is surplus");
	cr_assert_eq(runq_get(a), &g[4]);
	cr_assert_eq(runq_get(a), &g[3]);
	cr_assert_eq(runq_steal(b, a, false), &g[0]);
	cr_assert_not(runq_empty(a));
	cr_assert_eq(runq_get(a), &g[2]);
	cr_assert_eq(runq_get(a), &g[1]);
	cr_assert(runq_empty(a));
	cr_assert_null(runq_get(a));
}

Test(runq, readied_ones_before_those_that_made_way_before_new_ones)
{
	P *p = new_p();
	G *g = new_gs(7);
	runq_put_new(p, &g[6]);
	runq_put_new(p, &g[5]);   /* g[6] is new */
	runq_put(p, &g[0], true); /* pushes g[5] out, to where it is put itself */
	runq_put(p, &g[1], false);
	runq_put_lifo(p, &g[3]); /* g[0] was readied: to the ring */
	runq_put_lifo(p, &g[2]); /* g[3] made way */
	static const int order[] = {2, 5, 1, 0, 3, 6};
	for (int i = 0; i < 6; i++)
		cr_assert_eq(runq_get(p), &g[order[i]], "%d", i);
	cr_assert_null(runq_get(p));
	cr_assert(runq_empty(p));
}

/* One that is readied again and again does not keep those behind the ring from their turn. */
Test(runq, a_ring_that_is_never_empty_starves_nobody)
{
	P *p = new_p();
	G *g = new_gs(5);
	runq_put_new(p, &g[3]);
	runq_put_new(p, &g[4]); /* g[3] is in fresh */
	cr_assert_eq(runq_get(p), &g[4]);
	runq_put_lifo(p, &g[1]);
	runq_put_lifo(p, &g[2]); /* g[1] is in lifo */
	cr_assert_eq(runq_get(p), &g[2]);
	runq_put(p, &g[0], false);
	bool ran[5] = {false};
	for (int i = 0; i < 5000 && !(ran[1] && ran[3]); i++) {
		G *got = runq_get(p);
		ran[got - g] = true;
		if (got == &g[0])
			runq_put(p, got, false);
	}
	cr_assert(ran[1] && ran[3]);
}

/* sysmon's word makes it sooner, a yield at once. */
Test(runq, overdue_ones_go_before_the_ring)
{
	P *p = new_p();
	G *g = new_gs(RUNQ_SIZE);
	for (int i = 0; i < 4; i++)
		runq_put_new(p, &g[i]);
	cr_assert_eq(runq_get(p), &g[3]);
	for (int i = 3; i < RUNQ_SIZE; i++)
		runq_put(p, &g[i], false);
	store_rlx(&p->overdue, 1);
	for (int i = 0; i < RUNQ_SIZE; i++)
		cr_assert_eq(runq_get(p), &g[i]);
	cr_assert(runq_empty(p));
}

Test(runq, who_yields_makes_way_for_a_new_one)
{
	P *p = new_p();
	G *g = new_gs(4);
	runq_put_new(p, &g[0]);
	runq_put_new(p, &g[1]);
	cr_assert_eq(runq_get(p), &g[1]);
	runq_put(p, &g[2], false);
	runq_put_yielded(p, &g[3]);
	cr_assert_eq(runq_get(p), &g[0]);
	cr_assert_eq(runq_get(p), &g[2]);
	cr_assert_eq(runq_get(p), &g[3]);
	cr_assert(runq_empty(p));
}

Test(runq, lifo_overflows_to_the_new_ones)
{
	P *p = new_p();
	enum { N = LIFO_SIZE + 4 };
	G *g = new_gs(N);
	for (int i = 0; i < N; i++)
		runq_put_lifo(p, &g[i]);
	int n = 0;
	for (G *got; (got = runq_get(p)) != NULL; n++) {
		cr_assert_neq(got->id, 0, "taken twice");
		got->id = 0;
	}
	cr_assert_eq(n, N);
	cr_assert(runq_empty(p));
}

Test(runq, lifo_starves_neither_its_oldest_nor_the_queue)
{
	P *p = new_p();
	G *g = new_gs(3);
	bool ran[2] = {false, false};
	runq_put_lifo(p, &g[1]);
	runq_put_lifo(p, &g[2]); /* above g[1], for ever */
	runq_put(p, &g[0], false);
	for (int i = 0; i < 400 && !(ran[0] && ran[1]); i++) {
		G *got = runq_get(p);
		if (got == &g[2])
			runq_put_lifo(p, got);
		else
			ran[got - g] = true;
	}
	cr_assert(ran[0] && ran[1]);
}

/* A ring that stays longer than BREADTH, of goroutines that only yield: the oldest of lifo has its turn. */
Test(runq, lifo_has_its_turn_among_yielders)
{
	P *p = new_p();
	enum { RING = BREADTH + 2 };
	G *g = new_gs(RING + 2);
	for (int i = 0; i < RING; i++)
		runq_put(p, &g[i], false);
	runq_put_lifo(p, &g[RING]);
	runq_put_lifo(p, &g[RING + 1]);
	for (int i = 0; i < 10 * (64 + RING); i++) {
		G *got = runq_get(p);
		if (got == &g[RING])
			return;
		runq_put(p, got, false);
		/* A ring of four (HARD=1) overflows: there it waits for whoever comes. */
		for (G *out; (out = global_pop()) != NULL;)
			if (out == &g[RING])
				return;
	}
	cr_assert_fail("it never ran");
}

Test(runq, overflow_goes_to_the_global_queue_in_order)
{
	P *p = new_p();
	G *g = new_gs(RUNQ_SIZE + 1);
	for (int i = 0; i <= RUNQ_SIZE; i++)
		runq_put(p, &g[i], false);
	cr_assert_eq(sched.runq_size, RUNQ_SIZE / 2 + 1);
	for (int i = 0; i < RUNQ_SIZE / 2; i++)
		cr_assert_eq(global_pop(), &g[i]);
	cr_assert_eq(global_pop(), &g[RUNQ_SIZE]);
	cr_assert_null(global_pop());
	for (int i = RUNQ_SIZE / 2; i < RUNQ_SIZE; i++)
		cr_assert_eq(runq_get(p), &g[i]);
	cr_assert_null(runq_get(p));
}

Test(runq, steal_takes_half_oldest_first)
{
	P *a = new_p(), *b = new_p();
	G *g = new_gs(4);
	for (int i = 0; i < 4; i++)
		runq_put(a, &g[i], false);
	/* Two move: the thief runs the younger and has the other queued. */
	cr_assert_eq(runq_steal(b, a, false), &g[1]);
	cr_assert_eq(runq_get(b), &g[0]);
	cr_assert_null(runq_get(b));
	cr_assert_eq(runq_get(a), &g[2]);
	cr_assert_eq(runq_get(a), &g[3]);
}

Test(runq, steal_takes_next_only_when_told)
{
	P *a = new_p(), *b = new_p();
	G *g = new_gs(1);
	runq_put(a, &g[0], true);
	cr_assert_null(runq_steal(b, a, false));
	cr_assert_eq(runq_steal(b, a, true), &g[0]);
	cr_assert(runq_empty(a));
}

/* One producer that also takes, three thieves: each of N comes out once. */
#define N       200000
#define THIEVES 3
static P *owner;
static G *all;
static uint8_t *seen; /* by id; atomic */
static uint64_t taken, stop;

static void take(G *g)
{
	cr_assert_eq(add_rlx(&seen[g->id], 1), 0, "a goroutine came out twice");
	(void)add_ar(&taken, 1);
}

static void *thief(void *arg)
{
	P *me = arg;
	while (!load_acq(&stop)) {
		G *g = runq_steal(me, owner, true);
		for (; g; g = runq_get(me))
			take(g);
	}
	return NULL;
}

Test(runq, stress_nothing_lost_nothing_twice, .timeout = 60)
{
	owner = new_p();
	all = new_gs(N);
	seen = calloc(N + 1, 1);
	pthread_t t[THIEVES];
	for (int i = 0; i < THIEVES; i++)
		pthread_create(&t[i], NULL, thief, new_p());
	for (int i = 0; i < N; i++) {
		runq_put(owner, &all[i], i % 3 == 0);
		if (i % 5 == 0) {
			G *g = runq_get(owner);
			if (g)
				take(g);
		}
	}
	for (;;) {
		G *g = runq_get(owner);
		if (!g) {
			g = global_pop();
		}
		if (g)
			take(g);
		else if (load_acq(&taken) == N)
			break;
		else
			os_yield();
	}
	store_rel(&stop, 1);
	for (int i = 0; i < THIEVES; i++)
		pthread_join(t[i], NULL);
	cr_assert_eq(taken, N);
}
