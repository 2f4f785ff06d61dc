/*
 * frame.h: which function's frame lies at an address of a goroutine's stack; implemented in
 * debug/frame.c. For reports: "variable x of f()".
 */
#ifndef GORO_BASE_FRAME_H
#define GORO_BASE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct StackFrame {
	uintptr_t pc;  /* where the function is now */
	bool exact;    /* pc is the instruction itself, not a return address */
	uintptr_t cfa; /* canonical frame address */
} StackFrame;

/* The frame that covers addr on the stack of the calling goroutine or thread, or of a parked goroutine.
 * False where there is none, or its goroutine runs elsewhere. Needs 16 KiB of stack. */
bool frame_find(uintptr_t addr, StackFrame *out);

/* ---- whose code a stack is in the middle of ----
 *
 * goro's own code lies in a section of the linked program of its own (goro_text; the Makefile renames it), apart
 * from the functions marked CALLS_PROGRAM: those that call the program's functions, with no lock held, nothing
 * half done and nothing kept across the call that belongs to the thread (an M, a P). (The detector's fastest paths
 * lie apart as well, in goro_access: where nothing is held or half done the pc may be, too.) */
#define CALLS_PROGRAM __attribute__((section("goro_outer"), noinline))

typedef enum StackCode {
	STACK_GORO,   /* goro's own, somewhere on it, or it cannot be told */
	STACK_LIBC,   /* the C library's, now */
	STACK_PROGRAM /* neither: the program's, or some library's */
} StackCode;

/* What a signal handler interrupted at ucontext uc, on the stack [lo, hi). Async-signal-safe; needs 24 KiB. */
StackCode stack_code(const void *uc, uintptr_t lo, uintptr_t hi);
/* A handler that interrupted uc, on the stack [lo, hi), may walk that stack by libunwind; as above. */
bool stack_walkable(const void *uc, uintptr_t lo, uintptr_t hi);
/* Once, before both. False: stack_code can never tell. */
bool stack_code_init(void);

#endif
