/*
 * fatal.h: three failures, three verbs.
 *
 *   the caller can mend it      return a negative errno
 *   the program is wrong        fatal("...") or panic("..."): Go's words, traceback, exit 2
 *   goro is wrong               throw("..."): words, traceback, abort
 *
 * All are implemented in debug/fatal.c (tests link their own). None returns, none allocates from
 * the program's heap before its text is out.
 */
#ifndef GORO_BASE_FATAL_H
#define GORO_BASE_FATAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* "fatal error: TEXT", all goroutines' tracebacks where `all`, exit 2. */
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));
_Noreturn void fatal_all(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));
/* "panic: TEXT", the current goroutine's traceback, exit 2. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));
_Noreturn void vpanic(const char *fmt, va_list ap) __attribute__((cold));
/* "goro: internal error: TEXT", traceback, abort. */
_Noreturn void throw(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));

/* One of these is ending the process. */
bool fatal_in_progress(void);

/* Format to a descriptor without stdio, locks or malloc, in one write where it fits 4 KiB (vsnprintf
 * on a stack buffer). Async-signal-safe in practice for the conversions used: d u x p s c l z ll. */
void print_fd(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void vprint_fd(int fd, const char *fmt, va_list ap);

#endif
