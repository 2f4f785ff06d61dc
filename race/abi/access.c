/*
 * access.c: __tsan_read*, __tsan_write* and their relatives of gcc 12 and clang 14 to 19.
 *
 * Each is the fast path inlined, and a tail call of the slow one. Aligned and unaligned entry points are
 * the same code: an access that crosses a granule misses the filter. 16 bytes are two accesses of 8.
 */
#include "abi.h"

#define ENTRY(name, log2, flags, slow)                                                             \
	ABI_FAST void __tsan_##name(void *p);                                                      \
	ABI_FAST void __tsan_##name(void *p)                                                       \
	{                                                                                          \
		access_fast((uintptr_t)p, CODE_SIZE(log2) | CODE_PLAIN | (flags), PC, slow);       \
	}

#define ENTRY_PC(name, log2, flags, slow)                                                          \
	ABI_FAST void __tsan_##name##_pc(void *p, void *pc);                                       \
	ABI_FAST void __tsan_##name##_pc(void *p, void *pc)                                        \
	{                                                                                          \
		access_fast((uintptr_t)p, CODE_SIZE(log2) | CODE_PLAIN | (flags), pc, slow);       \
	}

#define ENTRY16(name, flags, slow)                                                                 \
	ABI_FAST void __tsan_##name(void *p);                                                      \
	ABI_FAST void __tsan_##name(void *p)                                                       \
	{                                                                                          \
		access_fast16((uintptr_t)p, CODE_SIZE(3) | CODE_PLAIN | (flags), PC, slow);        \
	}

#define ENTRY16_PC(name, flags, slow)                                                              \
	ABI_FAST void __tsan_##name##_pc(void *p, void *pc);                                       \
	ABI_FAST void __tsan_##name##_pc(void *p, void *pc)                                        \
	{                                                                                          \
		access_fast16((uintptr_t)p, CODE_SIZE(3) | CODE_PLAIN | (flags), pc, slow);        \
	}

/* A read-and-write is a write: that stands for the read. */
#define SIZES(E, E16, prefix, flags, s)                                                            \
	E(prefix##1, 0, flags, access_slow_##s##1)                                                 \
	E(prefix##2, 1, flags, access_slow_##s##2)                                                 \
	E(prefix##4, 2, flags, access_slow_##s##4)                                                 \
	E(prefix##8, 3, flags, access_slow_##s##8)                                                 \
	E16(prefix##16, flags, access_slow_##s##16)
#define UNALIGNED(E, E16, prefix, flags, s)                                                        \
	E(prefix##2, 1, flags, access_slow_##s##2)                                                 \
	E(prefix##4, 2, flags, access_slow_##s##4)                                                 \
	E(prefix##8, 3, flags, access_slow_##s##8)                                                 \
	E16(prefix##16, flags, access_slow_##s##16)

SIZES(ENTRY, ENTRY16, read, 0, r)
SIZES(ENTRY, ENTRY16, write, CODE_WRITE, w)
SIZES(ENTRY, ENTRY16, read_write, CODE_WRITE, w)
SIZES(ENTRY, ENTRY16, volatile_read, 0, r)
SIZES(ENTRY, ENTRY16, volatile_write, CODE_WRITE, w)
UNALIGNED(ENTRY, ENTRY16, unaligned_read, 0, r)
UNALIGNED(ENTRY, ENTRY16, unaligned_write, CODE_WRITE, w)
UNALIGNED(ENTRY, ENTRY16, unaligned_read_write, CODE_WRITE, w)
UNALIGNED(ENTRY, ENTRY16, unaligned_volatile_read, 0, r)
UNALIGNED(ENTRY, ENTRY16, unaligned_volatile_write, CODE_WRITE, w)
SIZES(ENTRY_PC, ENTRY16_PC, read, 0, r)
SIZES(ENTRY_PC, ENTRY16_PC, write, CODE_WRITE, w)
SIZES(ENTRY_PC, ENTRY16_PC, read_write, CODE_WRITE, w)

/* A C++ object's table pointer: constructors of base and derived class store the same place, storing
 * what is there already is no write (a destructor does so while others call virtual functions). */
ABI_FAST void __tsan_vptr_update(void **vptr, void *val);
ABI_FAST void __tsan_vptr_update(void **vptr, void *val)
{
	if (*vptr != val)
		access_fast(
		    (uintptr_t)vptr, CODE_SIZE(3) | CODE_PLAIN | CODE_WRITE, PC, access_slow_vptr);
}

ABI_FAST void __tsan_vptr_read(void **vptr);
ABI_FAST void __tsan_vptr_read(void **vptr)
{
	access_fast((uintptr_t)vptr, CODE_SIZE(3) | CODE_PLAIN, PC, access_slow_vptr);
}

ABI void __tsan_read_range(void *p, unsigned long size);
ABI void __tsan_read_range(void *p, unsigned long size)
{
	access_range_slow((uintptr_t)p, size, false, PC);
}

ABI void __tsan_write_range(void *p, unsigned long size);
ABI void __tsan_write_range(void *p, unsigned long size)
{
	access_range_slow((uintptr_t)p, size, true, PC);
}

ABI void __tsan_read_range_pc(void *p, unsigned long size, void *pc);
ABI void __tsan_read_range_pc(void *p, unsigned long size, void *pc)
{
	access_range_slow((uintptr_t)p, size, false, pc);
}

ABI void __tsan_write_range_pc(void *p, unsigned long size, void *pc);
ABI void __tsan_write_range_pc(void *p, unsigned long size, void *pc)
{
	access_range_slow((uintptr_t)p, size, true, pc);
}
