/*
 * pool.h: type-stable fixed-size objects of the detector. An object given back keeps its type for
 * ever, so that a stale pointer read without a lock finds an object of the same kind (and checks it).
 *
 * The first 8 bytes of a free object link the pool's free list; the rest keeps its last contents.
 */
#ifndef GORO_RACE_POOL_H
#define GORO_RACE_POOL_H

#include "race.h"

typedef struct Pool {
	Lock lock;     /* a leaf: guards free */
	uint32_t size; /* of an object, a multiple of 8; constant */
	void *free;
	uint64_t live;  /* objects handed out; lock */
	uint64_t bytes; /* of all objects there are; lock */
} Pool;

#define POOL_INIT(bytes)                                                                           \
	{                                                                                          \
		.lock = {0}, .size = ((bytes) + 7u) & ~7u                                          \
	}

/* Uninitialised but for type-stability (a first-time object is zeroed). */
void *pool_get(Pool *p);
void pool_put(Pool *p, void *obj);
MemoryUse pool_memory(const Pool *p);

#endif
