/*
 * resolve.h: the addresses that "host:port" stands for.
 */
#ifndef GORO_NET_RESOLVE_H
#define GORO_NET_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "../goro.h"

#define ADDRS_MAX   16  /* of one name; more are not tried */
#define RESOLVE_MAX 512 /* "host:port", with its NUL */

typedef struct Addr {
	int family;
	uint32_t len;
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
} Addr;

/* The addresses of a network and an address: how many, or negative errno. For a dial: until `when` at the latest
 * (0: no limit), or until ctx (NULL: none) is done, whose error comes back then. */
int resolve(const char *network, const char *address, bool listen, int64_t when, goro_context *ctx,
    Addr all[ADDRS_MAX]);

#endif
