/*
 * malloc.c: the malloc family. The blocks are the libc's own; each carries a trailer of
 * RACE_HEAP_TRAILER bytes at its usable end (shadow/heap.h), in whose shadow the detector keeps its size and
 * the stack of its allocation. So a request grows by as much, and malloc_usable_size shrinks by as much.
 *
 * Order. A block is marked freed before the libc gets it back, and clean after the libc gave it out:
 * whoever gets the same memory next has marked it after us. Blocks from before intercept_init, or from
 * goro's own real malloc, have no trailer; race_heap_known tells.
 *
 * Size limits, alignments and errno are the libc's own: a request too large for a trailer is passed on
 * as it is and fails there. realloc is a free of the old block and an allocation of the new one, even
 * where the block stays in place (C11 7.22.3.5); contents move inside the libc and are no access of
 * the program.
 */
#include "core.h"

#include <errno.h>

#include "../../runtime/os/os.h"
#include "../shadow/heap.h"

__thread const void *heap_caller;

#define HEAP_CALLER() (unlikely(heap_caller != NULL) ? heap_caller : CALLER)

static inline size_t padded(size_t size)
{
	return size > SIZE_MAX - RACE_HEAP_TRAILER ? size : size + RACE_HEAP_TRAILER;
}

static inline void *born(void *p, size_t size, const void *pc)
{
	if (p)
		race_heap_alloc(self(), p, size, goro_real_malloc_usable_size(p), pc);
	return p;
}

void *heap_new(size_t size, size_t align, const void *pc)
{
	signal_unsafe("malloc", pc);
	if (unlikely(!intercept_ready))
		return align ? goro_real_memalign(align, size) : goro_real_malloc(size);
	return born(
	    align ? goro_real_memalign(align, padded(size)) : goro_real_malloc(padded(size)), size,
	    pc);
}

void heap_delete(void *p, const void *pc)
{
	if (!p)
		return;
	signal_unsafe("free", pc);
	if (likely(intercept_ready) && !race_heap_free(module_counts(pc) ? self() : NULL, p,
					   goro_real_malloc_usable_size(p), pc))
		return; /* freed before, and reported: the libc would end the process here */
	goro_real_free(p);
}

INTERCEPT void *malloc(size_t size)
{
	return heap_new(size, 0, HEAP_CALLER());
}

INTERCEPT void free(void *p)
{
	heap_delete(p, HEAP_CALLER());
}

INTERCEPT void *calloc(size_t n, size_t each)
{
	size_t size;

	signal_unsafe("calloc", HEAP_CALLER());

	if (unlikely(!intercept_ready || __builtin_mul_overflow(n, each, &size)))
		return goro_real_calloc(n, each); /* an overflow fails there */
	return born(goro_real_calloc(1, padded(size)), size, HEAP_CALLER());
}

static void *resize(void *p, size_t size, const void *pc)
{
	RaceCtx *g;
	size_t old;
	void *q;

	signal_unsafe("realloc", pc);
	if (!p)
		return heap_new(size, 0, pc);
	if (size == 0) { /* the libc's way: free */
		heap_delete(p, pc);
		return NULL;
	}
	if (unlikely(!intercept_ready))
		return goro_real_realloc(p, size);
	if (!race_heap_known(p)) /* it becomes one of ours */
		return born(goro_real_realloc(p, padded(size)), size, pc);
	g = module_counts(pc) ? self() : NULL;
	old = goro_real_malloc_usable_size(p);
	if (!race_heap_free(g, p, old, pc)) { /* freed before: reported */
		os_set_errno(ENOMEM);
		return NULL;
	}
	q = goro_real_realloc(p, padded(size));
	if (!q) { /* the old block lives on; what was known of its bytes is not restored */
		race_heap_alloc(g, p, old - RACE_HEAP_TRAILER, old, pc);
		return NULL;
	}
	return born(q, size, pc);
}

INTERCEPT void *realloc(void *p, size_t size)
{
	return resize(p, size, HEAP_CALLER());
}

INTERCEPT void *reallocarray(void *p, size_t n, size_t each)
{
	size_t size;

	if (__builtin_mul_overflow(n, each, &size)) {
		os_set_errno(ENOMEM);
		return NULL;
	}
	return resize(p, size, HEAP_CALLER());
}

INTERCEPT void *memalign(size_t align, size_t size)
{
	return heap_new(size, align ? align : 1, HEAP_CALLER());
}

INTERCEPT void *aligned_alloc(size_t align, size_t size)
{
	return heap_new(size, align ? align : 1, HEAP_CALLER());
}

INTERCEPT int posix_memalign(void **out, size_t align, size_t size)
{
	const void *pc = HEAP_CALLER();
	int saved = os_errno();
	void *p;

	if (align == 0 || align % sizeof(void *) != 0 || (align & (align - 1)) != 0)
		return EINVAL;
	p = heap_new(size, align, pc);
	os_set_errno(saved); /* the error is the result alone */
	if (!p)
		return ENOMEM;
	writes(self(), out, sizeof *out, pc);
	*out = p;
	return 0;
}

INTERCEPT void *valloc(size_t size)
{
	return heap_new(size, os_page_size(), HEAP_CALLER());
}

INTERCEPT void *pvalloc(size_t size)
{
	size_t page = os_page_size(), whole;

	if (__builtin_add_overflow(size, page - 1, &whole)) {
		os_set_errno(ENOMEM);
		return NULL;
	}
	whole &= ~(page - 1);
	return heap_new(whole ? whole : page, page, HEAP_CALLER());
}

INTERCEPT size_t malloc_usable_size(void *p)
{
	size_t n = goro_real_malloc_usable_size(p);

	return p && race_heap_known(p) ? n - RACE_HEAP_TRAILER : n;
}
