/*
 * xml.c: see xml.h.
 */
#include "xml.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

void xml_text(FILE *out, const char *s)
{
	size_t n = strlen(s);
	char *clean = text_clean(s, &n);

	for (const char *p = clean; *p; p++)
		switch (*p) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*p, out);
		}
	free(clean);
}

void xml_printf(FILE *out, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	xml_text(out, s);
	free(s);
}
