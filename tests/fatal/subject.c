/*
 * subject.c: one way to die per name: subject NAME. fatal_test.c knows what each must print.
 */
#include <fcntl.h>
#include <goro.h>
#include <signal.h>
#include <unistd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static goro_mutex mu;
static goro_rwmutex rw;
static goro_waitgroup wg;
static chan(int) chan_of_main;

static void send_on_closed(void)
{
	chan(int) c = chan_make(int, 1);
	chan_close(c);
	chan_send(c, 1);
}

static void close_of_closed(void)
{
	chan(int) c = chan_make(int);
	chan_close(c);
	chan_close(c);
}

static void close_of_nil(void)
{
	chan(int) c = NULL;
	chan_close(c);
}

static void makechan(void)
{
	goro_chan_make(8, SIZE_MAX / 4);
}

static void select_negative(void)
{
	goro_select(NULL, -1, true);
}

static void unlock_unlocked(void)
{
	goro_mutex_unlock(&mu);
}

static void runlock_unlocked(void)
{
	goro_rwmutex_runlock(&rw);
}

static void rwunlock_unlocked(void)
{
	goro_rwmutex_unlock(&rw);
}

static void waitgroup_negative(void)
{
	goro_waitgroup_done(&wg);
}

static void waits(chan(int) c)
{
	(void)chan_recv(c);
}

static void free_waited_for(void)
{
	chan(int) c = chan_make(int);
	go(waits, c);
	goro_sleep(50 * GORO_MILLISECOND);
	chan_free(c);
}

static void panics(void)
{
	goro_panic("value %d of %s", 42, "mine");
}

static void in_goroutine(void)
{
	goro_set_name("breaker");
	chan_close(chan_of_main);
}

static void other_goroutine(void)
{
	go(in_goroutine);
	(void)chan_recv(chan_make(int));
}

static int recursion(int n)
{
	char block[1024];
	memset(block, n, sizeof block);
	return recursion(n + 1) + block[n % 1024];
}

static void overflows(void)
{
	recursion(0);
}

static void stack_overflow(void)
{
	go(overflows);
	goro_sleep(10 * GORO_SECOND);
}

/* ---- deadlock: one goroutine in each kind of wait ---- */

static void waits_select(chan(int) c)
{
	int v;
	chan_select(on_recv(c, &v), on_send(c, 1));
}

static void waits_nothing(void)
{
	goro_select(NULL, 0, true);
}

static void waits_nil(void)
{
	chan(int) c = NULL;
	(void)chan_recv(c);
}

static void sends(chan(int) c)
{
	goro_set_name("sender");
	chan_send(c, 1);
}

static void waits_mutex(void)
{
	goro_mutex_lock(&mu);
}

static void waits_rlock(void)
{
	goro_rwmutex_rlock(&rw);
}

static void waits_wg(void)
{
	goro_waitgroup_wait(&wg);
}

static void deadlock(void)
{
	goro_mutex_lock(&mu);
	goro_rwmutex_lock(&rw);
	goro_waitgroup_add(&wg, 1);
	go(waits_select, chan_make(int));
	go(waits_nothing);
	go(waits_nil);
	go(sends, chan_make(int));
	go(waits_mutex);
	go(waits_rlock);
	go(waits_wg);
	(void)chan_recv(chan_make(int));
}

static void main_goexit(void)
{
	goro_goexit();
}

static void main_goexit_others(void)
{
	go(waits_nil);
	goro_goexit();
}

/* ---- long stacks ---- */

static int deep(int n)
{
	int r = n ? deep(n - 1) : (goro_panic("deep"), 0);
	__asm__ volatile("");
	return r + n;
}

static void elided(void)
{
	deep(200);
}

static void traceback(void)
{
	go(sends, chan_make(int));
	goro_gosched();
	goro_traceback(1, false);
	puts("--");
	fflush(stdout);
	goro_traceback(1, true);
}

static inline __attribute__((always_inline)) void inlined(chan(int) c)
{
	chan_close(c);
}

