/*
 * suppress.h: findings not to report, by rules in ThreadSanitizer's syntax: lines `type:pattern`.
 *
 *	race:pattern             any frame of an access or of the allocation, the global's name, or the
 *	                         name of a goroutine
 *	race_top:pattern         the innermost frame of an access
 *	called_from_lib:pattern  the module of the innermost frame of an access
 *	deadlock, mutex, thread, signal:pattern  any frame, of the kinds that kinds.h gives to that type
 *
 * A pattern matches a function, a file, a module or a name when it occurs in it; '*' stands for any
 * text, '^' at the front and '$' at the end anchor. '#' begins a comment line.
 */
#ifndef GORO_RACE_SUPPRESS_H
#define GORO_RACE_SUPPRESS_H

#include "finding.h"

/* Read __tsan_default_suppressions() and the file of GORACE's suppressions=; wrong lines are said on
 * stderr and left out. */
void supp_init(void);
/* The rule that matches f: its number from 1, counted as a hit; 0 for none. *by_stack: it matched code
 * alone, so that every finding with these stacks matches too. */
int supp_match(const Finding *f, bool *by_stack);
/* One more hit of rule n. */
void supp_hit(int n);
int supp_hits(void); /* of all rules */
/* The summary of print_suppressions=1. */
void supp_summary(Buf *b);

/* The parts, for tests. */
void supp_read(const char *text, size_t n, const char *source);
bool supp_pattern(const char *pattern, const char *text);

#endif
