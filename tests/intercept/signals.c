/*
 * signals.c: what signals order, and that they come as they would without the detector: handlers run with
 * what they were promised, once each, soon, and calls are interrupted as before. See pair.h.
 */
#include "pair.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define STORM 300

static int handled; /* unseen */
static int out_of_handler[STORM];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static sigset_t usr2;
static sigjmp_buf back;
static int fd;
static timer_t timer;

UNSEEN static void did(void)
{
	__atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}

UNSEEN static int how_many(void)
{
	return *(volatile int *)&handled;
}

UNSEEN static void until(int n)
{
	while (how_many() < n)
		usleep(20);
}

static void on_see(int sig)
{
	(void)sig;
	see();
	did();
}

static void on_nothing(int sig)
{
	(void)sig;
	did();
}

static void on_see_late(int sig)
{
	(void)sig;
	after(2);
	see();
	did();
}

static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

/* Each signal writes a place of its own; the value says which. */
static void on_value(int sig, siginfo_t *info, void *uc)
{
	int i = info->si_value.sival_int;

	must(sig == SIGRTMIN + 1 && info->si_code == SI_QUEUE && info->si_pid == getpid() && uc);
	out_of_handler[i] = i;
	did();
}

static void on_thread(union sigval value)
{
	must(value.sival_int == 77);
	see();
	did();
}

static void set_flags(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

	must(sigaction(sig, &sa, NULL) == 0);
}

static void set(int sig, void (*fn)(int))
{
	set_flags(sig, fn, 0);
}

/* To the caller's own thread, in a way that is not known to order anything. */
UNSEEN static void unseen_signal(int sig)
{
	syscall(SYS_tgkill, getpid(), gettid(), sig);
}

