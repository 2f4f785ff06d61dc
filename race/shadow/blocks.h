/*
 * blocks.h: the runtime's own heap blocks by their address.
 */
#ifndef GORO_RACE_BLOCKS_H
#define GORO_RACE_BLOCKS_H

#include "../race.h"

typedef struct Block {
	uintptr_t addr; /* 0: no entry */
	size_t size;
	RecId alloc; /* record of the allocation; 0: unknown */
} Block;

void block_put(Block b);
bool block_get(uintptr_t addr, Block *out);
/* The same, and it is gone. */
bool block_take(uintptr_t addr, Block *out);
/* Collection, world stopped. */
void block_mark_all(void);

#endif
