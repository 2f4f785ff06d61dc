/*
 * objects.h: what a file handed to the linker is, as far as -race cares.
 */
#ifndef GORO_CC_OBJECTS_H
#define GORO_CC_OBJECTS_H

#include <stdbool.h>

typedef enum ObjectKind {
	OBJECT_NONE,         /* not there, unreadable, or nothing we know: the linker judges */
	OBJECT_INSTRUMENTED, /* compiled with -fsanitize=thread; an archive with such a member */
	OBJECT_UNCHECKED,    /* compiled from C or C++ without it, with code inside */
	OBJECT_NEUTRAL, /* assembler, data only, another language; an archive without instrumented code */
	OBJECT_LTO, /* code comes only at the link, and gcc instruments it there */
	OBJECT_SHARED,
} ObjectKind;

ObjectKind object_kind(const char *path);

typedef enum BuildKind {
	BUILD_UNREADABLE, /* no ELF file */
	BUILD_FOREIGN,    /* nothing of goro in it */
	BUILD_PLAIN,
	BUILD_RACE,
} BuildKind;

/* Which build of goro an executable is. A race build carries a note (race/note.c) that strip leaves. */
BuildKind build_kind(const char *path);

#endif
