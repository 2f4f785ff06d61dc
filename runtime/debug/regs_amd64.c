/*
 * regs_amd64.c: a parked goroutine's registers in libunwind's form, for x86-64.
 */
#if defined(__x86_64__)

#include "debug.h"

#include <string.h>
#include <ucontext.h>

#include "../os/switch.h"

void trace_saved_regs(const void *sp, unw_context_t *out)
{
	SwitchRegs r;
	switch_saved(sp, &r);
	memset(out, 0, sizeof *out);
	greg_t *g = out->uc_mcontext.gregs;
	g[REG_RIP] = (greg_t)r.pc;
	g[REG_RSP] = (greg_t)r.sp;
	g[REG_RBP] = (greg_t)r.bp;
}

void trace_site_regs(const CallSite *site, unw_context_t *out)
{
	memset(out, 0, sizeof *out);
	greg_t *g = out->uc_mcontext.gregs;
	g[REG_RIP] = (greg_t)load_rlx(&site->pc);
	g[REG_RSP] = (greg_t)load_rlx(&site->sp);
	g[REG_RBP] = (greg_t)load_rlx(&site->bp);
}

uintptr_t trace_pc(const void *uc)
{
	return (uintptr_t)((const ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
}

uintptr_t trace_sp(const void *uc)
{
	return (uintptr_t)((const ucontext_t *)uc)->uc_mcontext.gregs[REG_RSP];
}

bool trace_fault_regs(const void *uc, const void *addr, const G *g, unw_context_t *out)
{
	memset(out, 0, sizeof *out);
	greg_t *r = out->uc_mcontext.gregs;
	memcpy(r, ((const ucontext_t *)uc)->uc_mcontext.gregs, sizeof(gregset_t));
	uintptr_t sp = (uintptr_t)r[REG_RSP];
	if (r[REG_RIP] != (greg_t)(uintptr_t)addr || sp < g->stack_lo ||
	    sp + sizeof(greg_t) > g->stack_hi)
		return true;
	r[REG_RIP] = *(const greg_t *)sp; /* what the call pushed */
	r[REG_RSP] += (greg_t)sizeof(greg_t);
	return false;
}

/* mov $15, %rax; syscall: what the kernel makes a signal handler return to, and what libunwind, too,
 * knows it by (it says so only after it has stepped over it). */
bool trace_is_sigreturn(uintptr_t pc)
{
	static const unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};
	return !memcmp((const void *)pc, code, sizeof code);
}

#endif
