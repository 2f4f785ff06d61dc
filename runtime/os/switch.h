/*
 * switch.h: from one stack to another. The contract of switch_<arch>.{h,S,c}.
 *
 * os_switch pushes the frame pointer and the floating-point control words on the stack it leaves and stores the
 * stack pointer; to the compiler it is a statement that changes all other registers, so that the callee-saved ones are in
 * the frame around it.
 *
 * A new stack gets such a frame too, whose pc lies in one of two entry stubs. Their unwind information
 * says "nobody called me": debuggers and unwinders stop there.
 */
#ifndef GORO_OS_SWITCH_H
#define GORO_OS_SWITCH_H

#include <stddef.h>
#include <stdint.h>

/* Save this context, leaving its stack pointer in *save, and go on where `to` was saved. */
#if defined(__x86_64__)
#include "switch_amd64.h"
#else
void os_switch(void **save, void *to);
#endif

/* A first context below `top` that runs sched_switched(), f(arg), go_exit(). Its stack pointer. */
void *os_switch_new(void *top, void (*f)(void *), void *arg);

/* The arguments of a call as they lay in the registers at goro_go_capture. */
typedef struct CallRegs CallRegs;
/* As os_switch_new for a call of f with these registers and `nstack` bytes of arguments on the stack,
 * all copied. NULL when they do not fit above `bottom`. */
void *os_switch_new_call(void *top, void *bottom, void (*f)(void), const CallRegs *regs,
    const void *stack, size_t nstack);

/* Registers of a saved context as an unwinder wants them: those of the caller of os_switch. */
typedef struct SwitchRegs {
	uintptr_t pc, sp;
#if defined(__x86_64__)
	uintptr_t bp; /* the others are in the caller's frame, where its unwind information says */
#elif defined(__aarch64__)
	uintptr_t x[11], fp; /* x19..x28, one unused */
#endif
} SwitchRegs;
void switch_saved(const void *sp, SwitchRegs *out);

#endif
