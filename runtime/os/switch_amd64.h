/*
 * switch_amd64.h: os_switch for x86-64, inline. Included by switch.h alone.
 *
 * Inline, because the processor predicts returns by a stack of its own: a call of os_switch that is left by
 * a jump leaves one entry too many there, and every return after it is predicted wrong; left by a return, it
 * is right only where both sides stopped at the same place. Without a call nothing is out of step.
 * Measured on a yield of two goroutines: 28 ns by call and jump, 14 inline.
 *
 * What a saved context looks like, from its stack pointer:
 *     0  mxcsr (4 bytes), x87 control word (2 bytes)
 *     8  rbp   16  pc
 *
 * The other callee-saved registers are the compiler's to save, once, in the frame of whoever switches: pushed here as well
 * they were 40 bytes more of each stack that waits, most of a cache line, which has to come back with it.
 *
 * The pushes are unknown to the unwind information, which is by rbp (-fno-omit-frame-pointer). The caller
 * must not use a red zone: it is no leaf.
 */
#ifndef GORO_OS_SWITCH_AMD64_H
#define GORO_OS_SWITCH_AMD64_H

__attribute__((always_inline)) static inline void os_switch(void **save, void *to)
{
	__asm__ volatile(
	    "leaq	1f(%%rip), %%rcx\n\t"
	    "pushq	%%rcx\n\t"
	    "pushq	%%rbp\n\t"
	    "subq	$8, %%rsp\n\t"
	    "stmxcsr (%%rsp)\n\t"
	    "fnstcw	4(%%rsp)\n\t"
	    "movl	(%%rsp), %%eax\n\t"
	    "movzwl	4(%%rsp), %%edx\n\t"
	    "movq	%%rsp, (%0)\n\t"
	    "movq	%1, %%rsp\n\t"
	    "cmpl	(%%rsp), %%eax\n\t" /* loading either word costs more than looking */
	    "jne	3f\n\t"
	    "cmpw	4(%%rsp), %%dx\n\t"
	    "jne	3f\n"
	    "2:\n\t"
	    "addq	$8, %%rsp\n\t"
	    "popq	%%rbp\n\t"
	    "popq	%%rcx\n\t"
	    "jmp	*%%rcx\n"
	    "3:\n\t"
	    "ldmxcsr (%%rsp)\n\t"
	    "fldcw	4(%%rsp)\n\t"
	    "jmp	2b\n"
	    "1:"
	    : "+D"(save), "+S"(to)
	    :
	    : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
	    "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
}

#endif
