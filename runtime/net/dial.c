/*
 * dial.c: goro_listen, goro_dial: sockets by network and address, as Go's net.Listen and net.Dial.
 *
 * A host of several addresses is tried at one after the other; a deadline counts for the resolving and for all of
 * them (each gets its share of what is left, as in Go). A context that ends moves the deadline of the connect under
 * way into the past.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../sync/context.h"
#include "netpoll.h"
#include "resolve.h"

#define SHARE_LEAST (2 * GORO_SECOND) /* of a deadline for one address, as Go's */

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
	int n = resolve(network, address, true, 0, NULL, all), fd = -EADDRNOTAVAIL;
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

/* Ends a connect with its context. */
typedef struct DialWatch {
	ContextWatch watch;
	int fd;
} DialWatch;

static void dial_ends(ContextWatch *w)
{
	(void)goro_set_write_deadline(((DialWatch *)w)->fd, 1); /* long past */
}

/* ctx: NULL, or its error is the answer once it has one. */
static int connect_to(int fd, const Addr *a, goro_context *ctx)
{
	DialWatch w = {.watch.fn = dial_ends, .fd = fd};
	if (!ctx || !context_can_end(ctx))
		return goro_connect(fd, (const struct sockaddr *)&a->u, a->len);
	int err = context_watch(ctx, &w.watch);
	if (err)
		return err;
	err = goro_connect(fd, (const struct sockaddr *)&a->u, a->len);
	context_unwatch(ctx, &w.watch);
	int ended = goro_context_err(ctx);
	return ended ? ended : err;
}

static int dial_at(const Addr *a, int64_t when, goro_context *ctx)
{
	int fd = new_socket(a->family);
	if (fd < 0)
		return fd;
	int err = when ? goro_set_write_deadline(fd, when) : 0;
	if (!err)
		err = connect_to(fd, a, ctx);
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

static int dial(const char *network, const char *address, int64_t when, goro_context *ctx)
{
	Addr all[ADDRS_MAX];
	(void)g_current(); /* as above */
	int n = resolve(network, address, false, when, ctx, all), first = 0;
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		int fd = dial_at(&all[i], share(when, n - i), ctx);
		if (fd >= 0)
			return fd;
		first = first ? first : fd; /* what the best address answered, as Go's */
		if (ctx && goro_context_err(ctx))
			return goro_context_err(ctx);
		if (when && when <= sched_now())
			break;
	}
	return first;
}

int goro_dial_deadline(const char *network, const char *address, int64_t when)
{
	return dial(network, address, when, NULL);
}

int goro_dial_context(goro_context *ctx, const char *network, const char *address)
{
	int64_t when = 0;
	int err = goro_context_err(ctx); /* panics for NULL */
	(void)goro_context_deadline(ctx, &when);
	return err ? err : dial(network, address, when, ctx);
}

int goro_dial(const char *network, const char *address)
{
	return dial(network, address, 0, NULL);
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
