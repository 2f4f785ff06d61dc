/*
 * blocking_test.c: libc calls that block their thread leave the P to others: with GOMAXPROCS=1 a goroutine goes into the
 * call, the main goroutine goes on, and lets it out again. Were the P kept, main would never run.
 */
#define GORO_NO_SHORT_NAMES
#include "help.h"

#ifdef CRITERION_TSAN_H /* which takes many of these names itself */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* ---- what the calls wait for ---- */

static int fd[2];          /* a pipe: "x" lets go */
static int sv[2];          /* a socket pair */
static int file, file2;    /* one file opened twice */
static char path[64];
static pid_t child;
static pthread_mutex_t mu;
static pthread_rwlock_t rw;
static pthread_cond_t cond;
static pthread_barrier_t barrier;
static bool flag;
static sem_t sem;
static mtx_t mtx;
static cnd_t cnd;
static pthread_t thread;
static thrd_t thrd;
static int hold[2];        /* a pipe on which a helper waits, which has or is what the call wants */
static FILE *stream;
static char room[1 << 17]; /* more than a pipe holds */

static void let_go(void)
{
	ssize_t n = write(fd[1], "x\n", 2);
	cr_assert_eq(n, 2);
}

static void let_socket(void)
{
	cr_assert_eq(send(sv[1], "x", 1, 0), 1);
}

static void helper_ends(void)
{
	close(hold[1]);
}

/* A thread of the program's that takes what `held` says, and lets go when told. */
static sem_t taken;
static void (*take)(void), (*give)(void);

static void *holder(void *p)
{
	char c;
	(void)p;
	if (take)
		take();
	sem_post(&taken);
	while (read(hold[0], &c, 1) < 0 && errno == EINTR)
		;
	if (give)
		give();
	return NULL;
}

static void start_holder(void (*t)(void), void (*g)(void))
{
	take = t;
	give = g;
	cr_assert_eq(pthread_create(&thread, NULL, holder, NULL), 0);
	while (sem_trywait(&taken) != 0)
		sched_yield();
}

static void lock_mu(void) { pthread_mutex_lock(&mu); }
static void unlock_mu(void) { pthread_mutex_unlock(&mu); }
static void lock_rw(void) { pthread_rwlock_wrlock(&rw); }
static void unlock_rw(void) { pthread_rwlock_unlock(&rw); }
static void lock_mtx(void) { mtx_lock(&mtx); }
static void unlock_mtx(void) { mtx_unlock(&mtx); }

static void hold_mu(void) { start_holder(lock_mu, unlock_mu); pthread_detach(thread); }
static void hold_rw(void) { start_holder(lock_rw, unlock_rw); pthread_detach(thread); }
static void hold_mtx(void) { start_holder(lock_mtx, unlock_mtx); pthread_detach(thread); }
static void hold_thread(void) { start_holder(NULL, NULL); }

static int until_told(void *p)
{
	char c;
	(void)p;
	return (int)read(hold[0], &c, 1);
}

static void hold_thrd(void) { cr_assert_eq(thrd_create(&thrd, until_told, NULL), thrd_success); }

/* A process that has a lock on the file, or none, until told. */
static void start_child(bool locks)
{
	char c;
	child = fork();
	if (child == 0) {
		close(hold[1]);
		if (locks) {
			struct flock l = {.l_type = F_WRLCK};
			if (fcntl(file, F_SETLK, &l) != 0)
				_exit(1);
		}
		ssize_t n = write(fd[1], "r", 1);
		n = read(hold[0], &c, 1);
		_exit(n < 0);
	}
	cr_assert_eq(read(fd[0], &c, 1), 1);
}

static void child_locks(void) { start_child(true); }
static void child_lives(void) { start_child(false); }

static struct timespec soon(int clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	t.tv_sec += 15;
	return t;
}

/* ---- the calls: 0 when they did what they should ---- */

