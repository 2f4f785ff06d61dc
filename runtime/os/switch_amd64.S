/*
 * switch_amd64.S: the entry of a new goroutine, and the capture of a call, for x86-64 with the System V
 * calling convention. The layouts are those of switch_amd64.c.
 */

/* The entries lie in a section of their own: base/frame.h says why. */
	.section goro_outer, "ax", @progbits

/* The first context of a goroutine: f and arg on its stack. The nop makes "the byte before pc" belong to
 * the stub, which is what unwinders look up for a goroutine that has not run yet. */
	.globl	goro_start
	.hidden	goro_start
	.type	goro_start, @function
	.p2align 4
	.cfi_startproc
	.cfi_undefined rip
	nop
goro_start:
	popq	%r12
	popq	%r13
	call	sched_switched
	movq	%r13, %rdi
	call	*%r12
	call	go_exit
	ud2
	.cfi_endproc
	.size	goro_start, . - goro_start

/* The same for a captured call: f and its CallRegs, then its stack arguments. */
	.globl	goro_start_call
	.hidden	goro_start_call
	.type	goro_start_call, @function
	.p2align 4
	.cfi_startproc
	.cfi_undefined rip
	nop
goro_start_call:
	popq	%r12
	popq	%r13
	call	sched_switched
	movq	0(%r13), %rdi
	movq	8(%r13), %rsi
	movq	16(%r13), %rdx
	movq	24(%r13), %rcx
	movq	32(%r13), %r8
	movq	40(%r13), %r9
	movq	48(%r13), %rax
	movaps	64(%r13), %xmm0
	movaps	80(%r13), %xmm1
	movaps	96(%r13), %xmm2
	movaps	112(%r13), %xmm3
	movaps	128(%r13), %xmm4
	movaps	144(%r13), %xmm5
	movaps	160(%r13), %xmm6
	movaps	176(%r13), %xmm7
	call	*%r12
	call	go_exit
	ud2
	.cfi_endproc
	.size	goro_start_call, . - goro_start_call

	.text

/* goro_go_capture: called in the place of the goroutine's function, with its arguments where the calling
 * convention put them and the static chain (r10) at { f, ... }, the lowest object of the caller's frame:
 * the arguments on the stack lie in [rsp+8, r10). Keeps the registers and hands all of it to
 * goro_go_captured(regs, f, stack, nstack, pc). Returns with rax and xmm0 zero (no result). */
	.globl	goro_go_capture

	.type	goro_go_capture, @function
	.p2align 4
goro_go_capture:
	.cfi_startproc
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	subq	$192, %rsp
	movq	%rdi, 0(%rsp)
	movq	%rsi, 8(%rsp)
	movq	%rdx, 16(%rsp)
	movq	%rcx, 24(%rsp)
	movq	%r8, 32(%rsp)
	movq	%r9, 40(%rsp)
	movq	%rax, 48(%rsp)
	movq	$0, 56(%rsp)
	movaps	%xmm0, 64(%rsp)
	movaps	%xmm1, 80(%rsp)
	movaps	%xmm2, 96(%rsp)
	movaps	%xmm3, 112(%rsp)
	movaps	%xmm4, 128(%rsp)
	movaps	%xmm5, 144(%rsp)
	movaps	%xmm6, 160(%rsp)
	movaps	%xmm7, 176(%rsp)
	movq	%rsp, %rdi
	movq	(%r10), %rsi
	leaq	16(%rbp), %rdx
	movq	%r10, %rcx
	subq	%rdx, %rcx
	movq	8(%rbp), %r8
	call	goro_go_captured
	xorl	%eax, %eax
	xorl	%edx, %edx
	pxor	%xmm0, %xmm0
	leave
	.cfi_def_cfa rsp, 8
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size	goro_go_capture, . - goro_go_capture

	.section .note.GNU-stack, "", @progbits
