/*
 * formats.h: findings written out, one function for each format; and the options that choose files for them.
 *
 * File names in reports are as the compiler was given them. `root` is the folder that relative names begin at and
 * that is cut from absolute ones: the project's.
 */
#ifndef GORO_RACE_FORMATS_H
#define GORO_RACE_FORMATS_H

#include <argp.h>
#include <stdio.h>

#include "findings.h"

typedef void WriteFindings(FILE *out, const Findings *f, const char *root);

WriteFindings write_text;   /* as the detector prints, for people */
WriteFindings write_json;   /* docs/findings-schema.json */
WriteFindings write_sarif;  /* SARIF 2.1.0, within GitHub's limits */
WriteFindings write_junit;  /* docs/junit.xsd */
WriteFindings write_github; /* workflow commands */
WriteFindings write_html;   /* one file, nothing loaded from elsewhere */

/* One finding as text, with its reports' rules. */
void write_one(FILE *out, const Findings *all, const Finding *f);
/* The last lines of a text report: how much was run, found, known; the outcomes. */
void write_totals(FILE *out, const Findings *f);

/* --text --json --sarif --junit --github --html FILE ("-": stdout), --root DIR: a child of a command's options. */
typedef struct Outputs {
	const char *files[6];
	const char *root; /* absolute */
	int chosen;
} Outputs;
extern const struct argp outputs_argp; /* its input: an Outputs */
void outputs_write(const Outputs *o, const Findings *f);

/* A frame's file below root, by the folder it was compiled in where that is known; else as it is. To be freed. */
char *shown_path(const char *root, const json_t *frame);
/* The path below root, or as it is. Points into path. */
const char *below(const char *root, const char *path);

#endif
