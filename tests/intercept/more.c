/*
 * more.c: what threads.c leaves: robust, priority and adaptive mutexes, named semaphores, waits by a clock, locks of
 * streams, keys of C11, attributes, fork and what is made by it, libraries that come and go. See pair.h.
 */
#include "pair.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

static pthread_mutex_t robust, inheriting, protecting, adaptive;
static sem_t sem;
static mtx_t mtx;
static cnd_t cnd;
static int flag;
static struct timespec later_real;
static sem_t *named;
static tss_t key;
static struct timespec later;
static char *page;

static void *dies_with_it(void *arg)
{
	must(pthread_mutex_lock(&robust) == 0);
	put();
	step(1);
	return arg;
}

static void takes_over(void)
{
	after(1);
	must(pthread_mutex_lock(&robust) == EOWNERDEAD);
	see();
	must(pthread_mutex_consistent(&robust) == 0);
	must(pthread_mutex_unlock(&robust) == 0);
}

/* A mutex with a ceiling is for threads with a priority: libc answers EINVAL to others. Who has
 * CAP_SYS_NICE, as root, may have one, and others up to RLIMIT_RTPRIO. For anybody else the cases that
 * ask for it are untested. */
static void rise(void)
{
	struct sched_param p = {.sched_priority = 1};
	int r = pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);

	if (r == EPERM)
		may_not("run by SCHED_FIFO, as PTHREAD_PRIO_PROTECT asks for");
	must(r == 0);
}

static void lock(pthread_mutex_t *m)
{
	must(pthread_mutex_lock(m) == 0);
}

static void unlock(pthread_mutex_t *m)
{
	must(pthread_mutex_unlock(m) == 0);
}

static pthread_t make(void *(*fn)(void *), bool detached)
{
	pthread_attr_t attr;
	pthread_t th;

	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setstacksize(&attr, 1 << 20) == 0);
	if (detached)
		must(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
	must(pthread_create(&th, &attr, fn, NULL) == 0);
	return th;
}

static void *put_step(void *arg)
{
	put();
	step(1);
	return arg;
}

static void clockjoin(void)
{
	must(pthread_clockjoin_np(make(put_step, false), NULL, CLOCK_MONOTONIC, &later) == 0);
}

static void gone(void *arg)
{
	(void)arg;
	put();
}

static int sets_key(void *arg)
{
	return tss_set(key, arg);
}

static void key_destructor(void)
{
	thrd_t th;

	must(tss_create(&key, gone) == thrd_success);
	must(thrd_create(&th, sets_key, &key) == thrd_success);
	must(thrd_join(th, NULL) == thrd_success);
}

static int steps;
static void before_fork(void)
{
	steps += 1;
}
static void in_parent(void)
{
	steps += 10;
}
static void in_child(void)
{
	steps += 100;
}

static void forks(void)
{
	int status;
	pid_t pid;

	must(pthread_atfork(before_fork, in_parent, in_child) == 0);
	pid = fork();
	if (pid == 0) {
		put();
		_exit(steps == 101 ? 3 : 4);
	}
	must(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3 && steps == 11);
	pid = vfork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(9);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0);
}

