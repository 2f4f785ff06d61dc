/*
 * dl.c: a library that is unloaded takes its variables' past along: another may be mapped in its place.
 * (dlopen is left alone: the libc asks who calls it. What it maps is fresh, or was forgotten here.)
 */
#include "core.h"

#include <dlfcn.h>
#include <link.h>

#include "../thread.h"

typedef struct Segments {
	size_t n, room;
	struct Segment {
		uintptr_t lo, hi;
	} at[];
} Segments;

static struct Segment segment(const struct dl_phdr_info *o, const ElfW(Phdr) * p)
{
	uintptr_t lo = o->dlpi_addr + p->p_vaddr;

	return (struct Segment){lo, lo + p->p_memsz};
}

static int count(struct dl_phdr_info *o, size_t size, void *n)
{
	(void)size;
	*(size_t *)n += o->dlpi_phnum;
	return 0;
}

static int list(struct dl_phdr_info *o, size_t size, void *arg)
{
	Segments *s = arg;

	(void)size;
	for (int i = 0; i < o->dlpi_phnum && s->n < s->room; i++)
		if (o->dlpi_phdr[i].p_type == PT_LOAD)
			s->at[s->n++] = segment(o, &o->dlpi_phdr[i]);
	return 0;
}

/* Strike out what is still there. */
static int strike(struct dl_phdr_info *o, size_t size, void *arg)
{
	Segments *s = arg;

	(void)size;
	for (int i = 0; i < o->dlpi_phnum; i++)
		if (o->dlpi_phdr[i].p_type == PT_LOAD)
			for (size_t k = 0; k < s->n; k++)
				if (s->at[k].lo == segment(o, &o->dlpi_phdr[i]).lo)
					s->at[k].hi = s->at[k].lo;
	return 0;
}

INTERCEPT int dlclose(void *handle)
{
	Segments *s = NULL;
	size_t n = 0;
	int r;

	if (self()) {
		dl_iterate_phdr(count, &n);
		s = goro_real_malloc(sizeof *s + n * sizeof s->at[0]);
	}
	if (s) {
		s->n = 0;
		s->room = n;
		dl_iterate_phdr(list, s);
	}
	r = goro_real_dlclose(handle);
	if (s) {
		dl_iterate_phdr(strike, s);
		for (size_t k = 0; k < s->n; k++)
			race_fresh((void *)s->at[k].lo, s->at[k].hi - s->at[k].lo);
		goro_real_free(s);
	}
	return r;
}