static int c_read(void) { return read(fd[0], room, 1) != 1; }
static int c_readv(void) { return readv(fd[0], &(struct iovec){room, 1}, 1) != 1; }
static int c_write(void) { return write(fd[1], room, sizeof room) != (ssize_t)sizeof room; }
static int c_writev(void) { return writev(fd[1], &(struct iovec){room, sizeof room}, 1) != (ssize_t)sizeof room; }
static int c_preadv2(void) { return preadv2(fd[0], &(struct iovec){room, 1}, 1, -1, 0) != 1; }
static int c_pwritev2(void) { return pwritev2(fd[1], &(struct iovec){room, sizeof room}, 1, -1, 0) != (ssize_t)sizeof room; }
static int c_recv(void) { return recv(sv[0], room, 1, 0) != 1; }
static int c_recvfrom(void) { return recvfrom(sv[0], room, 1, 0, NULL, NULL) != 1; }
static int c_recvmsg(void)
{
	struct iovec v = {room, 1};
	return recvmsg(sv[0], &(struct msghdr){.msg_iov = &v, .msg_iovlen = 1}, 0) != 1;
}
static int c_send(void) { return send(sv[0], room, sizeof room, 0) != (ssize_t)sizeof room; }
static int c_poll(void) { return poll(&(struct pollfd){.fd = fd[0], .events = POLLIN}, 1, -1) != 1; }
static int c_ppoll(void) { return ppoll(&(struct pollfd){.fd = fd[0], .events = POLLIN}, 1, NULL, NULL) != 1; }
static int c_select(void)
{
	fd_set r;
	FD_ZERO(&r);
	FD_SET(fd[0], &r);
	return select(fd[0] + 1, &r, NULL, NULL, NULL) != 1;
}
static int c_pselect(void)
{
	fd_set r;
	FD_ZERO(&r);
	FD_SET(fd[0], &r);
	return pselect(fd[0] + 1, &r, NULL, NULL, NULL, NULL) != 1;
}
static int c_epoll(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	int bad = epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e) || epoll_wait(ep, &e, 1, -1) != 1;
	close(ep);
	return bad;
}
static int c_open(void)
{
	int f = open(path, O_RDONLY); /* a fifo */
	close(f);
	return f < 0;
}
static int c_waitpid(void) { return waitpid(child, NULL, 0) != child; }
static int c_wait4(void) { return wait4(child, NULL, 0, NULL) != child; }
static int c_waitid(void) { return waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED); }
static int c_flock(void) { return flock(file2, LOCK_EX); }
static int c_setlkw(void) { return fcntl(file, F_SETLKW, &(struct flock){.l_type = F_WRLCK}); }
static int c_ofd_setlkw(void) { return fcntl(file2, F_OFD_SETLKW, &(struct flock){.l_type = F_WRLCK}); }
static int c_lockf(void) { return lockf(file, F_LOCK, 1); }
static int c_sem_wait(void) { return sem_wait(&sem); }
static int c_sem_timedwait(void) { struct timespec t = soon(CLOCK_REALTIME); return sem_timedwait(&sem, &t); }
static int c_mutex(void) { return pthread_mutex_lock(&mu) || pthread_mutex_unlock(&mu); }
static int c_mutex_timed(void)
{
	struct timespec t = soon(CLOCK_REALTIME);
	return pthread_mutex_timedlock(&mu, &t) || pthread_mutex_unlock(&mu);
}
static int c_rdlock(void) { return pthread_rwlock_rdlock(&rw) || pthread_rwlock_unlock(&rw); }
static int c_wrlock(void) { return pthread_rwlock_wrlock(&rw) || pthread_rwlock_unlock(&rw); }
static int c_cond(void)
{
	int e = pthread_mutex_lock(&mu);
	while (!e && !flag)
		e = pthread_cond_wait(&cond, &mu);
	return e || pthread_mutex_unlock(&mu);
}
static int c_cond_timed(void)
{
	struct timespec t = soon(CLOCK_REALTIME);
	int e = pthread_mutex_lock(&mu);
	while (!e && !flag)
		e = pthread_cond_timedwait(&cond, &mu, &t);
	return e || pthread_mutex_unlock(&mu);
}
static int c_barrier(void) { int e = pthread_barrier_wait(&barrier); return e && e != PTHREAD_BARRIER_SERIAL_THREAD; }
static int c_join(void) { return pthread_join(thread, NULL); }
static int c_mtx(void) { return mtx_lock(&mtx) || mtx_unlock(&mtx); }
static int c_cnd(void)
{
	int e = mtx_lock(&mtx);
	while (!e && !flag)
		e = cnd_wait(&cnd, &mtx);
	return e || mtx_unlock(&mtx);
}
static int c_thrd_join(void) { return thrd_join(thrd, NULL); }
static int c_system(void)
{
	char line[128];
	snprintf(line, sizeof line, "read x </dev/fd/%d", fd[0]);
	return system(line);
}
static int c_pclose(void) { return pclose(stream); }
static int c_fgets(void) { return !fgets(room, 10, stream); }
static int c_fgetc(void) { return fgetc(stream) != 'x'; }
static int c_getc(void) { return getc(stream) != 'x'; }
static int c_fread(void) { return fread(room, 1, 2, stream) != 2; }
static int c_getline(void)
{
	char *line = NULL;
	size_t n = 0;
	ssize_t got = getline(&line, &n, stream);
	free(line);
	return got != 2;
}
static int c_fscanf(void) { return fscanf(stream, "%9s", room) != 1; }
static int c_fwrite(void) { return fwrite(room, 1, sizeof room, stream) != sizeof room || fflush(stream); }
static int c_fprintf(void) { memset(room, 'a', sizeof room - 1); return fprintf(stream, "%s", room) < 0 || fflush(stream); }
static int c_fputs(void) { memset(room, 'a', sizeof room - 1); return fputs(room, stream) < 0 || fflush(stream); }
static int c_sleep(void) { return sleep(1) != 0; }
static int c_usleep(void) { return usleep(300000); }
static int c_nanosleep(void) { return nanosleep(&(struct timespec){0, 300000000}, NULL); }
static int c_clock_nanosleep(void) { return clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 300000000}, NULL); }
static int c_thrd_sleep(void) { return thrd_sleep(&(struct timespec){0, 300000000}, NULL); }
static int c_sigwait(void)
{
	sigset_t s;
	int sig;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	return sigwait(&s, &sig) || sig != SIGUSR2;
}
static int c_sigtimedwait(void)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	return sigtimedwait(&s, NULL, &(struct timespec){15, 0}) != SIGUSR2;
}
static int64_t plain_read(void *p) { return read(fd[0], p, 1); }
static int c_blocking(void) { return goro_blocking(plain_read, room) != 1; }
static struct sockaddr_un at = {.sun_family = AF_UNIX};
static void p_listen(void)
{
	snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "goro-blocking-%d", (int)getpid());
	sv[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert(!bind(sv[0], (struct sockaddr *)&at, sizeof at) && !listen(sv[0], 0));
}
static int c_connect(void)
{
	int bad = 0, s[2];
	for (int i = 0; i < 2; i++) { /* the second waits for the queue to have room */
		s[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		bad |= connect(s[i], (struct sockaddr *)&at, sizeof at);
	}
	close(s[0]);
	close(s[1]);
	return bad;
}
static int c_accept(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int l = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "goro-accept-%d", (int)getpid());
	if (bind(l, (struct sockaddr *)&a, sizeof a) || listen(l, 1))
		return 1;
	int s = accept(l, NULL, NULL);
	close(s);
	close(l);
	return s < 0;
}

