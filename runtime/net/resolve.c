/*
 * resolve.c: see resolve.h. Numeric addresses are read here: no name service, no files, and -static works. Names are
 * getaddrinfo's, with the P given away (the wrapper in libc_wait.c does so).
 *
 * getaddrinfo cannot be ended: a name server that does not answer keeps it for 5 s a try. So where the caller has a
 * time or a context, a goroutine of its own makes the call, and is left alone when they end first (as Go does
 * with the cgo resolver): it holds a thread until libc gives up, and then frees the Lookup, which who lets go last
 * does. Who has neither calls on its own stack.
 */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "netpoll.h"

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

/* ---- with an end ---- */

typedef struct Lookup {
	uint32_t refs;   /* atomic: who asked, who looks up */
	goro_chan *done; /* room for the one answer */
	int family;
	char host[RESOLVE_MAX], port[RESOLVE_MAX]; /* constant */
	Addr all[ADDRS_MAX];                       /* before done */
} Lookup;

static void let_go(Lookup *l)
{
	hook_release_merge(race_self(), &l->refs);
	if (sub_ar(&l->refs, 1u) != 1)
		return;
	hook_acquire(race_self(), &l->refs);
	goro_chan_free(l->done);
	free(l);
}

static void run(void *arg)
{
	Lookup *l = arg;
	int n = look_up(l->all, l->family, l->host, l->port, false);
	goro_chan_send(l->done, &n);
	let_go(l);
}

/* For a dial. */
static int look_up_until(
    Addr *all, int family, const char *host, const char *port, int64_t when, goro_context *ctx)
{
	int64_t now = sched_now(), late;
	int n = 0;
	if (when && when <= now)
		return -ETIMEDOUT;
	Lookup *l = calloc(1, sizeof *l);
	if (!l)
		return -ENOMEM;
	l->refs = 2;
	l->family = family;
	strcpy(l->host, host); /* both came out of a buffer of that size */
	strcpy(l->port, port);
	l->done = goro_chan_make(sizeof n, 1);
	goro_timer *t = when ? goro_timer_new(when - now) : NULL;
	goro_case until[] = {
	    {.chan = l->done, .elem = &n},
	    {.chan = t ? (goro_chan *)t->c : NULL, .elem = &late},
	    {.chan = ctx ? (goro_chan *)goro_context_done(ctx) : NULL},
	};
	int err = goro_go(run, l);
	if (err) {
		let_go(l);
		n = err;
	} else {
		switch (goro_select(until, 3, true)) {
		case 0:
			memcpy(all, l->all, sizeof l->all);
			break;
		case 1:
			n = -ETIMEDOUT;
			break;
		default:
			n = goro_context_err(ctx);
		}
	}
	if (t)
		goro_timer_free(t);
	let_go(l);
	return n;
}

int resolve(const char *network, const char *address, bool listen, int64_t when, goro_context *ctx,
    Addr all[ADDRS_MAX])
{
	char buf[RESOLVE_MAX], *host, *port, *end;
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
	if (n)
		return n;
	return when || ctx ? look_up_until(all, family, host, port, when, ctx)
			   : look_up(all, family, host, port, listen);
}
