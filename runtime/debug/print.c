/*
 * print.c: formatted text to a descriptor, without stdio, locks or heap. One write where it fits a
 * stack buffer, so that lines of two threads do not mix.
 */
#include "../base/fatal.h"

#include <stdio.h>

#include "../base/buf.h"
#include "../os/os.h"

#define PRINT_MAX                                                                                  \
	1024 /* on the caller's stack, which may be a signal handler's; longer texts are mapped */

void vprint_fd(int fd, const char *fmt, va_list ap)
{
	char text[PRINT_MAX];
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	if (n >= (int)sizeof text) {
		Buf b = {0};
		buf_vfmt(&b, fmt, again);
		buf_write(&b, fd);
		buf_free(&b);
	} else if (n > 0) {
		os_write(fd, text, (size_t)n);
	}
	va_end(again);
}

void print_fd(int fd, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vprint_fd(fd, fmt, ap);
	va_end(ap);
}
