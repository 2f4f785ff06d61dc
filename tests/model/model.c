/*
 * model.c: hold the detector against the reference, program by program.
 *
 *	model INTERP FIRST COUNT [-v]     seeds FIRST .. FIRST + COUNT - 1; exit 1 if any differs
 *
 * Of each program: every report is a pair that the reference calls a race, with the same goroutines, kinds
 * and bytes (nothing invented). Of every pair that races in the reference, each byte that both have is told by a
 * report which names the later one's goroutine and has that byte in both its accesses (nothing lost). The
 * other side may be another's: an access that came in between stands for the earlier one, if it is after that,
 * races with the later one as well, and is told in its place. And within one stretch of a goroutine, from one
 * synchronisation to the next, its first access of a byte stands for those that follow. A free stands for all that
 * was done to its block before, and of each byte of that the first use is told alone. A failing seed prints what
 * differs and how to see it again.
 *
 * What runs is INTERP.bare, which is INTERP without its symbols: to read those took half of a program's time, and
 * they say nothing about the pairs. One program in NAMED has them, as what the detector does for names is
 * done in the midst of all the rest.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/report.h"
#include "../support/run.h"
#include "program.h"
#include "reference.h"

enum { PLACE_SIZE = 128, NAMED = 16 };

typedef struct Map {
	uint64_t place[MAX_PLACES]; /* its address; 0: none */
	uint64_t ids[MAX_GOROUTINES];
	uint64_t wg_lo, wg_hi;
} Map;

static Program p;
static Reference ref;
static Map map;
static uint64_t found[MAX_PLACES][PLACE_SIZE]; /* goroutines that a report of this byte names, a bit each */
static char message[4096];

static bool fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static bool fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	return false;
}

static bool read_map(char *out)
{
	char *save = NULL;
	bool complete = false;

	memset(&map, 0, sizeof map);
	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long a, n;
		if (sscanf(line, "arena %llx", &a) == 1) {
			map.place[PLACE_ARENA] = a;
			complete = true;
		} else if (sscanf(line, "waitgroups %llx %llu", &a, &n) == 2) {
			map.wg_lo = a;
			map.wg_hi = a + n;
		} else if (sscanf(line, "goroutine %llu %llu", &n, &a) == 2 && n < MAX_GOROUTINES) {
			map.ids[n] = a;
		} else if (sscanf(line, "chan %llu %llx", &n, &a) == 2 && n < CHANS) {
			map.place[PLACE_CHAN + n] = a;
		} else if (sscanf(line, "block %llu %llx", &n, &a) == 2 && n < MAX_STEPS) {
			map.place[PLACE_BLOCK + n] = a;
		}
	}
	return complete || fail("the program did not reach its end");
}

static const char *word_of(const Access *a)
{
	return a->frees ? "free"
		: a->atomic ? (a->write ? "atomic write" : "atomic read")
			    : (a->write ? "write" : "read");
}

/* A thread has the name that thread_body gave it. */
static bool by(const ParsedStack *s, int g)
{
	const char *name = strstr(s->head, " by thread ") ? strstr(s->head, " \"t") : NULL;

	if (name)
		return atoi(name + 3) == g;
	return s->main ? g == 0 : g != 0 && map.ids[g] == s->goroutine;
}

/* Whether the printed access can be this one. A channel is one thing, whatever byte of it stands for it. */
static bool same(const ParsedStack *s, const Access *a)
{
	uint64_t base = map.place[a->place];

	if (!by(s, a->g))
		return false;
	if (strcmp(s->word, word_of(a)) != 0 && !(a->frees && strcmp(s->word, "write") == 0))
		return false;
	if (a->place >= PLACE_CHAN && a->place < PLACE_CHAN + CHANS)
		return s->addr >= base && s->addr < base + PLACE_SIZE;
	/* The address is the first byte of the access, or of what is left of it in its granule; where several
	 * of one place in the program lie side by side, it is rounded as if they were aligned. */
	return s->addr + s->size > base + (uint64_t)a->off && s->addr < base + (uint64_t)(a->off + a->size) &&
	    (a->size > 8 || s->size == (unsigned)a->size);
}

/* A report tells the bytes that it says of both accesses, in the one granule of 8 bytes that it speaks of. A free
 * is told whole, and so does not say which granule it was: then of an access that lies in two, either will do. */
static void mark(const ParsedStack *c, const ParsedStack *v, const Access *a, const Access *b)
{
	uint64_t lo = c->addr > v->addr ? c->addr : v->addr;
	uint64_t hi = c->addr + c->size < v->addr + v->size ? c->addr + c->size : v->addr + v->size;

	uint64_t both = 1ull << a->g | 1ull << b->g;

	if (a->place >= PLACE_CHAN && a->place < PLACE_CHAN + CHANS) {
		found[a->place][0] |= both;
		return;
	}
	for (int k = 0; k < PLACE_SIZE; k++) {
		uint64_t at = map.place[a->place] + (uint64_t)k;
		if (k >= a->off && k < a->off + a->size && k >= b->off && k < b->off + b->size &&
		    at >= lo && at < hi && (a->frees || (at & ~7ull) == (lo & ~7ull)))
			found[a->place][k] |= both;
	}
}

