/*
 * datagrams.c: what is sent to a socket of datagrams is before what is read from it, by whatever name it was
 * reached, and tells nothing to who reads another; the same for Unix sockets that were connected by path. See pair.h.
 */
#include "pair.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int out, out6, joined;       /* senders of UDP: to anywhere; by IPv6; connected to `one` */
static int one, two, any, any2, six; /* receivers: on 127.0.0.1; on all addresses; by IPv6, on all */
static int port, port_any, port_six;
static int near, far;               /* on one port, of 127.0.0.1 and of 127.0.0.2 */
static int port_near;
static int local, path, path2, path_in, hidden, hidden2; /* Unix: a sender; by path, its sender; abstract */
static int pair[2], pair2[2];       /* of datagrams */
static int listener, client[2], server[2], late; /* connections by path; one that nobody has accepted yet */
static char dir[] = "/tmp/goro-datagrams-XXXXXX";

static int udp(const char *address, int *to)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*to)};
	socklen_t n = sizeof a;
	int s = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

	a.sin_addr.s_addr = htonl(strcmp(address, "any") == 0 ? INADDR_ANY
		: strcmp(address, "far") == 0 ? INADDR_LOOPBACK + 1 : INADDR_LOOPBACK);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	must(bind(s, (struct sockaddr *)&a, n) == 0 && getsockname(s, (struct sockaddr *)&a, &n) == 0);
	*to = ntohs(a.sin_port);
	return s;
}

static struct sockaddr_in at(uint32_t address, int port_)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port_),
	    .sin_addr.s_addr = htonl(address)};
}

static void send_udp(uint32_t address, int port_)
{
	struct sockaddr_in a = at(address, port_);

	must(sendto(out, "x", 1, 0, (struct sockaddr *)&a, sizeof a) == 1);
}

static void send_udp6(int port_, const struct in6_addr *address)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port_)};

	a.sin6_addr = *address;
	must(sendto(out6, "x", 1, 0, (struct sockaddr *)&a, sizeof a) == 1);
}

static const struct in6_addr mapped = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}}};

static void send_messages(int port_)
{
	struct sockaddr_in a = at(INADDR_LOOPBACK, port_);
	struct iovec v = {(void *)"x", 1};
	struct mmsghdr h = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = &a, .msg_namelen = sizeof a}};

	must(sendmmsg(out, &h, 1, 0) == 1);
}

static socklen_t name(struct sockaddr_un *a, const char *path_)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	size_t n = strlen(path_);

	memcpy(a->sun_path, path_, n);
	if (*path_ == '@')
		a->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path_ != '@'));
}

static int bound(int type, const char *path_)
{
	struct sockaddr_un a;
	int s = socket(AF_UNIX, type, 0);
	socklen_t n = name(&a, path_);

	must(bind(s, (struct sockaddr *)&a, n) == 0);
	return s;
}

static void reach(int s, const char *path_)
{
	struct sockaddr_un a;
	socklen_t n = name(&a, path_);

	must(connect(s, (struct sockaddr *)&a, n) == 0);
}

static void send_path(const char *path_)
{
	struct sockaddr_un a;
	socklen_t n = name(&a, path_);

	must(sendto(local, "x", 1, 0, (struct sockaddr *)&a, n) == 1);
}

static void give(int to)
{
	must(write(to, "x", 1) == 1);
}

static void take(int from)
{
	char c;

	must(read(from, &c, 1) == 1);
}

static void take_from(int from)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	char c;

	must(recvfrom(from, &c, 1, 0, (struct sockaddr *)&a, &n) == 1);
}

static int accepted(void)
{
	int s = accept(listener, NULL, NULL);

	must(s >= 0);
	return s;
}

/* Another socket in the place of `path`, which lives on. */
static int bound_anew(void)
{
	must(unlink("path") == 0);
	return bound(SOCK_DGRAM, "path");
}

UNSEEN static int unseen(const int *p)
{
	return *p;
}

