/*
 * stats.c: the detector's counters for stats=1, a line for each kind of thing, `name=value` in each: for eyes
 * and for grep.
 *
 *	goro: stats: findings: reports=1 suppressed=0
 *
 * A counter of race.h that no line here names stands under "other". Two lines by kind of memory.h: `memory`,
 * bytes, and `live`, how many of them are in use.
 */
#include "finding.h"

#include "../memory.h"
#include "../options/flags.h"
#include "../sample.h"

#include <string.h>

static const struct {
	const char *name;
	uint64_t *value;
} counters[] = {
#define STAT_(n) {#n, &race_stats.n},
    RACE_STATS(STAT_)
#undef STAT_
};
#define COUNTERS (sizeof counters / sizeof *counters)

static const struct {
	const char *title, *names;
} lines[] = {
    {"findings", " reports suppressed "},
    {"goroutines", " goroutines slots "},
    {"accesses", " records escalations contexts "},
    {"clocks", " clock_nodes syncvars gc_runs "},
    {"lost", " lost_memory lost_modules lost_reentry lost_racy lost_shed lost_locks "},
};
#define LINES (sizeof lines / sizeof *lines)

static bool names(size_t line, const char *counter)
{
	char word[64];
	size_t n = strlen(counter);
	if (n + 3 > sizeof word)
		return false;
	word[0] = ' ';
	memcpy(word + 1, counter, n);
	strcpy(word + 1 + n, " ");
	return strstr(lines[line].names, word) != NULL;
}

static bool belongs(size_t line, const char *counter)
{
	if (line < LINES)
		return names(line, counter);
	for (size_t i = 0; i < LINES; i++)
		if (names(i, counter))
			return false;
	return true;
}

static void memory_text(Buf *b)
{
	MemoryUse use[MEMORY_KINDS];
	uint64_t total = 0;
	buf_str(b, "goro: stats: memory:");
	for (MemoryKind k = 0; k < MEMORY_KINDS; k++) {
		use[k] = race_memory(k);
		total += use[k].bytes;
		buf_fmt(b, " %s=%llu", race_memory_name(k), (unsigned long long)use[k].bytes);
	}
	buf_fmt(b, " total=%llu\ngoro: stats: live:", (unsigned long long)total);
	for (MemoryKind k = 0; k < MEMORY_KINDS; k++)
		buf_fmt(b, " %s=%llu", race_memory_name(k), (unsigned long long)use[k].live);
	buf_str(b, "\n");
}

void stats_text(Buf *b)
{
	for (size_t line = 0; line <= LINES; line++) {
		bool head = false;
		for (size_t i = 0; i < COUNTERS; i++) {
			if (!belongs(line, counters[i].name))
				continue;
			if (!head)
				buf_fmt(b,
				    "goro: stats: %s:", line < LINES ? lines[line].title : "other");
			head = true;
			buf_fmt(b, " %s=%llu", counters[i].name,
			    (unsigned long long)load_rlx(counters[i].value)); /* relaxed: a count */
		}
		buf_str(b, head ? "\n" : "");
	}
	sample_text(b);
	memory_text(b);
}

void shed_text(Buf *b)
{
	uint64_t chunks = load_rlx(&race_stats.lost_shed); /* relaxed: a count */
	if (chunks && flags.memory_limit_mb)
		buf_fmt(b, "goro: memory_limit_mb=%d: ", flags.memory_limit_mb);
	else if (chunks)
		buf_str(b, "goro: out of memory: ");
	if (chunks)
		buf_fmt(b,
		    "history of %llu KiB of memory was forgotten; races with older accesses there "
		    "are missed\n",
		    (unsigned long long)(chunks * 64));
}
