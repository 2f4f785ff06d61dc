/*
 * sanitizer.c: what clang's sanitizer/common_interface_defs.h and allocator_interface.h let any program call
 * that is built for ThreadSanitizer, and __tsan_check_no_mutexes_held.
 *
 * Left out, as the compiler only emits them for other options: coverage (-fsanitize-coverage), containers of
 * AddressSanitizer, switches between its stacks. Left out, too: __tsan_java_* (a virtual machine's own
 * heap), __sanitizer_syscall_* (system calls made by hand), hooks
 * of malloc, and __sanitizer_weak_hook_*, by which fuzzers are told of comparisons.
 */
#include <malloc.h>
#include <string.h>

#include "../history/context.h"
#include "../lock/misuse.h"
#include "../report/ask.h"
#include "../shadow/heap.h"
#include "../thread.h"
#include "abi.h"

static bool enter(void)
{
	RaceThread *t = &race_thread;
	return !load_rlx(&t->busy) && race_enter(t); /* relaxed: this thread's own */
}

static void leave(bool entered)
{
	if (entered)
		race_leave(&race_thread);
}

/* ---- locks ---- */

ABI void __tsan_check_no_mutexes_held(void);
ABI void __tsan_check_no_mutexes_held(void)
{
	RaceCtx *c = hook_self();
	if (c && c->mset)
		misuse_held(c, PC);
}

/* ---- accesses that the compiler leaves alone ---- */

#define UNALIGNED(bits)                                                                            \
	ABI uint##bits##_t __sanitizer_unaligned_load##bits(const void *p);                        \
	ABI uint##bits##_t __sanitizer_unaligned_load##bits(const void *p)                         \
	{                                                                                          \
		uint##bits##_t v;                                                                  \
		hook_read(hook_self(), p, sizeof v, PC);                                           \
		memcpy(&v, p, sizeof v);                                                           \
		return v;                                                                          \
	}                                                                                          \
	ABI void __sanitizer_unaligned_store##bits(void *p, uint##bits##_t v);                     \
	ABI void __sanitizer_unaligned_store##bits(void *p, uint##bits##_t v)                      \
	{                                                                                          \
		hook_write(hook_self(), p, sizeof v, PC);                                          \
		memcpy(p, &v, sizeof v);                                                           \
	}
UNALIGNED(16)
UNALIGNED(32)
UNALIGNED(64)

/* ---- reports ---- */

ABI void __sanitizer_set_report_path(const char *path);
ABI void __sanitizer_set_report_path(const char *path)
{
	if (path)
		ask_log_to(path, -1);
}

ABI void __sanitizer_set_report_fd(void *fd);
ABI void __sanitizer_set_report_fd(void *fd)
{
	ask_log_to(NULL, (int)(intptr_t)fd);
}

ABI const char *__sanitizer_get_report_path(void);
ABI const char *__sanitizer_get_report_path(void)
{
	static char path[4096]; /* as TSan's: the next call may change it */
	ask_log_path(path, sizeof path);
	return path;
}

ABI void __sanitizer_set_death_callback(void (*callback)(void));
ABI void __sanitizer_set_death_callback(void (*callback)(void))
{
	report_on_death(callback);
}

/* Nothing of what reports need is fetched from outside of the process. */
ABI void __sanitizer_sandbox_on_notify(void *args);
ABI void __sanitizer_sandbox_on_notify(void *args)
{
	(void)args;
}

ABI int __sanitizer_acquire_crash_state(void);
ABI int __sanitizer_acquire_crash_state(void)
{
	static bool taken; /* atomic */
	return !swap_ar(&taken, true);
}

/* ---- symbols ---- */

ABI void __sanitizer_print_stack_trace(void);
ABI void __sanitizer_print_stack_trace(void)
{
	RaceCtx *c = hook_self();
	bool entered = enter();
	if (c && entered)
		ask_print_stack(context_here(&race_thread, c, PC));
	leave(entered);
}

ABI void __sanitizer_symbolize_pc(void *pc, const char *fmt, char *out, size_t size);
ABI void __sanitizer_symbolize_pc(void *pc, const char *fmt, char *out, size_t size)
{
	bool entered = enter();
	ask_symbolize((uintptr_t)pc, true, fmt, out, size);
	leave(entered);
}

ABI void __sanitizer_symbolize_global(void *data, const char *fmt, char *out, size_t size);
ABI void __sanitizer_symbolize_global(void *data, const char *fmt, char *out, size_t size)
{
	bool entered = enter();
	ask_symbolize((uintptr_t)data, false, fmt, out, size);
	leave(entered);
}

ABI int __sanitizer_get_module_and_offset_for_pc(
    void *pc, char *module, size_t size, void **offset);
ABI int __sanitizer_get_module_and_offset_for_pc(void *pc, char *module, size_t size, void **offset)
{
	uintptr_t off = 0;
	bool entered = enter();
	const char *path = ask_module((uintptr_t)pc, &off);
	leave(entered);
	if (!path)
		return 0;
	if (module && size) {
		size_t n = strnlen(path, size - 1);
		memcpy(module, path, n);
		module[n] = 0;
	}
	if (offset)
		*offset = (void *)off;
	return 1;
}

/* ---- the heap ---- */

/* The block that starts at p: its size as it was asked for; 0 where it is none, or freed. */
static size_t block_size(const void *p)
{
	uintptr_t start;
	size_t size, usable;
	if (!p || !race_heap_known(p) || !race_heap_live((uintptr_t)p, &start, &size) ||
	    start != (uintptr_t)p)
		return 0;
	usable = malloc_usable_size((void *)start);
	return heap_size_of(heap_alloc_of(start, usable), usable);
}

ABI int __sanitizer_get_ownership(const volatile void *p);
ABI int __sanitizer_get_ownership(const volatile void *p)
{
	return block_size((const void *)p) != 0;
}

ABI size_t __sanitizer_get_allocated_size(const volatile void *p);
ABI size_t __sanitizer_get_allocated_size(const volatile void *p)
{
	return block_size((const void *)p);
}

ABI size_t __sanitizer_get_allocated_size_fast(const volatile void *p);
ABI size_t __sanitizer_get_allocated_size_fast(const volatile void *p)
{
	return block_size((const void *)p);
}

ABI const void *__sanitizer_get_allocated_begin(const void *p);
ABI const void *__sanitizer_get_allocated_begin(const void *p)
{
	uintptr_t start;
	size_t size;
	bool entered = enter();
	bool found = entered && race_heap_live((uintptr_t)p, &start, &size);
	leave(entered);
	return found ? (const void *)start : NULL;
}

ABI size_t __sanitizer_get_estimated_allocated_size(size_t size);
ABI size_t __sanitizer_get_estimated_allocated_size(size_t size)
{
	return size;
}

ABI size_t __sanitizer_get_current_allocated_bytes(void);
ABI size_t __sanitizer_get_current_allocated_bytes(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

ABI size_t __sanitizer_get_heap_size(void);
ABI size_t __sanitizer_get_heap_size(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.arena + m.hblkhd;
}

ABI size_t __sanitizer_get_free_bytes(void);
ABI size_t __sanitizer_get_free_bytes(void)
{
	return mallinfo2().fordblks;
}

ABI size_t __sanitizer_get_unmapped_bytes(void);
ABI size_t __sanitizer_get_unmapped_bytes(void)
{
	return 0;
}

ABI void __sanitizer_purge_allocator(void);
ABI void __sanitizer_purge_allocator(void)
{
	malloc_trim(0);
}
