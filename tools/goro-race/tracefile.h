/*
 * tracefile.h: read an execution trace: Trace Event JSON as goro writes it (docs/traces.md).
 */
#ifndef GORO_RACE_TRACEFILE_H
#define GORO_RACE_TRACEFILE_H

#include <jansson.h>
#include <stdint.h>

/* What the trace says of itself. */
typedef struct TraceHead {
	char *program;
	long pid, gomaxprocs;
	int64_t from_ns, to_ns, lost;
} TraceHead;

/* An event, borrowed: valid until fn returns. Times in ns since the program's start. */
typedef struct TraceEvent {
	char phase;
	const char *category, *name; /* "" when it has none */
	long pid;
	uint64_t tid;
	int64_t at, duration; /* duration: of slices ('X') */
	const json_t *args;   /* NULL: none */
} TraceEvent;

/* Each event of the file to fn, in its order. Dies, naming the file, when it cannot be read, is cut off, is no JSON
 * or no trace of goro's. */
void trace_read(
    const char *path, TraceHead *head, void (*fn)(const TraceEvent *, void *), void *arg);

#endif
