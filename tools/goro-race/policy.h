/*
 * policy.h: what a program is run under, and how its reports come back.
 *
 * Each run has a folder, and GORACE tells every process of it to write JSON Lines there: log_path=FOLDER/report,
 * to which the detector adds the process id. exitcode=0 keeps the program's own exit status: that a finding was
 * made is read from the reports. Goroutines that wait for ever are
 * looked for (leaks=1) unless the caller's GORACE says otherwise; what else that says stays, but for these keys.
 */
#ifndef GORO_RACE_POLICY_H
#define GORO_RACE_POLICY_H

#include <jansson.h>

#include "launch.h"

/* The whole value. more: keys of ours besides, or "". */
char *policy_gorace(const char *user, const char *more, const char *folder);
/* Both as text, with a blank between where both are there. */
char *join_keys(const char *a, const char *b);
/* What a run found, added to the array: the reports of its processes, each fingerprint once, and how it ended, where
 * that is a finding (dump.h; limit_ms as there). Answers how many processes wrote any report (each race build does,
 * at its end). Damaged lines are named and skipped. */
long policy_collect(const char *folder, const Ended *e, long limit_ms, json_t *findings);

#endif
