/*
 * fd.c: descriptors of os.h by raw system calls: negative errno, errno untouched, seen by no interposed name.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <asm/ioctls.h>

#include "os.h"
#include "raw.h"

long os_fd_read(int fd, void *p, size_t n)
{
	return raw_call(SYS_read, fd, (long)p, (long)n, 0, 0, 0);
}

long os_fd_write(int fd, const void *p, size_t n)
{
	return raw_call(SYS_write, fd, (long)p, (long)n, 0, 0, 0);
}

long os_fd_recv(int fd, void *p, size_t n, int flags)
{
	return raw_call(SYS_recvfrom, fd, (long)p, (long)n, flags, 0, 0);
}

long os_fd_send(int fd, const void *p, size_t n, int flags)
{
	return raw_call(SYS_sendto, fd, (long)p, (long)n, flags, 0, 0);
}

int os_fd_accept(int fd, void *addr, uint32_t *len)
{
	return (int)raw_call(
	    SYS_accept4, fd, (long)addr, (long)len, SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
}

int os_fd_connect(int fd, const void *addr, uint32_t len)
{
	return (int)raw_call(SYS_connect, fd, (long)addr, len, 0, 0, 0);
}

int os_fd_socket(int family, int type, int protocol)
{
	return (int)raw_call(
	    SYS_socket, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol, 0, 0, 0);
}

int os_fd_bind(int fd, const void *addr, uint32_t len)
{
	return (int)raw_call(SYS_bind, fd, (long)addr, len, 0, 0, 0);
}

int os_fd_listen(int fd, int backlog)
{
	return (int)raw_call(SYS_listen, fd, backlog, 0, 0, 0, 0);
}

int os_fd_set_option(int fd, int level, int name, int value)
{
	return (int)raw_call(SYS_setsockopt, fd, level, name, (long)&value, sizeof value, 0);
}

int os_fd_close(int fd)
{
	long r = raw_call(SYS_close, fd, 0, 0, 0, 0, 0);
	return r == -EINTR ? 0 : (int)r; /* on Linux it is closed nevertheless */
}

int os_fd_set_nonblock(int fd, bool on)
{
	long flags = raw_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	if (flags < 0)
		return (int)flags;
	if (on == !!(flags & O_NONBLOCK))
		return on;
	return (int)raw_call(SYS_fcntl, fd, F_SETFL, flags ^ O_NONBLOCK, 0, 0, 0);
}

int os_fd_kind(int fd)
{
	struct stat st;
	long r = raw_call(SYS_newfstatat, fd, (long)"", (long)&st, AT_EMPTY_PATH, 0, 0);
	if (r < 0)
		return (int)r;
	if (S_ISSOCK(st.st_mode))
		return OS_FD_SOCKET;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return OS_FD_FILE;
	struct termios t;
	if (S_ISCHR(st.st_mode) && raw_call(SYS_ioctl, fd, TCGETS, (long)&t, 0, 0, 0) == 0)
		return OS_FD_TERMINAL;
	return OS_FD_OTHER;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15u;
	return (a ^ a >> 29) * 0xd6e8feb86659fd93u;
}

/* An address and port as three words; the same for IPv4 and IPv4 in IPv6. */
static void endpoint(const struct sockaddr_in6 *a, uint64_t out[3])
{
	const struct sockaddr_in *v4 = (const void *)a;
	if (a->sin6_family == AF_INET) {
		out[0] = 0;
		out[1] = UINT64_C(0xffff0000) | (uint64_t)v4->sin_addr.s_addr << 32;
		out[2] = v4->sin_port;
		return;
	}
	memcpy(out, &a->sin6_addr, 16);
	out[2] = a->sin6_port | (uint64_t)a->sin6_scope_id << 32;
	if (out[0] == 0 && (uint32_t)out[1] == UINT32_C(0xffff0000))
		out[2] = a->sin6_port;
}

/* No address: any of this machine's. */
static bool is_any(const uint64_t a[3])
{
	return a[0] == 0 && (a[1] == 0 || a[1] == UINT64_C(0xffff0000));
}

static uint64_t way(const uint64_t from[3], const uint64_t to[3])
{
	uint64_t h = 0;
	for (int i = 0; i < 3; i++)
		h = mix(mix(h, from[i]), to[i]);
	return h;
}

static int socket_is(int fd, int what)
{
	int value = 0;
	socklen_t n = sizeof value;
	long r = raw_call(SYS_getsockopt, fd, SOL_SOCKET, what, (long)&value, (long)&n, 0);
	return r < 0 ? -1 : value;
}