/* A reported pair is one of the reference's. */
static bool known(const ParsedStack *current, const ParsedStack *previous)
{
	bool any = false;

	for (int j = 0; j < ref.n; j++) {
		if (!same(current, &ref.accesses[j]))
			continue;
		for (int i = 0; i < j; i++)
			if (same(previous, &ref.accesses[i]) &&
			    reference_race(&ref.accesses[i], &ref.accesses[j])) {
				mark(current, previous, &ref.accesses[i], &ref.accesses[j]);
				any = true;
			}
	}
	return any;
}

static bool nothing_invented(const char *text)
{
	static ParsedReport report;
	ReportReader in = {.text = text, .found = -1};
	const ParsedReport *r = &report;
	char error[256];
	int more;

	memset(found, 0, sizeof found);
	while ((more = read_report(&in, &report, error)) > 0) {
		if (r->accesses[0].addr >= map.wg_lo && r->accesses[0].addr < map.wg_hi)
			continue; /* Add beside Wait: depends on who parks */
		if (r->naccesses < 2)
			return fail("a report with %d access", r->naccesses);
		for (int k = 1; k < r->naccesses; k++)
			if (!known(&r->accesses[0], &r->accesses[k]))
				return fail("INVENTED: %s / %s", r->accesses[0].head,
				    r->accesses[k].head);
	}
	return more == 0 || fail("reports cannot be read: %s", error);
}

/* The block was freed by then: by a, or by somebody after it. */
static bool freed_before(const Access *a, const Access *b)
{
	for (const Access *f = a; f < b; f++)
		if (f->frees && f->place == a->place)
			return true;
	return false;
}

static bool nothing_lost(int *racy)
{
	static unsigned char counted[MAX_PLACES][PLACE_SIZE];

	memset(counted, 0, sizeof counted);
	*racy = 0;
	for (int j = 0; j < ref.n; j++) {
		const Access *b = &ref.accesses[j];
		for (int i = 0; i < j; i++) {
			const Access *a = &ref.accesses[i];
			if (!reference_race(a, b))
				continue;
			uint64_t who = freed_before(a, b) ? ~0ull : 1ull << b->g;
			int lo = a->off > b->off ? a->off : b->off;
			int hi = a->off + a->size < b->off + b->size ? a->off + a->size : b->off + b->size;
			for (int k = lo; k < hi; k++) {
				*racy += !counted[a->place][k];
				counted[a->place][k] = 1;
				if (!(found[a->place][k] & who))
					return fail("LOST: byte %d of place %d (0x%llx): step %d g%d %s "
						    "[%d,%d) and step %d g%d %s [%d,%d)",
					    k, a->place,
					    (unsigned long long)(map.place[a->place] + (uint64_t)k),
					    a->step, a->g, word_of(a), a->off, a->off + a->size,
					    b->step, b->g, word_of(b), b->off, b->off + b->size);
			}
		}
	}
	return true;
}

static bool one(const char *interp, uint64_t seed, bool verbose, int *racy)
{
	char number[32], path[512];
	Run r;

	snprintf(path, sizeof path, "%s%s", interp, seed % NAMED ? ".bare" : "");
	program_generate(&p, seed);
	reference_run(&ref, &p);
	snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
	run(&r, 30, (char *[]){path, number, NULL},
	    (char *[]){(char *)"GORACE=suppress_equal_addresses=0 suppress_equal_stacks=0 max_reports=0 "
			       "exitcode=0 atexit_sleep_ms=0 detect_deadlocks=0 report_thread_leaks=0", NULL});
	bool ok = r.code == 0 || fail("exit code %d: %.500s", r.code, r.err);
	ok = ok && read_map(r.out) && nothing_invented(r.err) && nothing_lost(racy);
	if (!ok) {
		printf("seed %s: %s\n  program: %s %s --print\n  reports: GORACE=\"suppress_equal_addresses=0 "
		       "suppress_equal_stacks=0 max_reports=0\" %s %s\n",
		    number, message, interp, number, interp, number);
		if (verbose) {
			program_print(&p, stdout);
			fputs(r.err, stdout);
		}
	}
	run_free(&r);
	return ok;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "model INTERP FIRST COUNT [-v]\n");
		return 2;
	}
	uint64_t first = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
	uint64_t bad = 0;
	long bytes = 0;

	for (uint64_t seed = first; seed < first + count; seed++) {
		int racy = 0;
		bad += !one(argv[1], seed, argc > 4, &racy);
		bytes += racy;
		fflush(stdout);
	}
	printf("%llu programs, %ld racy bytes, %llu differ\n", (unsigned long long)count, bytes,
	    (unsigned long long)bad);
	return bad != 0;
}
