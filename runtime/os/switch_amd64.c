/*
 * switch_amd64.c: the layouts of switch_amd64.S in C: making a first context, reading a saved one.
 */
#if defined(__x86_64__)

#include "switch.h"

typedef struct Saved {
	uint32_t mxcsr;
	uint16_t x87, pad;
	uintptr_t bp, pc;
} Saved;
_Static_assert(
    sizeof(Saved) == 24 && offsetof(Saved, pc) == 16, "switch_amd64.h knows this layout");

/* A first context: what its entry takes off the stack. */
typedef struct First {
	Saved saved;
	uintptr_t f, arg;
} First;

struct CallRegs {
	uintptr_t integer[6]; /* rdi rsi rdx rcx r8 r9 */
	uintptr_t rax;        /* variadic: how many vector registers */
	uintptr_t pad;
	_Alignas(16) unsigned char vector[8][16];
};
_Static_assert(sizeof(CallRegs) == 192 && offsetof(CallRegs, vector) == 64,
    "switch_amd64.S knows this layout");

extern void goro_start(void), goro_start_call(void);

/* A context that starts at pc with f and arg, and its stack at `sp` (16-aligned) after that. The floating-point
 * control words are the creator's, as a new thread's are. */
static void *first(uintptr_t sp, void (*pc)(void), uintptr_t f, uintptr_t arg)
{
	First *s = (First *)sp - 1;
	*s = (First){.saved.pc = (uintptr_t)pc, .f = f, .arg = arg};
	__asm__("stmxcsr %0" : "=m"(s->saved.mxcsr));
	__asm__("fnstcw %0" : "=m"(s->saved.x87));
	return s;
}

void *os_switch_new(void *top, void (*f)(void *), void *arg)
{
	uintptr_t sp = (uintptr_t)top & ~(uintptr_t)15;
	return first(sp, goro_start, (uintptr_t)f, (uintptr_t)arg);
}

void *os_switch_new_call(void *top, void *bottom, void (*f)(void), const CallRegs *regs,
    const void *stack, size_t nstack)
{
	/* 64: whatever alignment the caller gave its stack arguments, up to a cache line, is kept. */
	uintptr_t at = (uintptr_t)top & ~(uintptr_t)63;
	if (nstack > at - (uintptr_t)bottom || at - nstack - (uintptr_t)bottom < 8192)
		return NULL;
	CallRegs *r = (CallRegs *)at - 1;
	*r = *regs;
	uintptr_t sp = ((uintptr_t)r - nstack) & ~(uintptr_t)63;
	/* No memcpy: between the arguments and the static chain lies a red zone of AddressSanitizer's. */
	void *to = (void *)sp;
	const void *from = stack;
	if (nstack)
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(nstack) : : "memory");
	return first(sp, goro_start_call, (uintptr_t)f, (uintptr_t)r);
}

/* Of a stack that may be in use again, which the caller finds out. */
__attribute__((no_sanitize_address)) void switch_saved(const void *sp, SwitchRegs *out)
{
	const Saved *s = sp;
	*out = (SwitchRegs){.pc = s->pc, .sp = (uintptr_t)(s + 1), .bp = s->bp};
}

#endif
