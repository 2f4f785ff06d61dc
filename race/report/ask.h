/*
 * ask.h: see ask.c. To be called where the thread is inside the detector, unless said otherwise.
 */
#ifndef GORO_RACE_REPORT_ASK_H
#define GORO_RACE_REPORT_ASK_H

#include "report.h"

/* The function (is_code: addr is a return address) or the global variable at addr, by TSan's format; functions inlined
 * into each other as strings one after the other, the outermost last, and an empty one at the end. */
void ask_symbolize(uintptr_t addr, bool is_code, const char *fmt, char *out, size_t size);
/* The file of the module that pc lies in, and where in it; NULL. */
const char *ask_module(uintptr_t pc, uintptr_t *off);
/* Print a stack on stderr. */
void ask_print_stack(StackId id);
/* Reports go to PATH.PID ("stderr", "stdout") from now on; NULL: to that descriptor. Anywhere. */
void ask_log_to(const char *path, int fd);
/* Where they go, opened; "stderr" and "stdout" by name. Anywhere. */
void ask_log_path(char *out, size_t size);

#endif
