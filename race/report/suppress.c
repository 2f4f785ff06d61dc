/*
 * suppress.c: see suppress.h. The rules are read once and constant afterwards but for the hits, which
 * the report lock guards.
 */
#include "suppress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/base/fatal.h"
#include "../options/flags.h"

typedef enum SuppType {
	SUPP_RACE,
	SUPP_RACE_TOP,
	SUPP_CALLED_FROM_LIB,
	SUPP_MUTEX,
	SUPP_THREAD,
	SUPP_SIGNAL,
	SUPP_DEADLOCK,
	SUPP_TYPES
} SuppType;
static const char *const type_names[] = {
    "race", "race_top", "called_from_lib", "mutex", "thread", "signal", "deadlock"};

typedef struct Supp {
	SuppType type;
	const char *pattern;
	const char *source;
	int line;
	int hits; /* report lock */
} Supp;

#define SUPPS_MAX 65536 /* 20 times the largest list seen in the wild; more is said and left out */
static Supp *supps;
static int nsupps, supps_cap;

/* ---- patterns ---- */

#define PATTERN_MAX 1000 /* mangled names of templates reach some hundreds */

/* `pattern` [p, pe) against the whole of s; '*' is any text. Backtracks to the last star only. */
static bool glob(const char *p, const char *pe, const char *s)
{
	const char *star = NULL, *again = NULL;
	for (;;) {
		if (p < pe && *p == '*') {
			star = ++p;
			again = s;
		} else if (p == pe && !*s) {
			return true;
		} else if (p < pe && *s && *p == *s) {
			p++, s++;
		} else if (star && *again) {
			p = star;
			s = ++again;
		} else {
			return false;
		}
	}
}

bool supp_pattern(const char *pattern, const char *text)
{
	char whole[PATTERN_MAX + 3]; /* an anchor that is missing is a star */
	size_t n = strlen(pattern), at = 0;
	if (!text || !*text || n > PATTERN_MAX)
		return false;
	bool front = n && pattern[0] == '^';
	bool back = n > front && pattern[n - 1] == '$';
	if (!front)
		whole[at++] = '*';
	memcpy(whole + at, pattern + front, n - front - back);
	at += n - front - back;
	if (!back)
		whole[at++] = '*';
	return glob(whole, whole + at, text);
}

/* ---- reading ---- */

static void bad(const char *source, int line, const char *why, const char *s, size_t n)
{
	print_fd(2, "goro: %s:%d: %s: %.*s\n", source, line, why, (int)(n > 200 ? 200 : n), s);
}

static void add(SuppType type, const char *pattern, size_t n, const char *source, int line)
{
	if (nsupps == supps_cap) {
		int cap = supps_cap ? 2 * supps_cap : 64;
		Supp *more = race_alloc((size_t)cap * sizeof *more);
		if (nsupps)
			memcpy(more, supps, (size_t)nsupps * sizeof *more);
		supps = more;
		supps_cap = cap;
	}
	char *copy = race_alloc(n + 1);
	memcpy(copy, pattern, n);
	supps[nsupps++] = (Supp){.type = type, .pattern = copy, .source = source, .line = line};
}

static void read_line(const char *s, size_t n, const char *source, int line)
{
	while (n && (s[n - 1] == '\r' || s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	while (n && (*s == ' ' || *s == '\t'))
		s++, n--;
	if (!n || *s == '#')
		return;
	const char *colon = memchr(s, ':', n);
	if (!colon) {
		bad(source, line, "a suppression is type:pattern", s, n);
		return;
	}
	size_t ntype = (size_t)(colon - s), npattern = n - ntype - 1;
	for (int t = 0; t < SUPP_TYPES; t++) {
		if (strlen(type_names[t]) != ntype || strncmp(type_names[t], s, ntype) != 0)
			continue;
		if (!npattern || (npattern == 1 && strchr("^$", colon[1])))
			bad(source, line, "the pattern is empty", s, n);
		else if (npattern > PATTERN_MAX)
			bad(source, line, "the pattern is too long", s, n);
		else if (memchr(s, 0, n))
			bad(source, line, "the line holds a NUL", s, n);
		else if (nsupps == SUPPS_MAX)
			bad(source, line, "too many suppressions", s, n);
		else
			add((SuppType)t, colon + 1, npattern, source, line);
		return;
	}
	bad(source, line, "unknown type of suppression", s, n);
}

void supp_read(const char *text, size_t n, const char *source)
{
	for (int line = 1; n; line++) {
		const char *nl = memchr(text, '\n', n);
		size_t len = nl ? (size_t)(nl - text) : n;
		read_line(text, len, source, line);
		text += len + (nl != NULL);
		n -= len + (nl != NULL);
	}
}

/* The file, or one beside the executable where a relative name is not found from here, as TSan does. */
static int open_rules(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 || path[0] == '/')
		return fd;
	char exe[2048];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n <= 0)
		return -1;
	exe[n] = 0;
	char *slash = strrchr(exe, '/');
	if (!slash || (size_t)(slash - exe) + strlen(path) + 2 > sizeof exe)
		return -1;
	strcpy(slash + 1, path);
	return open(exe, O_RDONLY | O_CLOEXEC);
}

