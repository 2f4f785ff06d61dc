/*
 * tls.c: which memory is the running thread's own by the language: its thread-local variables.
 *
 * Goroutines that run on one thread, one after the other, share its thread-local variables (errno is
 * one), with no order between them that a clock knows; but they never run there at the same time, so a
 * goroutine's access to the variables of the thread it runs on is no race. An access to another
 * thread's, through a pointer, is checked like any other.
 *
 * The range: the blocks of the modules whose thread-local storage lies in the thread's static block
 * (around race_thread, which is there by its model). Modules loaded later have theirs on the heap.
 */
#include <link.h>

#include "ctx.h"

#define STATIC_TLS_MAX (1u << 20)

__attribute__((noinline)) RaceThread *race_thread_slow(void)
{
	return &race_thread;
}

static int widen(struct dl_phdr_info *info, size_t size, void *arg)
{
	RaceThread *t = arg;
	uintptr_t lo = (uintptr_t)info->dlpi_tls_data, near = (uintptr_t)t;
	(void)size;
	if (!lo || (lo < near ? near - lo : lo - near) > STATIC_TLS_MAX)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_TLS)
			continue;
		uintptr_t hi = lo + info->dlpi_phdr[i].p_memsz;
		if (lo < t->tls_lo)
			t->tls_lo = lo;
		if (hi > t->tls_hi)
			t->tls_hi = hi;
	}
	return 0;
}

void race_find_tls(RaceThread *t)
{
	t->tls_lo = (uintptr_t)t;
	t->tls_hi = (uintptr_t)(t + 1);
	dl_iterate_phdr(widen, t);
}
