/*
 * context.h: the calling-context tree. A StackId names a node {parent, pc}: the access or call site
 * `pc` within the function whose call sites the parents are. Ids are exact (64-bit pcs).
 *
 * An id stays valid while its asker is inside the detector, and then as long as a collection finds it: in a
 * record, a mutex set, a GInfo, a frame of a living goroutine; or for ever, once pinned.
 *
 * The outermost frame's return address lies outside the program's code (libc, the goroutine's
 * trampoline); it is not kept: the outermost frame is CONTEXT_ROOT.
 */
#ifndef GORO_RACE_CONTEXT_H
#define GORO_RACE_CONTEXT_H

#include "../ctx.h"

#define CONTEXT_ROOT 1u

/* The id of pc under parent. */
StackId context_push(StackId parent, uintptr_t pc);
/* The id of the innermost frame of ctx, which t runs or which is parked. */
StackId context_top(RaceThread *t, RaceCtx *ctx);
static inline StackId context_here(RaceThread *t, RaceCtx *ctx, const void *pc)
{
	return context_push(context_top(t, ctx), (uintptr_t)pc);
}

/* Collection, world stopped: mark what is in use; end: the others are freed. How many live. */
void context_mark(StackId id);
void context_mark_stack(const Frame *base, const Frame *top);
uint32_t context_mark_end(void);
MemoryUse context_memory(void);

/* func_entry and func_exit of the program. */
void context_enter_slow(RaceThread *t, uintptr_t pc);
/* Room for n frames, a power of two from 32 on; and back. */
Frame *context_stack_alloc(size_t n);
void context_stack_free(Frame *base, Frame *end);

#endif
