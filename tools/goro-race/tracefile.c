/*
 * tracefile.c: read an execution trace.
 *
 * goro writes an event a line, so a file of a gigabyte is read with the memory of one line. A file that some other
 * tool has laid out anew is read as a whole.
 */
#include "tracefile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util.h"

typedef struct Reader {
	const char *path;
	long line; /* 0: not read by lines */
	void (*fn)(const TraceEvent *, void *);
	void *arg;
} Reader;

static _Noreturn void refuse(const Reader *r, const char *why)
{
	if (r->line)
		die("%s: line %ld: %s", r->path, r->line, why);
	die("%s: %s", r->path, why);
}

static double number(const Reader *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_number(v))
		refuse(r, text_printf("an event has no number as '%s'", key));
	return json_number_value(v);
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void take_event(const Reader *r, const json_t *o)
{
	TraceEvent e = {.category = text(o, "cat"), .name = text(o, "name")};
	const char *phase = text(o, "ph");

	if (!json_is_object(o) || strlen(phase) != 1)
		refuse(r, "not a trace event");
	e.phase = *phase;
	e.pid = (long)number(r, o, "pid");
	e.tid = (uint64_t)number(r, o, "tid");
	e.at = llround(number(r, o, "ts") * 1000);
	if (e.phase == 'X')
		e.duration = llround(number(r, o, "dur") * 1000);
	e.args = json_object_get(o, "args");
	r->fn(&e, r->arg);
}

static void take_head(const Reader *r, const json_t *doc, TraceHead *head)
{
	const json_t *o = json_object_get(doc, "otherData");
	json_int_t pid = 0, procs = 0, from = 0, to = 0, lost = 0;
	const char *program = "";

	if (!json_is_string(json_object_get(o, "goro")) ||
	    json_unpack((json_t *)o, "{s:s, s:I, s:I, s:I, s:I, s:I}", "program", &program, "pid",
		&pid, "gomaxprocs", &procs, "from_ns", &from, "to_ns", &to, "lost", &lost) != 0)
		refuse(r, "not an execution trace of goro's");
	*head = (TraceHead){text_copy(program), (long)pid, (long)procs, from, to, lost};
}

/* The first line is the head, up to the events. False: it is not laid out so. */
static bool lines_begin(Reader *r, const char *line, TraceHead *head)
{
	size_t n = strlen(line);
	json_t *doc;
	char *whole;

	if (strncmp(line, "{\"displayTimeUnit\"", 18) != 0 || n < 3 ||
	    strcmp(line + n - 2, ",\n") != 0)
		return false;
	whole = text_printf("%.*s}", (int)(n - 2), line);
	doc = json_loads(whole, 0, NULL);
	free(whole);
	if (!doc)
		return false;
	take_head(r, doc, head);
	json_decref(doc);
	return true;
}

static void lines_follow(Reader *r, FILE *in, char **line, size_t *cap)
{
	json_error_t why;
	ssize_t n;
	bool ended = false;

	while ((n = getline(line, cap, in)) > 0) {
		json_t *o;
		char *s = *line;

		r->line++;
		if (s[n - 1] != '\n') /* what follows the last line break was being written */
			refuse(r, "half-written: the file ends here");
		s[--n] = '\0';
		if (n && s[n - 1] == ',')
			s[--n] = '\0';
		if (strcmp(s, "]}") == 0) {
			ended = true;
			continue;
		}
		if (ended || strcmp(s, "\"traceEvents\":[") == 0)
			continue;
		if (!(o = json_loadb(s, (size_t)n, 0, &why)))
			refuse(r, text_printf("no JSON: %s", why.text));
		take_event(r, o);
		json_decref(o);
	}
	if (!ended)
		refuse(r, "half-written: the file ends here");
}

static void read_whole_document(Reader *r, FILE *in, TraceHead *head)
{
	json_error_t why;
	json_t *doc, *events, *o;
	size_t i;

	r->line = 0;
	rewind(in);
	doc = json_loadf(in, 0, &why);
	if (!doc)
		die("%s: line %d: no JSON: %s", r->path, why.line, why.text);
	take_head(r, doc, head);
	events = json_object_get(doc, "traceEvents");
	if (!json_is_array(events))
		refuse(r, "not an execution trace of goro's");
	json_array_foreach(events, i, o) take_event(r, o);
	json_decref(doc);
}

void trace_read(
    const char *path, TraceHead *head, void (*fn)(const TraceEvent *, void *), void *arg)
{
	Reader r = {path, 1, fn, arg};
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	struct stat st;

	if (!in)
		die("cannot read %s: %s", path, strerror(errno));
	if (fstat(fileno(in), &st) == 0 && S_ISDIR(st.st_mode))
		die("cannot read %s: %s", path, strerror(EISDIR));
	errno = 0;
	if (getline(&line, &cap, in) <= 0) {
		if (errno)
			die("cannot read %s: %s", path, strerror(errno));
		die("%s is empty: its program still runs, or ended without writing its trace",
		    path);
	}
	if (lines_begin(&r, line, head))
		lines_follow(&r, in, &line, &cap);
	else
		read_whole_document(&r, in, head);
	free(line);
	fclose(in);
}
