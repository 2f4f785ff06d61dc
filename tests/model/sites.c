/*
 * sites.c: see sites.h. Compiled by goro-cc -race; the rest of the interpreter is not.
 */
#include "sites.h"

#include <stdlib.h>
#include <string.h>

typedef struct __attribute__((packed)) U2 { uint16_t v; } U2;
typedef struct __attribute__((packed)) U4 { uint32_t v; } U4;
typedef struct __attribute__((packed)) U8 { uint64_t v; } U8;
typedef long long V16 __attribute__((vector_size(16)));
typedef long long W16 __attribute__((vector_size(16), aligned(1)));

#define USE(v)   __asm__ volatile("" : : "r"(v) : "memory")
#define USE16(v) __asm__ volatile("" : : "m"(*(V16[1]){v}) : "memory") /* all of it, or half is not read */

static bool aligned(const void *p, int size)
{
	return ((uintptr_t)p & (uintptr_t)(size - 1)) == 0;
}

void site_read(void *p, int size)
{
	if (size == 1) {
		USE(*(uint8_t *)p);
	} else if (aligned(p, size)) {
		switch (size) {
		case 2: USE(*(uint16_t *)p); break;
		case 4: USE(*(uint32_t *)p); break;
		case 8: USE(*(uint64_t *)p); break;
		case 16: USE16(*(V16 *)p); break;
		}
	} else {
		switch (size) {
		case 2: USE(((U2 *)p)->v); break;
		case 4: USE(((U4 *)p)->v); break;
		case 8: USE(((U8 *)p)->v); break;
		case 16: USE16((V16)*(W16 *)p); break;
		}
	}
}

void site_write(void *p, int size)
{
	if (size == 1) {
		*(uint8_t *)p = 1;
	} else if (aligned(p, size)) {
		switch (size) {
		case 2: *(uint16_t *)p = 2; break;
		case 4: *(uint32_t *)p = 4; break;
		case 8: *(uint64_t *)p = 8; break;
		case 16: *(V16 *)p = (V16){1, 6}; break;
		}
	} else {
		switch (size) {
		case 2: ((U2 *)p)->v = 2; break;
		case 4: ((U4 *)p)->v = 4; break;
		case 8: ((U8 *)p)->v = 8; break;
		case 16: *(W16 *)p = (W16){1, 6}; break;
		}
	}
	USE(p);
}

/* No byte of the program is ever 0xee: the search goes to the end. */
void site_read_range(void *p, int size)
{
	USE(memchr(p, 0xee, (size_t)size));
}
void site_write_range(void *p, int size)
{
	memset(p, 3, (size_t)size);
	USE(p);
}
void site_copy(void *to, const void *from, int size)
{
	memcpy(to, from, (size_t)size);
	USE(to);
}

#define BY_ORDER(call)                                                                             \
	switch (order) {                                                                           \
	case __ATOMIC_RELAXED: call(__ATOMIC_RELAXED); break;                                      \
	case __ATOMIC_ACQUIRE: call(__ATOMIC_ACQUIRE); break;                                      \
	case __ATOMIC_RELEASE: call(__ATOMIC_RELEASE); break;                                      \
	case __ATOMIC_ACQ_REL: call(__ATOMIC_ACQ_REL); break;                                      \
	default: call(__ATOMIC_SEQ_CST);                                                           \
	}

void site_load(void *p, int size, int order)
{
#define LOAD_(o) if (size == 4) USE(__atomic_load_n((uint32_t *)p, o)); else USE(__atomic_load_n((uint64_t *)p, o))
	switch (order) {
	case __ATOMIC_RELAXED: LOAD_(__ATOMIC_RELAXED); break;
	case __ATOMIC_ACQUIRE: LOAD_(__ATOMIC_ACQUIRE); break;
	default: LOAD_(__ATOMIC_SEQ_CST);
	}
}
void site_store(void *p, int size, int order, uint64_t value)
{
#define STORE_(o)                                                                                  \
	if (size == 4)                                                                             \
		__atomic_store_n((uint32_t *)p, (uint32_t)value, o);                               \
	else                                                                                       \
		__atomic_store_n((uint64_t *)p, value, o)
	switch (order) {
	case __ATOMIC_RELAXED: STORE_(__ATOMIC_RELAXED); break;
	case __ATOMIC_RELEASE: STORE_(__ATOMIC_RELEASE); break;
	default: STORE_(__ATOMIC_SEQ_CST);
	}
}
void site_add(void *p, int size, int order)
{
#define ADD_(o)                                                                                    \
	if (size == 4)                                                                             \
		__atomic_fetch_add((uint32_t *)p, 1, o);                                           \
	else                                                                                       \
		__atomic_fetch_add((uint64_t *)p, 1, o)
	BY_ORDER(ADD_)
}
void site_exchange(void *p, int size, int order, uint64_t value)
{
#define SWAP_(o)                                                                                   \
	if (size == 4)                                                                             \
		USE(__atomic_exchange_n((uint32_t *)p, (uint32_t)value, o));                       \
	else                                                                                       \
		USE(__atomic_exchange_n((uint64_t *)p, value, o)) /* unused, clang makes a store of it */
	BY_ORDER(SWAP_)
}
bool site_cas(void *p, int size, int order, int order2, uint64_t expect, uint64_t value)
{
	uint32_t expect4 = (uint32_t)expect;
	bool done = false;
#define CAS2_(o, o2)                                                                               \
	done = size == 4 ? __atomic_compare_exchange_n((uint32_t *)p, &expect4, (uint32_t)value, false, o, o2) \
			 : __atomic_compare_exchange_n((uint64_t *)p, &expect, value, false, o, o2)
	/* A failure order is never stronger than that of success. */
	switch (order2 == __ATOMIC_RELAXED ? order : order | 8) {
	case __ATOMIC_RELAXED: CAS2_(__ATOMIC_RELAXED, __ATOMIC_RELAXED); break;
	case __ATOMIC_ACQUIRE: CAS2_(__ATOMIC_ACQUIRE, __ATOMIC_RELAXED); break;
	case __ATOMIC_RELEASE: CAS2_(__ATOMIC_RELEASE, __ATOMIC_RELAXED); break;
	case __ATOMIC_ACQ_REL: CAS2_(__ATOMIC_ACQ_REL, __ATOMIC_RELAXED); break;
	case __ATOMIC_SEQ_CST: CAS2_(__ATOMIC_SEQ_CST, __ATOMIC_RELAXED); break;
	case __ATOMIC_ACQUIRE | 8: CAS2_(__ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE); break;
	case __ATOMIC_ACQ_REL | 8: CAS2_(__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); break;
	case __ATOMIC_SEQ_CST | 8: CAS2_(__ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE); break;
	}
	return done;
}
void site_fence(int order)
{
	BY_ORDER(__atomic_thread_fence)
}

void *site_alloc(int size)
{
	return malloc((size_t)size);
}
void site_free(void *p)
{
	free(p);
}

int main(int argc, char **argv)
{
	return interpret(argc, argv);
}
