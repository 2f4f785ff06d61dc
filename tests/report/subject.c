/*
 * subject.c: races on demand for report_test.c: subject NAME. Orders are forced where the detector cannot
 * see it (tests/support/invisible.h). With OWN_DEFAULTS it brings options and suppressions of its own.
 */
#include <goro.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invisible.h"

int global_one, global_two;
static int in_file;
static goro_mutex mu;

static void writes(int *p)
{
	*p = 1;
}

static void first(int *p)
{
	writes(p);
	arrive();
}

/* A goroutine writes, then main: one race on *p. */
static void race_on(int *p)
{
	static int n;
	go(first, p);
	arrived(++n);
	writes(p);
}

static void one(void)
{
	race_on(&global_one);
}

static void writes_two(int *p)
{
	*p = 2;
}

static void first_two(int *p)
{
	writes_two(p);
	arrive();
}

/* Two races with stacks and addresses of their own. */
static void two(void)
{
	race_on(&global_one);
	go(first_two, &global_two);
	arrived(2);
	writes_two(&global_two);
}

/* The same stacks, another address. */
static void same_stacks(void)
{
	int *p[] = {&global_one, &global_two, &in_file};
	for (volatile int i = 0; i < 3; i++) /* volatile: three copies of the call have three stacks */
		race_on(p[i]);
}

/* Other stacks, the same address. */
static void same_address(void)
{
	race_on(&global_one);
	go(first_two, &global_one);
	arrived(2);
	writes_two(&global_one);
}

static void heap(void)
{
	int *block = malloc(40);
	race_on(block + 3);
}

static void stack(void)
{
	int local = 0;
	race_on(&local);
}

static void named(int *p)
{
	goro_set_name("writer");
	goro_mutex_lock(&mu);
	writes(p);
	goro_mutex_unlock(&mu);
	arrive();
}

static void locked(void)
{
	go(named, &in_file);
	arrived(1);
	writes(&in_file);
}

static int reads(const int *p)
{
	return *p;
}

/* A write would go: compilers know that nobody reads what is freed. */
static void after_free(void)
{
	int *volatile p = malloc(24);
	static volatile int sink;
	free(p);
	sink = reads(p);
}

static void exits_3(void)
{
	one();
	exit(3);
}

static void panics(void)
{
	one();
	goro_panic("on top");
}

static void returns_7(void)
{
	exit(7);
}

static void sleeps(void)
{
	goro_sleep(GORO_HOUR);
}
static void leaves_one_behind(void)
{
	go(sleeps);
	goro_gosched();
}

static void late(int *p)
{
	goro_sleep(50 * GORO_MILLISECOND);
	writes(p);
}
/* The other access comes after main has returned. */
static void late_race(void)
{
	go(late, &global_one);
	writes(&global_one);
}

struct Entry {
	long key;
	struct {
		int hits, misses;
	} count;
};
static struct Entry table[4];

/* Frames that are no calls. */
static inline __attribute__((always_inline)) void innermost(int *p)
{
	*p = 3;
}
static inline __attribute__((always_inline)) void between(int *p)
{
	innermost(p);
}
static void first_inlined(int *p)
{
	between(p);
	arrive();
}
static void inlined(void)
{
	go(first_inlined, &global_one);
	arrived(1);
	between(&global_one);
}

static void global_field(void)
{
	race_on(&table[3].count.misses);
}

static void stack_field(void)
{
	struct Entry local[2] = {0};
	race_on(&local[1].count.hits);
}

/* main starts 2, which starts 3, which starts 4: that one writes. */
static void grandchild(int *p)
{
	goro_set_name("last"); /* else gcc would make one of this and first() */
	writes(p);
	arrive();
}
static void child(int *p)
{
	goro_set_name("middle");
	go(grandchild, p);
}
static void parent(int *p)
{
	go(child, p);
}
static void chain(void)
{
	go(parent, &global_one);
	arrived(1);
	writes(&global_one);
}

static void killed(void)
{
	two();
	kill(getpid(), SIGKILL);
}

/* One race in the parent, another in the child. */
static void forks(void)
{
	one();
	go(first_two, &global_two);
	arrived(2);
	pid_t child = fork();
	if (child == 0) {
		writes_two(&global_two);
		exit(0);
	}
	waitpid(child, NULL, 0);
}

/* More locks than a report shows. */
static void under_locks(int *p)
{
	static goro_mutex many[20];
	for (int i = 0; i < 20; i++)
		goro_mutex_lock(&many[i]);
	writes(p);
	for (int i = 0; i < 20; i++)
		goro_mutex_unlock(&many[i]);
	arrive();
}
static void many_locks(void)
{
	go(under_locks, &in_file);
	arrived(1);
	writes(&in_file);
}

#define CASE(f) {#f, f}
static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {CASE(one), CASE(two), CASE(same_stacks), CASE(same_address), CASE(heap), CASE(stack), CASE(locked),
    CASE(after_free), CASE(exits_3), CASE(panics), CASE(returns_7), CASE(leaves_one_behind), CASE(late_race),
    CASE(global_field), CASE(inlined), CASE(stack_field), CASE(chain), CASE(killed), CASE(forks), CASE(many_locks)};

#ifdef OWN_DEFAULTS
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "exitcode=9 nonsense=1";
}
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:writes_two\n";
}
void __tsan_on_report(void *report);
void __tsan_on_report(void *report)
{
	if (report)
		(void)!write(1, "told\n", 5);
}
#endif

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(cases[i].name, argv[1]))
			return cases[i].f(), 0;
	return 99;
}
