/*
 * threads.c: the order that pthreads, C11 threads, semaphores, streams and exit handlers make, as plain
 * pthread programs meet it. Each case is two threads; `race_` cases must be reported, `norace_` ones not.
 * Run with a case's name; without one, the names are printed.
 *
 * step and after force the order of things without the detector's knowledge: plain code, no atomics.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
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

static int v, flag, stopped;
static volatile int sink;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, checking, recursive;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t sem;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag once11 = ONCE_FLAG_INIT;
static mtx_t mtx;
static cnd_t cnd;
static pthread_key_t key;
static FILE *in, *out;
static char *block;
static struct timespec past = {1, 0}, later, later_mono;

static void must(int ok)
{
	if (!ok)
		abort();
}

__attribute__((noinline)) static void put(void)
{
	v = 1;
}

__attribute__((noinline)) static void see(void)
{
	sink = v;
}

#define LOCK   pthread_mutex_lock(&m)
#define UNLOCK pthread_mutex_unlock(&m)

static void *put_thread(void *arg)
{
	(void)arg;
	put();
	return NULL;
}

static void *put_step(void *arg)
{
	(void)arg;
	put();
	step(1);
	return NULL;
}

static void *put_exit(void *arg)
{
	(void)arg;
	put();
	pthread_exit(NULL);
}

static int put11(void *arg)
{
	(void)arg;
	put();
	return 7;
}

static pthread_t make(void *(*fn)(void *))
{
	pthread_t th;

	must(pthread_create(&th, NULL, fn, NULL) == 0);
	return th;
}

static void see_unlock(void *arg)
{
	(void)arg;
	see();
	UNLOCK;
}

static void *wait_for_ever(void *arg)
{
	(void)arg;
	LOCK;
	pthread_cleanup_push(see_unlock, NULL);
	step(1);
	for (;;)
		pthread_cond_wait(&cond, &m);
	pthread_cleanup_pop(1);
	return NULL;
}

/* Cancelled at a point of the kind that it is given: what its handler sees. */
static int pipe_of[2], seen_at = 0;

static void see_late(void *arg)
{
	(void)arg;
	after(seen_at);
	see();
	if (seen_at)
		step(seen_at + 1);
}

static void at_testcancel(void)
{
	for (;;)
		pthread_testcancel();
}

static void at_sleep(void)
{
	for (;;)
		sleep(1000);
}

static void at_read(void)
{
	char ch;

	must(read(pipe_of[0], &ch, 1) == 1);
}

static void at_sem(void)
{
	sem_t never;

	sem_init(&never, 0, 0);
	sem_wait(&never);
}

static void at_state(void)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	step(2);
	after(3);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
}

static void at_none(void) /* there is a request, and nobody acts upon it */
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	step(2);
	after(3);
	usleep(1);
	pthread_testcancel();
}

UNSEEN static void at_nothing(void) /* no call, and so no point: in the midst of its own code */
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	step(2);
	while (*(volatile int *)&now < 1000)
		;
}

static void at_fgetc(void)
{
	fgetc(in);
}

static void at_getline(void)
{
	char *line = NULL;
	size_t size = 0;

	must(getline(&line, &size, in) > 0);
}

static void *cancelled_in(void *point)
{
	pthread_cleanup_push(see_late, NULL);
	step(1);
	((void (*)(void))(uintptr_t)point)();
	pthread_cleanup_pop(1);
	return NULL;
}

static pthread_t cancellable(void (*point)(void))
{
	pthread_t th;

	must(pipe(pipe_of) == 0);
	must(pthread_create(&th, NULL, cancelled_in, (void *)(uintptr_t)point) == 0);
	after(point == at_state || point == at_none || point == at_nothing ? 2 : 1);
	return th;
}

/* The same without a handler that touches v: what its destructor, or nobody but who joins, sees. */
static void see_key(void *arg)
{
	(void)arg;
	see();
}

static void *with_key(void *arg)
{
	pthread_setspecific(key, &key);
	step(1);
	((void (*)(void))(uintptr_t)arg)();
	return NULL;
}

static void lock_unlock(void *arg)
{
	(void)arg;
	LOCK;
	stopped = 1;
	UNLOCK;
	step(3);
}

static void *pass_on(void *point)
{
	pthread_cleanup_push(lock_unlock, NULL);
	step(1);
	((void (*)(void))(uintptr_t)point)();
	pthread_cleanup_pop(0);
	return NULL;
}

