/*
 * go.c: goroutines. The go statement is before the first step; the end is before nothing; yielding,
 * sleeping, running on the same thread or processor order nothing.
 */
#include "case.h"

#include <errno.h>

static void reader(void)
{
	read_x();
	arrive();
}
static void norace_go_statement(void)
{
	write_x();
	go(reader);
	go(reader);
	arrived(2);
}

static void read_late(void)
{
	after(1);
	read_x();
	step(2);
}
static void race_go_write_after(void)
{
	go(read_late);
	write_x();
	step(1);
	after(2);
}

static void writer(void)
{
	write_x();
	step(1);
}
static void race_go_siblings(void)
{
	go(writer);
	go(read_late);
	after(2);
}

/* Wait until it is gone, by all that the runtime lets us know. */
static void race_go_end_orders_nothing(void)
{
	go(writer);
	after(1);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	read_x();
}
static void writer_exits(void)
{
	write_x();
	step(1);
	goro_goexit();
}
static void race_go_exit_orders_nothing(void)
{
	go(writer_exits);
	after(1);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	read_x();
}

static void yield_write(void)
{
	goro_gosched();
	write_x();
	goro_gosched();
	step(1);
}
static void yield_read(void)
{
	after(1);
	goro_gosched();
	read_x();
	step(2);
}
static void race_go_yield_orders_nothing(void)
{
	goro_gomaxprocs(1);
	go(yield_write);
	go(yield_read);
	after(2);
}
static void sleep_write(void)
{
	write_x();
	goro_sleep(GORO_MICROSECOND);
	step(1);
}
static void sleep_read(void)
{
	after(1);
	goro_sleep(GORO_MICROSECOND);
	read_x();
	step(2);
}
static void race_go_sleep_orders_nothing(void)
{
	go(sleep_write);
	go(sleep_read);
	after(2);
}
static int64_t block(void *arg)
{
	(void)arg;
	return 0;
}
static void blocking_write(void)
{
	write_x();
	goro_blocking(block, NULL);
	step(1);
}
static void blocking_read(void)
{
	after(1);
	goro_blocking(block, NULL);
	goro_enter_syscall();
	goro_exit_syscall();
	read_x();
	step(2);
}
static void race_go_blocking_orders_nothing(void)
{
	go(blocking_write);
	go(blocking_read);
	after(2);
}
static void locked_thread_write(void)
{
	goro_lock_os_thread();
	write_x();
	goro_unlock_os_thread();
	step(1);
}
static void locked_thread_read(void)
{
	after(1);
	goro_lock_os_thread();
	goro_num_goroutine();
	goro_id();
	goro_unlock_os_thread();
	read_x();
	step(2);
}
static void race_go_lock_os_thread_orders_nothing(void)
{
	go(locked_thread_write);
	go(locked_thread_read);
	after(2);
}

/* A grandchild knows what its grandparent knew when it made the parent, and no more. */
static void parent_of_reader(void)
{
	go(reader);
}
static void norace_go_grandchild(void)
{
	write_x();
	go(parent_of_reader);
	arrived(1);
}
static void parent_of_late_reader(void)
{
	go(read_late);
}
static void race_go_grandchild(void)
{
	go(parent_of_late_reader);
	write_x();
	step(1);
	after(2);
}
static void generations(int n)
{
	write_x();
	if (n > 0)
		go(generations, n - 1);
	else
		arrive();
}
static void norace_go_generations(void)
{
	go(generations, 500);
	arrived(1);
}

/* The arguments are copied by the go statement: the child's are its own. */
typedef struct Args {
	long a, b, c, d;
} Args;
static void many_args(int a, double b, const char *s, Args big, char last)
{
	a++;
	b += 1;
	big.a++;
	last++;
	USE(a + (int)b + (int)big.a + last + (int)strlen(s));
	arrive();
}
static void norace_go_arguments(void)
{
	Args big = {1, 2, 3, 4};
	for (int i = 0; i < 10; i++) {
		big.b = i;
		go(many_args, i, i + 0.5, "text", big, 'c');
		big.b++;
	}
	arrived(10);
}
static void write_through(int *p)
{
	*p = 2;
	step(1);
}
static void race_go_pointer_argument(void)
{
	int local = 1;
	go(write_through, &local);
	after(1);
	USE(local);
}

