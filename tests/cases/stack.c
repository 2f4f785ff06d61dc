/*
 * stack.c: variables on goroutine stacks. Shared by pointer they are memory like any other; a stack that
 * is used again by the next goroutine has no past.
 */
#include "case.h"

static int *shared;
ACCESS(write_shared, *shared = 1)
ACCESS(read_shared, USE(*shared))

static void writer(void)
{
	write_shared();
	step(1);
}
static void reader(void)
{
	after(1);
	read_shared();
	step(2);
}
static void owner(void)
{
	int local = 0;
	shared = &local;
	go(writer);
	go(reader);
	after(2);
	USE(shared);
	step(3);
}
static void race_stack_of_goroutine(void)
{
	go(owner);
	after(3);
}
static void race_stack_of_main(void)
{
	int local = 0;
	shared = &local;
	go(writer);
	go(reader);
	after(2);
}

/* The frame below is used again and again by one goroutine while the child has a pointer of its own. */
static APART int deep(int n)
{
	volatile int local[32];
	for (int i = 0; i < 32; i++)
		local[i] = n;
	return n == 0 ? 0 : deep(n - 1) + local[n % 32];
}
static void deep_role(void)
{
	USE(deep(50));
	arrive();
}
static void norace_stack_frames_reused(void)
{
	for (int i = 0; i < 200; i++) {
		go(deep_role);
		if (i % 3 == 0)
			arrived(i + 1);
	}
	arrived(200);
}

/* One after the other, on a stack that is handed on. */
static void use_pointer(int *p)
{
	*p += 1;
	arrive();
}
static void own_stack(void)
{
	int local = 3;
	int *p = &local;
	__asm__ volatile("" : "+r"(p));
	*p = 4;
	USE(*p);
	arrive();
}
static void norace_stack_recycled(void)
{
	for (int i = 0; i < 500; i++) {
		go(own_stack);
		arrived(i + 1);
	}
}

static void vla(int n)
{
	char text[n];
	char *p = text;
	__asm__ volatile("" : "+r"(p));
	for (int i = 0; i < n; i++)
		p[i] = (char)i;
	p = __builtin_alloca((size_t)n);
	for (int i = 0; i < n; i++)
		p[i] = (char)i;
	USE(p[n - 1]);
	arrive();
}
static void norace_stack_vla(void)
{
	for (int i = 0; i < 100; i++)
		go(vla, 100 + i * 10);
	arrived(100);
}

/* Handed over by join: the child's write is before the parent's read, and the frame is left after it. */
static goro_waitgroup wg;
static void fill(int *p)
{
	*p = 7;
	goro_waitgroup_done(&wg);
}
static void parent(void)
{
	for (int i = 0; i < 20; i++) {
		int local = 0;
		goro_waitgroup_add(&wg, 1);
		go(fill, &local);
		goro_waitgroup_wait(&wg);
		USE(local);
	}
	arrive();
}
static void norace_stack_joined(void)
{
	go(parent);
	arrived(1);
}

/* The parent lends a variable and looks away: no second access, no race. */
static void norace_stack_lent(void)
{
	int local = 1;
	go(use_pointer, &local);
	arrived(1);
}

/* A lock on a goroutine's stack dies with it: what the next goroutine locks at that address orders nothing
 * of what the dead one did. Each holds one at the same depth of its own stack; 20 of them, one after the
 * other, are 20 goroutines on a few stacks. */
static void lock_local(int i)
{
	goro_mutex local = {0};
	goro_mutex_lock(&local);
	goro_mutex_unlock(&local);
	if (i == 0) {
		write_x();
		goro_mutex_lock(&local);
		goro_mutex_unlock(&local);
	} else {
		read_x();
	}
}
static void lock_late(int i)
{
	lock_local(i);
	step(i + 1);
}
static void race_stack_lock_of_the_dead(void)
{
	for (int i = 0; i < 20; i++) {
		go(lock_late, i);
		after(i + 1);
		settle(10); /* it ends: its stack is free */
	}
}

CASES(
    RACE(race_stack_of_goroutine, "read read_shared<reader / write write_shared<writer / stack")
    RACE(race_stack_of_main, "read read_shared<reader / write write_shared<writer / stack")
    NORACE(norace_stack_frames_reused)
    NORACE(norace_stack_recycled)
    NORACE(norace_stack_vla)
    NORACE(norace_stack_joined)
    NORACE(norace_stack_lent)
    RACE(race_stack_lock_of_the_dead, "read read_x<lock_local / write write_x<lock_local / global x")
)
