/*
 * fills.c: calls of libc that answer through pointers. Wide characters and formats: wides.c.
 */
#include "filled.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <iconv.h>
#include <limits.h>
#include <locale.h>
#include <mqueue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* What calls need, made by main before the thread: seen by nobody else. */
static struct iovec iov[2];
static struct msghdr msg;
static struct mmsghdr mmsg;
static pid_t child;

static void udp(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof at;

	sock[0] = socket(AF_INET, SOCK_DGRAM, 0);
	sock[1] = socket(AF_INET, SOCK_DGRAM, 0);
	must(sock[0] >= 0 && sock[1] >= 0);
	must(bind(sock[0], (struct sockaddr *)&at, n) == 0);
	must(getsockname(sock[0], (struct sockaddr *)&at, &n) == 0);
	must(connect(sock[1], (struct sockaddr *)&at, n) == 0);
	must(send(sock[1], "hello", 5, 0) == 5);
}

static void pair(void)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sock) == 0);
	must(write(sock[1], "hello", 5) == 5);
}

static void piped(void)
{
	must(pipe(fd) == 0);
	must(write(fd[1], "hello", 5) == 5);
}

static void vectors(void)
{
	piped();
	iov[0] = (struct iovec){A, 3};
	iov[1] = (struct iovec){A + 16, 10};
}

static void nobody_wrote(void)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sock) == 0);
	iov[0] = (struct iovec){A, 3};
	iov[1] = (struct iovec){A + 16, 10};
}

static void message(void)
{
	udp();
	iov[0] = (struct iovec){A, 3};
	iov[1] = (struct iovec){A + 16, 10};
	msg = (struct msghdr){.msg_iov = iov, .msg_iovlen = 2, .msg_name = B, .msg_namelen = 64};
	mmsg = (struct mmsghdr){.msg_hdr = msg};
}

static void dead_child(void)
{
	child = fork();
	if (child == 0)
		_exit(3);
	must(child > 0);
}

static void in_utf8(void)
{
	must(setlocale(LC_ALL, "C.UTF-8") != NULL);
	strcpy(B, "a\303\244b");
}

static void word(void)
{
	strcpy(B, "/tmp");
}

static void root(void)
{
	strcpy(B, "root");
}

static void address(void)
{
	strcpy(B, "127.0.0.1");
}

static void template_(void)
{
	strcpy(A, "/tmp/goro-XXXXXX");
}

static void event(void)
{
	fd[0] = eventfd(1, 0);
}

static void watched(void)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 7};

	piped();
	sock[0] = epoll_create1(0);
	must(epoll_ctl(sock[0], EPOLL_CTL_ADD, fd[0], &ev) == 0);
}

static void polls(void)
{
	piped();
	((struct pollfd *)A)[0] = (struct pollfd){.fd = fd[0], .events = POLLIN};
	((struct pollfd *)A)[1] = (struct pollfd){.fd = -1};
}

static void sets(void)
{
	piped();
	FD_SET(fd[0], (fd_set *)A);
}

static struct sigevent quiet = {.sigev_notify = SIGEV_NONE};
static timer_t a_timer;
static void timer(void)
{
	must(timer_create(CLOCK_REALTIME, &quiet, &a_timer) == 0);
}

static regex_t re;
static void expression(void)
{
	must(regcomp(&re, "l(o+)", REG_EXTENDED) == 0);
	strcpy(B, "hello");
}

static iconv_t cd;
static char *cd_in, *cd_out;
static size_t cd_nin, cd_nout;
static void converter(void)
{
	cd = iconv_open("UTF-16LE", "UTF-8");
	must(cd != (iconv_t)-1);
	strcpy(B, "abc");
	cd_in = B, cd_nin = 3, cd_out = A, cd_nout = 100;
}

static void pending(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	*(sigset_t *)B = s;
}

static void old_handler(int sig)
{
	(void)sig;
}

static void some_terminal(void)
{
	must(openpty(&fd[0], &fd[1], NULL, NULL, NULL) == 0);
}

static mqd_t queue = -1;
static void queued(void)
{
	struct mq_attr a = {.mq_maxmsg = 2, .mq_msgsize = 16};
	char name[32];

	sprintf(name, "/goro-%d", getpid());
	queue = mq_open(name, O_CREAT | O_RDWR, 0600, &a);
	if (queue >= 0) {
		mq_unlink(name);
		must(mq_send(queue, "hello", 5, 3) == 0);
	}
}

static struct random_data rd;
static char rd_state[64];
static void randoms(void)
{
	must(initstate_r(1, rd_state, sizeof rd_state, &rd) == 0);
}