/* ---- letting go ---- */

static void r_drain(void)
{
	static char sink[sizeof room];
	for (size_t n = 0; n < sizeof room;) {
		ssize_t k = read(fd[0], sink, sizeof sink);
		cr_assert_gt(k, 0);
		n += (size_t)k;
	}
}
static void r_drain_less(void) /* what a line of text has, which ends before the array */
{
	static char sink[sizeof room];
	for (size_t n = 0; n < sizeof room - 1;) {
		ssize_t k = read(fd[0], sink, sizeof sink);
		cr_assert_gt(k, 0);
		n += (size_t)k;
	}
}
static void r_drain_socket(void)
{
	static char sink[sizeof room];
	for (size_t n = 0; n < sizeof room;) {
		ssize_t k = recv(sv[1], sink, sizeof sink, 0);
		cr_assert_gt(k, 0);
		n += (size_t)k;
	}
}
static void r_open(void) { int f = open(path, O_WRONLY); cr_assert(f >= 0); close(f); }
static void r_unflock(void) { flock(file, LOCK_UN); }
static void r_unofd(void) { fcntl(file, F_OFD_SETLK, &(struct flock){.l_type = F_UNLCK}); }
static void r_post(void) { sem_post(&sem); }
static void r_cond(void) { pthread_mutex_lock(&mu); flag = true; pthread_cond_signal(&cond); pthread_mutex_unlock(&mu); }
static void r_barrier(void) { pthread_barrier_wait(&barrier); }
static void r_cnd(void) { mtx_lock(&mtx); flag = true; cnd_signal(&cnd); mtx_unlock(&mtx); }
static void r_signal(void) { kill(getpid(), SIGUSR2); }
static void r_accept(void) { close(accept(sv[0], NULL, NULL)); }
static void r_dial(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "goro-accept-%d", (int)getpid());
	cr_assert_eq(connect(s, (struct sockaddr *)&a, sizeof a), 0);
	close(s);
}