static void maps_anew(void)
{
	page[0] = 1;
	must(munmap(page, 4096) == 0);
	must(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
	step(1);
}

static void opens(void)
{
	for (int i = 0; i < 20; i++) {
		void *lib = dlopen("libm.so.6", RTLD_NOW);

		must(lib && dlsym(lib, "cos"));
		must(dlclose(lib) == 0);
	}
}

/* name, first thread, second thread */
#define CASES(C)                                                                                   \
	C(norace_robust_owner_dead, pthread_join(make(dies_with_it, false), NULL), takes_over())   \
	C(norace_robust_owner_dead_unjoined, make(dies_with_it, true), takes_over())               \
	C(race_robust_after, pthread_mutex_lock(&robust); pthread_mutex_unlock(&robust); put();    \
	    step(1), after(1); pthread_mutex_lock(&robust); see(); pthread_mutex_unlock(&robust))  \
	C(norace_inheriting, lock(&inheriting); put(); unlock(&inheriting); step(1), after(1);     \
	    lock(&inheriting); see(); unlock(&inheriting))                                         \
	C(norace_inheriting_waits, lock(&inheriting); step(1); put(); unlock(&inheriting),         \
	    after(1); lock(&inheriting); see(); unlock(&inheriting))                               \
	C(race_inheriting_after, lock(&inheriting); unlock(&inheriting); put(); step(1), after(1); \
	    lock(&inheriting); see(); unlock(&inheriting))                                         \
	C(race_inheriting_in_vain, lock(&inheriting); put(); step(1); after(2);                    \
	    unlock(&inheriting), after(1); must(pthread_mutex_trylock(&inheriting) == EBUSY);      \
	    see(); step(2))                                                                        \
	C(norace_inheriting_timed, lock(&inheriting); put(); unlock(&inheriting); step(1),         \
	    after(1); must(pthread_mutex_timedlock(&inheriting, &later_real) == 0); see();         \
	    unlock(&inheriting))                                                                   \
	C(norace_protecting, rise(); lock(&protecting); put(); unlock(&protecting); step(1),       \
	    rise(); after(1); lock(&protecting); see(); unlock(&protecting))                       \
	C(norace_protecting_waits, rise(); lock(&protecting); step(1); put(); unlock(&protecting), \
	    rise(); after(1); lock(&protecting); see(); unlock(&protecting))                       \
	C(race_protecting_after, rise(); lock(&protecting); unlock(&protecting); put(); step(1),   \
	    rise(); after(1); lock(&protecting); see(); unlock(&protecting))                       \
	C(race_protecting_in_vain, rise(); lock(&protecting); put(); step(1); after(2);            \
	    unlock(&protecting), rise(); after(1); must(pthread_mutex_trylock(&protecting) ==      \
	    EBUSY); see(); step(2))                                                                \
	C(norace_protecting_timed, rise(); lock(&protecting); put(); unlock(&protecting); step(1), \
	    rise(); after(1); must(pthread_mutex_timedlock(&protecting, &later_real) == 0); see(); \
	    unlock(&protecting))                                                                   \
	C(norace_sem_named, put(); sem_post(named), sem_wait(named); see())                        \
	C(race_sem_named_after, sem_post(named); put(); step(1), sem_wait(named); after(1); see()) \
	C(norace_clockjoin, clockjoin(); see(), (void)0)                                           \
	C(race_detached_by_attribute, make(put_step, true), after(1); see())                       \
	C(norace_tss_destructor, key_destructor(); see(), (void)0)                                 \
	C(norace_fork, forks(), (void)0)                                                           \
	C(norace_adaptive, pthread_mutex_lock(&adaptive); put();                                   \
	    pthread_mutex_unlock(&adaptive); step(1), after(1);                                    \
	    must(!pthread_mutex_clocklock(&adaptive, CLOCK_MONOTONIC, &later)); see();             \
	    pthread_mutex_unlock(&adaptive))                                                       \
	C(norace_sem_clock, put(); sem_post(&sem),                                                 \
	    must(!sem_clockwait(&sem, CLOCK_MONOTONIC, &later)); see())                            \
	C(race_sem_clock_in_vain, put(); step(1), struct timespec past = {0}; after(1);            \
	    must(sem_clockwait(&sem, CLOCK_MONOTONIC, &past) == -1 && errno == ETIMEDOUT); see())  \
	C(norace_mtx_timed, mtx_lock(&mtx); put(); mtx_unlock(&mtx); step(1), after(1);            \
	    must(mtx_timedlock(&mtx, &later_real) == thrd_success); see(); mtx_unlock(&mtx))       \
	C(race_mtx_timed_in_vain, mtx_lock(&mtx); put(); step(1); after(2); mtx_unlock(&mtx),      \
	    struct timespec past = {0}; after(1);                                                  \
	    must(mtx_timedlock(&mtx, &past) == thrd_timedout); see(); step(2))                     \
	C(norace_cnd_timed, mtx_lock(&mtx); put(); flag = 1; cnd_signal(&cnd); mtx_unlock(&mtx),   \
	    mtx_lock(&mtx); while (!flag) cnd_timedwait(&cnd, &mtx, &later_real); see();           \
	    mtx_unlock(&mtx))                                                                      \
	C(norace_trylockfile, flockfile(stdout); put(); funlockfile(stdout); step(1), after(1);    \
	    must(ftrylockfile(stdout) == 0); see(); funlockfile(stdout))                           \
	C(race_trylockfile_in_vain, flockfile(stdout); put(); step(1); after(2);                   \
	    funlockfile(stdout), after(1); must(ftrylockfile(stdout) != 0); see(); step(2))        \
	C(norace_mapped_anew, maps_anew(), after(1); page[0] = 2)                                  \
	C(norace_libraries, opens(), opens())

static void prepare(void)
{
	pthread_mutexattr_t attr;
	char name[40];

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	must(pthread_mutex_init(&robust, &attr) == 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	must(pthread_mutex_init(&inheriting, &attr) == 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT);
	must(pthread_mutexattr_setprioceiling(&attr, 2) == 0);
	must(pthread_mutex_init(&protecting, &attr) == 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	must(pthread_mutex_init(&adaptive, &attr) == 0);
	must(sem_init(&sem, 0, 0) == 0);
	must(mtx_init(&mtx, mtx_timed) == thrd_success && cnd_init(&cnd) == thrd_success);
	must(timespec_get(&later_real, TIME_UTC) == TIME_UTC);
	later_real.tv_sec += 20;
	snprintf(name, sizeof name, "/goro-%d", getpid());
	named = sem_open(name, O_CREAT, 0600, 0);
	must(named != SEM_FAILED && sem_unlink(name) == 0);
	clock_gettime(CLOCK_MONOTONIC, &later);
	later.tv_sec += 20;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

#include "pair_main.h"
