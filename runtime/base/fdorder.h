/*
 * fdorder.h: which identities order what passes through a descriptor (race build). Defined in
 * net/fdorder.c; here because the detector's interceptors ask as well.
 */
#ifndef GORO_BASE_FDORDER_H
#define GORO_BASE_FDORDER_H

/* What comes in acquires `in`; what goes out releases `out`, and `also` where there is one. All NULL: a bad
 * descriptor. Two descriptors of one file or pipe have the same. */
typedef struct FdOrder {
	const void *in, *out, *also;
} FdOrder;
FdOrder fd_order(int fd);

/* a and b are the ends of a fresh socketpair, and nobody else's. */
void fd_order_pair(int a, int b);
/* fd is about to be closed: its number and its inode's may come again. */
void fd_order_close(int fd);

#endif
