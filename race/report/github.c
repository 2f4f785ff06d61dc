/*
 * github.c: a finding as an annotation of GitHub Actions: a line of the log that the runner shows at the
 * line of source in question. It stands below the text report, which is for people who read the log.
 *
 *	::error file=counter.c,line=36,col=10,title=Data race on counter::write of size 4 by ...
 *
 * The runner undoes %25, %0D and %0A, in properties also %3A and %2C. It shows ten errors of a step, and
 * titles up to 255 characters.
 */
#include "finding.h"

#include <string.h>

#define TITLE_MAX   200
#define MESSAGE_MAX 4000

static void add_escaped(Buf *b, const char *s, size_t n, bool property)
{
	for (; n; s++, n--)
		if (*s == '%' || *s == '\r' || *s == '\n' || (property && (*s == ':' || *s == ',')))
			buf_fmt(b, "%%%02X", (unsigned)(unsigned char)*s);
		else
			buf_add(b, s, 1);
}

/* At most max bytes, and no half of a character. */
static void add_cut(Buf *b, Buf *text, size_t max, bool property)
{
	size_t n = text->n;
	if (n > max) {
		n = max;
		while (n && (text->p[n] & 0xc0) == 0x80)
			n--;
	}
	add_escaped(b, buf_text(text), n, property);
	text->n = 0;
}

void github_report(Buf *b, const Finding *f)
{
	Buf t = {0};
	const SymFrame *at = NULL;
	for (int i = 0; !at && i < f->report->naccesses; i++)
		at = finding_place(f, i);
	buf_str(b, "::error ");
	if (at) {
		buf_str(b, "file=");
		const char *path = report_path(at->file);
		while (path != at->file && *path == '/') /* what is left of a stripped prefix */
			path++;
		add_escaped(b, path, strlen(path), true);
		buf_fmt(b, ",line=%d,", at->line);
		if (at->column)
			buf_fmt(b, "col=%d,", at->column);
	}
	buf_str(b, "title=");
	describe_title(&t, f);
	add_cut(b, &t, TITLE_MAX, true);
	buf_str(b, "::");
	for (int i = 0; i < f->report->naccesses; i++) {
		buf_str(&t, i ? "\n" : "");
		describe_access(&t, f, i);
	}
	add_cut(b, &t, MESSAGE_MAX, false);
	buf_str(b, "\n");
	buf_free(&t);
}
