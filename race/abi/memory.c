/*
 * memory.c: __tsan_memcpy, __tsan_memmove, __tsan_memset (clang 15 on): the operation, and the ranges
 * it reads and writes. In the archive memcpy and its like are the real ones (tools/real.syms).
 */
#include <string.h>

#include "abi.h"

ABI void *__tsan_memcpy(void *dst, const void *src, size_t n);
ABI void *__tsan_memcpy(void *dst, const void *src, size_t n)
{
	access_range_slow((uintptr_t)src, n, false, PC);
	access_range_slow((uintptr_t)dst, n, true, PC);
	return memmove(dst, src, n); /* a struct assigned to itself is a memcpy with dst == src */
}

ABI void *__tsan_memmove(void *dst, const void *src, size_t n);
ABI void *__tsan_memmove(void *dst, const void *src, size_t n)
{
	access_range_slow((uintptr_t)src, n, false, PC);
	access_range_slow((uintptr_t)dst, n, true, PC);
	return memmove(dst, src, n);
}

ABI void *__tsan_memset(void *dst, int c, size_t n);
ABI void *__tsan_memset(void *dst, int c, size_t n)
{
	access_range_slow((uintptr_t)dst, n, true, PC);
	return memset(dst, c, n);
}