static pthread_t cancellable_in(void *(*fn)(void *), void (*point)(void))
{
	pthread_t th;

	must(pthread_create(&th, NULL, fn, (void *)(uintptr_t)point) == 0);
	after(point == at_nothing ? 2 : 1);
	return th;
}

static pthread_t other;

static void *see_after_lock(
    void *arg) /* knows of the cancel only by the mutex that the handler gave up */
{
	(void)arg;
	after(3);
	LOCK;
	must(stopped);
	UNLOCK;
	see();
	return NULL;
}

static void *see_after_join(void *arg)
{
	(void)arg;
	after(2);
	pthread_join(other, NULL);
	see();
	return NULL;
}

static void *wait_in(void *point)
{
	step(1);
	((void (*)(void))(uintptr_t)point)();
	return NULL;
}

static void *put_in_vain(void *point) /* before it is cancelled */
{
	put();
	step(1);
	((void (*)(void))(uintptr_t)point)();
	return NULL;
}

static void key_gone(void *arg)
{
	(void)arg;
	LOCK;
	stopped = 1;
	UNLOCK;
}

static void *set_key(void *arg)
{
	(void)arg;
	put();
	pthread_setspecific(key, &v);
	return NULL;
}

static void *put_atexit(void *arg)
{
	(void)arg;
	put();
	atexit(see);
	step(1);
	return NULL;
}

static jmp_buf env;

__attribute__((noinline)) static void jump(int depth)
{
	if (depth == 0)
		longjmp(env, 1);
	jump(depth - 1);
	sink++;
}

static void rounds(int mine)
{
	for (int i = 0; i < 100; i++) {
		pthread_barrier_wait(&barrier);
		if (mine)
			v = i;
		pthread_barrier_wait(&barrier);
		must(v == i);
	}
}

static void pipe_streams(void)
{
	int fd[2];

	must(pipe(fd) == 0);
	in = fdopen(fd[0], "r");
	out = fdopen(fd[1], "w");
}

