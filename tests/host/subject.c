/*
 * subject.c: plain pthread programs that make it hard for the detector. Run with a name of the list below
 * (and a number); each prints "end" where all went well for the program itself.
 */
#include <goro.h>
#include <goro_race.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNSEEN __attribute__((no_sanitize("thread"), noinline))

static int now;

UNSEEN static void after(int n)
{
	while (*(volatile int *)&now < n)
		usleep(20);
}

UNSEEN static void step(int n)
{
	*(volatile int *)&now = n;
}

static void must_(int ok, int line)
{
	if (!ok) {
		printf("subject.c:%d: not so\n", line);
		fflush(stdout);
		abort();
	}
}
#define must(ok) must_(!!(ok), __LINE__)

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int stop, guarded, n;
int v;
char many[1 << 22];

__attribute__((noinline)) static void put(void)
{
	v = 1;
}

static void both(void *(*one)(void *), void *(*two)(void *))
{
	pthread_t a, b;

	must(pthread_create(&a, NULL, one, NULL) == 0);
	must(pthread_create(&b, NULL, two, NULL) == 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

static void *put_first(void *arg)
{
	put();
	step(1);
	return arg;
}

static void *put_second(void *arg)
{
	after(1);
	put();
	return arg;
}

static void race(void)
{
	both(put_first, put_second);
}

/* ---- a race at each of n places ---- */

static void *fill_first(void *arg)
{
	for (int i = 0; i < n; i++)
		many[i * 8] = 1;
	step(1);
	return arg;
}

static void *fill_second(void *arg)
{
	after(1);
	for (int i = 0; i < n; i++)
		many[i * 8] = 2;
	return arg;
}

static void races(void)
{
	must(n * 8 <= (int)sizeof many);
	both(fill_first, fill_second);
}

/* ---- threads that keep the detector busy ---- */

static void *work(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&m);
		int last = stop;
		guarded++;
		pthread_mutex_unlock(&m);
		char *p = malloc(40);
		if (p)
			p[3] = 1;
		free(p);
		if (last)
			return arg;
	}
}

static void *work_once(void *arg)
{
	pthread_mutex_lock(&m);
	guarded++;
	pthread_mutex_unlock(&m);
	free(malloc(100));
	return arg;
}

static pthread_t worker[4];
static void begin(void)
{
	for (int i = 0; i < 4; i++)
		must(pthread_create(&worker[i], NULL, work, NULL) == 0);
}
static void finish(void)
{
	pthread_mutex_lock(&m);
	stop = 1;
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 4; i++)
		pthread_join(worker[i], NULL);
}

static int hits, seen_in_handler;
static void on_alarm(int sig)
{
	(void)sig;
	__atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&seen_in_handler, v, __ATOMIC_RELAXED);
}

/* 10 000 signals a second until n have come. */
static void storm(void)
{
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval t = {{0, 100}, {0, 100}}, none = {{0, 0}, {0, 0}};

	must(sigaction(SIGALRM, &sa, NULL) == 0);
	must(setitimer(ITIMER_REAL, &t, NULL) == 0);
	begin();
	while (__atomic_load_n(&hits, __ATOMIC_RELAXED) < n)
		usleep(1000);
	must(setitimer(ITIMER_REAL, &none, NULL) == 0);
	finish();
}

/* n children, which use what their parent's threads have locks on. */
static void forks(void)
{
	begin();
	for (int i = 0; i < n; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			free(malloc(100));
			v++;
			if (i % 2)
				_exit(7);
			stdout = NULL;
			exit(7);
		}
		must(pid > 0 && waitpid(pid, &status, 0) == pid);
		must(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	finish();
}

/* n threads end, while another makes one record after the other: each release begins an epoch, each of them is a new one at
 * each place, and every 16384 there is a collection, which waits for whoever is in the detector. */
static int records[1 << 12];
static void *make_records(void *arg)
{
	static int released;
	for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		records[i % (sizeof records / sizeof *records)]++;
		__atomic_store_n(&released, 1, __ATOMIC_RELEASE);
	}
	return arg;
}
static void *end_at_once(void *arg)
{
	return arg;
}
static void endings(void)
{
	pthread_t maker, t[8];
	must(pthread_create(&maker, NULL, make_records, NULL) == 0);
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < 8; k++)
			must(pthread_create(&t[k], NULL, end_at_once, NULL) == 0);
		for (int k = 0; k < 8; k++)
			must(pthread_join(t[k], NULL) == 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	must(pthread_join(maker, NULL) == 0);
}

