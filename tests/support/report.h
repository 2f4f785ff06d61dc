/*
 * report.h: read the detector's text reports back as data. Strict: a line that fits nowhere is an error,
 * so that a test which parses a report has also checked its shape.
 */
#ifndef TESTS_SUPPORT_REPORT_H
#define TESTS_SUPPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum { PARSED_FRAMES = 48, PARSED_TEXT = 128, PARSED_STACKS = 16, PARSED_ACCESSES = 8 };

typedef struct ParsedFrame {
	char function[PARSED_TEXT];
	char file[256]; /* "" when the report had none */
	int line;
} ParsedFrame;

typedef struct ParsedStack {
	char head[256];    /* the line above the frames, as printed */
	char word[32];     /* access: "read", "write", "atomic write", "free", "lock"; "" for a creation */
	uint64_t addr;     /* access */
	unsigned size;
	bool main;         /* by main goroutine (or thread) */
	uint64_t goroutine; /* its number otherwise */
	int nframes;
	ParsedFrame frames[PARSED_FRAMES];
} ParsedStack;

typedef struct ParsedReport {
	char kind[64];              /* "DATA RACE" */
	int naccesses;              /* stacks[0] the current, [1] the previous; further ones are not kept */
	ParsedStack accesses[PARSED_ACCESSES];
	char location[256];         /* "Location is ..." without those words; "" when none */
	int ncreated;
	ParsedStack created[PARSED_STACKS];
} ParsedReport;

/* Reports one by one, where there may be many of them. */
typedef struct ReportReader {
	const char *text; /* what is left of it */
	int lineno;       /* lines read */
	int found;        /* N of "Found N data race(s)"; begins as -1 */
} ReportReader;

/* The next report: 1 and *r; 0 at the end of the text; -1 with a message in error (256 bytes). */
int read_report(ReportReader *in, ParsedReport *r, char *error);

/* Parse all reports in text, at most max; their number, or -1 with a message in error (256 bytes).
 * *found gets N of "Found N data race(s)", or -1. Other output between reports is skipped. */
int parse_reports(const char *text, ParsedReport *reports, int max, int *found, char *error);

#endif