/* name, first thread, second thread */
#define CASES(C)                                                                                   \
	C(norace_udp, put(); send_udp(INADDR_LOOPBACK, port), take(one); see())                    \
	C(norace_udp_from, put(); send_udp(INADDR_LOOPBACK, port), take_from(one); see())          \
	C(race_udp_after, send_udp(INADDR_LOOPBACK, port); put(); step(1), after(1); take(one);    \
	    see())                                                                                 \
	C(race_udp_another, put(); send_udp(INADDR_LOOPBACK, port); step(1), after(1); take(two);  \
	    see())                                                                                 \
	C(race_udp_wrong_way, put(); send_udp(INADDR_LOOPBACK, port); step(1), after(1);           \
	    take(joined); see())                                                                   \
	C(norace_udp_messages, put(); send_messages(port), take(one); see())                       \
	C(race_udp_messages_another, put(); send_messages(port); step(1), after(1); take(two);     \
	    see())                                                                                 \
	C(norace_udp_connected, put(); give(joined), take(one); see())                             \
	C(race_udp_connected_another, put(); give(joined); step(1), after(1); take(two); see())    \
	C(norace_udp_to_no_address, put(); send_udp(INADDR_ANY, port), take(one); see())           \
	C(norace_udp_bound_to_all, put(); send_udp(INADDR_LOOPBACK, port_any), take(any); see())   \
	C(norace_udp_other_address, put(); send_udp(INADDR_LOOPBACK + 1, port_any), take(any);     \
	    see())                                                                                 \
	C(race_udp_bound_to_all_another, put(); send_udp(INADDR_LOOPBACK, port_any); step(1),      \
	    after(1); take(any2); see())                                                           \
	C(norace_udp_same_port, put(); send_udp(INADDR_LOOPBACK + 1, port_near), take(far); see()) \
	C(race_udp_same_port, put(); send_udp(INADDR_LOOPBACK + 1, port_near); step(1), after(1);  \
	    take(near); see())                                                                     \
	C(norace_udp6, put(); send_udp6(port_six, &in6addr_loopback), take(six); see())            \
	C(norace_udp6_to_no_address, put(); send_udp6(port_six, &in6addr_any), take(six); see())   \
	C(norace_udp4_to_6, put(); send_udp(INADDR_LOOPBACK, port_six), take(six); see())          \
	C(norace_udp6_to_4, put(); send_udp6(port, &mapped), take(one); see())                     \
	C(race_udp6_to_4_another, put(); send_udp6(port, &mapped); step(1), after(1); take(two);   \
	    see())                                                                                 \
	C(norace_path, put(); send_path("path"), take(path); see())                                \
	C(race_path_another, put(); send_path("path"); step(1), after(1); take(path2); see())      \
	C(norace_path_from_root, char p[80]; snprintf(p, sizeof p, "%s/path", dir); put();         \
	    send_path(p), take(path); see())                                                       \
	C(norace_path_by_link, must(symlink("path", "link") == 0); put(); send_path("link"),       \
	    take(path); see())                                                                     \
	C(norace_path_renamed, must(rename("path", "new") == 0); put(); send_path("new"),          \
	    take(path); see())                                                                     \
	C(norace_path_connected, put(); give(path_in), take(path); see())                          \
	C(race_path_connected_another, put(); give(path_in); step(1), after(1); take(path2);       \
	    see())                                                                                 \
	C(norace_path_connected_gone, must(unlink("path") == 0); put(); give(path_in), take(path); \
	    see())                                                                                 \
	C(race_path_bound_anew, send_path("path"); bound_anew(); put(); send_path("path");         \
	    step(1), after(1); take(path); see())                                                  \
	C(norace_path_bound_anew, int s; s = bound_anew(); step(s); put(); send_path("path"),      \
	    after(1); take(unseen(&now)); see())                                                            \
	C(norace_abstract, put(); send_path(hidden_name), take(hidden); see())                     \
	C(race_abstract_another, put(); send_path(hidden_name); step(1), after(1);                 \
	    take(hidden2); see())                                                                  \
	C(norace_datagram_pair, put(); give(pair[0]), take(pair[1]); see())                        \
	C(race_datagram_pair_another, put(); give(pair[0]); step(1), after(1); take(pair2[1]);     \
	    see())                                                                                 \
	C(race_datagram_pair_wrong_way, put(); give(pair2[1]); step(1), after(1);                  \
	    take(pair2[1]); see())                                                                 \
	C(norace_connection, put(); give(client[0]), take(server[0]); see())                       \
	C(norace_connection_back, put(); give(server[0]), take(client[0]); see())                  \
	C(race_connection_another, put(); give(client[0]); step(1), after(1); take(server[1]);     \
	    see())                                                                                 \
	C(race_connection_back_another, put(); give(server[0]); step(1), after(1);                 \
	    take(client[1]); see())                                                                \
	C(race_connection_wrong_way, put(); give(client[1]); step(1), after(1); take(client[1]);   \
	    see())                                                                                 \
	C(norace_connection_before_accept, put(); give(late); step(1), after(1);                   \
	    int s = accept_unseen(); take(s); see())                                               \
	C(norace_connection_end, put(); close(client[0]), char c;                                  \
	    must(read(server[0], &c, 1) == 0); see())