/* name, first thread, second thread */
#define CASES(C)                                                                                   \
	C(race_unordered, put(); step(1), after(1); see())                                         \
	C(norace_mutex, LOCK; put(); UNLOCK; step(1), after(1); LOCK; see(); UNLOCK)               \
	C(race_mutex_one_side, LOCK; put(); UNLOCK; step(1), after(1); see())                      \
	C(race_mutex_after_unlock, LOCK; UNLOCK; put(); step(1), after(1); LOCK; see(); UNLOCK)    \
	C(norace_trylock, must(!pthread_mutex_trylock(&m)); put(); UNLOCK; step(1), after(1);      \
	    must(!pthread_mutex_trylock(&m)); see(); UNLOCK)                                       \
	C(race_trylock_failed, LOCK; put(); step(1); after(2); UNLOCK, after(1);                   \
	    must(pthread_mutex_trylock(&m) == EBUSY); see(); step(2))                              \
	C(norace_timedlock, must(!pthread_mutex_timedlock(&m, &later)); put(); UNLOCK;             \
	    step(1), after(1); must(!pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &later_mono));   \
	    see(); UNLOCK)                                                                         \
	C(race_timedlock_failed, LOCK; put(); step(1); after(2); UNLOCK, after(1);                 \
	    must(pthread_mutex_timedlock(&m, &past) == ETIMEDOUT); see(); step(2))                 \
	C(norace_recursive, pthread_mutex_lock(&recursive); pthread_mutex_lock(&recursive);        \
	    pthread_mutex_unlock(&recursive); put(); pthread_mutex_unlock(&recursive);             \
	    step(1), after(1); pthread_mutex_lock(&recursive); see();                              \
	    pthread_mutex_unlock(&recursive))                                                      \
	C(norace_unlock_refused, pthread_mutex_lock(&checking); put();                             \
	    pthread_mutex_unlock(&checking); step(1), after(1);                                    \
	    must(pthread_mutex_unlock(&checking) == EPERM); pthread_mutex_lock(&checking); see();  \
	    pthread_mutex_unlock(&checking))                                                       \
	C(norace_spin, pthread_spin_lock(&spin); put(); pthread_spin_unlock(&spin);                \
	    step(1), after(1); pthread_spin_lock(&spin); see(); pthread_spin_unlock(&spin))        \
	C(norace_rwlock_writer, pthread_rwlock_wrlock(&rw); put(); pthread_rwlock_unlock(&rw);     \
	    step(1), after(1); pthread_rwlock_rdlock(&rw); see(); pthread_rwlock_unlock(&rw))      \
	C(norace_rwlock_reader, pthread_rwlock_rdlock(&rw); see(); pthread_rwlock_unlock(&rw);     \
	    step(1), after(1); pthread_rwlock_wrlock(&rw); put(); pthread_rwlock_unlock(&rw))      \
	C(race_rwlock_readers, pthread_rwlock_rdlock(&rw); put(); pthread_rwlock_unlock(&rw);      \
	    step(1), after(1); pthread_rwlock_rdlock(&rw); see(); pthread_rwlock_unlock(&rw))      \
	C(norace_rwlock_try, must(!pthread_rwlock_trywrlock(&rw)); put();                          \
	    pthread_rwlock_unlock(&rw); step(1), after(1); must(!pthread_rwlock_tryrdlock(&rw));   \
	    see(); pthread_rwlock_unlock(&rw))                                                     \
	C(norace_rwlock_timed, must(!pthread_rwlock_timedwrlock(&rw, &later)); put();              \
	    pthread_rwlock_unlock(&rw); step(1), after(1);                                         \
	    must(!pthread_rwlock_clockrdlock(&rw, CLOCK_MONOTONIC, &later_mono)); see();           \
	    pthread_rwlock_unlock(&rw))                                                            \
	C(norace_cond, LOCK; while (!flag) pthread_cond_wait(&cond, &m); see(); UNLOCK, LOCK;      \
	    put(); flag = 1; pthread_cond_signal(&cond); UNLOCK)                                   \
	C(norace_cond_clock, LOCK;                                                                 \
	    while (!flag) pthread_cond_clockwait(&cond, &m, CLOCK_MONOTONIC, &later_mono); see();  \
	    UNLOCK, LOCK; put(); flag = 1; pthread_cond_broadcast(&cond); UNLOCK)                  \
	C(race_cond_without_mutex, LOCK; step(1); pthread_cond_timedwait(&cond, &m, &past);        \
	    UNLOCK; after(2); see(), after(1); put(); pthread_cond_signal(&cond); step(2))         \
	C(norace_cond_gives_up, LOCK; put(); step(1); while (!flag) pthread_cond_wait(&cond, &m);  \
	    UNLOCK, after(1); LOCK; see(); flag = 1; pthread_cond_signal(&cond); UNLOCK)           \
	C(norace_barrier, put(); pthread_barrier_wait(&barrier), pthread_barrier_wait(&barrier);   \
	    see())                                                                                 \
	C(race_barrier_after, pthread_barrier_wait(&barrier); put();                               \
	    step(1), pthread_barrier_wait(&barrier); after(1); see())                              \
	C(norace_barrier_rounds, rounds(1), rounds(0))                                             \
	C(norace_sem, put(); sem_post(&sem), sem_wait(&sem); see())                                \
	C(race_sem_after_post, sem_post(&sem); put(); step(1), sem_wait(&sem); after(1); see())    \
	C(norace_sem_timed, put(); sem_post(&sem); step(1), after(1);                              \
	    must(!sem_timedwait(&sem, &later)); see())                                             \
	C(norace_sem_try, put(); sem_post(&sem); step(1), after(1); must(!sem_trywait(&sem));      \
	    see())                                                                                 \
	C(norace_once, pthread_once(&once, put); step(1), after(1); pthread_once(&once, put);      \
	    see())                                                                                 \
	C(race_once_after, pthread_once(&once, see); put(); step(1), after(1);                     \
	    pthread_once(&once, see); see())                                                       \
	C(norace_call_once, call_once(&once11, put); step(1), after(1); call_once(&once11, put);   \
	    see())                                                                                 \
	C(norace_mtx, mtx_lock(&mtx); put(); mtx_unlock(&mtx); step(1), after(1); mtx_lock(&mtx);  \
	    see(); mtx_unlock(&mtx))                                                               \
	C(race_mtx_busy, mtx_lock(&mtx); put(); step(1); after(2); mtx_unlock(&mtx), after(1);     \
	    must(mtx_trylock(&mtx) == thrd_busy); see(); step(2))                                  \
	C(norace_cnd, mtx_lock(&mtx); while (!flag) cnd_wait(&cnd, &mtx); see();                   \
	    mtx_unlock(&mtx), mtx_lock(&mtx); put(); flag = 1; cnd_signal(&cnd); mtx_unlock(&mtx)) \
	C(norace_create, put(); pthread_join(make(put_thread), NULL), (void)0)                     \
	C(norace_join, pthread_join(make(put_thread), NULL); see(), (void)0)                       \
	C(norace_join_exit, pthread_join(make(put_exit), NULL); see(), (void)0)                    \
	C(norace_tryjoin, pthread_t th = make(put_thread); while (pthread_tryjoin_np(th, NULL));   \
	    see(), (void)0)                                                                        \
	C(norace_timedjoin, must(!pthread_timedjoin_np(make(put_thread), NULL, &later));           \
	    see(), (void)0)                                                                        \
	C(norace_thrd_join, thrd_t th; int r; thrd_create(&th, put11, NULL); thrd_join(th, &r);    \
	    must(r == 7); see(), (void)0)                                                          \
	C(race_detach, pthread_detach(make(put_step)); after(1); usleep(10000); see(), (void)0)    \
	C(norace_cancel, pthread_t th = make(wait_for_ever); after(1); LOCK; put(); UNLOCK;        \
	    pthread_cancel(th); pthread_join(th, NULL); LOCK; see(); UNLOCK, (void)0)              \
	C(norace_cancel_testcancel, pthread_t th = cancellable(at_testcancel); put();              \
	    pthread_cancel(th); pthread_join(th, NULL), (void)0)                                   \
	C(norace_cancel_sleep, pthread_t th = cancellable(at_sleep); put(); pthread_cancel(th);    \
	    pthread_join(th, NULL), (void)0)                                                       \
	C(norace_cancel_read, pthread_t th = cancellable(at_read); put(); pthread_cancel(th);      \
	    pthread_join(th, NULL), (void)0)                                                       \
	C(norace_cancel_sem, pthread_t th = cancellable(at_sem); put(); pthread_cancel(th);        \
	    pthread_join(th, NULL), (void)0)                                                       \
	C(norace_cancel_enabled, pthread_t th = cancellable(at_state); put(); pthread_cancel(th);  \
	    step(3); pthread_join(th, NULL), (void)0)                                              \
	C(norace_cancel_async, pthread_t th = cancellable(at_nothing); put();                      \
	    pthread_cancel(th); pthread_join(th, NULL), (void)0)                                   \
	C(norace_cancel_fgetc, pthread_t th = cancellable(at_fgetc); put();                        \
	    pthread_cancel(th); pthread_join(th, NULL), (void)0)                                   \
	C(norace_cancel_getline, pthread_t th = cancellable(at_getline); put();                    \
	    pthread_cancel(th); pthread_join(th, NULL), (void)0)                                   \
	C(norace_cancel_detached, seen_at = 2; pthread_t th = cancellable(at_fgetc);               \
	    pthread_detach(th); put(); pthread_cancel(th); step(2); after(3), (void)0)             \
	C(norace_cancel_key, pthread_key_create(&key, see_key);                                    \
	    pthread_t th = cancellable_in(with_key, at_nothing); put();                            \
	    pthread_cancel(th); pthread_join(th, NULL), (void)0)                                   \
	C(norace_cancel_unlock, pthread_t last = make(see_after_lock);                             \
	    pthread_t th = cancellable_in(pass_on, at_nothing); put(); pthread_cancel(th);         \
	    pthread_join(last, NULL); pthread_join(th, NULL), (void)0)                             \
	C(norace_cancel_join, other = cancellable_in(wait_in, at_fgetc);                           \
	    pthread_t last = make(see_after_join); put(); pthread_cancel(other);                   \
	    step(2); pthread_join(last, NULL), (void)0)                                            \
	C(race_cancel_put_before, pthread_t th = cancellable_in(put_in_vain, at_fgetc); see();     \
	    pthread_cancel(th); pthread_join(th, NULL), (void)0)                                   \
	C(race_cancel_and_then, seen_at = 2; pthread_t th = cancellable(at_sleep);                 \
	    pthread_cancel(th); put(); step(2); pthread_join(th, NULL), (void)0)                   \
	C(race_cancel_ignored, pthread_t th = cancellable(at_none); put(); pthread_cancel(th);     \
	    step(3); pthread_join(th, NULL), (void)0)                                              \
	C(                                                                                         \
	    norace_key_destructor, pthread_key_create(&key, key_gone);                             \
	    pthread_t th = make(set_key); for (int gone = 0; !gone; usleep(20)) {                  \
		    LOCK;                                                                          \
		    gone = stopped;                                                                \
		    UNLOCK;                                                                        \
	    } see();                                                                               \
	    pthread_join(th, NULL), (void)0)                                                       \
	C(norace_atexit, pthread_detach(make(put_atexit)); after(1); exit(0), (void)0)             \
	C(norace_flockfile, flockfile(stderr); put(); funlockfile(stderr); step(1), after(1);      \
	    flockfile(stderr); see(); funlockfile(stderr))                                         \
	C(race_print_orders_nothing, put(); fputs("", stderr); step(1), after(1);                  \
	    fputs("", stderr); see())                                                              \
	C(norace_stream_pipe, put(); fputs("hello\n", out); fflush(out), char s[9];                \
	    fgets(s, 9, in); see())                                                                \
	C(norace_stream_char, setvbuf(out, NULL, _IONBF, 0); put();                                \
	    putc('h', out), must(getc(in) == 'h'); see())                                          \
	C(norace_stream_descriptor, put(); fprintf(out, "%d\n", 1); fflush(out), char c;           \
	    must(read(fileno(in), &c, 1) == 1); see())                                             \
	C(race_localtime, time_t t = 5; sink = localtime(&t)->tm_sec; step(1), after(1);           \
	    time_t t = 7; sink = localtime(&t)->tm_sec)                                            \
	C(race_free, block = malloc(16); step(1); after(2); sink = block[3], after(1);             \
	    free(block); step(2))                                                                  \
	C(                                                                                         \
	    norace_blocks_reused,                                                                  \
	    for (int i = 0; i < 1000; i++) {                                                       \
		    char *p = malloc(64);                                                          \
		    p[i % 64] = 1;                                                                 \
		    free(p);                                                                       \
	    },                                                                                     \
	    for (int i = 0; i < 1000; i++) {                                                       \
		    char *p = malloc(64);                                                          \
		    p[i % 64] = 1;                                                                 \
		    free(p);                                                                       \
	    })                                                                                     \
	C(                                                                                         \
	    norace_realloc, char *p = malloc(10); p[1] = 1;                                        \
	    for (int i = 11; i < 300000; i = i * 3 / 2) {                                          \
		    p = realloc(p, (size_t)i);                                                     \
		    p[i - 1] = 1;                                                                  \
		    must(p[1] == 1);                                                               \
	    } free(p),                                                                             \
	    (void)0)                                                                               \
	C(race_longjmp, for (volatile int i = 0; i < 20000; i = i + 1) if (!setjmp(env)) jump(5);  \
	    put(); step(1), after(1); see())

