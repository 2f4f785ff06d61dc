/*
 * dial.c: goro_listen, goro_dial: sockets by network and address, as Go's net.Listen and net.Dial.
 *
 * Names are resolved by getaddrinfo with the P given away (the wrapper of libc.c does so). A host of several addresses is tried at one after the
 * other; a deadline counts for all of them (each gets its share of what is left, as in Go). Numeric addresses are read here: no name service, no files, and -static works.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "netpoll.h"

#define SHARE_LEAST (2 * GORO_SECOND) /* of a deadline for one address, as Go's */
#define ADDRS_MAX   16                /* of one name; more are not tried */

typedef struct Addr {
	int family;
	uint32_t len;
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
} Addr;

/* "host:port", "[host]:port"; both into one buffer. False: neither. */
static bool split(const char *address, char *buf, size_t size, char **host, char **port)
{
	size_t n = strlen(address);
	if (n >= size)
		return false;
	memcpy(buf, address, n + 1);
	char *colon = strrchr(buf, ':');
	if (!colon)
		return false;
	*colon = 0;
	*port = colon + 1;
	*host = buf;
	if (buf[0] == '[') {
		if (colon == buf + 1 || colon[-1] != ']')
			return false;
		colon[-1] = 0;
		*host = buf + 1;
	} else if (strchr(buf, ':')) { /* an IPv6 address without brackets */
		return false;
	}
	return **port != 0;
}

static int unix_address(const char *path, Addr *a)
{
	size_t n = strlen(path);
	struct sockaddr_un *un = &a->u.un;
	memset(a, 0, sizeof *a);
	if (n == 0 || n >= sizeof un->sun_path)
		return -EINVAL;
	a->family = un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n);
	a->len = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	if (path[0] == '@') {
		un->sun_path[0] = 0;
		a->len--;
	}
	return 0;
}

static int resolve_error(int e, int saved)
{
	switch (e) {
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return saved ? -saved : -EIO;
	case EAI_SERVICE:
	case EAI_BADFLAGS:
		return -EINVAL;
	case EAI_FAMILY:
	case EAI_SOCKTYPE:
		return -EAFNOSUPPORT;
	default:
		return -ENOENT;
	}
}

/* addr with host "1.2.3.4" or "::1", or without one. False: neither. */
static bool numeric(Addr *a, int family, const char *host, uint16_t port, bool listen)
{
	memset(a, 0, sizeof *a);
	a->family = family;
	if (family == AF_INET) {
		struct sockaddr_in *in = &a->u.in;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(listen ? INADDR_ANY : INADDR_LOOPBACK);
		a->len = sizeof *in;
		return !*host || inet_pton(AF_INET, host, &in->sin_addr) == 1;
	}
	struct sockaddr_in6 *in = &a->u.in6;
	in->sin6_family = AF_INET6;
	in->sin6_port = htons(port);
	in->sin6_addr = listen ? in6addr_any : in6addr_loopback;
	a->len = sizeof *in;
	return !*host || inet_pton(AF_INET6, host, &in->sin6_addr) == 1;
}

/* By getaddrinfo, which may take its time. */
static int look_up(Addr *all, int family, const char *host, const char *port, bool listen)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
			    .ai_family = family,
			    .ai_flags = listen ? AI_PASSIVE : 0},
			*found;
	int saved = os_errno(), n = 0;
	os_set_errno(0);
	int e = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	int why = os_errno();
	os_set_errno(saved);
	if (e)
		return resolve_error(e, why);
	for (struct addrinfo *i = found; i && n < ADDRS_MAX; i = i->ai_next) {
		if (i->ai_addrlen > sizeof all->u)
			continue;
		all[n] = (Addr){.family = i->ai_family, .len = i->ai_addrlen};
		memcpy(&all[n++].u, i->ai_addr, i->ai_addrlen);
	}
	freeaddrinfo(found);
	return n ? n : -ENOENT;
}

/* The addresses of a network and an address: how many, or negative errno. */
static int resolve(const char *network, const char *address, bool listen, Addr all[ADDRS_MAX])
{
	char buf[512], *host, *port, *end;
	int n = 0, family;
	if (!network || !address)
		return -EINVAL;
	if (strcmp(network, "unix") == 0) {
		int err = unix_address(address, &all[0]);
		return err ? err : 1;
	}
	if (strcmp(network, "tcp") == 0)
		family = AF_UNSPEC;
	else if (strcmp(network, "tcp4") == 0)
		family = AF_INET;
	else if (strcmp(network, "tcp6") == 0)
		family = AF_INET6;
	else
		return -EAFNOSUPPORT;
	if (!split(address, buf, sizeof buf, &host, &port))
		return -EINVAL;
	unsigned long number = strtoul(port, &end, 10);
	if (*port >= '0' && *port <= '9' && !*end) {
		if (number > 65535)
			return -EINVAL;
		if (family != AF_INET6 && numeric(&all[n], AF_INET, host, (uint16_t)number, listen))
			n++;
		if (family != AF_INET && numeric(&all[n], AF_INET6, host, (uint16_t)number, listen))
			n++;
	}
	return n ? n : look_up(all, family, host, port, listen);
}

