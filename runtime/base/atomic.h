/*
 * atomic.h: the only atomics goro uses. The ordering is in the name; there is no default.
 *
 * Each macro takes a pointer to an ordinary object (not _Atomic, so that fields can be printed and
 * initialised plainly) and maps to the compiler's __atomic builtin. The comment beside a use names
 * its partner ("pairs with X in f").
 */
#ifndef GORO_BASE_ATOMIC_H
#define GORO_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define load_rlx(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define load_acq(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define load_sc(p)      __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define store_rlx(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define store_rel(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define store_sc(p, v)  __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define swap_acq(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define swap_rel(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_RELEASE)
#define swap_ar(p, v)   __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define swap_sc(p, v)   __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
/* Fetch-and-op: the value before. */
#define add_rlx(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define add_ar(p, v)  __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define add_sc(p, v)  __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define sub_rel(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELEASE)
#define sub_ar(p, v)  __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)
#define or_rlx(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_RELAXED)
#define or_ar(p, v)   __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define and_ar(p, v)  __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)

/* Compare-and-swap, strong: true and *p = v when *p was `old`. A failure orders nothing: who then uses what
 * whoever changed *p had published must load_acq it first, as leave in chan/select.c. All others read anew, take a
 * lock, or give up. */
#define CAS_(p, old, v, order)                                                                     \
	__extension__({                                                                            \
		__typeof__(*(p)) cas_old_ = (old);                                                 \
		__atomic_compare_exchange_n(                                                       \
		    (p), &cas_old_, (v), false, (order), __ATOMIC_RELAXED);                        \
	})
#define cas_rlx(p, old, v) CAS_(p, old, v, __ATOMIC_RELAXED)
#define cas_acq(p, old, v) CAS_(p, old, v, __ATOMIC_ACQUIRE)
#define cas_rel(p, old, v) CAS_(p, old, v, __ATOMIC_RELEASE)
#define cas_ar(p, old, v)  CAS_(p, old, v, __ATOMIC_ACQ_REL)
#define cas_sc(p, old, v)  CAS_(p, old, v, __ATOMIC_SEQ_CST)

#define fence_acq() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define fence_rel() __atomic_thread_fence(__ATOMIC_RELEASE)
#define fence_sc()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
/* Keeps the compiler, not the processor, from moving memory accesses across. */
#define fence_compiler() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* Tell the processor that this is a spin loop. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