extern const char *__tsan_default_suppressions(void) __attribute__((weak));

void supp_init(void)
{
	const char *own = __tsan_default_suppressions ? __tsan_default_suppressions() : NULL;
	if (own)
		supp_read(own, strlen(own), "__tsan_default_suppressions");
	if (!*flags.suppressions)
		return;
	int fd = open_rules(flags.suppressions);
	if (fd < 0) {
		print_fd(2, "goro: cannot read the suppressions '%s'\n", flags.suppressions);
		return;
	}
	Buf b = {0};
	char block[1024];
	ssize_t n;
	while ((n = read(fd, block, sizeof block)) > 0)
		buf_add(&b, block, (size_t)n);
	if (n < 0)
		print_fd(2, "goro: cannot read all of the suppressions '%s'\n", flags.suppressions);
	close(fd);
	supp_read(buf_text(&b), b.n, flags.suppressions);
	buf_free(&b);
}

/* ---- matching ---- */

static bool frame_matches(const char *pattern, const SymFrame *f)
{
	return supp_pattern(pattern, f->func) || supp_pattern(pattern, f->file) ||
	       supp_pattern(pattern, f->module);
}

static bool stack_matches(const char *pattern, const NamedStack *s)
{
	for (int i = 0; i < s->n; i++)
		if (frame_matches(pattern, &s->frames[i]))
			return true;
	return false;
}

/* "race", "race_top" and "called_from_lib" silence the kinds of "race". */
static bool kind_matches(const Supp *s, const Finding *f)
{
	const char *type = s->type == SUPP_RACE_TOP || s->type == SUPP_CALLED_FROM_LIB
			       ? type_names[SUPP_RACE]
			       : type_names[s->type];
	size_t n = strlen(type);
	for (const char *w = report_kind_supp(f->report->kind); *w; w += *w == '|') {
		size_t len = strcspn(w, "|");
		if (len == n && !strncmp(w, type, n))
			return true;
		w += len;
	}
	return false;
}

static bool accesses_match(const Supp *s, const Finding *f)
{
	for (int i = 0; i < f->report->naccesses; i++) {
		const NamedStack *stack = &f->stacks[i];
		if (!stack->n)
			continue;
		if (s->type == SUPP_RACE_TOP ? frame_matches(s->pattern, &stack->frames[0])
		    : s->type == SUPP_CALLED_FROM_LIB
			? supp_pattern(s->pattern, stack->frames[0].module)
			: stack_matches(s->pattern, stack))
			return true;
	}
	return false;
}

static bool rest_matches(const Supp *s, const Finding *f)
{
	if (s->type == SUPP_RACE_TOP || s->type == SUPP_CALLED_FROM_LIB)
		return false;
	if (stack_matches(s->pattern, &f->allocated) ||
	    (f->has_data && supp_pattern(s->pattern, f->data.name)) ||
	    (f->has_data && supp_pattern(s->pattern, f->data.file)))
		return true;
	for (int i = 0; i < f->report->naccesses; i++)
		if (f->who[i] >= 0 && supp_pattern(s->pattern, f->people[f->who[i]].name))
			return true;
	return false;
}

int supp_match(const Finding *f, bool *by_stack)
{
	for (int i = 0; i < nsupps; i++) {
		if (!kind_matches(&supps[i], f))
			continue;
		*by_stack = accesses_match(&supps[i], f);
		if (*by_stack || rest_matches(&supps[i], f)) {
			supps[i].hits++;
			return i + 1;
		}
	}
	return 0;
}

void supp_hit(int n)
{
	supps[n - 1].hits++;
}

int supp_hits(void)
{
	int hits = 0;
	for (int i = 0; i < nsupps; i++)
		hits += supps[i].hits;
	return hits;
}

void supp_summary(Buf *b)
{
	if (supp_hits()) {
		buf_fmt(b, "goro: Matched %d suppressions (pid=%d):\n", supp_hits(), (int)getpid());
		for (int i = 0; i < nsupps; i++)
			if (supps[i].hits)
				buf_fmt(b, "%d %s:%s\n", supps[i].hits, type_names[supps[i].type],
				    supps[i].pattern);
	}
	bool head = false;
	for (int i = 0; i < nsupps; i++) {
		if (supps[i].hits)
			continue;
		if (!head)
			buf_str(b, "goro: Suppressions that matched nothing:\n");
		head = true;
		buf_fmt(b, "%s:%s (%s:%d)\n", type_names[supps[i].type], supps[i].pattern,
		    supps[i].source, supps[i].line);
	}
}
