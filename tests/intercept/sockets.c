/*
 * sockets.c: what is written to a descriptor is before what reads it, by whichever call; what is read
 * elsewhere tells nothing: pipes, files, eventfds and the two directions of socketpairs and of TCP connections are
 * told apart. For datagrams and Unix sockets see datagrams.c. See pair.h.
 */
#include "pair.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <wchar.h>

static int sp[2], other[2], datagram[2], fd[2], fd2[2], listener, event, event2, ep;
static int tcp[2], tcp2[2]; /* connections; a byte lies in both directions of the second */
static struct sockaddr_in at = {.sin_family = AF_INET};

static void give(int to)
{
	must(write(to, "x", 1) == 1);
}

static void take(int from)
{
	char c;

	must(read(from, &c, 1) == 1);
}

static void give_msg(int to)
{
	struct iovec v = {(void *)"x", 1};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};

	must(sendmsg(to, &h, 0) == 1);
}

static void take_msg(int from)
{
	char c;
	struct iovec v = {&c, 1};
	struct mmsghdr h = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};

	must(recvmmsg(from, &h, 1, 0, NULL) == 1 && h.msg_len == 1);
}

static void give_vector(int to)
{
	struct iovec v = {(void *)"x", 1};

	must(writev(to, &v, 1) == 1);
}

static void take_vector(int from)
{
	char c;
	struct iovec v = {&c, 1};

	must(readv(from, &v, 1) == 1);
}

static void splice_into(int to)
{
	static char byte = 'x';
	struct iovec v = {&byte, 1};
	must(vmsplice(to, &v, 1, 0) == 1);
}

static void splice_from(int from)
{
	char c;
	struct iovec v = {&c, 1};
	must(vmsplice(from, &v, 1, 0) == 1);
}

static void give_vector_how(int to)
{
	struct iovec v = {(void *)"x", 1};

	must(pwritev2(to, &v, 1, -1, 0) == 1);
}

static void take_vector_how(int from)
{
	char c;
	struct iovec v = {&c, 1};

	must(preadv2(from, &v, 1, -1, 0) == 1);
}

static int connected(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	must(s >= 0 && connect(s, (struct sockaddr *)&at, sizeof at) == 0);
	return s;
}

static int accepted(void)
{
	int s = accept(listener, NULL, NULL);

	must(s >= 0);
	return s;
}

static void print_to(int to)
{
	FILE *f = fdopen(to, "w");

	must(f && fprintf(f, "x") == 1 && fflush(f) == 0);
}

static void scan_from(int from)
{
	FILE *f = fdopen(from, "r");

	must(f && getc(f) == 'x');
}

static void scan_wide_from(int from)
{
	FILE *f = fdopen(from, "r");
	wchar_t c;

	must(f && fwscanf(f, L"%lc", &c) == 1 && c == L'x');
}

static void print_wide_to(int to)
{
	FILE *f = fdopen(to, "w");

	must(f && fwprintf(f, L"x\n") == 2 && fflush(f) == 0);
}

static void put_wide_to(int to)
{
	FILE *f = fdopen(to, "w");

	must(f && fputws(L"x", f) >= 0 && fputwc(L'\n', f) == L'\n' && fflush(f) == 0);
}

static void get_wide_from(int from)
{
	FILE *f = fdopen(from, "r");

	must(f && fgetwc(f) == L'x');
}

static void get_wide_line_from(int from)
{
	FILE *f = fdopen(from, "r");
	wchar_t line[4];

	must(f && fgetws(line, 4, f) && line[0] == L'x');
}

static void watch(int what)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = what};

	must(epoll_ctl(ep, EPOLL_CTL_ADD, what, &ev) == 0);
}

static void watched(void)
{
	struct epoll_event ev;

	must(epoll_wait(ep, &ev, 1, -1) == 1);
}

static void end_of(int from)
{
	char c;

	must(read(from, &c, 1) == 0);
}

