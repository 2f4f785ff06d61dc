/*
 * buf.c: a text that grows. Doubling from 16 KiB, by os_map: usable in signal handlers and under any
 * lock.
 */
#include "buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../os/os.h"

#define BUF_START ((size_t)16 << 10)

/* Room for n more bytes and a NUL. */
static bool reserve(Buf *b, size_t n)
{
	if (n > (size_t)1 << 40)
		return false;
	if (b->n + n + 1 <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : BUF_START;
	while (cap < b->n + n + 1)
		cap *= 2;
	char *p = os_map(cap);
	if (!p)
		return false;
	if (b->cap) {
		memcpy(p, b->p, b->n);
		os_unmap(b->p, b->cap);
	}
	p[b->n] = 0;
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(Buf *b, const char *p, size_t n)
{
	if (!reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_str(Buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_vfmt(Buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	char small[256];
	int n = vsnprintf(small, sizeof small, fmt, ap);
	if (n >= 0 && (size_t)n < sizeof small) {
		buf_add(b, small, (size_t)n);
	} else if (n > 0 && reserve(b, (size_t)n)) {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_fmt(Buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vfmt(b, fmt, ap);
	va_end(ap);
}

const char *buf_text(const Buf *b)
{
	return b->n ? b->p : "";
}

void buf_write(Buf *b, int fd)
{
	if (b->n)
		os_write(fd, b->p, b->n);
	b->n = 0;
}

void buf_free(Buf *b)
{
	if (b->cap)
		os_unmap(b->p, b->cap);
	*b = (Buf){0};
}
