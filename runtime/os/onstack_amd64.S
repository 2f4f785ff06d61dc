/*
 * onstack_amd64.S: os_call_on_stack for x86-64. The frame pointer keeps the old stack, and the CFA is
 * given by it, so that debuggers and libunwind walk from the new stack into the old one.
 */
	.text
	.globl	os_call_on_stack
	.hidden	os_call_on_stack
	.type	os_call_on_stack, @function
	.p2align 4
os_call_on_stack:               /* rdi: top, rsi: fn, rdx: arg */
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	movq	%rdi, %rsp
	movq	%rdx, %rdi
	call	*%rsi
	movq	%rbp, %rsp
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size	os_call_on_stack, .-os_call_on_stack
	.section .note.GNU-stack, "", @progbits