/* A socket of the table; or negative errno. */
static int new_socket(int family)
{
	int fd = os_fd_socket(family, SOCK_STREAM, 0);
	int err = fd < 0 ? 0 : netpoll_fresh(fd, true);
	if (err)
		(void)os_fd_close(fd);
	return err ? err : fd;
}

static int listen_at(const Addr *a, bool both)
{
	int fd = new_socket(a->family), err = 0;
	if (fd < 0)
		return fd;
	if (a->family != AF_UNIX)
		err = os_fd_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!err && a->family == AF_INET6)
		err = os_fd_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !both);
	if (!err)
		err = os_fd_bind(fd, &a->u, a->len);
	if (!err)
		err = os_fd_listen(fd, SOMAXCONN); /* the kernel cuts it to net.core.somaxconn */
	if (!err)
		return fd;
	(void)goro_close(fd);
	return err;
}

int goro_listen(const char *network, const char *address)
{
	Addr all[ADDRS_MAX];
	(void)g_current(); /* the runtime runs from here on, on a foreign thread too */
	int n = resolve(network, address, true, all), fd = -EADDRNOTAVAIL;
	if (n < 0)
		return n;
	/* Every interface of both families: one IPv6 socket serves them, where the kernel has IPv6. */
	if (address[0] == ':' && strcmp(network, "tcp") == 0)
		for (int i = 0; i < n && fd < 0; i++)
			if (all[i].family == AF_INET6)
				fd = listen_at(&all[i], true);
	for (int i = 0; i < n && fd < 0 && fd != -EADDRINUSE; i++)
		fd = listen_at(&all[i], false);
	return fd;
}

/* A connection to itself, which the kernel makes when a free port was asked for that is its own. */
static bool to_itself(int fd)
{
	struct sockaddr_storage a, b;
	socklen_t na = sizeof a, nb = sizeof b;
	return getsockname(fd, (void *)&a, &na) == 0 && getpeername(fd, (void *)&b, &nb) == 0 &&
	       na == nb && (a.ss_family == AF_INET || a.ss_family == AF_INET6) &&
	       memcmp(&a, &b, na) == 0;
}

static int dial_at(const Addr *a, int64_t when)
{
	int fd = new_socket(a->family);
	if (fd < 0)
		return fd;
	int err = when ? goro_set_write_deadline(fd, when) : 0;
	if (!err)
		err = goro_connect(fd, (const struct sockaddr *)&a->u, a->len);
	if (!err && a->family != AF_UNIX) {
		if (to_itself(fd))
			err = -ECONNREFUSED;
		else
			(void)os_fd_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* as Go's */
	}
	if (!err && when)
		err = goro_set_write_deadline(fd, 0);
	if (!err)
		return fd;
	(void)goro_close(fd);
	return err;
}

/* Until when the first of n addresses may take. */
static int64_t share(int64_t when, int n)
{
	if (!when || n < 2)
		return when;
	int64_t now = sched_now(), left = when - now, part = left / n;
	if (part < SHARE_LEAST)
		part = left < SHARE_LEAST ? left : SHARE_LEAST;
	return now + part;
}

int goro_dial_deadline(const char *network, const char *address, int64_t when)
{
	Addr all[ADDRS_MAX];
	(void)g_current(); /* as above */
	int n = resolve(network, address, false, all), first = 0;
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		int fd = dial_at(&all[i], share(when, n - i));
		if (fd >= 0)
			return fd;
		first = first ? first : fd; /* what the best address answered, as Go's */
		if (when && when <= sched_now())
			break;
	}
	return first;
}

int goro_dial(const char *network, const char *address)
{
	return goro_dial_deadline(network, address, 0);
}

int goro_socket_address(int fd, bool peer, char *buf, size_t size)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof a;
	char host[INET6_ADDRSTRLEN];
	int saved = os_errno();
	memset(&a, 0, sizeof a);
	int err = (peer ? getpeername : getsockname)(fd, (void *)&a, &len) == 0 ? 0 : -os_errno();
	os_set_errno(saved);
	if (err)
		return err;
	if (a.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&a;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		snprintf(buf, size, "%s:%u", host, ntohs(in->sin_port));
	} else if (a.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)&a;
		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
		snprintf(buf, size, "[%s]:%u", host, ntohs(in->sin6_port));
	} else if (a.ss_family == AF_UNIX) {
		const struct sockaddr_un *un = (const void *)&a;
		size_t n = len - offsetof(struct sockaddr_un, sun_path);
		if (len <= offsetof(struct sockaddr_un, sun_path))
			snprintf(buf, size, "%s", "");
		else if (un->sun_path[0] == 0)
			snprintf(buf, size, "@%.*s", (int)n - 1, un->sun_path + 1);
		else
			snprintf(buf, size, "%.*s", (int)n, un->sun_path);
	} else {
		return -EAFNOSUPPORT;
	}
	return 0;
}