#define DEFINE(name, first, ...)                                                                   \
	static void *name##_first(void *arg)                                                       \
	{                                                                                          \
		(void)arg;                                                                         \
		first;                                                                             \
		return NULL;                                                                       \
	}                                                                                          \
	static void *name##_second(void *arg)                                                      \
	{                                                                                          \
		(void)arg;                                                                         \
		__VA_ARGS__;                                                                       \
		return NULL;                                                                       \
	}
CASES(DEFINE)

static void prepare(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checking, &attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attr);
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	sem_init(&sem, 0, 0);
	mtx_init(&mtx, mtx_timed);
	cnd_init(&cnd);
	pipe_streams();
	clock_gettime(CLOCK_REALTIME, &later);
	later.tv_sec += 20;
	clock_gettime(CLOCK_MONOTONIC, &later_mono);
	later_mono.tv_sec += 20;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*first)(void *), *(*second)(void *);
	} cases[] = {
#define ENTRY(name, ...) {#name, name##_first, name##_second},
	    CASES(ENTRY)};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (argc < 2) {
			puts(cases[i].name);
		} else if (strcmp(argv[1], cases[i].name) == 0) {
			pthread_t first, second;

			prepare();
			pthread_create(&first, NULL, cases[i].first, NULL);
			pthread_create(&second, NULL, cases[i].second, NULL);
			pthread_join(first, NULL);
			pthread_join(second, NULL);
			return 0;
		}
	}
	return argc < 2 ? 0 : 3;
}
