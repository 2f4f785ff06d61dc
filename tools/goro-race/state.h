/*
 * state.h: a folder that holds what was run and what was found, so that it can be gone on with, joined, and
 * reported on later. docs/ci.md describes the files:
 *
 *	state.json      the program (absolute path, id), its command line, the keys of GORACE that count
 *	runs.jsonl      a line for each run: seed, how it ended, which findings
 *	findings.jsonl  a line when a finding is new or a smaller seed shows it: the finding itself
 *
 * The latter two only grow, a line by one write each, the findings of a run before the run: whoever is killed
 * loses no more than the runs under way. A line that was cut short is named and skipped, and its seed run again.
 */
#ifndef GORO_RACE_STATE_H
#define GORO_RACE_STATE_H

#include "binary.h"
#include "findings.h"
#include "launch.h"

typedef struct Seeds {
	uint64_t *slots; /* open addressing; seed + 1, 0: free */
	size_t n, cap;
} Seeds;

bool seeds_has(const Seeds *s, uint64_t seed);
bool seeds_add(Seeds *s, uint64_t seed); /* false: it was there */

typedef struct State {
	char *dir;
	Findings found;
	Seeds done;
	char *binary, *id; /* NULL in a folder that has no state.json */
	json_t *command;   /* array of words; NULL likewise */
} State;

/* Open or make the folder for this program; gorace: the keys that count ("strategy=pct depth=3"). Dies when it is
 * another program's, command line's or key's folder (says which), or cannot be written. resume: a folder that has
 * runs already is gone on with; else it is an error. */
void state_open(State *s, const char *dir, const char *binary, char *const *argv,
    const char *gorace, bool resume);
/* Add a run: findings is an array of findings' JSON objects, each at most once. */
void state_add(State *s, const Ended *e, uint64_t seed, json_t *findings);

/* The finding is as before but for what was added to its data: store it again. */
void state_again(State *s, const Finding *f);

/* Read folders and files into one: state folders, folders of the detector's JSON Lines, single files of these.
 * Damaged ones are named and skipped; dies when nothing can be read of one. same: all state folders must be of the
 * same program and command line. */
void state_read(State *s, const char *path, bool same);
/* Add what the state folder `from` holds to the folder dir, which is made by the first. Seeds that are there
 * already are left out. */
void state_join(State *s, const char *from, const char *dir);

/* Where exit statuses differ between runs: the finding that says so is added. Call once, at the end. */
void state_judge(State *s);

/* Words quoted for a shell, with blanks between. */
char *quote_words(const json_t *words);

#endif
