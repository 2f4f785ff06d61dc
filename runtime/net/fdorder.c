/*
 * fdorder.c: from a descriptor to the identities of its file: a table by (device, inode), filled as files
 * are seen, never emptied. An entry is one 64-bit key, claimed by cas; its address is the identity.
 *
 * A key is a mix of device and inode: two files that collide in 64 bits would share an order, which can
 * hide a race and not invent one. So does a full table, whose last entry is everybody's.
 *
 * Sockets. All that goes out of any socket is released to `sockets`, which who knows nothing better acquires.
 * Better are:
 *   - sockets of datagrams: what is sent is released to names of where it goes, and who reads takes its own names of
 *     those that something was sent to in this process (`names`). A UDP socket is told by its address and port, or
 *     by the port alone where it is bound to no address, so a sender releases to both; a Unix socket by itself, for
 *     who is connected to it, and by its file or abstract name. Like a pipe, a datagram socket has many
 *     senders, and each is before all that is read from it later. Who sends where it cannot be told sets
 *     `blind`, before, and from then on all read from `sockets`. What is left: of a UDP socket that some reach by
 *     a translated address and others not, all in this process, the former's order is not seen.
 *   - the ends of a socketpair, or of a connection of Unix sockets that was accepted here: `peers` remembers those.
 *     What an end sends is released to its own inode's identity, and acquired by who knows that inode for its
 *     peer's. A connected one whose peer is not known yet releases to that as well. Whoever does not know its peer, or
 *     no longer, still is after all that was written to it, and an entry of `peers` may be dropped at any moment.
 *     Dropped are both when either is closed, or the table is full.
 *   - the ends of a TCP connection: each direction is named by both addresses. Who reads takes the other end's name
 *     where that has been used, and `sockets` where not: as when addresses are translated, which shows the two ends
 *     different ones, or the other end is another process'. Who finds no room in `names` sets `blind`, too.
 *   - a listening socket: `connects`, which is released to by sockets that are not connected alone.
 *
 * Eventfds share one inode; the kernel numbers them, and says so in /proc/self/fdinfo. All that goes into one is
 * released to the common identity as well; `blurred` is set before the first that could not be asked about,
 * and from then on that one counts.
 *
 * An epoll answers with the data it was given with a descriptor: that data is the identity, whichever epoll. So
 * a wait is after the epoll_ctl of what it answers, and of no other.
 */
#include "../base/fdorder.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/atomic.h"
#include "../os/os.h"

#define TABLE  65536 /* 512 KiB, touched as used */
#define PEERS  16384
#define NAMES  131072
#define EPOLLS 4096

static uint64_t keys[TABLE + 1];
static uint64_t peers[PEERS]; /* an inode and its peer's, 32 bits each; 0: none; GONE: was one */
static uint64_t sockets, connects;
static uint64_t names[NAMES];   /* that something was sent to; 0: none */
static uint64_t epolls[EPOLLS]; /* only their addresses */
static uint32_t blurred, blind;

#define GONE UINT64_C(1)

static const void *identity(uint64_t a, uint64_t b)
{
	uint64_t key = (a * 0x9e3779b97f4a7c15u ^ b) * 0xff51afd7ed558ccdu | 1;
	uint32_t i = (uint32_t)(key >> 40) % TABLE;
	for (uint32_t n = 0; n < 64; n++, i = (i + 1) % TABLE) {
		uint64_t k = load_rlx(&keys[i]); /* a key never changes once it is there */
		if (k == 0 && cas_rlx(&keys[i], 0, key))
			return &keys[i];
		if (load_rlx(&keys[i]) == key)
			return &keys[i];
	}
	return &keys[TABLE];
}

/* ---- socketpairs ---- */

/* Where the inode's entry is; with `room`, else where one may be put. NULL: neither near its place. */
static uint64_t *place(uint64_t inode, bool room)
{
	uint64_t *free = NULL;
	uint32_t i = (uint32_t)(inode * 0x9e3779b9u >> 8) % PEERS;
	for (uint32_t n = 0; n < 32; n++, i = (i + 1) % PEERS) {
		uint64_t e =
		    load_rlx(&peers[i]); /* of the two ends: ordered by the calls between */
		if (e >> 32 == inode && e != GONE)
			return &peers[i];
		if (e <= GONE && !free)
			free = &peers[i];
		if (e == 0)
			break;
	}
	return room ? free : NULL;
}

static bool put(uint64_t inode, uint64_t peer)
{
	uint64_t *at = place(inode, true);
	uint64_t e = at ? load_rlx(at) : 0;
	return at && cas_rlx(at, e, inode << 32 | peer);
}

static void drop(uint64_t inode)
{
	uint64_t *at = place(inode, false);
	if (at)
		store_rlx(at, GONE);
}

static bool is_socket(int fd, struct stat *st)
{
	return fd >= 0 && fstat(fd, st) == 0 && S_ISSOCK(st->st_mode) && st->st_ino > 0 &&
	       st->st_ino <= UINT32_MAX;
}

void fd_order_pair(int a, int b)
{
	struct stat sa, sb;
	int type = SOCK_DGRAM; /* its ends may be connected anew */
	socklen_t n = sizeof type;
	if (getsockopt(a, SOL_SOCKET, SO_TYPE, &type, &n) != 0 || type == SOCK_DGRAM ||
	    !is_socket(a, &sa) || !is_socket(b, &sb))
		return;
	if (put(sa.st_ino, sb.st_ino) && !put(sb.st_ino, sa.st_ino))
		drop(sa.st_ino);
}

