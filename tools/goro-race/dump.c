/*
 * dump.c: see dump.h. The text is that of docs/tracebacks.md; what does not look like it is passed over.
 */
#include "dump.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "findings.h"
#include "util.h"

enum { GOROUTINES_MOST = 200, NAMED_FRAMES = 16 };

const char *signal_word(int sig)
{
	static char made[32];
	const char *name = sigabbrev_np(sig);

	if (name)
		snprintf(made, sizeof(made), "SIG%s", name);
	else
		snprintf(made, sizeof(made), "signal %d", sig);
	return made;
}

/* ---- reading the dump ---- */

/* "func(...)" and the line under it. Adds a frame to stack. */
static void add_frame(json_t *stack, const char *function, const char *under)
{
	json_t *frame = json_object();
	const char *blank = strstr(under, " +0x"), *colon = NULL;
	size_t n = strlen(function);

	if (n > 5 && strcmp(function + n - 5, "(...)") == 0)
		n -= 5;
	else if (n > 2 && strcmp(function + n - 2, "()") == 0)
		n -= 2;
	json_object_set_new(frame, "function", json_stringn(function, n));
	if (*under != '\t') {
		json_array_append_new(stack, frame);
		return;
	}
	under++;
	for (const char *p = under; *p && p != blank; p++)
		if (*p == ':')
			colon = p;
	if (colon && colon[1] >= '0' && colon[1] <= '9') {
		json_object_set_new(frame, "file", json_stringn(under, (size_t)(colon - under)));
		json_object_set_new(frame, "line", json_integer(strtoll(colon + 1, NULL, 10)));
	} else if ((colon = strstr(under, "+0x"))) {
		json_object_set_new(frame, "module", json_stringn(under, (size_t)(colon - under)));
		json_object_set_new(
		    frame, "module_offset", json_stringn(colon + 1, strcspn(colon + 1, " ")));
	}
	if (blank)
		json_object_set_new(
		    frame, "offset", json_stringn(blank + 2, strcspn(blank + 2, " ")));
	json_array_append_new(stack, frame);
}

/* goroutine 7 [chan receive, 3 minutes] "name": */
static json_t *read_head(const char *line)
{
	char *end;
	unsigned long long id;
	const char *open, *close, *name;
	json_t *who;

	if (strncmp(line, "goroutine ", 10) != 0)
		return NULL;
	id = strtoull(line + 10, &end, 10);
	open = end[0] == ' ' && end[1] == '[' ? end + 2 : NULL;
	close = open ? strchr(open, ']') : NULL;
	if (!close || line[strlen(line) - 1] != ':')
		return NULL;
	who = json_object();
	json_object_set_new(who, "kind", json_string("goroutine"));
	json_object_set_new(who, "id", json_integer((json_int_t)id));
	json_object_set_new(who, "main", json_boolean(id == 1));
	json_object_set_new(who, "finished", json_false());
	json_object_set_new(who, "state", json_stringn(open, (size_t)(close - open)));
	name = strchr(close, '"');
	if (name && strrchr(name + 1, '"'))
		json_object_set_new(who, "name",
		    json_stringn(name + 1, (size_t)(strrchr(name + 1, '"') - name - 1)));
	json_object_set_new(who, "stack", json_array());
	json_object_set_new(who, "created_at", json_array());
	return who;
}

/* Reads the goroutines of a text, whose lines are cut in place. */
static json_t *read_goroutines(char *text)
{
	json_t *all = json_array(), *who = NULL;
	char *line, *next;

	for (line = text; line && *line; line = next) {
		const char *in;
		json_t *head;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		head = read_head(line);
		if (head) {
			who = json_array_size(all) < GOROUTINES_MOST ? head : NULL;
			if (who)
				json_array_append_new(all, who);
			else
				json_decref(head);
			continue;
		}
		if (!*line) {
			who = NULL;
			continue;
		}
		if (!who || *line == '\t')
			continue;
		if (next && *next == '\t') {
			char *after = strchr(next, '\n');
			char *under =
			    after ? need(strndup(next, (size_t)(after - next))) : text_copy(next);

			if (strncmp(line, "created by ", 11) == 0) {
				in = strstr(line, " in goroutine ");
				if (in) {
					json_object_set_new(
					    who, "parent_kind", json_string("goroutine"));
					json_object_set_new(who, "parent_id",
					    json_integer(strtoll(in + 14, NULL, 10)));
					line[in - line] = '\0';
				}
				add_frame(json_object_get(who, "created_at"), line + 11, under);
			} else {
				add_frame(json_object_get(who, "stack"), line, under);
			}
			free(under);
			next = after ? after + 1 : NULL;
		}
	}
	return all;
}

/* ---- what it was ---- */