static char hidden_name[40], hidden_name2[40];

/* An accept of which the detector learns the new socket, and no order. */
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);
static int accept_unseen(void)
{
	AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
	int s = accepted();
	AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
	return s;
}

static void remove_all(void)
{
	char line[80];

	snprintf(line, sizeof line, "rm -rf %s", dir);
	must(chdir("/") == 0 && system(line) == 0);
}

static void prepare(void)
{
	struct sockaddr_in a;
	socklen_t n;
	int port2 = 0, port_any2 = 0, port_joined = 0;

	must(mkdtemp(dir) && chdir(dir) == 0);
	atexit(remove_all);
	one = udp("near", &port);
	two = udp("near", &port2);
	any = udp("any", &port_any);
	any2 = udp("any", &port_any2);
	near = udp("near", &port_near);
	far = udp("far", &port_near);
	out = socket(AF_INET, SOCK_DGRAM, 0);
	out6 = socket(AF_INET6, SOCK_DGRAM, 0);
	joined = udp("near", &port_joined);
	a = at(INADDR_LOOPBACK, port);
	must(connect(joined, (struct sockaddr *)&a, sizeof a) == 0);
	a = at(INADDR_LOOPBACK, port_joined);
	must(sendto(one, "x", 1, 0, (struct sockaddr *)&a, sizeof a) == 1);
	struct sockaddr_in6 b = {.sin6_family = AF_INET6};
	six = socket(AF_INET6, SOCK_DGRAM, 0);
	n = sizeof b;
	must(bind(six, (struct sockaddr *)&b, n) == 0 && getsockname(six, (struct sockaddr *)&b, &n) == 0);
	port_six = ntohs(b.sin6_port);
	send_udp(INADDR_LOOPBACK, port2);
	send_udp(INADDR_LOOPBACK, port_any2);
	send_udp(INADDR_LOOPBACK, port_near);
	local = socket(AF_UNIX, SOCK_DGRAM, 0);
	path = bound(SOCK_DGRAM, "path");
	path2 = bound(SOCK_DGRAM, "path2");
	path_in = socket(AF_UNIX, SOCK_DGRAM, 0);
	reach(path_in, "path");
	send_path("path2");
	snprintf(hidden_name, sizeof hidden_name, "@goro-%d", getpid());
	snprintf(hidden_name2, sizeof hidden_name2, "@goro-%d-2", getpid());
	hidden = bound(SOCK_DGRAM, hidden_name);
	hidden2 = bound(SOCK_DGRAM, hidden_name2);
	send_path(hidden_name2);
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair2) == 0);
	give(pair2[0]);
	listener = bound(SOCK_STREAM, "listener");
	must(listen(listener, 5) == 0);
	for (int i = 0; i < 2; i++) {
		client[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		reach(client[i], "listener");
		server[i] = accepted();
	}
	give(client[1]);
	give(server[1]);
	late = socket(AF_UNIX, SOCK_STREAM, 0);
	reach(late, "listener");
}

#include "pair_main.h"
