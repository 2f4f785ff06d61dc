/*
 * shed.c: what memory_limit_mb does, and what is done where the system has no more memory for the detector. At a collection that finds the detector's memory (memory.h) above the
 * limit, the cells of the chunks that changed longest ago are forgotten and their pages go back to the system.
 *
 * Races with forgotten accesses are missed, and how much was forgotten is said. None is invented: a report
 * needs a cell, and what decides that two accesses are ordered (clocks, sync objects, the program's locks)
 * is never forgotten, however old. A later access of forgotten memory finds it as if fresh. Of a heap block
 * whose last granule was forgotten, reports no longer say who allocated it; that it is one stays known.
 *
 * How much. Down to three quarters of the limit, so that the next collection is not due at once; but never
 * below a quarter of the limit for the shadow itself: where goroutines, clocks and sync objects alone fill the
 * limit, a detector without any memory of accesses would find nothing, and no byte of those would come back.
 * Tables of records keep their size; their ids serve again after the next collection.
 *
 * When. Collections are due after so many new records and sets, or, with a limit, after so many planes of chunks
 * with cells where there were none (shadow_grow): what the limit leaves until then. A program that writes memory by one access
 * makes one record and any number of chunks.
 *
 * Without a limit there is one as soon as the system refuses memory: three quarters of what there is then, and
 * less each time that it is refused again.
 *
 * Chunks of a large freed block are left alone: their few cells say what became of them since the free.
 */
#include "shed.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../../runtime/os/os.h"
#include "../memory.h"
#include "../options/flags.h"

#define AGES       64u /* collections; what is older is as old */
#define PER_MADE   40u /* bytes of a record or set, with what stands beside it */
#define MADE_LEAST 16384u
/* Where there was none and the system has set the limit, collections must not follow each other for it. */
#define FORCED_LEAST ((uint64_t)8 << 20)
/* The kernel's count of resident pages may be off by some 32 a processor. */
#define PROBE_PAGES 256

#define PLANE_OF_CHUNK ((uint64_t)(CHUNK_BYTES / GRANULE) * sizeof(Cell)) /* bytes */

static uint64_t forced; /* bytes; world stopped to write */

static uint64_t limit(void)
{
	return forced ? forced : (uint64_t)flags.memory_limit_mb << 20;
}

/* What may be had besides until the next collection, in bytes. */
static uint64_t room(uint64_t has)
{
	uint64_t least = forced ? FORCED_LEAST : limit() / 16;
	return has + least < limit() ? limit() - has : least;
}

static void set_room(uint64_t bytes)
{
	uint64_t planes = bytes / PLANE_OF_CHUNK;
	store_rlx(&shadow_grown, 0u);
	store_rlx(&shadow_room, planes < UINT32_MAX ? (uint32_t)planes : UINT32_MAX);
}

static long resident_pages(void)
{
	char text[128] = "";
	long size, resident = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof text - 1) <= 0 ||
	    sscanf(text, "%ld %ld", &size, &resident) != 2) /* in pages */
		resident = 0;
	close(fd);
	return resident;
}

/* Most kernels show the page of zeros to who reads memory that was never written; some give a page of its own. Asked where
 * a limit is set from the start: once memory is refused there is none to ask with. */
static bool reading_takes_memory(void)
{
	size_t page = os_page_size();
	long before = resident_pages();
	const volatile char *p = os_map(PROBE_PAGES * page);
	if (!p)
		return false;
	for (size_t i = 0; i < PROBE_PAGES; i++)
		(void)p[i * page];
	long more = resident_pages() - before;
	os_unmap((void *)(uintptr_t)p, PROBE_PAGES * page);
	return before > 0 && more > PROBE_PAGES / 2;
}

void shed_init(void)
{
	if (!limit())
		return;
	shadow_limited = true;
	if (reading_takes_memory())
		shadow_both = TOUCHED_R | TOUCHED_W;
	set_room(room(0) / 4);
}

void shed_chunk(uintptr_t chunk, uint8_t before, uint8_t now)
{
	if (!limit())
		return;
	if (!(now & TOUCHED_W) && (before & TOUCHED_W || !now))
		shadow_release(chunk, PLANE_W);
	if (!(now & TOUCHED_R) && (before & TOUCHED_R || !now))
		shadow_release(chunk, PLANE_R);
}

static uint64_t bytes_of(const Chunk *c)
{
	uint32_t planes = !!(c->touched & TOUCHED_W) + !!(c->touched & TOUCHED_R);
	return c->freed ? 0 : planes * PLANE_OF_CHUNK;
}

static uint32_t age_of(const Chunk *c)
{
	uint32_t age = shadow_now - c->warm;
	return age < AGES ? age : AGES - 1;
}

static void forget_chunk(Region *r, uint32_t i)
{
	uintptr_t at = (uintptr_t)r->index << REGION_BITS | (uintptr_t)i << CHUNK_BITS;
	shadow_release(at, PLANE_W);
	shadow_release(at, PLANE_R);
	r->chunk[i].touched = 0;
	race_count(lost_shed);
}

/* Give `need` bytes of shadow back, from the chunks that changed longest ago; of those that changed equally
 * long ago, whichever come first. A chunk is warm when a cell of it has changed (shadow_grow). */
static uint64_t forget(uint64_t need)
{
	uint64_t by_age[AGES] = {0}, older = 0, done = 0;
	for (Region *r = shadow_regions; r; r = r->next) /* world stopped */
		for (uint32_t i = shadow_next(r, 0); i < REGION_CHUNKS; i = shadow_next(r, i + 1))
			if (r->chunk[i].touched)
				by_age[age_of(&r->chunk[i])] += bytes_of(&r->chunk[i]);
	uint32_t age = AGES - 1;
	for (; age > 0 && older + by_age[age] < need; age--)
		older += by_age[age];
	uint64_t of_age =
	    need > older ? need - older : 0; /* still to be had from those of this age */
	for (Region *r = shadow_regions; r; r = r->next) {
		for (uint32_t i = shadow_next(r, 0); i < REGION_CHUNKS; i = shadow_next(r, i + 1)) {
			Chunk *c = &r->chunk[i];
			uint64_t bytes = c->touched ? bytes_of(c) : 0;
			if (!bytes || age_of(c) < age || (age_of(c) == age && !of_age))
				continue;
			if (age_of(c) == age)
				of_age -= bytes < of_age ? bytes : of_age;
			forget_chunk(r, i);
			done += bytes;
		}
	}
	return done;
}

uint32_t shed(void)
{
	if (!limit())
		return UINT32_MAX;
	uint64_t others = 0, shadow = race_memory(MEMORY_shadow).bytes;
	for (MemoryKind k = 0; k < MEMORY_KINDS; k++)
		others += k == MEMORY_shadow ? 0 : race_memory(k).bytes;
	if (others + shadow > limit()) {
		uint64_t keep = limit() / 4;
		if (others + keep < limit() * 3 / 4)
			keep = limit() * 3 / 4 - others;
		if (shadow > keep)
			shadow -= forget(shadow - keep);
	}
	uint64_t bytes = room(others + shadow);
	set_room(bytes);
	uint64_t made = bytes / PER_MADE;
	return made < MADE_LEAST ? MADE_LEAST : made > UINT32_MAX ? UINT32_MAX : (uint32_t)made;
}

void shed_low(void)
{
	uint64_t total = 0, most = limit();
	for (MemoryKind k = 0; k < MEMORY_KINDS; k++)
		total += race_memory(k).bytes;
	forced = (most && most < total ? most : total) / 4 * 3;
	shadow_limited = true;
	shed();
}
