/*
 * map.c: memory from and to the kernel. What mmap gives is clean, whatever lived at the address before;
 * what munmap takes is clean for whoever comes next. No use-after-unmap is reported: such an access
 * traps by itself.
 *
 * munmap marks before the call (afterwards another thread may own the range), mmap after it.
 *
 * mremap takes the past along: what races with the block at its old address races with it at the new one, and a lock
 * in it is the same lock. All of that is to be moved while both places are still ours, so where the block cannot
 * stay, a place is taken first, and the kernel told to move it there; where it will not (huge pages want another
 * alignment, say), the kernel chooses, and the past is moved afterwards.
 */
#include "core.h"

#include "../../runtime/os/os.h"
#include "../thread.h"

#define PAGE 4096u

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

static size_t pages(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* To `at`, which is ours, or (FIXED) to be overwritten. */
static void *move(void *p, size_t old, size_t size, int flags, void *at)
{
	size_t both = old < size ? old : size;
	void *q;

	race_move(p, at, pages(both));
	q = goro_real_mremap(p, old, size, flags | MREMAP_MAYMOVE | MREMAP_FIXED, at);
	if (q == MAP_FAILED) /* it is where it was */
		race_move(at, p, pages(both));
	else if (size > old)
		race_fresh((char *)q + pages(old), pages(size) - pages(old));
	return q;
}

static void *grown(void *p, size_t old, size_t size, int flags)
{
	int saved = os_errno();
	void *q = goro_real_mremap(p, old, size, flags & ~MREMAP_MAYMOVE, NULL), *at;

	if (q != MAP_FAILED || !(flags & MREMAP_MAYMOVE)) {
		if (q != MAP_FAILED)
			race_fresh((char *)q + pages(old), pages(size) - pages(old));
		return q;
	}
	os_set_errno(saved);
	at = goro_real_mmap(
	    NULL, pages(size), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at != MAP_FAILED) {
		q = move(p, old, size, flags, at);
		if (q != MAP_FAILED)
			return q;
		goro_real_munmap(at, pages(size));
	}
	os_set_errno(saved);
	q = goro_real_mremap(p, old, size, flags, NULL);
	if (q != MAP_FAILED && q != p)
		race_move(p, q, pages(old));
	if (q != MAP_FAILED)
		race_fresh((char *)q + pages(old), pages(size) - pages(old));
	return q;
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
	const bool moves = flags & MREMAP_MAYMOVE, fixed = flags & MREMAP_FIXED;
	if (!self() || !size || ((uintptr_t)p | (uintptr_t)at) % PAGE || (fixed && !moves) ||
	    (fixed && (uintptr_t)at < (uintptr_t)p + old && (uintptr_t)p < (uintptr_t)at + size))
		return goro_real_mremap(p, old, size, flags, at); /* which fails */
	if (!old) /* a second view of what is shared */
		return mapped(goro_real_mremap(p, old, size, flags, at), pages(size));
	if (flags & MREMAP_DONTUNMAP) { /* what is left at p is empty */
		q = goro_real_mremap(p, old, size, flags, at);
		if (q != MAP_FAILED)
			race_move(p, q, pages(size));
		return q;
	}
	if (pages(size) < pages(old)) /* before another may have it, as in munmap */
		race_fresh((char *)p + pages(size), pages(old) - pages(size));
	if (fixed)
		return move(p, old, size, flags, at);
	if (pages(size) > pages(old))
		return grown(p, old, size, flags);
	return goro_real_mremap(p, old, size, flags, at);
}
