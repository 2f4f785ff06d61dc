/*
 * jmp_amd64.S: setjmp and its kin on x86-64. A setjmp must run in its caller's frame; so each wrapper
 * tells jmp_saved the buffer, puts stack and arguments back as they were, and jumps.
 */
#define SAVE(name) \
	.weak name; .type name, @function; .balign 16; \
	name: .cfi_startproc; \
	pushq %rdi; .cfi_adjust_cfa_offset 8; \
	pushq %rsi; .cfi_adjust_cfa_offset 8; \
	subq $8, %rsp; .cfi_adjust_cfa_offset 8; \
	call jmp_saved; \
	addq $8, %rsp; .cfi_adjust_cfa_offset -8; \
	popq %rsi; .cfi_adjust_cfa_offset -8; \
	popq %rdi; .cfi_adjust_cfa_offset -8; \
	jmp goro_real_##name; \
	.cfi_endproc; .size name, . - name

	.text
	SAVE(setjmp)
	SAVE(_setjmp)
	SAVE(__sigsetjmp)

	.section .note.GNU-stack, "", @progbits
