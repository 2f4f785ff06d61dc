/*
 * fdorder.h: which identities order what passes through a descriptor (race build). Defined in
 * net/fdorder.c; here because the detector's interceptors ask as well.
 */
#ifndef GORO_BASE_FDORDER_H
#define GORO_BASE_FDORDER_H

#include <stdbool.h>
#include <stdint.h>

/* What comes in acquires each of `in`; what goes out releases each of `out`; behind a NULL there are no more. All
 * NULL: a bad descriptor. Two descriptors of one file or pipe have the same. */
enum { FD_INS = 2, FD_OUTS = 3 };
typedef struct FdOrder {
	const void *in[FD_INS], *out[FD_OUTS];
	bool anew; /* ask again at each call: a socket gets connected, and its other end known */
} FdOrder;
FdOrder fd_order(int fd);
/* The same for a message to that address (NULL: none, the one that fd is connected to). */
FdOrder fd_order_to(int fd, const void *addr, uint32_t len);

/* Of a descriptor in an epoll, by the data that it was put there with: epoll_ctl releases to it, the wait that
 * answers that data acquires it. */
const void *fd_order_epoll(uint64_t data);

/* a and b are the ends of a fresh socketpair, and nobody else's. */
void fd_order_pair(int a, int b);
/* fd was accepted just now. */
void fd_order_accepted(int fd);
/* fd is about to be closed: its number and its inode's may come again. */
void fd_order_close(int fd);

#endif
