/*
 * The scheduler by its public functions and park/ready alone: no channels, no locks.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/sched/internal.h"

static int64_t done; /* atomic */
static void (*body)(void);

static int as_main(void *arg)
{
	(void)arg;
	body();
	return 7;
}

static void run_with(int procs, void (*f)(void))
{
	char s[16];
	sprintf(s, "%d", procs);
	setenv("GOMAXPROCS", s, 1);
	body = f;
	cr_assert_eq(goro_run(as_main, NULL), 7);
}

static void wait_done(int64_t n)
{
	while (load_acq(&done) < n)
		goro_gosched();
}

static void one(void *arg)
{
	(void)arg;
	(void)add_ar(&done, 1);
}

static void hundred_thousand(void)
{
	for (int i = 0; i < 100000; i++)
		cr_assert_eq(goro_go(one, NULL), 0);
	wait_done(100000);
}

Test(sched, p1_100k_goroutines_finish, .timeout = 60) { run_with(1, hundred_thousand); }
Test(sched, p2_100k_goroutines_finish, .timeout = 60) { run_with(2, hundred_thousand); }
Test(sched, p8_100k_goroutines_finish, .timeout = 60) { run_with(8, hundred_thousand); }

static void tree(void *arg)
{
	intptr_t depth = (intptr_t)arg;
	for (int i = 0; depth && i < 2; i++)
		goro_go(tree, (void *)(depth - 1));
	(void)add_ar(&done, 1);
}

static void nested(void)
{
	goro_go(tree, (void *)14);
	wait_done((1 << 15) - 1);
}

Test(sched, p1_goroutines_make_goroutines, .timeout = 60) { run_with(1, nested); }
Test(sched, p2_goroutines_make_goroutines, .timeout = 60) { run_with(2, nested); }
Test(sched, p8_goroutines_make_goroutines, .timeout = 60) { run_with(8, nested); }

/* Two that yield to each other on one P take turns. */
static int turns[2], most_apart;
static void yielder(void *arg)
{
	int me = (int)(intptr_t)arg;
	for (int i = 0; i < 1000; i++) {
		turns[me]++;
		int apart = abs(turns[0] - turns[1]);
		if (i && turns[!me] && turns[!me] < 1000 && apart > most_apart)
			most_apart = apart;
		goro_gosched();
	}
	(void)add_ar(&done, 1);
}

static void fairness(void)
{
	goro_go(yielder, (void *)0);
	goro_go(yielder, (void *)1);
	wait_done(2);
	cr_assert_leq(most_apart, 70, "%d", most_apart);
}

Test(sched, gosched_is_fair, .timeout = 20) { run_with(1, fairness); }

/* A ring longer than a P runs breadth first, of goroutines that only yield until main comes round to let
 * them go; but main made way for one that made way for the last of them, so that main lies in lifo. */
static int64_t let_go; /* atomic */
static goro_waitgroup gate;

static void yields_until_let_go(void *arg)
{
	goro_waitgroup_wait(&gate);
	while (!load_acq(&let_go))
		goro_gosched();
	one(arg);
}

static void makes_one_more(void *arg)
{
	cr_assert_eq(goro_go(yields_until_let_go, NULL), 0);
	yields_until_let_go(arg);
}

static void maker_among_yielders(void)
{
	goro_waitgroup_add(&gate, 1);
	for (int i = 0; i < 150; i++)
		cr_assert_eq(goro_go(yields_until_let_go, NULL), 0);
	for (int i = 0; i < 1000; i++) /* they come to the gate */
		goro_gosched();
	goro_waitgroup_done(&gate);
	cr_assert_eq(goro_go(makes_one_more, NULL), 0);
	store_rel(&let_go, 1);
	wait_done(152);
}
Test(sched, p1_who_made_way_has_its_turn_among_yielders, .timeout = 20) { run_with(1, maker_among_yielders); }
Test(sched, p2_who_made_way_has_its_turn_among_yielders, .timeout = 20) { run_with(2, maker_among_yielders); }

/* A goroutine parked in runnext behind a long computation is rescued by an idle P. */
static uint32_t flag;
static void set_flag(void *arg)
{
	(void)arg;
	store_rel(&flag, 1);
}

static void compute(void)
{
	goro_go(set_flag, NULL);
	while (!load_acq(&flag)) /* never yields */
		cpu_relax();
}

