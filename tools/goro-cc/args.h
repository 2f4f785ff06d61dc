/*
 * args.h: what a command line asks for.
 *
 * `host` holds the words for the host compiler: all of them, in order, without goro's own. The rest is
 * what the driver must know of them to decide what to add; it is a reading, nothing is rewritten. An
 * @file stays one word unless goro's own flags are in it: then its words stand in its place.
 */
#ifndef GORO_CC_ARGS_H
#define GORO_CC_ARGS_H

#include "words.h"

typedef enum InputKind {
	INPUT_SOURCE,  /* compiled, hence instrumented under -race */
	INPUT_CPP_ASM, /* .S: preprocessed and assembled */
	INPUT_ASM,     /* .s */
	INPUT_HEADER,  /* .h: becomes a precompiled header, never linked */
	INPUT_LINK,    /* goes to the linker: object, archive, shared object, script */
	INPUT_LIBRARY, /* -lNAME */
} InputKind;

typedef struct Input {
	const char *path;
	InputKind kind;
} Input;

typedef struct Args {
	Words host;
	Input *inputs;
	int ninputs;

	/* goro's own */
	bool cxx; /* called as goro-c++ */
	bool race;
	bool show; /* --goro-show */
	bool version, help;
	bool allow_mixed;      /* --goro-allow-mixed */
	const char *host_name; /* --goro-cc=; NULL: not given */
	const char *dir;       /* --goro-dir=; NULL: not given */
	const char *check;     /* --check FILE */

	/* the host's, as far as they matter */
	bool query;       /* --version, -dumpmachine, -print-...: an answer, no work */
	bool no_link;     /* -c -S -E -M -MM -fsyntax-only ... */
	bool relocatable; /* -r */
	bool shared, is_static;
	bool bare;         /* -nostdlib, -nodefaultlibs: nothing is added at the link */
	bool no_undefined; /* -Wl,--no-undefined or -z defs */
	bool lto;
	bool sanitize_thread;  /* the user's own -fsanitize=thread */
	const char *sanitizer; /* one that -race cannot be together with; NULL: none */
	bool language;         /* an -x is in effect at the end */
} Args;

void args_parse(Args *a, int argc, char **argv);
bool args_has(const Args *a, InputKind kind);

#endif
