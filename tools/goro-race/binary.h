/*
 * binary.h: the program that is to be run: where it is, whether it is a race build, and which one.
 */
#ifndef GORO_RACE_BINARY_H
#define GORO_RACE_BINARY_H

typedef enum BinaryKind {
	BINARY_RACE,   /* holds the detector */
	BINARY_GORO,   /* a goro program without it */
	BINARY_OTHER,  /* an ELF program: perhaps one that starts race builds */
	BINARY_SCRIPT, /* no ELF file */
} BinaryKind;

/* The file that execvp would run, as an absolute path; dies saying why not. */
char *binary_find(const char *name);
/* The same for a program that races are to be looked for in: dies, with how to build it, where that is a goro program
 * without the detector. *kind (may be NULL): which of the others it is. */
char *binary_for_races(const char *name, BinaryKind *kind);
BinaryKind binary_kind(const char *path);
/* Sixteen digits for its bytes: the same program on another machine has the same. */
char *binary_id(const char *path);
/* Dies: the program was run, and no process of it was a race build. */
_Noreturn void binary_none_raced(const char *name);

#endif
