/*
 * onstack.h: run a function on another stack and come back. For work that needs more stack than a
 * goroutine or a signal handler has: symbolizing, printing.
 */
#ifndef GORO_OS_ONSTACK_H
#define GORO_OS_ONSTACK_H

/* fn(arg) with the stack pointer at `top` (16-aligned, the end of the memory). The unwind information
 * leads through to the caller's frames. Thread, signal mask and thread-locals stay the same. */
void os_call_on_stack(void *top, void (*fn)(void *), void *arg);

#endif