Test(sched, runnext_behind_a_computation_runs_elsewhere, .timeout = 20) { run_with(2, compute); }

/* park and ready */
static Lock baton_lock = LOCK_INIT(CHAN);
static G *parked[2]; /* baton_lock */
static int baton_turn;

static void pass(void *arg)
{
	int me = (int)(intptr_t)arg;
	for (int i = 0; i < 20000; i++) {
		lock(&baton_lock);
		while (baton_turn != me) {
			parked[me] = g_current();
			park(&baton_lock, WAIT_CHAN_RECV, NULL);
			lock(&baton_lock);
		}
		baton_turn = !me;
		G *other = parked[!me];
		parked[!me] = NULL;
		unlock(&baton_lock);
		if (other)
			ready(other);
	}
	(void)add_ar(&done, 1);
}

static void baton(void)
{
	goro_go(pass, (void *)0);
	goro_go(pass, (void *)1);
	wait_done(2);
}

Test(sched, p1_park_ready_loses_nothing, .timeout = 30) { run_with(1, baton); }
Test(sched, p2_park_ready_loses_nothing, .timeout = 30) { run_with(2, baton); }
Test(sched, p8_park_ready_loses_nothing, .timeout = 30) { run_with(8, baton); }

static void *foreign_pass(void *arg)
{
	pass(arg);
	return NULL;
}

static void with_thread(void)
{
	pthread_t t;
	pthread_create(&t, NULL, foreign_pass, (void *)1);
	goro_go(pass, (void *)0);
	wait_done(2);
	pthread_join(t, NULL);
}

Test(sched, a_thread_and_a_goroutine_wake_each_other, .timeout = 60) { run_with(2, with_thread); }

/* state of the goroutine across parks */
static void keeper(void *arg)
{
	int me = (int)(intptr_t)arg;
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	fesetround(modes[me % 4]);
	os_set_errno(1000 + me);
	for (int i = 0; i < 500; i++) {
		goro_gosched();
		cr_assert_eq(os_errno(), 1000 + me);
		cr_assert_eq(fegetround(), modes[me % 4]);
	}
	(void)add_ar(&done, 1);
}

static void state_kept(void)
{
	for (intptr_t i = 0; i < 16; i++)
		goro_go(keeper, (void *)i);
	wait_done(16);
}

Test(sched, errno_and_rounding_survive_switches, .timeout = 30) { run_with(2, state_kept); }

/* GOMAXPROCS */
static void spinner(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3000; i++)
		goro_gosched();
	(void)add_ar(&done, 1);
}

static void resize(void)
{
	for (int i = 0; i < 50; i++)
		goro_go(spinner, NULL);
	for (int i = 0; i < 200; i++) {
		int n = 1 + i * 7 % 8, old = goro_gomaxprocs(n);
		cr_assert_geq(old, 1);
		cr_assert_eq(goro_gomaxprocs(0), n);
		goro_gosched();
	}
	wait_done(50);
	goro_gomaxprocs(4);
	cr_assert_eq(goro_gomaxprocs(-3), 4);
}

Test(sched, gomaxprocs_changes_while_all_run, .timeout = 60) { run_with(2, resize); }

Test(sched, gomaxprocs_from_the_environment)
{
	setenv("GOMAXPROCS", "5", 1);
	cr_assert_eq(goro_gomaxprocs(0), 5);
}

Test(sched, gomaxprocs_bad_environment_is_the_default)
{
	setenv("GOMAXPROCS", "five", 1);
	cr_assert_eq(goro_gomaxprocs(0), goro_num_cpu());
}

/* wired to a thread */
static void wired(void *arg)
{
	(void)arg;
	goro_lock_os_thread();
	goro_lock_os_thread();
	uint32_t tid = os_thread_id();
	for (int i = 0; i < 200; i++) {
		goro_gosched();
		cr_assert_eq(os_thread_id(), tid);
		if (i == 100)
			goro_unlock_os_thread();
	}
	goro_unlock_os_thread();
	(void)add_ar(&done, 1);
}

static void wiring(void)
{
	for (int i = 0; i < 5; i++)
		goro_go(wired, NULL);
	for (int i = 0; i < 5; i++)
		goro_go(spinner, NULL);
	wait_done(10);
}

Test(sched, p1_a_wired_goroutine_stays_on_its_thread, .timeout = 60) { run_with(1, wiring); }
Test(sched, p2_a_wired_goroutine_stays_on_its_thread, .timeout = 60) { run_with(2, wiring); }