static void p_fifo(void) { unlink(path); cr_assert_eq(mkfifo(path, 0600), 0); }
static void p_flock(void) { cr_assert_eq(flock(file, LOCK_EX), 0); }
static void p_ofd(void) { cr_assert_eq(fcntl(file, F_OFD_SETLK, &(struct flock){.l_type = F_WRLCK}), 0); }
static void p_pclose(void)
{
	char line[128];
	snprintf(line, sizeof line, "read x </dev/fd/%d", fd[0]);
	stream = popen(line, "r");
}
static void p_in(void) { stream = fdopen(dup(fd[0]), "r"); }
static void p_out(void) { stream = fdopen(dup(fd[1]), "w"); }
static void p_small(void)
{
	int n = 4096;
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
}
static void p_block_usr2(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigaction(SIGUSR2, &sa, NULL);
}

/* ---- the table ---- */

typedef struct Call {
	const char *name;
	void (*prepare)(void);
	int (*call)(void);
	void (*release)(void); /* NULL: time does it */
	bool plain; /* in the race build it keeps its P: docs/runtime.md */
} Call;

static const Call calls[] = {
    {"read", NULL, c_read, let_go, false},
    {"readv", NULL, c_readv, let_go, false},
    {"write", NULL, c_write, r_drain, false},
    {"writev", NULL, c_writev, r_drain, false},
    {"preadv2", NULL, c_preadv2, let_go, false},
    {"pwritev2", NULL, c_pwritev2, r_drain, false},
    {"recv", NULL, c_recv, let_socket, false},
    {"recvfrom", NULL, c_recvfrom, let_socket, false},
    {"recvmsg", NULL, c_recvmsg, let_socket, false},
    {"send", p_small, c_send, r_drain_socket, false},
    {"accept", NULL, c_accept, r_dial, false},
    {"connect", p_listen, c_connect, r_accept, false},
    {"poll", NULL, c_poll, let_go, false},
    {"ppoll", NULL, c_ppoll, let_go, false},
    {"select", NULL, c_select, let_go, false},
    {"pselect", NULL, c_pselect, let_go, false},
    {"epoll_wait", NULL, c_epoll, let_go, false},
    {"open of a fifo", p_fifo, c_open, r_open, false},
    {"nanosleep", NULL, c_nanosleep, NULL, false},
    {"clock_nanosleep", NULL, c_clock_nanosleep, NULL, false},
    {"sleep", NULL, c_sleep, NULL, false},
    {"usleep", NULL, c_usleep, NULL, false},
    {"thrd_sleep", NULL, c_thrd_sleep, NULL, false},
    {"waitpid", child_lives, c_waitpid, helper_ends, false},
    {"wait4", child_lives, c_wait4, helper_ends, false},
    {"waitid", child_lives, c_waitid, helper_ends, false},
    {"flock", p_flock, c_flock, r_unflock, false},
    {"fcntl F_SETLKW", child_locks, c_setlkw, helper_ends, false},
    {"fcntl F_OFD_SETLKW", p_ofd, c_ofd_setlkw, r_unofd, false},
    {"lockf", child_locks, c_lockf, helper_ends, false},
    {"sem_wait", NULL, c_sem_wait, r_post, false},
    {"sem_timedwait", NULL, c_sem_timedwait, r_post, false},
    {"pthread_mutex_lock", hold_mu, c_mutex, helper_ends, false},
    {"pthread_mutex_timedlock", hold_mu, c_mutex_timed, helper_ends, false},
    {"pthread_rwlock_rdlock", hold_rw, c_rdlock, helper_ends, false},
    {"pthread_rwlock_wrlock", hold_rw, c_wrlock, helper_ends, false},
    {"pthread_cond_wait", NULL, c_cond, r_cond, false},
    {"pthread_cond_timedwait", NULL, c_cond_timed, r_cond, false},
    {"pthread_barrier_wait", NULL, c_barrier, r_barrier, false},
    {"pthread_join", hold_thread, c_join, helper_ends, false},
    {"mtx_lock", hold_mtx, c_mtx, helper_ends, false},
    {"cnd_wait", NULL, c_cnd, r_cnd, false},
    {"thrd_join", hold_thrd, c_thrd_join, helper_ends, false},
    {"sigwait", p_block_usr2, c_sigwait, r_signal, false},
    {"sigtimedwait", p_block_usr2, c_sigtimedwait, r_signal, false},
    {"system", NULL, c_system, let_go, false},
    {"pclose", p_pclose, c_pclose, let_go, false},
    {"fgets", p_in, c_fgets, let_go, true},
    {"fgetc", p_in, c_fgetc, let_go, true},
    {"getc", p_in, c_getc, let_go, true},
    {"fread", p_in, c_fread, let_go, true},
    {"getline", p_in, c_getline, let_go, true},
    {"fscanf", p_in, c_fscanf, let_go, true},
    {"fwrite", p_out, c_fwrite, r_drain, true},
    {"fprintf", p_out, c_fprintf, r_drain_less, true},
    {"fputs", p_out, c_fputs, r_drain_less, true},
    {"goro_blocking", NULL, c_blocking, let_go, false},
};