/* Until there is no more memory, in three threads; then go on. */
static void *eat(void *arg)
{
	struct block {
		struct block *next;
		char rest[60000];
	} *all = NULL, *b;

	after(1); /* both are there: a thread's stack is memory, too */
	while ((b = malloc(sizeof *b)) != NULL) {
		memset(b->rest, 1, sizeof b->rest);
		b->next = all;
		all = b;
		pthread_mutex_lock(&m);
		guarded++;
		pthread_mutex_unlock(&m);
	}
	while ((b = all) != NULL) {
		all = b->next;
		free(b);
	}
	return arg;
}

static void exhausted(void)
{
	pthread_t a, c;

	must(pthread_create(&a, NULL, eat, NULL) == 0);
	must(pthread_create(&c, NULL, eat, NULL) == 0);
	step(1);
	pthread_join(a, NULL);
	pthread_join(c, NULL);
	must(guarded > 10);
}

/* ---- no memory for the detector ---- */

/* From now on the process gets that much more address space, and no more. */
UNSEEN static void only_more(size_t bytes)
{
	struct rlimit l;
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	must(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	l.rlim_cur = pages * 4096 + bytes;
	l.rlim_max = RLIM_INFINITY;
	must(setrlimit(RLIMIT_AS, &l) == 0);
}
UNSEEN static void enough_again(void)
{
	struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
	must(setrlimit(RLIMIT_AS, &l) == 0);
}

/* A record for each granule, again and again: history, which can be forgotten. */
static void *remembers(void *arg)
{
	for (int k = 0; k < n; k++)
		for (int i = 0; i < (int)sizeof many; i += 8) {
			pthread_mutex_lock(&m);
			many[i]++;
			pthread_mutex_unlock(&m);
		}
	return arg;
}

static void history(void)
{
	many[0] = 1;
	only_more(2 << 20);
	remembers(NULL);
	enough_again();
	race();
}

/* A sync object for each word: what nobody may forget. */
static int words[1 << 21];
UNSEEN static int is_blind_by_now(int i)
{
	return i == (int)(sizeof words / sizeof *words);
}
static void *synchronises(void *arg)
{
	int i = 0;
	while (!is_blind_by_now(i))
		__atomic_fetch_add(&words[i++], 1, __ATOMIC_RELEASE);
	return arg;
}

static void clocks(void)
{
	only_more(2 << 20);
	synchronises(NULL);
	enough_again();
	for (int i = 0; i < 20; i++)
		both(work_once, work_once); /* threads come and go, and nobody listens */
	race();
}

/* Goroutines come and go as well. */
static chan(int) results;
static goro_mutex gm;
static void counts(int k)
{
	goro_mutex_lock(&gm);
	guarded++;
	goro_mutex_unlock(&gm);
	if (k % 7 == 0)
		goro_gosched();
	chan_send(results, k);
}
static void clocks_of_goroutines(void)
{
	long sum = 0;

	results = chan_make(int);
	only_more(2 << 20);
	synchronises(NULL);
	enough_again();
	for (int i = 0; i < 2000; i++)
		go(counts, i);
	for (int i = 0; i < 2000; i++)
		sum += chan_recv(results);
	must(sum == 2000 * 1999 / 2 && guarded == 2000);
	forks();
}

static void race_then_clocks(void)
{
	race();
	step(0);
	clocks();
}

/* ---- threads that are cancelled in the midst of the detector's work ---- */

enum { VICTIMS = 3 };
static int fields[VICTIMS][1 << 18], counters[64], cleaned;

static void clean(void *arg)
{
	++*(int *)arg;
	__atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
}

__attribute__((noinline)) static unsigned scatter(int *field, unsigned r, unsigned depth)
{
	field[r >> 14] = (int)depth;
	if (depth)
		r = scatter(field, r * 1664525 + 1013904223, depth - 1);
	return r + (unsigned)field[r >> 14];
}

/* Plain accesses and atomic ones, which all need the slow paths: most of its time is the detector's. */
static void *victim(void *field)
{
	unsigned r = 2654435761u * (unsigned)n;
	int mine = 0;

	pthread_cleanup_push(clean, &mine);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;) {
		r = scatter(field, r * 1664525 + 1013904223, r >> 28);
		__atomic_fetch_add(&counters[r >> 26], 1, __ATOMIC_ACQ_REL);
	}
	pthread_cleanup_pop(1);
	return NULL;
}