static void named_write(void *arg)
{
	(void)arg;
	write_x();
	step(1);
}
static void named_read(void)
{
	goro_set_name("late reader");
	after(1);
	read_x();
	step(2);
}
static void race_go_names(void)
{
	goro_go_with(&(goro_attr){.name = "the writer"}, named_write, NULL);
	go(named_read);
	after(2);
}

/* Everything else may go on when a race was found. */
static void race_go_twice(void)
{
	go(writer);
	after(1);
	read_x();
	write_y();
	go(reader);
	arrived(1);
}
static void write_both(void)
{
	write_x();
	write_y();
	step(1);
}
static void race_go_two_variables(void)
{
	go(write_both);
	after(1);
	read_x();
	read_y();
}

/* The same race at a thousand addresses is one report. */
static int many[1000];
static void write_many(int *p)
{
	*p = 2;
	arrive();
}
static void race_go_same_race_reported_once(void)
{
	for (int i = 0; i < 1000; i++) {
		go(write_many, &many[i]);
		arrived(i + 1);
		USE(many[i]);
	}
}

static void norace_go_alone(void)
{
	for (int i = 0; i < 100; i++) {
		write_x();
		goro_gosched();
		read_x();
	}
}

/* errno belongs to the goroutine, wherever it runs. */
static void fail_often(int value)
{
	for (int i = 0; i < 100; i++) {
		errno = value;
		goro_gosched();
		if (errno != value)
			goro_panic("errno %d of another goroutine", errno);
	}
	arrive();
}
static void norace_go_errno(void)
{
	for (int i = 1; i < 5; i++)
		go(fail_often, i);
	arrived(4);
}

CASES(
    NORACE(norace_go_statement)
    RACE(race_go_write_after, "read read_x<read_late / write write_x<race_go_write_after / global x")
    RACE(race_go_siblings, "read read_x<read_late / write write_x<writer / global x")
    RACE(race_go_end_orders_nothing, "read read_x<race_go_end_orders_nothing / write write_x<writer / global x")
    RACE(race_go_exit_orders_nothing,
	"read read_x<race_go_exit_orders_nothing / write write_x<writer_exits / global x")
    RACE(race_go_yield_orders_nothing, "read read_x<yield_read / write write_x<yield_write / global x")
    RACE(race_go_sleep_orders_nothing, "read read_x<sleep_read / write write_x<sleep_write / global x")
    RACE(race_go_blocking_orders_nothing, "read read_x<blocking_read / write write_x<blocking_write / global x")
    RACE(race_go_lock_os_thread_orders_nothing,
	"read read_x<locked_thread_read / write write_x<locked_thread_write / global x")
    NORACE(norace_go_grandchild)
    RACE(race_go_grandchild, "read read_x<read_late / write write_x<race_go_grandchild / global x")
    NORACE(norace_go_generations)
    NORACE(norace_go_arguments)
    RACE(race_go_pointer_argument, "read race_go_pointer_argument / write write_through / stack")
    RACE(race_go_names,
	"read read_x<named_read / write write_x<named_write / global x / says \"late reader\" / says \"the writer\"")
    RACE(race_go_twice, "read read_x<race_go_twice / write write_x<writer / global x")
    RACE(race_go_two_variables,
	"read read_x<race_go_two_variables / write write_x<write_both / global x ; "
	"read read_y<race_go_two_variables / write write_y<write_both / global y")
    RACE(race_go_same_race_reported_once,
	"read race_go_same_race_reported_once / write write_many / global many")
    NORACE(norace_go_alone)
    NORACE(norace_go_errno)
)
