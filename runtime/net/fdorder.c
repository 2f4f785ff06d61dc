/*
 * fdorder.c: from a descriptor to the identity of its file: a table by (device, inode), filled as files
 * are seen, never emptied. An entry is one 64-bit key, claimed by cas; its address is the identity.
 *
 * A key is a mix of device and inode: two files that collide in 64 bits would share an order, which can
 * hide a race and not invent one. So does a full table, whose last entry is everybody's.
 */
#include "fdorder.h"

#include <stddef.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/atomic.h"

#define TABLE 65536 /* 512 KiB, touched as used */

static uint64_t keys[TABLE + 1];
static uint64_t sockets;

const void *fd_order(int fd)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return NULL;
	if (S_ISSOCK(st.st_mode))
		return &sockets;
	uint64_t key =
	    ((uint64_t)st.st_dev * 0x9e3779b97f4a7c15u ^ (uint64_t)st.st_ino) * 0xff51afd7ed558ccdu;
	key |= 1;
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
