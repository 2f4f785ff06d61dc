/*
 * tls.c: thread-local variables that others reach by a pointer. The report knows the variable, and whose thread
 * it is. By the language each thread has its own: that alone is no race.
 */
#include "case.h"

#include <pthread.h>

static __thread int counter;
static __thread struct {
	int first;
	struct { char name[8]; long hits; } part[3];
} record;
_Thread_local long visible = 3; /* in .tdata */
/* The pointer goes from one to the other unseen. */
static void *lent;
__attribute__((no_sanitize("thread"), noinline)) static void lend(void *p)
{
	lent = p;
}
__attribute__((no_sanitize("thread"), noinline)) static void *borrow(void)
{
	return lent;
}

ACCESS(write_counter, counter = 1)
ACCESS(write_shared, *(int *)borrow() = 2)
ACCESS(write_shared_long, *(long *)borrow() = 2)
ACCESS(write_record, record.part[2].hits = 1)
ACCESS(write_visible, visible = 1)
static APART void write_static(int **out)
{
	static __thread int inside;
	inside = 1;
	*out = &inside;
	__asm__ volatile("" ::: "memory");
}

/* A thread that has a variable lives until main has used it. */
static void *owner_of_counter(void *arg)
{
	write_counter();
	lend(&counter);
	step(1);
	after(2);
	return arg;
}
static void *owner_of_record(void *arg)
{
	write_record();
	lend(&record.part[2].hits);
	step(1);
	after(2);
	return arg;
}
static void *owner_of_visible(void *arg)
{
	write_visible();
	lend(&visible);
	step(1);
	after(2);
	return arg;
}
static void *owner_of_static(void *arg)
{
	int *p;
	write_static(&p);
	lend(p);
	step(1);
	after(2);
	return arg;
}
static void beside(void *(*owner)(void *), void (*use)(void))
{
	pthread_t t;
	pthread_create(&t, NULL, owner, NULL);
	after(1);
	use();
	step(2);
	pthread_join(t, NULL);
}
static void race_tls_of_a_thread(void)
{
	beside(owner_of_counter, write_shared);
}
static void race_tls_part_of_a_struct(void)
{
	beside(owner_of_record, write_shared_long);
}
static void race_tls_with_a_value(void)
{
	beside(owner_of_visible, write_shared_long);
}
static void race_tls_static_in_a_function(void)
{
	beside(owner_of_static, write_shared);
}
static void *user(void *arg)
{
	after(1);
	write_shared();
	step(2);
	return arg;
}
static void race_tls_of_the_main_thread(void)
{
	pthread_t t;
	goro_lock_os_thread();
	pthread_create(&t, NULL, user, NULL);
	write_counter();
	lend(&counter);
	step(1);
	after(2);
	pthread_join(t, NULL);
}

static void *counts(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		counter++;
		record.part[i % 3].hits++;
		visible++;
	}
	return arg;
}
static void norace_tls_each_its_own(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, counts, NULL);
	counts(NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}
/* Threads come and go in the same place. */
static void norace_tls_of_the_dead(void)
{
	for (volatile int i = 0; i < 20; i++) {
		pthread_t t;
		pthread_create(&t, NULL, counts, NULL);
		pthread_join(t, NULL);
	}
}
static void *lends(void *arg)
{
	write_counter();
	lend(&counter);
	pthread_barrier_wait(arg);
	pthread_barrier_wait(arg);
	write_counter();
	return arg;
}
static void norace_tls_lent_in_order(void)
{
	pthread_barrier_t b;
	pthread_t t;
	pthread_barrier_init(&b, NULL, 2);
	pthread_create(&t, NULL, lends, &b);
	pthread_barrier_wait(&b);
	write_shared();
	pthread_barrier_wait(&b);
	pthread_join(t, NULL);
}

CASES(
    RACE(race_tls_of_a_thread, "write write_shared / write write_counter<owner_of_counter / thread-local 'counter' of size 4 / says  of thread ")
    RACE(race_tls_part_of_a_struct, "write write_shared_long / write write_record<owner_of_record / thread-local 'record' of size 56 / says , in 'record.part[2].hits', of thread ")
    RACE(race_tls_with_a_value, "write write_shared_long / write write_visible<owner_of_visible / thread-local 'visible' of size 8 / says  of thread ")
    RACE(race_tls_static_in_a_function, "write write_shared / write write_static<owner_of_static / thread-local 'inside' of size 4 / says  of thread ")
    RACE(race_tls_of_the_main_thread, "write write_shared<user / write write_counter / thread-local 'counter' of size 4 / says  of ")
    NORACE(norace_tls_each_its_own)
    NORACE(norace_tls_of_the_dead)
    NORACE(norace_tls_lent_in_order)
)
