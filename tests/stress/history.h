/*
 * history.h: what was done to one channel by many, and whether a sequential channel could have answered so.
 *
 * Each operation notes the tick of a common clock before it begins and after it has ended: its moment of effect lies
 * between. From that alone follows what a queue of `cap` places, closed at most once, may and may not answer; the
 * rules stand in history.c. A history that breaks none may still be wrong (this is no search for a linear order);
 * one that breaks a rule is.
 */
#ifndef TESTS_STRESS_HISTORY_H
#define TESTS_STRESS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum EventKind {
	EVENT_SEND,        /* value */
	EVENT_RECV,        /* value */
	EVENT_RECV_CLOSED, /* answered because the channel is closed */
	EVENT_SEND_FULL,   /* a try that answered no */
	EVENT_RECV_EMPTY,  /* a try that answered no */
	EVENT_LEN,         /* value: the answer */
	EVENT_CLOSE
} EventKind;

typedef struct Event {
	uint64_t begin, end;
	uint32_t value; /* of a send and a receive: which of the history's values */
	EventKind kind;
} Event;

/* NULL, or what does not hold, in a static buffer. The events may be in any order; values are numbers below nvalues,
 * of which all that were sent must have been received. */
const char *history_check(const Event *e, size_t n, size_t cap, uint32_t nvalues);

#endif
