/*
 * buf.h: a text that grows, in memory of its own (os_map): for tracebacks and reports, which must not
 * touch the program's heap and must leave in one write. Not shared between threads. Works zeroed.
 */
#ifndef GORO_BASE_BUF_H
#define GORO_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

typedef struct Buf {
	char *p; /* n bytes of text, a NUL behind them once there is any; NULL while empty */
	size_t n;
	size_t cap; /* bytes mapped at p; 0: p is not ours */
} Buf;

/* Add text. Where no memory is left the text ends there: the caller cannot mend it anyway. */
void buf_add(Buf *b, const char *p, size_t n);
void buf_str(Buf *b, const char *s);
void buf_fmt(Buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(Buf *b, const char *fmt, va_list ap);
/* The text as a string; "" while empty. */
const char *buf_text(const Buf *b);
/* One write(2), more only where the kernel took less; then empty again. */
void buf_write(Buf *b, int fd);
void buf_free(Buf *b);

#endif
