/*
 * main.c: runs the tests that criterion.h collected, says what Criterion says.
 *
 * Each test is this program again, by exec, with one test named: ThreadSanitizer wants a fresh process,
 * and what one test leaves (threads, parked goroutines) is not the next one's. Children lead a process
 * group, so that a limit ends all of it. A race makes ThreadSanitizer end the child with 66, which fails
 * the test whatever it checked.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static CrTest *tests, **last = &tests;

/* Read by ThreadSanitizer before anything runs; TSAN_OPTIONS in the environment go before it. A test may
 * fork while goro has threads: the child is to go on. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0:report_signal_unsafe=0:report_thread_leaks=0:history_size=4:exitcode=66";
}

void cr_tsan_add(CrTest *t)
{
	*last = t;
	last = &t->next;
}

void cr_tsan_fail(const char *file, int line, const char *what, const char *format, ...)
{
	char text[4096];
	int n = snprintf(text, sizeof text, "[----] %s:%d: Assertion Failed\n[----]   %s\n", file, line, what);
	if (*format && n > 0 && (size_t)n < sizeof text - 8) {
		va_list ap;
		va_start(ap, format);
		n += snprintf(text + n, sizeof text - (size_t)n, "[----]   ");
		n += vsnprintf(text + n, sizeof text - (size_t)n - 1, format, ap);
		va_end(ap);
		if ((size_t)n > sizeof text - 2)
			n = (int)sizeof text - 2;
		text[n++] = '\n';
	}
	(void)!write(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text);
	_exit(1);
}

static const CrOptions *suite_of(const CrTest *t)
{
	static const CrOptions none;
	for (CrTest *s = tests; s; s = s->next)
		if (!s->fn && strcmp(s->suite, t->suite) == 0)
			return &s->o;
	return &none;
}

static void *nothing(void *arg) { return arg; }

/* In the child. */
static int run_one(const CrTest *t)
{
	/* ThreadSanitizer's own thread comes with the first of ours: now, or a fork before would have two,
	 * and goro, which counts threads, see no deadlock. */
	pthread_t first;
	if (pthread_create(&first, NULL, nothing, NULL) == 0)
		pthread_join(first, NULL);
	const CrOptions *s = suite_of(t);
	void (*init)(void) = t->o.init ? t->o.init : s->init;
	void (*fini)(void) = t->o.fini ? t->o.fini : s->fini;
	if (init)
		init();
	t->fn();
	if (fini)
		fini();
	return 0;
}

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

typedef enum Outcome { PASS, FAIL, CRASH } Outcome;

static Outcome run_apart(const CrTest *t, char *self)
{
	double begin = now(), limit = t->o.timeout > 0 ? t->o.timeout : suite_of(t)->timeout;
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t none;
		char name[256];
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setpgid(0, 0);
		snprintf(name, sizeof name, "%s/%s", t->suite, t->name);
		execv("/proc/self/exe", (char *[]){self, (char *)"--only", name, NULL});
		_exit(127);
	}
	if (pid < 0)
		return CRASH;
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD); /* blocked in main */
	bool late = false;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct timespec step = {0, 100000000};
		sigtimedwait(&child, NULL, &step);
		late = limit > 0 && now() - begin > limit;
		if (late) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
	}
	kill(-pid, SIGKILL); /* what the test started and left */
	double took = now() - begin;
	bool as_told = t->o.signal ? WIFSIGNALED(status) && WTERMSIG(status) == t->o.signal
				   : WIFEXITED(status) && WEXITSTATUS(status) == t->o.exit_code;
	if (as_told && !late)
		return PASS;
	if (late)
		fprintf(stderr, "[FAIL] %s::%s: Timed out. (%.2fs)\n", t->suite, t->name, took);
	else if (WIFSIGNALED(status))
		fprintf(stderr, "[----] %s::%s: CRASH! (signal %d)\n[FAIL] %s::%s: (%.2fs)\n", t->suite,
		    t->name, WTERMSIG(status), t->suite, t->name, took);
	else
		fprintf(stderr, "[FAIL] %s::%s: exit code %d (%.2fs)\n", t->suite, t->name,
		    WEXITSTATUS(status), took);
	return !late && WIFSIGNALED(status) ? CRASH : FAIL;
}

int main(int argc, char **argv)
{
	const char *only = NULL, *filter = "*";
	bool list = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			only = argv[++i];
		else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
			filter = argv[++i];
		else if (strncmp(argv[i], "--filter=", 9) == 0)
			filter = argv[i] + 9;
		else if (strcmp(argv[i], "--list") == 0)
			list = true;
	}
	unsigned tested = 0, failing = 0, crashing = 0;
	sigset_t child;
	if (!only) {
		sigemptyset(&child);
		sigaddset(&child, SIGCHLD);
		sigprocmask(SIG_BLOCK, &child, NULL);
	}
	for (CrTest *t = tests; t; t = t->next) {
		char name[256];
		if (!t->fn)
			continue;
		snprintf(name, sizeof name, "%s/%s", t->suite, t->name);
		if (only) {
			if (strcmp(only, name) == 0)
				return run_one(t);
			continue;
		}
		if (t->o.disabled || fnmatch(filter, name, 0) != 0)
			continue;
		if (list) {
			puts(name);
			continue;
		}
		Outcome o = run_apart(t, argv[0]);
		tested++;
		failing += o != PASS;
		crashing += o == CRASH;
	}
	if (only)
		return 127;
	if (list)
		return 0;
	fprintf(stderr, "[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: %u \n", tested,
	    tested - failing, failing, crashing);
	return failing != 0;
}