static const Call *now;
static int ended, result;

static void in_call(void *p)
{
	(void)p;
	result = now->call();
	__atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
}

static int try_it(void *p)
{
	(void)p;
	if (now->prepare)
		now->prepare();
	if (goro_go(in_call, NULL) != 0)
		return 1;
	/* It runs as soon as we make way; that we come back is what is to be shown. */
	for (int i = 0; i < 50; i++) {
		goro_gosched();
		if (__atomic_load_n(&ended, __ATOMIC_ACQUIRE))
			return 2; /* it did not block */
	}
	if (now->release)
		now->release();
	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE))
		goro_gosched();
	return result ? 3 : 0;
}

static int run_call(void)
{
	sigset_t usr2;
	alarm(20);
	setenv("GOMAXPROCS", "1", 1);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &usr2, NULL);
	snprintf(path, sizeof path, "/tmp/goro-blocking-%d", (int)getpid());
	file = open(path, O_RDWR | O_CREAT, 0600);
	file2 = open(path, O_RDWR);
	if (pipe(fd) || pipe(hold) || socketpair(AF_UNIX, SOCK_STREAM, 0, sv) || file < 0 || file2 < 0)
		return 4;
	mtx_init(&mtx, mtx_timed);
	cnd_init(&cnd);
	pthread_mutex_init(&mu, NULL);
	pthread_rwlock_init(&rw, NULL);
	pthread_cond_init(&cond, NULL);
	pthread_barrier_init(&barrier, NULL, 2);
	sem_init(&sem, 0, 0);
	sem_init(&taken, 0, 0);
	int r = goro_run(try_it, NULL);
	unlink(path);
	return r;
}

#ifndef CRITERION_TSAN_H
Test(blocking, each_call_leaves_its_p_to_others, .timeout = 200)
{
	static const char *const why[] = {"", "go failed", "it did not block", "it failed", "no file"};
	char text[2048] = "";
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		int status;
		if (calls[i].plain && goro_race_enabled())
			continue;
		now = &calls[i];
		pid_t pid = fork();
		cr_assert(pid >= 0);
		if (pid == 0)
			_exit(run_call());
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		size_t n = strlen(text);
		if (WIFSIGNALED(status))
			snprintf(text + n, sizeof text - n, "%s: %s\n", now->name,
			    WTERMSIG(status) == SIGALRM ? "keeps its P" : strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status))
			snprintf(text + n, sizeof text - n, "%s: %s (%d)\n", now->name,
			    WEXITSTATUS(status) < 5 ? why[WEXITSTATUS(status)] : "?", WEXITSTATUS(status));
	}
	cr_assert_str_eq(text, "");
}
#endif
