/*
 * map.c: memory from and to the kernel. What mmap gives is clean, whatever lived at the address before;
 * what munmap takes is clean for whoever comes next. No use-after-unmap is reported: such an access
 * traps by itself.
 *
 * munmap marks before the call (afterwards another thread may own the range), mmap after it.
 */
#include "core.h"

#include "../thread.h"

static void *mapped(void *p, size_t size)
{
	if (p != MAP_FAILED && self())
		race_fresh(p, size);
	return p;
}

INTERCEPT void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t off)
{
	return mapped(goro_real_mmap(at, size, prot, flags, fd, off), size);
}

INTERCEPT void *mmap64(void *at, size_t size, int prot, int flags, int fd, off64_t off)
{
	return mapped(goro_real_mmap64(at, size, prot, flags, fd, off), size);
}

INTERCEPT int munmap(void *p, size_t size)
{
	if (size && self())
		race_fresh(p, size);
	return goro_real_munmap(p, size);
}

INTERCEPT void *mremap(void *p, size_t old, size_t size, int flags, ...)
{
	void *at = NULL, *q;

	if (flags & MREMAP_FIXED) {
		va_list ap;
		va_start(ap, flags);
		at = va_arg(ap, void *);
		va_end(ap);
	}
	q = goro_real_mremap(p, old, size, flags, at);
	if (q != MAP_FAILED && self()) {
		if (q != p)
			race_fresh(q, size);
		else if (size > old)
			race_fresh((char *)q + old, size - old);
	}
	return q;
}
