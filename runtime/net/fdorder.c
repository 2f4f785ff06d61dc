/*
 * fdorder.c: from a descriptor to the identities of its file: a table by (device, inode), filled as files
 * are seen, never emptied. An entry is one 64-bit key, claimed by cas; its address is the identity.
 *
 * A key is a mix of device and inode: two files that collide in 64 bits would share an order, which can
 * hide a race and not invent one. So does a full table, whose last entry is everybody's.
 *
 * Sockets. Nothing tells which two are connected, so all share one identity (`sockets`), but for the ends
 * of a socketpair: `peers` remembers those, and each direction has an identity of its own, named by both
 * inodes. All that goes out of any socket is released to `sockets` as well; so whoever does not know its
 * peer, or no longer, still is after all that was written to it, and an entry of `peers` may be dropped at
 * any moment, if only both ends' are: a writer that missed its entry wrote later than one dropped it, and
 * who reads that asks later still. Dropped are both when either is closed, or the table is full.
 * (By the two addresses TCP connections could be told apart too, were it not for address translation,
 * which shows the two ends different ones.)
 */
#include "../base/fdorder.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/atomic.h"
#include "../os/os.h"

#define TABLE 65536 /* 512 KiB, touched as used */
#define PEERS 16384

static uint64_t keys[TABLE + 1];
static uint64_t peers[PEERS]; /* an inode and its peer's, 32 bits each; 0: none; GONE: was one */
static uint64_t sockets;

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

FdOrder fd_order(int fd)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return (FdOrder){NULL, NULL, NULL};
	if (S_ISSOCK(st.st_mode)) {
		uint64_t *at =
		    st.st_ino && st.st_ino <= UINT32_MAX ? place(st.st_ino, false) : NULL;
		uint64_t e = at ? load_rlx(at) : GONE;
		if (e == GONE)
			return (FdOrder){&sockets, &sockets, NULL};
		uint64_t other = e & UINT32_MAX;
		return (FdOrder){
		    identity(e >> 32, other << 32), identity(other, e >> 32 << 32), &sockets};
	}
	const void *one = identity(st.st_dev, st.st_ino);
	return (FdOrder){one, one, NULL};
}
