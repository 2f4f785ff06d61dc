/*
 * flags.h: the detector's options: GORACE="key=value ...". Set once by flags_init, constant afterwards.
 */
#ifndef GORO_RACE_FLAGS_H
#define GORO_RACE_FLAGS_H

#include <stdbool.h>

typedef struct Flags {
#define FLAG_BOOL(name, def, meaning)             bool name;
#define FLAG_INT(name, def, least, most, meaning) int name;
#define FLAG_TEXT(name, def, meaning)             const char *name;
#define FLAG_SHARE(name, def, meaning)            int name;
#define FLAG_WORD(name, def, words, meaning)      int name;
#include "flags.def"
#undef FLAG_BOOL
#undef FLAG_INT
#undef FLAG_TEXT
#undef FLAG_SHARE
#undef FLAG_WORD
} Flags;

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF, FORMAT_GITHUB }; /* flags.format */

extern Flags flags;

/* Defaults, then the program's __tsan_default_options(), then GORACE. Idempotent. Says one line on
 * stderr for each key it does not know and each value it cannot use. */
void flags_init(void);

/* The parts, for tests. Set the defaults; read `text`, naming `source` in complaints. */
void flags_defaults(void);
void flags_parse(const char *text, const char *source);
/* All keys with their values now, to fd. */
void flags_help(int fd);

#endif