/* A connection of before goes first: its number and inode come again, and tell nothing. */
static void pair_anew(int *pair)
{
	close(pair[0]);
	close(pair[1]);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
}

UNSEEN static int unseen(const int *p)
{
	return *p;
}

/* name, first thread, second thread */
#define CASES(C)                                                                                   \
	C(norace_socketpair, put(); give(sp[0]), take(sp[1]); see())                               \
	C(norace_socketpair_back, put(); give(sp[1]), take(sp[0]); see())                          \
	C(race_socketpair_after, give(sp[0]); put(); step(1), take(sp[1]); after(1); see())        \
	C(race_another_socketpair, put(); give(sp[0]); step(1), after(1); take(other[1]); see())   \
	C(race_socketpair_wrong_way, put(); give(other[1]); step(1), after(1); take(other[1]);     \
	    see())                                                                                 \
	C(norace_socketpair_dup, int d = dup(sp[0]); put(); give(d), take(dup(sp[1])); see())      \
	C(norace_socketpair_dup_closed, int d = dup(sp[0]); close(sp[0]); put(); give(d);          \
	    step(1), after(1); take(sp[1]); see())                                                 \
	C(norace_socketpair_closed_between, int d = dup(sp[0]); put(); give(d); close(sp[0]);      \
	    step(1), after(1); take(sp[1]); see())                                                 \
	C(norace_socketpair_end, put(); close(sp[0]), end_of(sp[1]); see())                        \
	C(norace_socketpair_shutdown, put(); shutdown(sp[0], SHUT_WR), end_of(sp[1]); see())       \
	C(norace_socketpair_stream, put(); print_to(sp[0]), scan_from(sp[1]); see())               \
	C(norace_socketpair_stream_out, put(); print_to(sp[0]), take(sp[1]); see())                \
	C(norace_socketpair_send, put(); must(send(sp[0], "x", 1, 0) == 1), char c;                \
	    must(recv(sp[1], &c, 1, 0) == 1); see())                                               \
	C(norace_socketpair_message, put(); give_msg(sp[0]), take_msg(sp[1]); see())               \
	C(norace_socketpair_anew, pair_anew(sp); step(1); put(); give(sp[0]), after(1);            \
	    take(unseen(&sp[1])); see())                                                           \
	C(norace_datagrams, put(); give(datagram[0]), take(datagram[1]); see())                    \
	C(norace_tcp, int s = connected(); put(); give(s), take(accepted()); see())                \
	C(norace_connect, put(); connected(), accepted(); see())                                   \
	C(race_tcp_after, int s = connected(); give(s); put(); step(1), take(accepted());          \
	    after(1); see())                                                                       \
	C(norace_pipe, put(); give(fd[1]), take(fd[0]); see())                                     \
	C(norace_dup2, put(); must(dup2(fd[1], other[0]) == other[0]); give(other[0]),             \
	    take(fd[0]); see())                                                                    \
	C(norace_dup3, put(); must(dup3(fd[1], other[0], O_CLOEXEC) == other[0]); give(other[0]),  \
	    take(fd[0]); see())                                                                    \
	C(race_dup2_over_it, give(fd[1]); must(dup2(fd2[1], fd[1]) == fd[1]); put(); give(fd[1]);  \
	    step(1), after(1); take(fd[0]); see())                                                 \
	C(race_another_pipe, put(); give(fd[1]); step(1), after(1); take(fd2[0]); see())           \
	C(norace_pipe_vector, put(); give_vector(fd[1]), take_vector(fd[0]); see())                \
	C(norace_pipe_vector_how, put(); give_vector_how(fd[1]), take_vector_how(fd[0]); see())    \
	C(race_pipe_vector_how_after, give_vector_how(fd[1]); put(); step(1),                      \
	    take_vector_how(fd[0]); after(1); see())                                               \
	C(norace_pipe_vmsplice, put(); splice_into(fd[1]), splice_from(fd[0]); see())              \
	C(race_pipe_vmsplice_after, splice_into(fd[1]); put(); step(1), splice_from(fd[0]);        \
	    after(1); see())                                                                       \
	C(norace_pipe_wide_printf, put(); print_wide_to(fd[1]), get_wide_from(fd[0]); see())       \
	C(norace_pipe_wide_line, put(); put_wide_to(fd[1]), get_wide_line_from(fd[0]); see())      \
	C(race_pipe_wide_line_after, put_wide_to(fd[1]); put(); step(1),                           \
	    get_wide_line_from(fd[0]); after(1); see())                                            \
	C(norace_pipe_wide, put(); give(fd[1]), scan_wide_from(fd[0]); see())                      \
	C(race_pipe_wide_after, give(fd[1]); put(); step(1), scan_wide_from(fd[0]); after(1);      \
	    see())                                                                                 \
	C(norace_splice, put(); give(fd[1]); must(splice(fd[0], 0, sp[0], 0, 1, 0) == 1),          \
	    take(sp[1]); see())                                                                    \
	C(norace_eventfd, put(); must(eventfd_write(event, 1) == 0), eventfd_t n;                  \
	    must(eventfd_read(event, &n) == 0); see())                                             \
	C(norace_eventfd_read, uint64_t one = 1; put(); must(write(event, &one, 8) == 8),          \
	    uint64_t n; must(read(event, &n, 8) == 8); see())                                      \
	C(norace_epoll_ctl, put(); watch(other[1]), watched(); see())                              \
	C(race_tcp_another, put(); give(tcp[0]); step(1), after(1); take(tcp2[1]); see())          \
	C(race_tcp_wrong_way, put(); give(tcp2[1]); step(1), after(1); take(tcp2[1]); see())       \
	C(norace_tcp_both_ways, put(); give(tcp[1]), take(tcp[0]); see())                          \
	C(norace_tcp_dup, int d = dup(tcp[0]); close(tcp[0]); put(); give(d), take(dup(tcp[1]));   \
	    see())                                                                                 \
	C(norace_tcp_closed_between, put(); give(tcp[0]); close(tcp[0]); step(1), after(1);        \
	    take(tcp[1]); see())                                                                   \
	C(norace_tcp_end, put(); close(tcp[0]), end_of(tcp[1]); see())                             \
	C(norace_tcp_stream, put(); print_to(tcp[0]), scan_from(tcp[1]); see())                    \
	C(race_tcp_send_and_accept, connected(); put(); give(sp[0]); step(1), after(1);            \
	    accepted(); see())                                                                     \
	C(race_eventfd_another, put(); must(eventfd_write(event, 1) == 0); step(1), eventfd_t n;   \
	    after(1); must(eventfd_read(event2, &n) == 0); see())                                  \
	C(norace_eventfd_dup, int d = dup(event); put(); must(eventfd_write(d, 1) == 0),           \
	    eventfd_t n; must(eventfd_read(event, &n) == 0); see())                                \
	C(race_epoll_ctl_another, watch(other[1]); put(); watch(sp[1]); step(1), after(1);         \
	    watched(); see())                                                                      \
	C(norace_flock, int f = open("/tmp", O_RDONLY); flock(f, LOCK_EX); put();                  \
	    flock(f, LOCK_UN); step(1), after(1); int f = open("/tmp", O_RDONLY);                  \
	    flock(f, LOCK_EX); see())

static void prepare(void)
{
	socklen_t n = sizeof at;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram) == 0);
	must(pipe(fd) == 0 && pipe(fd2) == 0);
	give(other[0]);
	give(fd2[1]);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	must(bind(listener, (struct sockaddr *)&at, n) == 0 && listen(listener, 5) == 0);
	must(getsockname(listener, (struct sockaddr *)&at, &n) == 0);
	tcp[0] = connected();
	tcp[1] = accepted();
	tcp2[0] = connected();
	tcp2[1] = accepted();
	give(tcp2[0]);
	give(tcp2[1]);
	event = eventfd(0, 0);
	event2 = eventfd(1, 0);
	ep = epoll_create1(0);
}

#include "pair_main.h"