OsFdStream os_fd_stream(int fd, uint64_t *out, uint64_t *in)
{
	struct sockaddr_in6 here = {0}, there = {0};
	socklen_t n = sizeof here, m = sizeof there;
	int type = socket_is(fd, SO_TYPE);
	if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
		return OS_FD_NO_STREAM;
	if (socket_is(fd, SO_ACCEPTCONN) == 1)
		return OS_FD_LISTENS;
	if (raw_call(SYS_getpeername, fd, (long)&there, (long)&m, 0, 0, 0) < 0)
		return OS_FD_LOOSE;
	if (socket_is(fd, SO_PROTOCOL) != IPPROTO_TCP ||
	    raw_call(SYS_getsockname, fd, (long)&here, (long)&n, 0, 0, 0) < 0)
		return OS_FD_CONNECTED;
	uint64_t a[3], b[3];
	endpoint(&here, a);
	endpoint(&there, b);
	*out = way(a, b);
	*in = way(b, a);
	return OS_FD_TCP;
}

/* ---- datagrams ---- */

/* What a name is of; no two kinds have one in common. */
enum { NAME_PORT = 1, NAME_ADDRESS, NAME_SOCKET, NAME_FILE, NAME_ABSTRACT };

static uint64_t name_of(int kind, uint64_t what)
{
	return mix(mix(0, (uint64_t)kind), what);
}

static uint64_t name_of_endpoint(const uint64_t a[3], uint16_t port)
{
	return mix(mix(name_of(NAME_ADDRESS, a[0]), a[1]), port);
}

/* What the kernel says of a Unix socket. */
typedef struct UnixSocket {
	uint32_t peer, file; /* inodes; 0: none */
} UnixSocket;

/* By its inode, from sock_diag. False: it is not to be had (no such kernel, no descriptor left). */
static bool unix_ask(uint64_t inode, UnixSocket *s)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} ask = {{sizeof ask, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0},
	    {.sdiag_family = AF_UNIX,
		.udiag_states = UINT32_MAX,
		.udiag_ino = (uint32_t)inode,
		.udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_PEER,
		.udiag_cookie = {UINT32_MAX, UINT32_MAX}}};
	_Alignas(8) char text[512];
	const struct nlmsghdr *h = (const void *)text;
	*s = (UnixSocket){0, 0};
	long fd =
	    raw_call(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG, 0, 0, 0);
	if (fd < 0)
		return false;
	long n = raw_call(SYS_sendto, fd, (long)&ask, sizeof ask, 0, 0, 0);
	if (n == (long)sizeof ask)
		n = raw_call(SYS_recvfrom, fd, (long)text, sizeof text, MSG_DONTWAIT, 0, 0);
	raw_call(SYS_close, fd, 0, 0, 0, 0, 0);
	const size_t head = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	if (n < (long)head || h->nlmsg_type != SOCK_DIAG_BY_FAMILY || h->nlmsg_len > (size_t)n)
		return false;
	for (size_t at = head; at + sizeof(struct nlattr) <= h->nlmsg_len;) {
		const struct nlattr *a = (const void *)(text + at);
		if (a->nla_len < sizeof *a || at + a->nla_len > h->nlmsg_len)
			break;
		if (a->nla_type == UNIX_DIAG_PEER && a->nla_len >= sizeof *a + 4)
			memcpy(&s->peer, a + 1, 4);
		if (a->nla_type == UNIX_DIAG_VFS && a->nla_len >= sizeof *a + 4)
			memcpy(&s->file, a + 1, 4); /* udiag_vfs_ino is first */
		at += NLA_ALIGN(a->nla_len);
	}
	return true;
}

/* A file by its inode alone: what stat calls its device is not everywhere what the kernel does. */
static uint64_t unix_name(const struct sockaddr_un *a, socklen_t n, bool *blind)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	char path[sizeof a->sun_path + 1] = {0};
	struct stat st;
	uint64_t h = name_of(NAME_ABSTRACT, n);
	if (n <= before || n > sizeof *a)
		return 0;
	memcpy(path, a->sun_path, n - before);
	if (!path[0]) {
		for (size_t i = 1; i < n - before; i++)
			h = mix(h, (unsigned char)path[i]);
		return h;
	}
	long r = raw_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)&st, 0, 0, 0);
	*blind |= r < 0 && r != -ENOENT && r != -ENOTDIR; /* of these the call fails as well */
	return r < 0 ? 0 : name_of(NAME_FILE, (uint32_t)st.st_ino);
}

static void unix_names(int fd, uint64_t inode, const void *to, uint32_t len, OsFdNames *names)
{
	struct sockaddr_un here = {0}, there = {0};
	socklen_t n = sizeof here, m = sizeof there;
	UnixSocket s;
	bool bound = raw_call(SYS_getsockname, fd, (long)&here, (long)&n, 0, 0, 0) == 0 &&
		     n > offsetof(struct sockaddr_un, sun_path);
	bool file = bound && here.sun_path[0];
	bool connected = raw_call(SYS_getpeername, fd, (long)&there, (long)&m, 0, 0, 0) == 0;
	names->in[0] = name_of(NAME_SOCKET, (uint32_t)inode);
	if (bound && !file)
		names->in[1] = unix_name(&here, n, &names->blind_in);
	if (to)
		names->out[0] = unix_name(to, len, &names->blind_out);
	if (!file && (to || !connected))
		return;
	bool told = unix_ask(inode, &s);
	if (file && told && s.file)
		names->in[1] = name_of(NAME_FILE, s.file);
	else if (file)
		names->blind_in = true;
	if (to || !connected)
		return;
	if (told && s.peer)
		names->out[0] = name_of(NAME_SOCKET, s.peer);
	else
		names->blind_out = true;
}

