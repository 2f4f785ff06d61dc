/*
 * slot.c: slots are handed on exactly.
 *
 * A finished goroutine's slot goes to a new goroutine in two cases.
 *   - The creator's clock covers the slot's last epoch. Then the old owner's accesses are before all that
 *     the new owner does, and whoever knows an epoch of the new owner knows the old one's past: clocks
 *     cannot tell the two apart, and need not.
 *   - A collection found that nothing names the slot any more: no record, so that nobody will ask whether
 *     an old epoch is known; no sync object or fence as its last releaser, from which knowing an epoch
 *     would mean knowing a whole clock. Epochs go on behind the last one, which clocks may still hold.
 * Otherwise the new goroutine takes a slot nobody had. Peers reuse slots blindly and lose every race
 * with goroutines that ended before (300 short-lived ones suffice).
 *
 * The slots of the first kind wait in a ring, the latest at its head: who starts a goroutine has often just
 * waited for one. A search looks at SLOT_SEARCH of them and puts those it cannot use to the tail, so that an
 * uncovered slot does not hide the others; a miss costs a wider clock, never a race.
 *
 * Lock: slots.lock, rank RACE_CLOCK.
 */
#include "slot.h"

#include <string.h>

#include "../ctx.h"

#define SLOT_SEARCH 8

typedef struct FreeSlot {
	uint32_t slot, last;
} FreeSlot;

/* LIVE: owned. ENDED: waits for a collection, in the ring or not. CLEAN: anybody's. SPENT: its epochs are
 * used up. */
typedef enum SlotState { SLOT_LIVE, SLOT_ENDED, SLOT_CLEAN, SLOT_SPENT } SlotState;

typedef struct SlotInfo {
	uint32_t last; /* ENDED, CLEAN: the last epoch used */
	uint32_t next; /* CLEAN: list */
	uint8_t state;
	bool marked;
} SlotInfo;

static struct {
	Lock lock;
	uint32_t next; /* slots ever used; slot 0 is nobody's */
	uint32_t clean;
	SlotInfo *info; /* of slots below info_cap */
	uint32_t info_cap;
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

/* Lock held. A slot of one's own. */
static uint32_t take(uint32_t slot, uint32_t last, uint32_t *epoch)
{
	slots.info[slot].state = SLOT_LIVE;
	*epoch = last + 1;
	return slot;
}

static uint32_t take_new(uint32_t *epoch)
{
	uint32_t slot = slots.next++;
	if (slot >= slots.info_cap) {
		uint32_t cap = slots.info_cap ? 2 * slots.info_cap : 256;
		SlotInfo *info = race_alloc(cap * sizeof *info); /* as above */
		if (slots.info)
			memcpy(info, slots.info, slots.info_cap * sizeof *info);
		slots.info = info;
		slots.info_cap = cap;
	}
	race_count(slots);
	return take(slot, 0, epoch);
}

uint32_t slot_get(const Clock *c, uint32_t creator_slot, uint32_t *epoch)
{
	uint32_t slot = 0;
	lock(&slots.lock);
	for (int i = 0; c && i < SLOT_SEARCH && slots.count && !slot; i++) {
		FreeSlot f = slots.ring[slots.head];
		slots.head = (slots.head + 1) % slots.cap;
		slots.count--;
		if (f.slot == creator_slot || clock_get(c, f.slot) >= f.last)
			slot = take(f.slot, f.last, epoch);
		else
			slots.ring[(slots.head + slots.count++) % slots.cap] =
			    f; /* to the tail; there is room */
	}
	if (!slot && slots.clean) {
		slot = slots.clean;
		slots.clean = slots.info[slot].next;
		take(slot, slots.info[slot].last, epoch);
	}
	if (!slot)
		slot = take_new(epoch);
	unlock(&slots.lock);
	return slot;
}

void slot_put(uint32_t slot, uint32_t last, bool known)
{
	lock(&slots.lock);
	slots.info[slot].last = last;
	slots.info[slot].state = last < RACE_EPOCH_MAX ? SLOT_ENDED : SLOT_SPENT;
	if (known && last < RACE_EPOCH_MAX) {
		ring_grow();
		slots.head = (slots.head + slots.cap - 1) % slots.cap;
		slots.ring[slots.head] = (FreeSlot){slot, last};
		slots.count++;
	}
	unlock(&slots.lock);
}

void slot_mark(uint32_t slot)
{
	slots.info[slot].marked = true;
}

uint32_t slot_mark_end(void)
{
	uint32_t live = 0, n = slots.count;
	for (uint32_t slot = 1; slot < slots.next; slot++) {
		SlotInfo *s = &slots.info[slot];
		if (s->state == SLOT_ENDED && !s->marked) {
			s->state = SLOT_CLEAN;
			s->next = slots.clean;
			slots.clean = slot;
		}
		s->marked = false;
		live += s->state == SLOT_LIVE || s->state == SLOT_ENDED;
	}
	slots.count = 0; /* those of the ring that wait on, in their order */
	for (uint32_t i = 0; i < n; i++) {
		FreeSlot f = slots.ring[(slots.head + i) % slots.cap];
		if (slots.info[f.slot].state == SLOT_ENDED)
			slots.ring[(slots.head + slots.count++) % slots.cap] = f;
	}
	return live;
}

MemoryUse slot_memory(void)
{
	/* twice: the tables they have outgrown are less than themselves */
	return (MemoryUse){
	    load_rlx(&slots.next) - 1, 2 * ((uint64_t)load_rlx(&slots.info_cap) * sizeof(SlotInfo) +
					       (uint64_t)load_rlx(&slots.cap) * sizeof(FreeSlot))};
}
