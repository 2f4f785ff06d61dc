/*
 * sarif.h: findings as SARIF 2.1.0, in pieces: head, results with commas between, tail.
 */
#ifndef GORO_RACE_SARIF_H
#define GORO_RACE_SARIF_H

#include "finding.h"

typedef struct SarifEnd {
	bool ended; /* the process is about to end in an orderly way, with code */
	int code;
	int left_out; /* findings for which there was no room */
} SarifEnd;

void sarif_head(Buf *b);
void sarif_result(Buf *b, const Finding *f);
void sarif_tail(Buf *b, const SarifEnd *end);
/* `file` of a frame compiled in `dir` (or NULL) as {"uri":...}: relative to the root of the source where it
 * is known to lie below it. */
void sarif_artifact(Buf *b, const char *file, const char *dir);

#endif