static void inlined_frames(void)
{
	inlined(NULL);
}

static void locked(void)
{
	goro_lock_os_thread();
	goro_panic("locked");
}

/* A fault inside is not cured by one that is slower: main returns while the text is printed. */
static void main_returns_meanwhile(void)
{
	go(overflows);
	goro_sleep(1000);
}

/* ---- SIGQUIT: one goroutine in each state ---- */

static int32_t computing;

static void computes(void)
{
	goro_set_name("busy");
	for (goro_atomic_store_int32(&computing, 1);;)
		;
}

static void blocks(void)
{
	char c;
	int fds[2];
	if (pipe(fds) != 0)
		return;
	goro_enter_syscall();
	(void)!read(fds[0], &c, 1);
	goro_exit_syscall();
}

static void quit(void)
{
	goro_gomaxprocs(4);
	go(waits_nil);
	go(computes);
	go(blocks);
	while (!goro_atomic_load_int32(&computing))
		goro_sleep(GORO_MILLISECOND);
	goro_sleep(20 * GORO_MILLISECOND);
	kill(getpid(), SIGQUIT);
	waits_nil();
}

/* ---- a dump while all of them go on ---- */

static void reads(int fd)
{
	char c;
	(void)!read(fd, &c, 1);
}

static int64_t reads_for(void *p)
{
	reads(*(int *)p);
	return 0;
}

static void calls_out(int fd)
{
	goro_blocking(reads_for, &fd);
}

static void traceback_live(void)
{
	int fds[2], null = open("/dev/null", O_WRONLY);
	if (pipe(fds) != 0)
		return;
	goro_gomaxprocs(4);
	go(computes);
	go(blocks);
	go(reads, fds[0]);
	go(calls_out, fds[0]);
	while (!goro_atomic_load_int32(&computing))
		goro_sleep(GORO_MILLISECOND);
	goro_sleep(20 * GORO_MILLISECOND);
	goro_traceback(null, true); /* reads the debug information */
	goro_traceback(1, true);
}

static void traceback_select(void)
{
	chan(int) a = chan_make(int), b = chan_make(int), none = NULL;
	int v;
	go(waits_select, a);
	goro_gosched();
	fprintf(stderr, "%p\n", (void *)a);
	goro_traceback(2, true);
	fprintf(stderr, "--\n%p %p\n", (void *)a, (void *)b);
	chan_select(on_send(b, 1), on_recv(none, &v), on_recv(a, &v)); /* serves waits_select, */
	chan_select(on_send(b, 1), on_recv(none, &v), on_recv(a, &v)); /* and nobody is left */
}

/* More than are kept. */
static void traceback_select_many(void)
{
	enum { N = 100 };
	static goro_case cases[N];
	for (int i = 0; i < N; i++)
		cases[i] = (goro_case){.chan = goro_chan_make(0, 0), .send = i % 2};
	fprintf(stderr, "%p %p\n", (void *)cases[0].chan, (void *)cases[63].chan);
	goro_select(cases, N, true);
}

/* More stacks than the kernel has mappings for. */
static void many_guards(void)
{
	chan(int) gate = chan_make(int);
	for (int i = 0; i < 70000; i++)
		go(waits, gate);
}

#define CASE(f) {#f, f}
static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {CASE(send_on_closed), CASE(close_of_closed), CASE(close_of_nil), CASE(makechan),
    CASE(select_negative), CASE(unlock_unlocked), CASE(runlock_unlocked), CASE(rwunlock_unlocked),
    CASE(waitgroup_negative), CASE(free_waited_for), CASE(panics), CASE(other_goroutine),
    CASE(stack_overflow), CASE(deadlock), CASE(main_goexit),
    CASE(main_goexit_others), CASE(elided), CASE(traceback),
    CASE(inlined_frames), CASE(locked), CASE(main_returns_meanwhile),
    CASE(quit), CASE(traceback_live), CASE(traceback_select), CASE(traceback_select_many), CASE(many_guards)};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(cases[i].name, argv[1]))
			return cases[i].f(), 0;
	return 99;
}
