/*
 * slot.c: slots are handed on exactly.
 *
 * A finished goroutine's slot goes to a new goroutine only where the creator's clock covers the slot's
 * last epoch. Then the old owner's accesses are before all that the new owner does, and whoever knows
 * an epoch of the new owner knows the old one's past: clocks cannot tell the two apart, and need not.
 * Otherwise the new goroutine takes a slot nobody had. Peers reuse slots blindly and lose every race
 * with goroutines that ended before (300 short-lived ones suffice).
 *
 * The free slots wait in a ring, the latest at its head: who starts a goroutine has often just waited for
 * one. A search looks at SLOT_SEARCH of them and puts those it cannot use to the tail, so that an uncovered
 * slot does not hide the others; a miss costs a wider clock, never a race.
 *
 * Lock: slots.lock, rank RACE_CLOCK.
 */
#include "slot.h"

#include <string.h>

#define SLOT_SEARCH 8

typedef struct FreeSlot {
	uint32_t slot, last;
} FreeSlot;

static struct {
	Lock lock;
	uint32_t next; /* slots ever used; slot 0 is nobody's */
	FreeSlot *ring;
	uint32_t cap, head, count;
} slots = {.lock = LOCK_INIT(RACE_CLOCK), .next = 1};

static void ring_grow(void)
{
	if (slots.count == slots.cap) {
		uint32_t cap = slots.cap ? 2 * slots.cap : 64;
		FreeSlot *ring =
		    race_alloc(cap * sizeof *ring); /* the old ones are less than half of it */
		for (uint32_t i = 0; i < slots.count; i++)
			ring[i] = slots.ring[(slots.head + i) % slots.cap];
		slots.ring = ring;
		slots.cap = cap;
		slots.head = 0;
	}
}

uint32_t slot_get(const Clock *c, uint32_t creator_slot, uint32_t *epoch)
{
	lock(&slots.lock);
	for (int i = 0; c && i < SLOT_SEARCH && slots.count; i++) {
		FreeSlot f = slots.ring[slots.head];
		slots.head = (slots.head + 1) % slots.cap;
		slots.count--;
		if (f.slot == creator_slot || clock_get(c, f.slot) >= f.last) {
			unlock(&slots.lock);
			*epoch = f.last + 1;
			return f.slot;
		}
		slots.ring[(slots.head + slots.count++) % slots.cap] =
		    f; /* to the tail; there is room */
	}
	uint32_t slot = slots.next++;
	unlock(&slots.lock);
	race_count(slots);
	*epoch = 1;
	return slot;
}

void slot_put(uint32_t slot, uint32_t last)
{
	lock(&slots.lock);
	ring_grow();
	slots.head = (slots.head + slots.cap - 1) % slots.cap;
	slots.ring[slots.head] = (FreeSlot){slot, last};
	slots.count++;
	unlock(&slots.lock);
}
