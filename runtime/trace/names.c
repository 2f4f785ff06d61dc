/*
 * names.c: texts that events name by a number: regions, categories, goroutines' names.
 *
 * A table of SLOTS hashed by the text, which only grows: a slot, once filled, is constant, so that looking up
 * takes no lock; filling one does. With the table three quarters full further texts have number 0.
 */
#include "trace.h"

#include <string.h>

#define SLOTS    8192 /* a power of two */
#define TEXT_MAX 127
#define ARENA    ((size_t)1 << 20) /* 8192 of 127 bytes fit */

static struct {
	Lock lock;         /* rank NONE, a leaf; guards what is unmarked */
	char *slot[SLOTS]; /* written by store_rel once, read by load_acq */
	char *arena;
	size_t used;
	uint32_t n;
} names;

static uint32_t hash(const char *s, size_t n)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

/* Where it is, or the empty slot where it would be. */
static uint32_t find(const char *text, size_t n)
{
	for (uint32_t i = hash(text, n);; i++) {
		const char *s =
		    load_acq(&names.slot[i & (SLOTS - 1)]); /* pairs with store_rel below */
		if (!s || (!strncmp(s, text, n) && !s[n]))
			return i & (SLOTS - 1);
	}
}

uint32_t name_number(const char *text)
{
	size_t n = strnlen(text, TEXT_MAX);
	uint32_t i = find(text, n);
	if (likely(load_rlx(&names.slot[i]) != NULL)) /* find has acquired it, if it was there */
		return i + 1;
	lock(&names.lock);
	i = find(text, n);
	if (!names.slot[i]) {
		if (!names.arena)
			names.arena = os_map(ARENA);
		if (!names.arena || names.n >= SLOTS / 4 * 3 || names.used + n + 1 > ARENA) {
			unlock(&names.lock);
			return 0;
		}
		char *s = names.arena + names.used;
		memcpy(s, text, n);
		names.used += n + 1; /* the byte behind is zero as mapped */
		names.n++;
		store_rel(&names.slot[i], s); /* pairs with load_acq in find */
	}
	unlock(&names.lock);
	return i + 1;
}

const char *name_text(uint64_t number)
{
	if (number == 0 || number > SLOTS)
		return "(one of too many names)";
	const char *s = load_acq(&names.slot[number - 1]); /* pairs with store_rel in name_number */
	return s ? s : "?";
}