static void arm(void)
{
	struct itimerval t = {{0, 0}, {0, 1000}};

	must(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

static void arm_thread(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD,
	    .sigev_notify_function = on_thread,
	    .sigev_value.sival_int = 77};
	struct itimerspec t = {{0, 0}, {0, 1000}};

	must(timer_create(CLOCK_MONOTONIC, &e, &timer) == 0);
	put();
	must(timer_settime(timer, 0, &t, NULL) == 0);
}

static int take_from_fd(void)
{
	struct signalfd_siginfo info;

	must(read(fd, &info, sizeof info) == (ssize_t)sizeof info);
	return (int)info.ssi_signo;
}

static int take_info(void)
{
	siginfo_t info;

	return sigwaitinfo(&usr2, &info);
}

static int take(void)
{
	int sig = 0;

	must(sigwait(&usr2, &sig) == 0);
	return sig;
}

/* In and out of the detector, so that most signals meet it busy. */
static void busy_until(int n)
{
	while (how_many() < n) {
		pthread_mutex_lock(&m);
		free(malloc(20));
		pthread_mutex_unlock(&m);
	}
}

static void send_values(void)
{
	for (int i = 0; i < STORM; i++) {
		must(pthread_sigqueue(second_thread, SIGRTMIN + 1, (union sigval){.sival_int = i}) == 0);
		until(i + 1); /* before the next, or a fast sender would fill the kernel's queue */
	}
	step(1);
}

static void expect_values(void)
{
	struct sigaction sa = {.sa_sigaction = on_value, .sa_flags = SA_SIGINFO};

	must(sigaction(SIGRTMIN + 1, &sa, NULL) == 0);
	step(-1);
	busy_until(STORM);
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "suppress_equal_stacks=0 suppress_equal_addresses=0";
}

static int reports;
void __tsan_on_report(void *report);
UNSEEN void __tsan_on_report(void *report)
{
	(void)report;
	reports++;
}

static void see_values(void)
{
	int sum = 0;

	for (int i = 0; i < STORM; i++)
		sum += out_of_handler[i];
	must(sum == STORM * (STORM - 1) / 2);
}

static int killed_by(void (*child)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		child();
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void once_child(void)
{
	set_flags(SIGUSR1, on_nothing, (int)SA_RESETHAND);
	raise(SIGUSR1);
	raise(SIGUSR1);
}

/* Without what the libc adds. */
static int flags_of(const struct sigaction *sa)
{
	return sa->sa_flags & ~0x04000000;
}

static void given_back(void)
{
	struct sigaction sa = {.sa_sigaction = on_value, .sa_flags = SA_SIGINFO | SA_RESTART}, was;

	must(signal(SIGUSR1, on_see) == SIG_DFL);
	must(signal(SIGUSR1, on_nothing) == on_see);
	must(sigaction(SIGUSR1, &sa, &was) == 0);
	must(was.sa_handler == on_nothing && flags_of(&was) == SA_RESTART);
	must(sigaction(SIGUSR1, NULL, &was) == 0);
	must(was.sa_sigaction == on_value && flags_of(&was) == (SA_SIGINFO | SA_RESTART));
	set_flags(SIGUSR1, on_nothing, (int)SA_RESETHAND);
	must(sigaction(SIGUSR1, NULL, &was) == 0);
	must(was.sa_handler == on_nothing && flags_of(&was) == (int)SA_RESETHAND);
	must(signal(SIGUSR1, SIG_IGN) == on_nothing);
	must(raise(SIGUSR1) == 0);
	must(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
	must(signal(SIGKILL, on_nothing) == SIG_ERR && errno == EINVAL);
	must(sigaction(99, NULL, &was) < 0 && errno == EINVAL);
}

static void interrupted(void)
{
	int p[2];
	char c;

	must(pipe(p) == 0);
	set(SIGUSR1, on_nothing);
	step(1);
	must(read(p[0], &c, 1) < 0 && errno == EINTR);
	step(2);
	after(3);
	must(pause() < 0 && errno == EINTR);
	step(4);
}

static void interrupts(void)
{
	after(1);
	do {
		pthread_kill(second_thread, SIGUSR1);
		usleep(100);
	} while (*(volatile int *)&now < 2);
	step(3);
	do {
		pthread_kill(second_thread, SIGUSR1);
		usleep(100);
	} while (*(volatile int *)&now < 4);
}

static void fault_and_go_on(void)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	set_flags(SIGSEGV, on_jump, SA_NODEFER);
	for (int i = 0; i < 100; i++)
		if (sigsetjmp(back, 1) == 0) {
			page[i] = 1;
			must(0);
		}
}

static void masked_in_handler(int sig)
{
	sigset_t set;

	must(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
	must(sigismember(&set, sig) == 1 && sigismember(&set, SIGUSR2) == 1);
	did();
}

static void masks(void)
{
	struct sigaction sa = {.sa_handler = masked_in_handler};
	sigset_t set;

	sigaddset(&sa.sa_mask, SIGUSR2);
	must(sigaction(SIGUSR1, &sa, NULL) == 0);
	step(1);
	busy_until(200);
	must(pthread_sigmask(SIG_BLOCK, NULL, &set) == 0);
	must(sigismember(&set, SIGUSR1) == 0);
}

static void send_many(void)
{
	after(1);
	for (int i = 0; i < 200; i++) {
		pthread_kill(second_thread, SIGUSR1);
		until(i + 1);
	}
}

/* name, first thread, second thread */
#define CASES(C)                                                                                   \
	C(norace_handler_set, put(); set(SIGUSR1, on_see); step(1), after(1);                      \
	    unseen_signal(SIGUSR1); must(how_many() == 1))                                         \
	C(norace_handler_set_by_signal, put(); signal(SIGUSR1, on_see); step(1), after(1);         \
	    unseen_signal(SIGUSR1); must(how_many() == 1))                                         \
	C(race_handler, set(SIGUSR1, on_see); put(); step(1), after(1); unseen_signal(SIGUSR1))    \
	C(norace_pthread_kill, after(1); put(); pthread_kill(second_thread, SIGUSR1); until(1),    \
	    set(SIGUSR1, on_see); step(1); until(1))                                               \
	C(race_after_pthread_kill, after(1); pthread_kill(second_thread, SIGUSR1); put();          \
	    step(2), set(SIGUSR1, on_see_late); step(1); until(1))                                 \
	C(norace_handled_orders_on, after(1); put(); pthread_kill(second_thread, SIGUSR1);         \
	    until(1), set(SIGUSR1, on_nothing); step(1); until(1); see())                          \
	C(norace_kill_sigwait, put(); kill(getpid(), SIGUSR2), must(take() == SIGUSR2); see())     \
	C(norace_kill_sigwaitinfo, put(); kill(getpid(), SIGUSR2),                                 \
	    must(take_info() == SIGUSR2); see())                                                   \
	C(race_after_kill_sigwait, kill(getpid(), SIGUSR2); put(); step(1),                        \
	    must(take() == SIGUSR2); after(1); see())                                              \
	C(norace_kill_signalfd, after(1); put(); kill(getpid(), SIGUSR2),                          \
	    fd = signalfd(-1, &usr2, 0); step(1); must(take_from_fd() == SIGUSR2); see())          \
	C(norace_itimer, set(SIGALRM, on_see); put(); arm(); until(1), (void)0)                    \
	C(norace_timer_thread, arm_thread(); until(1), (void)0)                                    \
	C(norace_storm_values, after(-1); while (*(volatile int *)&now == 0) usleep(20);           \
	    send_values(), expect_values(); see_values())                                          \
	C(race_storm_values, while (*(volatile int *)&now == 0) usleep(20); send_values();         \
	    see_values(); must(reports == STORM), expect_values())                                 \
	C(norace_once, must(killed_by(once_child) == SIGUSR1), (void)0)                            \
	C(norace_given_back, given_back(), (void)0)                                                \
	C(norace_interrupted, interrupts(), interrupted())                                         \
	C(norace_fault, fault_and_go_on(), (void)0)                                                \
	C(race_after_fault, fault_and_go_on(); put(); step(1), after(1); see())                    \
	C(norace_masks, send_many(), masks())

static void prepare(void)
{
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	must(pthread_sigmask(SIG_BLOCK, &usr2, NULL) == 0);
}

#include "pair_main.h"
