/*
 * scratch.h: a folder of one's own and shell lines in it, for tests that drive compilers and build systems.
 *
 * Lines run under sh with these set: CC and CXX (goro-cc and goro-c++ of the build under test), B (the
 * build folder), S (the source tree). GORO_*, CFLAGS and the like of the caller are unset.
 */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stdbool.h>

#include "run.h"

/* Make the folder and go there; removed again at the end of the process when nothing failed in it. */
void scratch_enter(const char *build, const char *source);
/* Write a file below it; folders are made. */
void scratch_write(const char *path, const char *text);
/* Run a line and ask for its exit code; prints line and output when it differs. The Run stays valid
 * until the next call. */
bool sh_is(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Does the last line's stdout (stderr) contain the text? Prints it when not. */
bool out_has(const char *text);
bool err_has(const char *text);
const Run *last_run(void);
bool have(const char *program);

#endif