/* Numbers and addresses differ from run to run. */
static uint64_t hash_words(uint64_t h, const char *s)
{
	for (; *s; s++) {
		if (*s >= '0' && *s <= '9') {
			while ((s[1] >= '0' && s[1] <= '9') || (s[1] >= 'a' && s[1] <= 'f') ||
			       s[1] == 'x')
				s++;
			h = hash_bytes(h, "#", 1);
		} else {
			h = hash_bytes(h, s, 1);
		}
	}
	return hash_bytes(h, "", 1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static const char *top_function(const json_t *who, const char *key)
{
	return get_text(json_array_get(json_object_get(who, key), 0), "function");
}

static uint64_t fingerprint(const char *kind, const char *message, const json_t *goroutines)
{
	uint64_t h = hash_words(hash_text(HASH_START, kind), message);
	bool all = strcmp(kind, "deadlock") == 0 || strcmp(kind, "hang") == 0;
	size_t n = json_array_size(goroutines), i;
	uint64_t *at;
	json_t *frame;

	if (!all) {
		const json_t *stack = json_object_get(json_array_get(goroutines, 0), "stack");

		json_array_foreach((json_t *)(uintptr_t)stack, i, frame) if (i < NAMED_FRAMES) h =
		    hash_text(h, get_text(frame, "function"));
		return h;
	}
	at = need(calloc(n + 1, sizeof(*at)));
	for (i = 0; i < n; i++) {
		const json_t *who = json_array_get(goroutines, i);
		const char *state = get_text(who, "state");

		/* what runs is somewhere else each time */
		if (strncmp(state, "run", 3) == 0)
			continue;
		at[i] = hash_bytes(HASH_START, state, strcspn(state, ","));
		at[i] = hash_text(
		    hash_text(at[i], top_function(who, "stack")), top_function(who, "created_at"));
	}
	qsort(at, n, sizeof(*at), by_value);
	for (i = 0; i < n; i++)
		if (!i || at[i] != at[i - 1])
			h = hash_bytes(h, &at[i], sizeof(at[i]));
	free(at);
	return h;
}

/* The last line that begins so, and behind it its words; NULL. A program may say such words itself, earlier. */
static char *last_line(char *text, const char *prefix)
{
	char *found = NULL;

	for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			found = line;
	return found;
}

static json_t *make(const char *kind, const char *message, json_t *goroutines, const Ended *e)
{
	json_t *o = json_object();
	char id[17];

	snprintf(id, sizeof(id), "%016llx",
	    (unsigned long long)fingerprint(
		kind, strcmp(kind, "hang") == 0 ? "" : message, goroutines));
	json_object_set_new(o, "kind", json_string(kind));
	json_object_set_new(o, "fingerprint", json_string(id));
	json_object_set_new(o, "message", json_string(message));
	if (!json_array_size(goroutines) && e->ntail) {
		size_t n = e->ntail;
		char *clean = text_clean(e->tail, &n);

		json_object_set_new(o, "output", json_stringn(clean, n));
		free(clean);
	}
	if (goroutines)
		json_object_set_new(o, "goroutines", goroutines);
	return o;
}

json_t *dump_finding(const Ended *e, long limit_ms)
{
	bool signaled = WIFSIGNALED(e->status);
	int code = WIFEXITED(e->status) ? WEXITSTATUS(e->status) : 0;
	size_t n = e->nfatal;
	char *text = n ? text_clean(e->fatal, &n) : text_copy(""), *panic, *fatal, *line, *message;
	json_t *goroutines, *made = NULL;
	bool fault;

	if (e->timed_out) {
		line = last_line(text, "SIGQUIT: quit");
		message = text_printf("still running after %g s", (double)limit_ms / 1000);
		made = make("hang", message, read_goroutines(line ? line : text), e);
		free(message);
		free(text);
		return made;
	}
	panic = last_line(text, "panic: ");
	fatal = last_line(text, "fatal error: ");
	line = panic && (!fatal || panic > fatal) ? panic : fatal;
	if (!line || (!code && !signaled)) {
		if (signaled) {
			message = text_printf("killed by %s (%s)", signal_word(WTERMSIG(e->status)),
			    strsignal(WTERMSIG(e->status)));
			made = make("crash", message, NULL, e);
			free(message);
		}
		free(text);
		return made;
	}
	fault = signaled || strstr(line, "\n[signal ");
	message = need(strndup(strchr(line, ':') + 2, strcspn(strchr(line, ':') + 2, "\n")));
	goroutines =
	    read_goroutines(strchr(line, '\n') ? strchr(line, '\n') + 1 : line + strlen(line));
	/* without a stack (GOTRACEBACK=none) goro's own status must speak for the words being goro's */
	if (json_array_size(goroutines) || code == 2 || signaled)
		made = make(fault                                  ? "crash"
			    : line == panic                        ? "panic"
			    : strstr(message, "deadlock!") != NULL ? "deadlock"
								   : "fatal",
		    message, goroutines, e);
	else
		json_decref(goroutines);
	free(message);
	free(text);
	return made;
}
