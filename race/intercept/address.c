/*
 * address.c: addresses: of sockets, as text, by name. (The resolver's calls that block long stand in
 * runtime/net/libc.c.) An address is filled no further than there is room, and its length is in and out.
 */
#include "fill.h"

static void filled(RaceCtx *g, const void *out, socklen_t room, const socklen_t *n, const void *pc)
{
	OUT(n);
	OUT_N(out, *n < room ? *n : room);
}

/* room: the length as it came in. */
#define NAME(name)                                                                                 \
	INTERCEPT int name(int fd, struct sockaddr *restrict out, socklen_t *restrict n)           \
	{                                                                                          \
		RaceCtx *g = self();                                                               \
		const void *pc = CALLER;                                                           \
		socklen_t room = n ? *n : 0;                                                       \
		int r;                                                                             \
		IN(n);                                                                             \
		r = goro_real_##name(fd, out, n);                                                  \
		if (r == 0)                                                                        \
			filled(g, out, room, n, pc);                                               \
		return r;                                                                          \
	}
NAME(getsockname)
NAME(getpeername)

INTERCEPT int getsockopt(int fd, int level, int what, void *restrict out, socklen_t *restrict n)
{
	RaceCtx *g = self();
	const void *pc = CALLER;
	socklen_t room = n ? *n : 0;
	int r;

	IN(n);
	r = goro_real_getsockopt(fd, level, what, out, n);
	if (r == 0)
		filled(g, out, room, n, pc);
	return r;
}

CALL(int, setsockopt, (int fd, int level, int what, const void *in, socklen_t n),
    (fd, level, what, in, n), IN_N(in, n), false, )
CALL(int, bind, (int fd, const struct sockaddr *in, socklen_t n), (fd, in, n), IN_N(in, n), false, )

/* ---- as text ---- */

static size_t binary_size(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

CALL(int, inet_pton, (int family, const char *restrict text, void *restrict out),
    (family, text, out), TEXT(text), r == 1, OUT_N(out, binary_size(family)))
CALL(const char *, inet_ntop,
    (int family, const void *restrict in, char *restrict out, socklen_t n), (family, in, out, n),
    if (family == AF_INET || family == AF_INET6) IN_N(in, binary_size(family)), r, OUT_TEXT(r))
CALL(int, inet_aton, (const char *text, struct in_addr *out), (text, out), TEXT(text), r, OUT(out))
CALL(in_addr_t, inet_addr, (const char *text), (text), TEXT(text), false, )
CALL(char *, if_indextoname, (unsigned i, char out[IF_NAMESIZE]), (i, out), , r, OUT_TEXT(r))

/* ---- by name: the lists and strings lie in the caller's buffer ---- */

static void host_filled(RaceCtx *g, const struct hostent *h, const void *pc)
{
	if (!g || !h)
		return;
	OUT(h);
	OUT_TEXT(h->h_name);
	for (char **a = h->h_aliases; a && *a; a++) {
		OUT(a);
		OUT_TEXT(*a);
	}
	for (char **a = h->h_addr_list; a && *a; a++) {
		OUT(a);
		OUT_N(*a, (size_t)h->h_length);
	}
}

#define HOST(name, params, args, said)                                                             \
	CALL(int, name, params, args, said, r == 0, OUT(found); host_filled(g, *found, pc))
HOST(gethostbyname_r,
    (const char *restrict name, struct hostent *restrict out, char *restrict buf, size_t n,
	struct hostent **restrict found, int *restrict why),
    (name, out, buf, n, found, why), TEXT(name))
HOST(gethostbyname2_r,
    (const char *restrict name, int family, struct hostent *restrict out, char *restrict buf,
	size_t n, struct hostent **restrict found, int *restrict why),
    (name, family, out, buf, n, found, why), TEXT(name))
HOST(gethostbyaddr_r,
    (const void *restrict at, socklen_t len, int family, struct hostent *restrict out,
	char *restrict buf, size_t n, struct hostent **restrict found, int *restrict why),
    (at, len, family, out, buf, n, found, why), IN_N(at, len))
CALL(struct hostent *, gethostbyname, (const char *name), (name), TEXT(name), r, OUT(r))
CALL(
    int, getservbyname_r,
    (const char *restrict name, const char *restrict proto, struct servent *restrict out,
	char *restrict buf, size_t n, struct servent **restrict found),
    (name, proto, out, buf, n, found), TEXT(name);
    TEXT(proto), r == 0, OUT(found); if (*found) {
	    OUT(out);
	    OUT_TEXT(out->s_name);
	    OUT_TEXT(out->s_proto);
    })

CALL_HEAP(int, getifaddrs, (struct ifaddrs * *out), (out), , r == 0, OUT(out))
INTERCEPT void freeaddrinfo(struct addrinfo *list)
{
	heap_caller = CALLER;
	goro_real_freeaddrinfo(list);
	heap_caller = NULL;
}