static void udp_names(int fd, const void *to, uint32_t len, OsFdNames *names)
{
	struct sockaddr_in6 here = {0}, there = {0};
	socklen_t n = sizeof here, m = sizeof there;
	uint64_t a[3];
	if (raw_call(SYS_getsockname, fd, (long)&here, (long)&n, 0, 0, 0) == 0 && here.sin6_port) {
		endpoint(&here, a);
		names->in[0] = is_any(a) ? name_of(NAME_PORT, here.sin6_port)
					 : name_of_endpoint(a, here.sin6_port);
	}
	if (to && len >= sizeof(struct sockaddr_in))
		memcpy(&there, to, len < sizeof there ? len : sizeof there);
	else if (raw_call(SYS_getpeername, fd, (long)&there, (long)&m, 0, 0, 0) < 0)
		return;
	if (there.sin6_family == AF_UNSPEC) /* taken for IPv4's */
		there.sin6_family = AF_INET;
	endpoint(&there, a);
	if (is_any(a)) { /* means this machine */
		bool v4 = there.sin6_family == AF_INET || a[1];
		a[0] = 0;
		a[1] =
		    v4 ? UINT64_C(0xffff0000) | (uint64_t)htonl(INADDR_LOOPBACK) << 32 : htobe64(1);
	}
	names->out[0] = name_of_endpoint(a, there.sin6_port);
	names->out[1] = name_of(NAME_PORT, there.sin6_port);
}

bool os_fd_datagram(int fd, uint64_t inode, const void *to, uint32_t len, OsFdNames *names)
{
	*names = (OsFdNames){{0, 0}, {0, 0}, false, false};
	if (socket_is(fd, SO_TYPE) != SOCK_DGRAM)
		return false;
	int domain = socket_is(fd, SO_DOMAIN), protocol = socket_is(fd, SO_PROTOCOL);
	if (domain == AF_UNIX)
		unix_names(fd, inode, to, len, names);
	else if ((domain == AF_INET || domain == AF_INET6) && protocol == IPPROTO_UDP)
		udp_names(fd, to, len, names);
	else
		return false;
	return true;
}

int64_t os_fd_unix_peer(int fd, uint64_t inode)
{
	UnixSocket s;
	int type = socket_is(fd, SO_TYPE);
	if (socket_is(fd, SO_DOMAIN) != AF_UNIX || (type != SOCK_STREAM && type != SOCK_SEQPACKET))
		return -1;
	return unix_ask(inode, &s) ? s.peer : 0;
}

int64_t os_fd_eventfd(int fd)
{
	static const char dir[] = "/proc/self/fdinfo/", word[] = "eventfd-id:";
	char path[sizeof dir + 12], text[256], *p = path + sizeof path, *at;
	*--p = 0;
	for (unsigned n = (unsigned)fd; p > path + sizeof dir - 1; n /= 10) {
		*--p = (char)('0' + n % 10);
		if (n < 10)
			break;
	}
	p -= sizeof dir - 1;
	memcpy(p, dir, sizeof dir - 1);
	long f = raw_call(SYS_openat, AT_FDCWD, (long)p, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (f < 0)
		return -1;
	long n = raw_call(SYS_read, f, (long)text, sizeof text - 1, 0, 0, 0);
	raw_call(SYS_close, f, 0, 0, 0, 0, 0);
	if (n < 0)
		return -1;
	text[n] = 0;
	if (!(at = strstr(text, word)))
		return 0;
	int64_t id = 0;
	for (at += sizeof word - 1; *at == ' ' || *at == '\t'; at++)
		;
	for (; *at >= '0' && *at <= '9'; at++)
		id = id * 10 + (*at - '0');
	return id + 1; /* the kernel counts from 0 */
}

int os_fd_wait(int fd, uint32_t ready, int kick, int64_t ns)
{
	short want =
	    (short)((ready & OS_READABLE ? POLLIN : 0) | (ready & OS_WRITABLE ? POLLOUT : 0));
	struct pollfd p[2] = {
	    {.fd = fd, .events = want}, {.fd = kick, .events = POLLIN}}; /* fd < 0 is ignored */
	struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	long r = raw_call(SYS_ppoll, (long)p, 2, ns < 0 ? 0 : (long)&t, 0, 8, 0);
	return r > 0 && p[0].revents ? (int)ready : 0;
}

int os_kick_open(void)
{
	return (int)raw_call(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK, 0, 0, 0, 0);
}

void os_kick(int kick)
{
	uint64_t one = 1;
	(void)os_fd_write(kick, &one, sizeof one);
}
