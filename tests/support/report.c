/*
 * report.c: see report.h. One line at a time; frames go to the last head above them.
 */
#include "report.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rule[] = "==================";

typedef struct Parser {
	ParsedReport *report;  /* the one being read; NULL between reports */
	ParsedStack *stack;    /* where frames go; NULL: nowhere (the location's) */
	ParsedFrame *frame;    /* waits for its file line */
	ParsedStack location;  /* frames below "Location is ..." */
} Parser;

static void copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* "Previous atomic write of size 4 at 0x10 by goroutine 7 ...:" */
static bool parse_access(const char *s, ParsedStack *a)
{
	const char *at = strstr(s, " at 0x"), *size = strstr(s, " of size "), *by;

	if (!(by = strstr(at ? at : s, " by ")))
		return false;
	const char *word = begins(s, "Previous ") ? s + 9 : s;
	const char *of = strstr(word, " of ");
	copy(a->word, sizeof a->word, word, (size_t)((of ? of : at ? at : by) - word));
	a->word[0] = (char)tolower((unsigned char)a->word[0]);
	if (at && size && size < at)
		a->size = (unsigned)strtoul(size + 9, NULL, 10);
	a->addr = at ? strtoull(at + 4, NULL, 16) : 0;
	a->main = begins(by, " by main ");
	const char *num = strpbrk(by, "0123456789");
	if (!a->main) {
		if (!num)
			return false;
		a->goroutine = strtoull(num, NULL, 10);
	}
	copy(a->head, sizeof a->head, s, strlen(s));
	return true;
}

/* "      /src/counter.c:21 +0x4c" */
static void parse_place(const char *s, ParsedFrame *f)
{
	const char *end = strstr(s, " +0x");
	const char *colon = end ? memrchr(s, ':', (size_t)(end - s)) : strrchr(s, ':');

	if (!colon)
		return;
	copy(f->file, sizeof f->file, s, (size_t)(colon - s));
	f->line = atoi(colon + 1);
}

static const char *parse_line(Parser *p, const char *s)
{
	ParsedReport *r = p->report;

	if (begins(s, "      ") && s[6] != ' ') {
		if (p->frame)
			parse_place(s + 6, p->frame);
		p->frame = NULL;
		return NULL;
	}
	if (begins(s, "  ") && s[2] != ' ') {
		if (!p->stack)
			return "frame below no head";
		if (p->stack->nframes == PARSED_FRAMES)
			return NULL;
		p->frame = &p->stack->frames[p->stack->nframes++];
		p->frame->file[0] = '\0';
		p->frame->line = 0;
		const char *paren = strstr(s, "()");
		copy(p->frame->function, sizeof p->frame->function, s + 2,
		    paren ? (size_t)(paren - s - 2) : strlen(s + 2));
		return NULL;
	}
	p->frame = NULL;
	if (!*s)
		return NULL;
	if (begins(s, "WARNING: ")) {
		copy(r->kind, sizeof r->kind, s + 9, strlen(s + 9));
	} else if (begins(s, "Location is ")) {
		if (!r->location[0])
			copy(r->location, sizeof r->location, s + 12, strlen(s + 12));
		p->stack = &p->location;
	} else if (strstr(s, " created ")) {
		if (r->ncreated == PARSED_STACKS)
			return "too many creations";
		p->stack = &r->created[r->ncreated++];
		copy(p->stack->head, sizeof p->stack->head, s, strlen(s));
	} else if ((strstr(s, " at 0x") && strstr(s, " by ")) || begins(s, "Creation of ") ||
		   begins(s, "Call of ") || begins(s, "Handler of ")) {
		if (r->naccesses == PARSED_ACCESSES) {
			p->stack = &p->location;
			return NULL;
		}
		p->stack = &r->accesses[r->naccesses];
		if (!parse_access(s, p->stack))
			return "access line not understood";
		if ((r->naccesses > 0) != begins(s, "Previous "))
			return "current and previous access are not told apart";
		r->naccesses++;
	} else {
		p->stack = &p->location; /* a note of some kind, with or without frames */
	}
	return NULL;
}

/* All but the text of frames that nobody wrote: half a megabyte, of which a report fills a few KiB. */
static void clear(ParsedReport *r)
{
	r->kind[0] = r->location[0] = '\0';
	r->naccesses = r->ncreated = 0;
	for (int i = 0; i < PARSED_ACCESSES; i++)
		memset(&r->accesses[i], 0, offsetof(ParsedStack, frames));
	for (int i = 0; i < PARSED_STACKS; i++)
		memset(&r->created[i], 0, offsetof(ParsedStack, frames));
}

int read_report(ReportReader *in, ParsedReport *r, char *error)
{
	Parser p = {0};

	while (*in->text) {
		const char *nl = strchrnul(in->text, '\n');
		char line[1024];
		copy(line, sizeof line, in->text, (size_t)(nl - in->text));
		in->lineno++;
		in->text = *nl ? nl + 1 : nl;
		if (strcmp(line, rule) == 0) {
			if (p.report) {
				if (r->kind[0] && r->naccesses > 0)
					return 1;
				sprintf(error, "line %d: report without %s", in->lineno,
				    r->kind[0] ? "access" : "kind");
				return -1;
			}
			clear(r);
			p.report = r;
		} else if (p.report) {
			const char *why = parse_line(&p, line);
			if (why) {
				snprintf(error, 256, "line %d: %s: %.150s", in->lineno, why, line);
				return -1;
			}
		} else if (begins(line, "Found ") && strstr(line, "data race(s)")) {
			in->found = atoi(line + 6);
		}
	}
	if (p.report) {
		sprintf(error, "the last report is cut off");
		return -1;
	}
	return 0;
}

int parse_reports(const char *text, ParsedReport *reports, int max, int *found, char *error)
{
	static ParsedReport beyond;
	ReportReader in = {.text = text, .found = -1};
	int n = 0, r;

	while ((r = read_report(&in, n < max ? &reports[n] : &beyond, error)) > 0)
		if (++n > max) {
			sprintf(error, "more than %d reports", max);
			return -1;
		}
	*found = in.found;
	return r < 0 ? -1 : n;
}
