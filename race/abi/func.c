/*
 * func.c: function entry and exit, start-up.
 *
 * Entry pushes the return address on the goroutine's shadow call stack; what it costs to turn stacks
 * into ids is paid where somebody asks (history/context.c). A signal handler may interrupt the push
 * between its two stores: then the interrupted frame shows the handler's call site, for its own life.
 */
#include "abi.h"
#include "../history/context.h"
#include "../module.h"

ABI void __tsan_init(void);
ABI void __tsan_init(void)
{
	hook_init();
	module_add(__builtin_return_address(0)); /* a constructor of the module */
}

ABI_FAST void __tsan_func_entry(void *pc);
ABI_FAST void __tsan_func_entry(void *pc)
{
	RaceThread *t = &race_thread;
	Frame *top = t->top;
	if (unlikely(top == t->end)) {
		context_enter_slow(t, (uintptr_t)pc);
		return;
	}
	top->pc = (uintptr_t)pc;
	top->id = 0;
	t->top = top + 1;
}

ABI_FAST void __tsan_func_exit(void);
ABI_FAST void __tsan_func_exit(void)
{
	RaceThread *t = &race_thread;
	if (likely(
		t->top > t->base)) /* a thread may have been attached below its outermost frames */
		t->top--;
}

/* Emitted around code that must not be checked (Objective-C, and by hand). */
ABI void __tsan_ignore_thread_begin(void);
ABI void __tsan_ignore_thread_begin(void)
{
	RaceCtx *c = hook_self();
	if (c) {
		c->ignore_reads++;
		c->ignore_writes++;
	}
}

ABI void __tsan_ignore_thread_end(void);
ABI void __tsan_ignore_thread_end(void)
{
	RaceCtx *c = hook_self();
	if (c && c->ignore_reads && c->ignore_writes) {
		c->ignore_reads--;
		c->ignore_writes--;
	}
}
