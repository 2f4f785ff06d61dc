/*
 * recorder.h: an implementation of runtime/hooks.h in place of the detector: it writes down what
 * the runtime says, and keeps plain vector clocks by the laws of hooks.h. So a test asks two
 * things: exactly which hooks an operation calls, and what is before what.
 */
#ifndef TESTS_HOOKS_RECORDER_H
#define TESTS_HOOKS_RECORDER_H

#include <stdbool.h>
#include <stddef.h>

/* ---- what was called ----
 *
 * One line of text, calls separated by "; ": "2 acquire a", "1 handoff 2". Goroutines are called by
 * their number (main is 1; a plain thread is 0), addresses named by rec_name, else by letters as
 * they appear. */

typedef enum RecWhat { REC_ORDER = 1, REC_MEMORY = 2, REC_LOCKS = 4 } RecWhat;

/* Forget what was written down and write down calls of these kinds from here on. */
void rec_start(unsigned what);
/* Stop; what was written down. Valid until the next rec_start. */
const char *rec_stop(void);
/* Call this byte so. Names are kept as given. */
void rec_name(const void *addr, const char *name);

/* ---- what is before what ---- */

/* This moment in the running goroutine. */
typedef struct Mark {
	int ctx;
	unsigned epoch;
} Mark;
Mark rec_mark(void);
/* Is that moment before this one in the running goroutine? */
bool rec_before(Mark m);

#endif
