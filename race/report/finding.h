/*
 * finding.h: a Report with names: what the suppressions match against and what the printers print.
 * Lives on the report's own stack and in the report's own memory, under the report lock.
 */
#ifndef GORO_RACE_FINDING_H
#define GORO_RACE_FINDING_H

#include "../../runtime/base/buf.h"
#include "../../runtime/symbol/symbol.h"
#include "report.h"
#include "source.h"

/* Frames innermost first. */
typedef struct NamedStack {
	SymFrame *frames;
	int n;   /* 0: unknown */
	int cut; /* pcs left out beyond */
} NamedStack;

typedef struct NamedLock {
	SymFrame at; /* where it was locked; of no module when unknown */
	bool known;
} NamedLock;

/* A goroutine or thread that the report speaks of, once each. */
typedef struct NamedWho {
	const GInfo *info;
	uint32_t ginfo;
	bool finished;
	char name[32];
	NamedStack created;
	const struct NamedWho *parent; /* who created it, where that one is listed too; NULL */
} NamedWho;

#define CHAIN_MAX      8 /* creators of creators that a report shows */
#define MUTEX_NAME_MAX 64
#define PEOPLE_MAX     (REPORT_MAX_ACCESSES + 2 + CHAIN_MAX)

typedef struct Finding {
	const Report *report;
	NamedStack stacks[REPORT_MAX_ACCESSES];
	NamedLock locks[REPORT_MAX_ACCESSES][REPORT_MAX_LOCKS];
	int who[REPORT_MAX_ACCESSES]; /* index into people; -1 unknown */
	char mutex[REPORT_MAX_ACCESSES]
		  [MUTEX_NAME_MAX]; /* the variable that the lock is; "" unknown */

	ReportLocation location;
	NamedStack allocated;
	int location_who; /* heap: who allocated; stack: whose; -1 */
	bool has_data;    /* global, or local variable: */
	SymData data;
	bool has_frame; /* stack: the function whose frame it is in */
	SymFrame frame;

	NamedWho
	    people[PEOPLE_MAX]; /* the current access's first; last the creators of those before */
	int npeople;
	int subject; /* index into people; -1 */

	char source[REPORT_MAX_ACCESSES][SOURCE_MAX]; /* the line of each access; "" unknown */

	uint64_t fingerprint;
} Finding;

/* ---- report.c ---- */
const char *report_kind_text(ReportKind k); /* "DATA RACE"; this and the rest: kinds.h */
const char *report_kind_supp(ReportKind k);
const char *report_kind_summary(ReportKind k);

/* ---- text.c, json.c: append the report to b ---- */
void text_report(Buf *b, const Finding *f);
void json_report(Buf *b, const Finding *f);
/* The last line: how many data races and other findings there were; "" where none is due. */
void text_summary(Buf *b, int races, int heap, int misuses);
void json_summary(Buf *b, int races, int others, int suppressed, int code);
void github_report(Buf *b, const Finding *f); /* an annotation, for below the text */
const char *report_access_word(AccessKind k); /* "atomic write" */
/* A file name as reports show it: strip_path_prefix taken off. */
const char *report_path(const char *file);
/* The innermost frame of access i that has a place in the source; NULL. */
const SymFrame *finding_place(const Finding *f, int i);
/* Bytes from the start of the heap block to the access; 0 also where the block is unknown. */
size_t finding_offset(const Finding *f);

/* ---- describe.c: append a few words, without a line's end ---- */
void describe_title(Buf *b, const Finding *f);         /* "Data race on table[3].next" */
void describe_access(Buf *b, const Finding *f, int i); /* "previous write of size 4 by ..." */
void describe_event(
    Buf *b, const Finding *f, int i, bool address); /* "lock of mutex 'm'": no access */
void describe_who(Buf *b, const NamedWho *w);       /* "goroutine 7 \"reader\"" */

/* ---- stats.c: the counters of stats=1 ---- */
void stats_text(Buf *b);
/* What memory_limit_mb made the detector forget, a line; nothing where it did not. */
void shed_text(Buf *b);

/* ---- fingerprint.c ----
 * What stays the same about a finding from run to run and edit to edit: kind, the functions of both
 * accesses, the functions that created their goroutines. No lines, no addresses, no order. */
uint64_t fingerprint(const Finding *f);

#endif
