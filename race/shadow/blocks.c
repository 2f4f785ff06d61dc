/*
 * blocks.c: the blocks that the runtime allocates (hook_alloc), while they live. A freed one is told by its
 * cells, as any block of the heap.
 *
 * Lock: blocks.lock, a leaf.
 */
#include "blocks.h"

#include "../history/record.h"

/* Open addressing, at most half full. */
static struct {
	Lock lock;
	Block *at;
	uint32_t mask, used;
} blocks;

static uint32_t block_hash(uintptr_t addr)
{
	return (uint32_t)((addr >> 4) * 0x9e3779b97f4a7c15u >> 32);
}

/* Lock held. */
static Block *block_slot(uintptr_t addr)
{
	uint32_t i = block_hash(addr) & blocks.mask;
	while (blocks.at[i].addr && blocks.at[i].addr != addr)
		i = (i + 1) & blocks.mask;
	return &blocks.at[i];
}

void block_put(Block b)
{
	lock(&blocks.lock);
	if (2 * blocks.used >= blocks.mask) {
		Block *old = blocks.at;
		uint32_t n = old ? blocks.mask + 1 : 0, cap = n ? 2 * n : 256;
		blocks.at = race_alloc(cap * sizeof *old);
		blocks.mask = cap - 1;
		for (uint32_t i = 0; i < n; i++)
			if (old[i].addr)
				*block_slot(old[i].addr) = old[i];
	}
	Block *slot = block_slot(b.addr);
	blocks.used += !slot->addr;
	*slot = b;
	unlock(&blocks.lock);
}

bool block_get(uintptr_t addr, Block *out)
{
	bool found = false;
	lock(&blocks.lock);
	if (blocks.at) {
		*out = *block_slot(addr);
		found = out->addr != 0;
	}
	unlock(&blocks.lock);
	return found;
}

/* An entry is taken out, and those behind it move up, so that no search ends early. */
bool block_take(uintptr_t addr, Block *out)
{
	bool found = false;
	lock(&blocks.lock);
	Block *hole = blocks.at ? block_slot(addr) : NULL;
	if (hole && hole->addr) {
		found = true;
		*out = *hole;
		blocks.used--;
		for (uint32_t i = (uint32_t)(hole - blocks.at);;) {
			i = (i + 1) & blocks.mask;
			Block *b = &blocks.at[i];
			if (!b->addr)
				break;
			uint32_t home = block_hash(b->addr) & blocks.mask;
			if (((i - home) & blocks.mask) >=
			    ((i - (uint32_t)(hole - blocks.at)) & blocks.mask)) {
				*hole = *b;
				hole = b;
			}
		}
		hole->addr = 0;
	}
	unlock(&blocks.lock);
	return found;
}

void block_mark_all(void)
{
	for (uint32_t i = 0; blocks.at && i <= blocks.mask; i++)
		if (blocks.at[i].addr && blocks.at[i].alloc)
			record_mark(blocks.at[i].alloc);
}
