/*
 * dump.h: how a process ended, read from its status and from goro's words on stderr, as a finding.
 *
 * Kinds: "deadlock" (all goroutines are asleep), "panic", "fatal" (other fatal errors), "crash" (a signal ended it),
 * "hang" (its time was up). Members besides "kind" and "fingerprint": "message"; "goroutines", each with "id",
 * "state", "stack" and what docs/report-schema.json says of a goroutine; "output", the last lines of stderr, where
 * goro said nothing.
 *
 * The fingerprint is made of kind, message without its numbers, and functions; of the current goroutine's whole
 * stack for a panic and its like, of where each goroutine waits for a deadlock or a hang.
 */
#ifndef GORO_RACE_DUMP_H
#define GORO_RACE_DUMP_H

#include <jansson.h>

#include "launch.h"

/* NULL when it ended as a program may. limit_ms: of time, for the words of a hang. */
json_t *dump_finding(const Ended *e, long limit_ms);
/* "SIGSEGV" */
const char *signal_word(int sig);

#endif
