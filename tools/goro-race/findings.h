/*
 * findings.h: findings as data, folded by fingerprint, and where they come from.
 *
 * A finding is a JSON object with "kind" and "fingerprint": the detector's own (docs/report-schema.json) or one
 * that goro-race makes of how a process ended (dump.h). Nothing else in it is taken for granted: it is read from
 * files that may be of another version, or damaged. The readers at the end answer NULL, 0 or "" then.
 */
#ifndef GORO_RACE_FINDINGS_H
#define GORO_RACE_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define NO_SEED UINT64_MAX

enum { SEEDS_KEPT = 16 };
enum { FINDINGS_MOST = 10000 }; /* distinct ones that are kept; the rest is counted */

typedef struct Finding {
	const char *fingerprint, *kind; /* point into data */
	json_t *data;                   /* ours; of the smallest seed */
	long count;                     /* runs that showed it */
	uint64_t seed;                  /* the smallest that shows it; NO_SEED: run without one */
	uint64_t seeds[SEEDS_KEPT];     /* the smallest, in order */
	int nseeds;
	bool known; /* the baseline names it */
} Finding;

typedef struct Findings {
	Finding *v;
	size_t n, cap;
	long left_out;
	long runs;        /* that were made */
	long seeded;      /* of these with a seed */
	long damaged;     /* lines and files that could not be read */
	json_t *outcomes; /* array of {code, signal, output, count, seed} */
	char *command;    /* quoted for a shell; NULL: several, or unknown */
	char *gorace; /* what replays a seed besides seed=: "strategy=pct depth=3"; NULL: nothing */
} Findings;

/* The finding of that fingerprint, or NULL. */
Finding *findings_get(const Findings *f, const char *fingerprint);
/* Has "fingerprint", of 16 hexadecimal digits, and "kind", of a-z, 0-9 and '-': both are written as they are into
 * baselines, rule ids and class names, where a blank or a line's end would be read as something else. */
bool is_finding(const json_t *data);
/* Fold one in, seen in `count` runs; takes a reference to data of its own. NULL where it is no finding or
 * there are too many. *fresh (may be NULL): it was not there before. */
Finding *findings_add(Findings *f, json_t *data, uint64_t seed, long count, bool *fresh);
/* That seed shows it as well. */
void finding_seed(Finding *f, uint64_t seed);
/* By kind (races first), then seed, then fingerprint: the same order whatever order they came in. */
void findings_sort(Findings *f);

/* Read the detector's JSON Lines. Lines that are no objects, or have a fingerprint and are no findings, are named
 * on stderr, counted and skipped. Each other one goes to `take`. Answers how many lines could be read, or -1 when
 * the file could not be opened. */
typedef void TakeReport(void *arg, json_t *finding);
long reports_read(const char *path, TakeReport *take, void *arg, long *damaged);

/* ---- baseline ---- */

/* Lines "fingerprint kind title"; '#' begins a comment. Marks what is known. A file that is not there is an
 * empty one where `may_miss`. */
void baseline_read(Findings *f, const char *path, bool may_miss);
/* What the file names already, and all findings. */
void baseline_write(const Findings *f, const char *path);
size_t findings_new(const Findings *f);

/* ---- parts of a finding ---- */

const char *get_text(const json_t *object, const char *key); /* "" when there is none */
json_int_t get_int(const json_t *object, const char *key);   /* 0 */
bool get_true(const json_t *object, const char *key);

/* The first frame of a stack that has a file; else its first; else NULL. */
const json_t *frame_shown(const json_t *stack);
/* The frame that a tool should point at: of the current access, else of the first goroutine. */
const json_t *finding_frame(const Finding *f);
/* Who made access i: an object of "goroutines", or NULL. */
const json_t *access_by(const Finding *f, const json_t *access);
char *who_text(const json_t *who); /* goroutine 7 "inc"; main goroutine; thread 3 */
/* An access of memory; else something was done to a lock, a thread, in a signal handler. */
bool access_memory(const json_t *access);
/* "of size 4 at 0x10", "of mutex 'm' at 0x10" */
char *access_what(const json_t *access);
char *access_word(const json_t *access);  /* "write", "atomic read", "free" */
char *place_text(const json_t *frame);    /* counter.c:36; module+0x10 without debug information */
const char *kind_words(const char *kind); /* DATA RACE; all goroutines... */
/* One line: data race on 'counter': write in inc (counter.c:36), read in inc (counter.c:27) */
char *finding_title(const Finding *f);
/* The command line that shows it again; NULL without a seed. */
char *finding_replay(const Findings *all, const Finding *f);

#endif