/* Its peer, the client's, knows it from now on as well; that had to do without when it wrote before. */
void fd_order_accepted(int fd)
{
	struct stat st;
	if (!is_socket(fd, &st))
		return;
	int64_t peer = os_fd_unix_peer(fd, st.st_ino);
	if (peer > 0 && put(st.st_ino, (uint64_t)peer) && !put((uint64_t)peer, st.st_ino))
		drop(st.st_ino);
}

/* ---- names ---- */

/* The identity of the name, if something was sent to it; with `sends`, something is about to be. NULL: not, or there
 * was no room. Names are never removed, and put where the first free place near is, so they are found. */
static const void *named(uint64_t name, bool sends)
{
	name |= 1;
	uint32_t i = (uint32_t)(name >> 32) % NAMES;
	for (uint32_t n = 0; n < 64; n++, i = (i + 1) % NAMES) {
		uint64_t k = load_acq(&names[i]); /* pairs with cas_ar: who reads it comes after */
		if (k == 0 && !sends)
			return NULL;
		if (k == 0 && cas_ar(&names[i], 0, name))
			return &names[i];
		if (load_acq(&names[i]) == name)
			return &names[i];
	}
	if (sends)
		store_rel(&blind, 1u); /* pairs with load_acq in received */
	return NULL;
}

/* What comes in by those names (0: none); none of them used: from anywhere. */
static void received(FdOrder *o, const uint64_t in[2], bool told)
{
	int k = 0;
	for (int i = 0; i < 2; i++) {
		const void *p = in[i] ? named(in[i], false) : NULL;
		if (p)
			o->in[k++] = p;
	}
	if (k == 0 || !told || load_acq(&blind)) { /* pairs with store_rel of who sends */
		o->in[0] = &sockets;
		o->in[1] = NULL;
	}
}

static void sent(FdOrder *o, const uint64_t out[2])
{
	int k = 0;
	for (int i = 0; i < 2; i++) {
		const void *p = out[i] ? named(out[i], true) : NULL;
		if (p)
			o->out[k++] = p;
	}
	o->out[k] = &sockets;
}

void fd_order_close(int fd)
{
	struct stat st;
	int e = os_errno();
	bool socket = is_socket(fd, &st);
	os_set_errno(e);
	uint64_t *at = socket ? place(st.st_ino, false) : NULL;
	if (!at)
		return;
	uint64_t peer = load_rlx(at) & UINT32_MAX;
	drop(st.st_ino);
	drop(peer);
}

/* ---- any descriptor ---- */

static FdOrder socket_order(int fd, const struct stat *st, const void *to, uint32_t len)
{
	FdOrder o = {{&sockets}, {&sockets}, true};
	uint64_t out[2] = {0, 0}, in[2] = {0, 0};
	OsFdNames n;
	switch (os_fd_stream(fd, &out[0], &in[0])) {
	case OS_FD_LISTENS:
		return (FdOrder){{&connects}, {&connects}, true};
	case OS_FD_LOOSE:
		o.out[1] = &connects;
		break;
	case OS_FD_TCP:
		received(&o, in, true);
		sent(&o, out);
		break;
	case OS_FD_CONNECTED: /* a Unix socket's peer may come to know it */
		o.out[1] = identity(st->st_dev, st->st_ino);
		break;
	case OS_FD_NO_STREAM:
		if (!os_fd_datagram(fd, st->st_ino, to, len, &n))
			break;
		if (n.blind_out)
			store_rel(&blind, 1u); /* pairs with load_acq in received */
		received(&o, n.in, !n.blind_in);
		sent(&o, n.out);
	}
	return o;
}

/* An eventfd's own identity; NULL: it has none. */
static const void *eventfd_order(int fd, const struct stat *st)
{
	int64_t id = st->st_mode & S_IFMT ? 0 : os_fd_eventfd(fd);
	if (id < 0)
		store_rel(&blurred, 1u); /* pairs with load_acq: what it lets through comes later */
	return id > 0 ? identity(UINT64_MAX, (uint64_t)id) : NULL;
}

const void *fd_order_epoll(uint64_t data)
{
	return &epolls[data * 0x9e3779b97f4a7c15u >> 52];
}

_Static_assert(EPOLLS == 1 << (64 - 52), "fd_order_epoll's shift");

FdOrder fd_order_to(int fd, const void *addr, uint32_t len)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return (FdOrder){{NULL}, {NULL}, false};
	if (S_ISSOCK(st.st_mode)) {
		uint64_t *at =
		    st.st_ino && st.st_ino <= UINT32_MAX ? place(st.st_ino, false) : NULL;
		uint64_t e = at ? load_rlx(at) : GONE;
		if (e == GONE)
			return socket_order(fd, &st, addr, len);
		return (FdOrder){{identity(st.st_dev, e & UINT32_MAX)},
		    {identity(st.st_dev, e >> 32), &sockets}, true};
	}
	const void *one = identity(st.st_dev, st.st_ino), *event = eventfd_order(fd, &st);
	if (!event)
		return (FdOrder){{one}, {one}, false};
	return (FdOrder){{load_acq(&blurred) ? one : event}, {event, one}, false};
}

FdOrder fd_order(int fd)
{
	return fd_order_to(fd, NULL, 0);
}