/* system calls */
static int64_t inside; /* atomic */
static void sleeper(void *arg)
{
	(void)arg;
	goro_enter_syscall();
	(void)add_ar(&inside, 1);
	while (load_acq(&inside) < 20) /* all of them at one time */
		os_sleep(GORO_MILLISECOND);
	goro_exit_syscall();
	(void)add_ar(&done, 1);
}

static void blocked_calls(void)
{
	for (int i = 0; i < 20; i++)
		goro_go(sleeper, NULL);
	wait_done(20);
}

Test(sched, p1_a_system_call_gives_its_p_away, .timeout = 20) { run_with(1, blocked_calls); }

/* goro_run */
Test(sched, goro_run_may_be_called_again, .timeout = 20)
{
	for (int i = 0; i < 20; i++) {
		done = 0;
		run_with(2, baton);
	}
}

static void die(void *arg)
{
	(void)arg;
	(void)add_ar(&done, 1);
	goro_goexit();
}

static void goexit(void)
{
	for (int i = 0; i < 100; i++)
		goro_go(die, NULL);
	wait_done(100);
	while (goro_num_goroutine() != 1)
		goro_gosched();
}

Test(sched, goexit_ends_the_goroutine_alone, .timeout = 20) { run_with(2, goexit); }

Test(sched, wrong_arguments_are_refused)
{
	goro_attr big = {.stack_size = ((size_t)1 << 30) + 1};
	cr_assert_eq(goro_go(NULL, NULL), -EINVAL);
	cr_assert_eq(goro_go_with(&big, one, NULL), -EINVAL);
	cr_assert_eq(goro_go_with(NULL, NULL, NULL), -EINVAL);
}

/* the ends */
static void park_for_ever(void)
{
	lock(&baton_lock);
	park(&baton_lock, WAIT_CHAN_RECV, NULL);
}

/* Criterion's process has threads of its own, which might wake somebody: no deadlock there. The child of
 * a fork has one thread. */
static void ends_with(int code, void (*f)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		run_with(2, f);
		_exit(99);
	}
	int status = 0;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), code, "%d", WEXITSTATUS(status));
}

Test(sched, all_asleep_is_a_deadlock, .timeout = 10) { ends_with(2, park_for_ever); }

static void main_goexit(void)
{
	goro_goexit();
}

Test(sched, goexit_of_main_with_nobody_left_is_a_deadlock, .timeout = 10) { ends_with(2, main_goexit); }

static int deep(int n)
{
	volatile char room[512];
	room[0] = (char)n;
	return n == 0 ? 0 : deep(n - 1) + room[0];
}

static void overflow(void)
{
	deep(1 << 30);
}

Test(sched, stack_overflow_is_named, .timeout = 10, .exit_code = 2) { run_with(1, overflow); }

/* A dump says for how long, in minutes, from the first one on. */
static void find_waiting(G *g, void *out)
{
	if (load_rlx(&g->state) == G_WAITING && !g->is_main)
		*(G **)out = g;
}

static void waits_long(void *arg)
{
	goro_chan_recv(arg, NULL);
	(void)add_ar(&done, 1);
}

static void minutes(void)
{
	static const struct {
		int64_t seconds;
		const char *head;
	} as[] = {{30, "[chan receive]:\n"}, {90, "[chan receive, 1 minutes]:\n"}, {210, "[chan receive, 3 minutes]:\n"}};
	goro_chan *c = goro_chan_make(0, 0);
	static char text[1 << 14];
	G *g = NULL;
	int fd[2];
	cr_assert_eq(pipe(fd), 0);
	goro_go(waits_long, c);
	while (!g) {
		goro_gosched();
		stack_each_g(find_waiting, &g);
	}
	for (size_t i = 0; i < sizeof as / sizeof as[0]; i++) {
		store_rlx(&g->wait_since, os_now() - as[i].seconds * 1000000000);
		goro_traceback(fd[1], true);
		ssize_t n = os_fd_read(fd[0], text, sizeof text - 1);
		cr_assert_gt(n, 0);
		text[n] = 0;
		cr_assert(strstr(text, as[i].head), "%s: no %s", text, as[i].head);
	}
	goro_chan_close(c);
	wait_done(1);
}
Test(sched, p1_a_dump_tells_the_minutes, .timeout = 20) { run_with(1, minutes); }
