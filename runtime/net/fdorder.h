/*
 * fdorder.h: which identity orders what passes through a descriptor (race build).
 */
#ifndef GORO_NET_FDORDER_H
#define GORO_NET_FDORDER_H

/* The same for two descriptors of one file or pipe; one for all sockets. NULL: none (a bad descriptor). */
const void *fd_order(int fd);

#endif
