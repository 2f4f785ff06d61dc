/*
 * real_amd64.S: the thunks goro_real_X on x86-64: jmp *slot_X. A slot starts out at a stub that names
 * the slot in %r11 (free between a caller and its callee) and enters real_enter, which saves every
 * register that may carry an argument (%rax: the vector count of a variadic call; %r10: the static
 * chain), asks real_resolve, and goes on to the function as if nothing had been.
 */
#define R(n) \
	.globl goro_real_##n; .hidden goro_real_##n; .type goro_real_##n, @function; .balign 8; \
	goro_real_##n: jmp *slot_##n(%rip); .size goro_real_##n, . - goro_real_##n;
#define X(n) R(n)
#define D(n, t) \
	.globl goro_real_##n; .hidden goro_real_##n; .type goro_real_##n, @function; .balign 8; \
	goro_real_##n: jmp *t@GOTPCREL(%rip); .size goro_real_##n, . - goro_real_##n;
	.text
#include "real.def"
#undef R
#undef X
#undef D

#define D(n, t)
#define X(n) R(n)
#define R(n) first_##n: leaq slot_##n(%rip), %r11; jmp real_enter;
#include "real.def"
#undef R

	.type real_enter, @function
real_enter:
	.cfi_startproc
	pushq %rax
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %r8
	pushq %r9
	pushq %r10
	.cfi_adjust_cfa_offset 64
	subq $136, %rsp
	.cfi_adjust_cfa_offset 136
	movaps %xmm0, 0(%rsp)
	movaps %xmm1, 16(%rsp)
	movaps %xmm2, 32(%rsp)
	movaps %xmm3, 48(%rsp)
	movaps %xmm4, 64(%rsp)
	movaps %xmm5, 80(%rsp)
	movaps %xmm6, 96(%rsp)
	movaps %xmm7, 112(%rsp)
	movq %r11, %rdi
	call real_resolve
	movq %rax, %r11
	movaps 0(%rsp), %xmm0
	movaps 16(%rsp), %xmm1
	movaps 32(%rsp), %xmm2
	movaps 48(%rsp), %xmm3
	movaps 64(%rsp), %xmm4
	movaps 80(%rsp), %xmm5
	movaps 96(%rsp), %xmm6
	movaps 112(%rsp), %xmm7
	addq $136, %rsp
	.cfi_adjust_cfa_offset -136
	popq %r10
	popq %r9
	popq %r8
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	popq %rax
	.cfi_adjust_cfa_offset -64
	jmp *%r11
	.cfi_endproc
	.size real_enter, . - real_enter

	.data
	.balign 8
	.globl real_slots
	.hidden real_slots
real_slots:
#define R(n) slot_##n: .quad first_##n;
#include "real.def"
#undef R

	.section .note.GNU-stack, "", @progbits