static void cancels(void)
{
	void *how;

	for (int round = 0; round < n; round++) {
		pthread_t th[VICTIMS];
		for (int i = 0; i < VICTIMS; i++)
			must(pthread_create(&th[i], NULL, victim, fields[i]) == 0);
		for (volatile int k = 0; k < round % 97 * 300; k++)
			;
		for (int i = 0; i < VICTIMS; i++)
			must(pthread_cancel(th[i]) == 0);
		for (int i = 0; i < VICTIMS; i++)
			must(pthread_join(th[i], &how) == 0 && how == PTHREAD_CANCELED);
	}
}

/* A request is there when a report is made, for which files are read by calls that are points. */
static void *put_asked_to_go(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	after(2);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	put();
	pthread_testcancel();
	must(0);
	return arg;
}

static void cancel_then_report(void)
{
	pthread_t a, b;
	void *how;

	must(pthread_create(&b, NULL, put_asked_to_go, NULL) == 0);
	must(pthread_cancel(b) == 0);
	must(pthread_create(&a, NULL, put_first, NULL) == 0);
	after(1);
	step(2);
	must(pthread_join(b, &how) == 0 && how == PTHREAD_CANCELED);
	pthread_join(a, NULL);
}

/* It comes when reports are being made, one after the other, wherever that is. */
static void *fill_until_cancelled(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (int i = 0;; i = (i + 1) % n)
		many[i * 8] = 1;
	return arg;
}

static void report_then_cancel(void)
{
	pthread_t a, b;
	void *how;

	must(pthread_create(&a, NULL, fill_first, NULL) == 0);
	after(1);
	must(pthread_create(&b, NULL, fill_until_cancelled, NULL) == 0);
	while (goro_race_errors() == 0)
		usleep(100);
	must(pthread_cancel(b) == 0);
	must(pthread_join(b, &how) == 0 && how == PTHREAD_CANCELED);
	pthread_join(a, NULL);
}

/* ---- deep and large frames ---- */

/* Not folded into a loop. */
__attribute__((noinline)) static int deep(int left)
{
	volatile int here = left;

	if (left == 0)
		put();
	else
		here += deep(left - 1);
	return here;
}

static void *deep_second(void *arg)
{
	after(1);
	deep(n);
	return arg;
}

static void *large_second(void *arg)
{
	volatile char frame[6 << 20];

	after(1);
	for (size_t i = 0; i < sizeof frame; i += 4096)
		frame[i] = 1;
	put();
	return arg;
}

static void on_a_large_stack(void *(*two)(void *))
{
	pthread_attr_t attr;
	pthread_t a, b;

	pthread_attr_init(&attr);
	must(pthread_attr_setstacksize(&attr, (size_t)64 << 20) == 0);
	must(pthread_create(&a, NULL, put_first, NULL) == 0);
	must(pthread_create(&b, &attr, two, NULL) == 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

static void recursion(void)
{
	on_a_large_stack(deep_second);
}

static void frames(void)
{
	on_a_large_stack(large_second);
}

/* ---- the file that symbols are read from ---- */

static const char *self_path;

static void moved(void)
{
	char to[600];

	snprintf(to, sizeof to, "%s.elsewhere", self_path);
	must(rename(self_path, to) == 0);
	race();
	must(unlink(to) == 0);
}

static void removed(void)
{
	must(unlink(self_path) == 0);
	race();
}

/* Something else lies there now. */
static void replaced(void)
{
	FILE *f;

	must(unlink(self_path) == 0);
	must((f = fopen(self_path, "w")) != NULL);
	for (int i = 0; i < 5000; i++)
		fputs("not an executable\n", f);
	fclose(f);
	race();
	must(unlink(self_path) == 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} runs[] = {{"race", race}, {"races", races}, {"storm", storm}, {"forks", forks}, {"endings", endings},
	    {"exhausted", exhausted}, {"history", history},
	    {"clocks", clocks}, {"clocks_of_goroutines", clocks_of_goroutines}, {"race_then_clocks", race_then_clocks}, {"recursion", recursion}, {"frames", frames}, {"moved", moved},
	    {"removed", removed}, {"replaced", replaced}, {"cancels", cancels},
	    {"cancel_then_report", cancel_then_report}, {"report_then_cancel", report_then_cancel}};

	self_path = argv[0];
	n = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		if (argc > 1 && strcmp(argv[1], runs[i].name) == 0) {
			runs[i].run();
			puts("end");
			return 5;
		}
	}
	return 3;
}
