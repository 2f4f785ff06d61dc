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

#endif
