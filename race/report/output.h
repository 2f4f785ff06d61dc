/*
 * output.h: a finding in the format asked for, to where it is asked for. Called under the report lock.
 */
#ifndef GORO_RACE_OUTPUT_H
#define GORO_RACE_OUTPUT_H

#include "finding.h"

/* What a process has to say in the end. */
typedef struct Totals {
	int races, heap, misuses; /* reported */
	int suppressed;
	int code; /* exit code */
} Totals;

void output_finding(const Finding *f);
/* The end of the process. brief: halt_on_error, which has no last line. */
void output_end(const Totals *t, bool brief);
/* flags.log_path has changed, or (fd >= 0) it is that descriptor in its place. */
void output_moved(int fd);
/* The file's path; "stderr", "stdout". */
void output_path(char *out, size_t size);
/* In a child of fork: nothing of the parent's output is its own. */
void output_forked(void);

#endif