static struct passwd pw;
static void text(const char *s)
{
	W(s, len(s) + 1);
}

/* Not seen: what a callback reads is its own. */
UNSEEN static int chars_differ(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void letters(void)
{
	strcpy(A, "abc");
	*(size_t *)B = 3;
}

static void a_path(void)
{
	strcpy(B, "/nowhere");
}

static int no_file(const char *path, const struct stat *st, int what, struct FTW *how)
{
	return 0;
}

static void attrs(void)
{
	strcpy(A, "seen");
}

#define S(t) sizeof(struct t)

/* name, before (main), what the call touches, the call (a thread) */
#define CASES(T)                                                                                   \
	T(read, piped, W(A, 5), sink = read(fd[0], A, 99))                                         \
	T(write, piped, R(B, 4), sink = write(fd[1], B, 4))                                        \
	T(pread, nothing, W(A, 4), int f = open("/proc/self/exe", O_RDONLY); sink = pread(f, A,    \
	    4, 0); close(f))                                                                       \
	T(readv, vectors, W(A, 3); W(A + 16, 2), sink = readv(fd[0], iov, 2))                      \
	T(writev, vectors, R(A, 3); R(A + 16, 10), sink = writev(fd[1], iov, 2))                   \
	T(preadv, vectors, W(A, 3); W(A + 16, 10), int f = open("/proc/self/exe", O_RDONLY);       \
	    sink = preadv(f, iov, 2, 0); close(f))                                                 \
	T(pwritev, vectors, R(A, 3); R(A + 16, 10), int f = open("/tmp", O_TMPFILE | O_RDWR,       \
	    0600); sink = pwritev(f, iov, 2, 0); close(f))                                         \
	T(preadv64, vectors, W(A, 3); W(A + 16, 10), int f = open("/proc/self/exe", O_RDONLY);     \
	    sink = preadv64(f, iov, 2, 0); close(f))                                               \
	T(pwritev64, vectors, R(A, 3); R(A + 16, 10), int f = open("/tmp", O_TMPFILE | O_RDWR,     \
	    0600); sink = pwritev64(f, iov, 2, 0); close(f))                                       \
	T(preadv2, vectors, W(A, 3); W(A + 16, 2), must(preadv2(fd[0], iov, 2, -1, 0) == 5))       \
	T(preadv2_in_vain, nobody_wrote, (void)0, must(preadv2(sock[0], iov, 2, -1, RWF_NOWAIT) <  \
	    0))                                                                                    \
	T(preadv64v2, vectors, W(A, 3); W(A + 16, 10), int f = open("/proc/self/exe", O_RDONLY);   \
	    must(preadv64v2(f, iov, 2, 1, 0) == 13); close(f))                                     \
	T(pwritev2, vectors, R(A, 3); R(A + 16, 10), must(pwritev2(fd[1], iov, 2, -1, 0) == 13))   \
	T(pwritev64v2, vectors, R(A, 3); R(A + 16, 10), int f = open("/tmp", O_TMPFILE | O_RDWR,   \
	    0600); must(pwritev64v2(f, iov, 2, 0, RWF_DSYNC) == 13); close(f))                     \
	T(recv, pair, W(A, 5), sink = recv(sock[0], A, 99, 0))                                     \
	T(send, pair, R(B, 7), sink = send(sock[0], B, 7, 0))                                      \
	T(recvfrom, udp, W(A, 5); W(B, S(sockaddr_in)); W(B + 64, sizeof(socklen_t)),              \
	    *(socklen_t *)(B + 64) = 64; sink = recvfrom(sock[0], A, 99, 0, (struct sockaddr       \
	    *)B, (socklen_t *)(B + 64)))                                                           \
	T(recvfrom_short, udp, W(A, 2); W(B, 4); W(B + 64, sizeof(socklen_t)), *(socklen_t *)(B    \
	    + 64) = 4; sink = recvfrom(sock[0], A, 2, 0, (struct sockaddr *)B, (socklen_t *)(B +   \
	    64)))                                                                                  \
	T(recvmsg, message, W(A, 3); W(A + 16, 2); W(B, S(sockaddr_in)), sink = recvmsg(sock[0],   \
	    &msg, 0))                                                                              \
	T(recvmmsg, message, W(A, 3); W(A + 16, 2); W(B, S(sockaddr_in)), sink =                   \
	    recvmmsg(sock[0], &mmsg, 1, 0, NULL))                                                  \
	T(sendmsg, message, R(A, 3); R(A + 16, 10), msg.msg_name = NULL; msg.msg_namelen = 0;      \
	    sink = sendmsg(sock[1], &msg, 0))                                                      \
	T(sendmmsg, message, R(A, 3); R(A + 16, 10), mmsg.msg_hdr.msg_name = NULL;                 \
	    mmsg.msg_hdr.msg_namelen = 0; sink = sendmmsg(sock[1], &mmsg, 1, 0))                   \
	T(sendfile, pair, W(A, 8), int f = open("/proc/self/exe", O_RDONLY); *(off_t *)A = 1;      \
	    sink = sendfile(sock[0], f, (off_t *)A, 8); close(f))                                  \
	T(getsockname, udp, W(A, S(sockaddr_in)); W(B, 4), *(socklen_t *)B = 64;                   \
	    must(!getsockname(sock[0], (struct sockaddr *)A, (socklen_t *)B)))                     \
	T(getpeername, udp, W(A, 6); W(B, 4), *(socklen_t *)B = 6; must(!getpeername(sock[1],      \
	    (struct sockaddr *)A, (socklen_t *)B)))                                                \
	T(getsockopt, udp, W(A, 4); W(B, 4), *(socklen_t *)B = 4; must(!getsockopt(sock[1],        \
	    SOL_SOCKET, SO_RCVBUF, A, (socklen_t *)B)))                                            \
	T(setsockopt, udp, R(B, 4), must(!setsockopt(sock[1], SOL_SOCKET, SO_KEEPALIVE, B, 4)))    \
	T(eventfd_read, event, W(A, 8), must(!eventfd_read(fd[0], (eventfd_t *)A)))                \
	T(poll, polls, R(A, 6); W(A + 6, 2); R(A + 8, 6); W(A + 14, 2), sink = poll((struct        \
	    pollfd *)A, 2, -1))                                                                    \
	T(ppoll, polls, R(A, 6); W(A + 6, 2); R(B, S(timespec)), sink = ppoll((struct pollfd       \
	    *)A, 1, (struct timespec *)B, NULL))                                                   \
	T(select, sets, W(A, 8); W(B, S(timeval)), *(struct timeval *)B = (struct timeval){9,      \
	    0}; sink = select(fd[0] + 1, (fd_set *)A, NULL, NULL, (struct timeval *)B))            \
	T(pselect, sets, W(A, 8), sink = pselect(fd[0] + 1, (fd_set *)A, NULL, NULL, NULL,         \
	    NULL))                                                                                 \
	T(epoll_wait, watched, W(A, S(epoll_event)), must(epoll_wait(sock[0], (struct              \
	    epoll_event *)A, 9, -1) == 1))                                                         \
	T(waitpid, dead_child, W(A, 4), must(waitpid(child, (int *)A, 0) == child))                \
	T(wait4, dead_child, W(A, 4); W(B, S(rusage)), must(wait4(child, (int *)A, 0, (struct      \
	    rusage *)B) == child))                                                                 \
	T(wait, dead_child, W(A, 4), must(wait((int *)A) == child))                                \
	T(waitid, dead_child, W(A, sizeof(siginfo_t)), must(!waitid(P_PID, (id_t)child,            \
	    (siginfo_t *)A, WEXITED)))                                                             \
	T(nanosleep, nothing, R(A, S(timespec)), nanosleep((struct timespec *)A, NULL))            \
	T(getaddrinfo, address, W(A, 8); R(B, 10), must(!getaddrinfo(B, NULL, NULL, (struct        \
	    addrinfo **)A)))                                                                       \
	T(getnameinfo, nothing, W(A, 8); W(B, 2), struct sockaddr_in at = {.sin_family =           \
	    AF_INET}; must(!getnameinfo((struct sockaddr *)&at, sizeof at, A, 99, B, 99,           \
	    NI_NUMERICHOST | NI_NUMERICSERV)))                                                     \
	T(stat, word, W(A, S(stat)); R(B, 5), must(!stat(B, (struct stat *)A)))                    \
	T(fstatat, word, W(A, S(stat)); R(B, 5), must(!fstatat(AT_FDCWD, B, (struct stat *)A,      \
	    0)))                                                                                   \
	T(statx, word, W(A, S(statx)); R(B, 5), must(!statx(AT_FDCWD, B, 0, STATX_ALL, (struct     \
	    statx *)A)))                                                                           \
	T(statfs, word, W(A, S(statfs)); R(B, 5), must(!statfs(B, (struct statfs *)A)))            \
	T(fstatvfs, nothing, W(A, S(statvfs)), must(!fstatvfs(0, (struct statvfs *)A)))            \
	T(readlinkat, nothing, W(A, len(A)), must(readlinkat(AT_FDCWD, "/proc/self/fd/0", A,    \
	    99) > 0))                                                                              \
	T(mkstemp, template_, R(A, 17); W(A + 10, 6); syscall(SYS_unlink, A), int f = mkstemp(A); must(f >=     \
	    0); close(f))                                                                          \
	T(readdir, word, R(B, 5), DIR *d = opendir(B); must(readdir(d)); closedir(d))              \
	T(glob, word, W(A, sizeof(glob_t)); R(B, 5), must(!glob(B, 0, NULL, (glob_t *)A)))         \
	T(link, word, R(B, 5), must(link(B, B) < 0))                                               \
	T(getrusage, nothing, W(A, S(rusage)), must(!getrusage(RUSAGE_SELF, (struct rusage         \
	    *)A)))                                                                                 \
	T(getrlimit, nothing, W(A, S(rlimit)), must(!getrlimit(RLIMIT_CORE, (struct rlimit         \
	    *)A)))                                                                                 \
	T(prlimit, nothing, W(A, S(rlimit)), must(!prlimit(0, RLIMIT_CORE, NULL, (struct rlimit    \
	    *)A)))                                                                                 \
	T(sysinfo, nothing, W(A, S(sysinfo)), must(!sysinfo((struct sysinfo *)A)))                 \
	T(times, nothing, W(A, S(tms)), sink = times((struct tms *)A))                             \
	T(getresuid, nothing, W(A, 4); W(A + 8, 4); W(A + 16, 4), must(!getresuid((uid_t *)A,      \
	    (uid_t *)(A + 8), (uid_t *)(A + 16))))                                                 \
	T(getrandom, nothing, W(A, 11), must(getrandom(A, 11, 0) == 11))                           \
	T(getentropy, nothing, W(A, 11), must(!getentropy(A, 11)))                                 \
	T(confstr, nothing, W(A, 3), must(confstr(_CS_PATH, A, 3) > 3))                            \
	T(ttyname_r, some_terminal, W(A, len(A) + 1), must(!ttyname_r(fd[1], A, 99)))           \
	T(ptsname_r, some_terminal, W(A, len(A) + 1), must(!ptsname_r(fd[0], A, 99)))           \
	T(sched_getaffinity, nothing, W(A, 128), must(!sched_getaffinity(0, 128, (cpu_set_t        \
	    *)A)))                                                                                 \
	T(pthread_getname_np, nothing, W(A, len(A) + 1),                                        \
	    must(!pthread_getname_np(pthread_self(), A, 20)))                                      \
	T(rand_r, nothing, W(A, 4), sink = rand_r((unsigned *)A))                                  \
	T(random_r, randoms, W(A, 4), must(!random_r(&rd, (int32_t *)A)))                          \
	T(drand48_r, nothing, W(A, 8); W(B, S(drand48_data)), srand48_r(1, (struct drand48_data    \
	    *)B); must(!drand48_r((struct drand48_data *)B, (double *)A)))                         \
	T(strerror_r, nothing, W(A, len(A) + 1), must(strerror_r(12345, A, 99) == A))           \
	T(getpwnam_r, root, R(B, 5); text(pw.pw_name); text(pw.pw_passwd); text(pw.pw_gecos);      \
	    text(pw.pw_dir); text(pw.pw_shell),                                                    \
	    struct passwd *p; must(!getpwnam_r(B, &pw, A, 999, &p) && p))                          \
	T(inet_pton, address, W(A, 4); R(B, 10), must(inet_pton(AF_INET, B, A) == 1))              \
	T(inet_ntop, nothing, W(A, 8); R(B, 4), must(inet_ntop(AF_INET, B, A, 99)))                \
	T(inet_aton, address, W(A, 4); R(B, 10), must(inet_aton(B, (struct in_addr *)A)))          \
	T(iconv, converter, W(A, 6); R(B, 3), must(iconv(cd, &cd_in, &cd_nin, &cd_out, &cd_nout)   \
	    == 0))                                                                                 \
	T(mbstowcs, in_utf8, W(A, 16); R(B, 5), must(mbstowcs((wchar_t *)A, B, 99) == 3))          \
	T(mbstowcs_short, in_utf8, W(A, 8); R(B, 5), must(mbstowcs((wchar_t *)A, B, 2) == 2))      \
	T(mbrtowc, in_utf8, W(A, 4); R(B + 1, 2), mbstate_t s = {0}; must(mbrtowc((wchar_t *)A,    \
	    B + 1, 9, &s) == 2))                                                                   \
	T(wcrtomb, in_utf8, W(A, 2), mbstate_t s = {0}; must(wcrtomb(A, 0xe4, &s) == 2))           \
	T(strxfrm, word, W(A, len(A) + 1); R(B, 5), sink = (long)strxfrm(A, B, 99))             \
	T(strptime, nothing, W(A, S(tm)), must(strptime("12:30", "%H:%M", (struct tm *)A)))        \
	T(regexec, expression, W(A, 2 * sizeof(regmatch_t)); R(B, 6), must(!regexec(&re, B, 2,     \
	    (regmatch_t *)A, 0)))                                                                  \
	T(timer_gettime, timer, W(A, S(itimerspec)), must(!timer_gettime(a_timer, (struct          \
	    itimerspec *)A)))                                                                      \
	T(timer_settime, timer, W(A, S(itimerspec)); R(B, S(itimerspec)),                          \
	    must(!timer_settime(a_timer, 0, (struct itimerspec *)B, (struct itimerspec *)A)))      \
	T(getitimer, nothing, W(A, S(itimerval)), must(!getitimer(ITIMER_REAL, (struct itimerval   \
	    *)A)))                                                                                 \
	T(mq_receive, queued, if (queue >= 0) { W(A, 5); W(B, 4); }, if (queue >= 0)               \
	    must(mq_receive(queue, A, 16, (unsigned *)B) == 5))                                    \
	T(sigaction, nothing, W(A, S(sigaction)), must(!sigaction(SIGUSR1, NULL, (struct           \
	    sigaction *)A)))                                                                       \
	T(sigwait, pending, W(A, 4); R(B, sizeof(sigset_t)), raise(SIGUSR2); must(!sigwait((sigset_t *)B, (int     \
	    *)A)))                                                                                 \
	T(sigwaitinfo, pending, W(A, sizeof(siginfo_t)); R(B, sizeof(sigset_t)),                   \
	    raise(SIGUSR2); must(sigwaitinfo((sigset_t *)B, (siginfo_t *)A) == SIGUSR2))                           \
	T(sigpending, nothing, W(A, sizeof(sigset_t)), must(!sigpending((sigset_t *)A)))           \
	T(execv, attrs, R(A, 5), char *argv[] = {A, NULL}; must(execv("/nowhere", argv) < 0))      \
	T(posix_spawn, attrs, R(A, 5); W(B, 4), char *argv[] = {A, NULL};                          \
	    must(!posix_spawn((pid_t *)B, "/bin/true", NULL, NULL, argv, NULL));                   \
	    must(waitpid(*(pid_t *)B, NULL, 0) > 0))                                               \
	T(process_vm_readv, vectors, W(A, 3); W(A + 16, 2), struct iovec from = {"hello", 5};      \
	    must(process_vm_readv(getpid(), iov, 2, &from, 1, 0) == 5))                            \
	T(process_vm_writev, vectors, R(A, 3); R(A + 16, 2), static char there[5]; struct iovec    \
	    to = {there, 5}; must(process_vm_writev(getpid(), iov, 2, &to, 1, 0) == 5))            \
	T(vmsplice_in, vectors, R(A, 3); R(A + 16, 10), must(vmsplice(fd[1], iov, 2, 0) == 13))    \
	T(vmsplice_out, vectors, W(A, 3); W(A + 16, 2), must(vmsplice(fd[0], iov, 2, 0) == 5))     \
	T(lsearch_there, letters, R(B, 8), must(lsearch("b", A, (size_t *)B, 1,           \
	    chars_differ) == A + 1))                                                               \
	T(lsearch_new, letters, W(B, 8); W(A + 3, 1), must(lsearch("z", A, (size_t *)B, 1,         \
	    chars_differ) == A + 3))                                                               \
	T(lfind, letters, R(B, 8), must(!lfind("z", A, (size_t *)B, 1, chars_differ)))             \
	T(nftw, a_path, R(B, 9), must(nftw(B, no_file, 4, 0) < 0))                                 \
	T(ftw, a_path, R(B, 9), must(ftw(B, NULL, 4) < 0))                                         \
	T(open, attrs, R(A, 5), must(open(A, O_RDONLY) < 0))                                       \
	T(uname, nothing, W(A, S(utsname)), must(!uname((struct utsname *)A)))                     \
	T(system, attrs, (void)0, sink = system("true"))

CASES(OP)

int main(int argc, char **argv)
{
	signal(SIGUSR1, old_handler);
	return RUN_CASES;
}
