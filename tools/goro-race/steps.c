/*
 * steps.c: see steps.h. A row is a point before an operation, so one that waits is done only before its
 * goroutine's next row: what lets it go on is the last matching operation of another goroutine until then.
 */
#include "steps.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"
#include "util.h"

enum { ROWS_KEPT = 28 };

typedef struct Step {
	long step;
	json_int_t who;
	const char *operation, *address, *place; /* "" */
	long next;  /* step of its goroutine's next row; LONG_MAX: none */
	long index; /* among the rows kept; -1 */
} Step;

/* What lets what go on, on the same object. */
static const char *const pairs[][2] = {
    {"unlock", "lock"},
    {"unlock", "read lock"},
    {"read unlock", "lock"},
    {"send", "receive"},
    {"close", "receive"},
    {"wait group add", "wait group wait"},
    {"signal", "cond wait"},
    {"broadcast", "cond wait"},
    {"semaphore release", "semaphore acquire"},
    {"once", "once"},
    {"atomic operation", "atomic load"},
    {"atomic operation", "atomic operation"},
};

static bool is_pair(const char *from, const char *to)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (strcmp(from, pairs[i][0]) == 0 && strcmp(to, pairs[i][1]) == 0)
			return true;
	return false;
}

static bool orders(const char *operation)
{
	if (strcmp(operation, "go") == 0 || strcmp(operation, "select") == 0)
		return true;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (strcmp(operation, pairs[i][0]) == 0 || strcmp(operation, pairs[i][1]) == 0)
			return true;
	return false;
}

/* Columns are apart by two blanks or more. Cuts the line. */
static char *column(char **rest)
{
	char *s = *rest + strspn(*rest, " "), *end = strstr(s, "  ");

	*rest = end ? end : s + strlen(s);
	if (end) {
		*end = '\0';
		*rest = end + 1;
	}
	return s;
}

/* The rows of the list, whose lines are cut. */
static Step *read_steps(char *list, size_t *n)
{
	char *line, *save = NULL;
	Step *rows = NULL;
	size_t cap = 0;

	*n = 0;
	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *number, *who, *operation, *last;
		Step s = {.next = LONG_MAX, .index = -1, .address = "", .operation = ""};

		if (line[0] == '#' || line[strspn(line, " ")] == '-')
			continue;
		number = column(&line);
		who = column(&line);
		operation = column(&line);
		s.step = strtol(number, NULL, 10);
		s.who = strtoll(who, NULL, 10);
		s.place = column(&line);
		last = strrchr(operation, ' ');
		if (last && (strncmp(last, " 0x", 3) == 0 || (last[1] >= '0' && last[1] <= '9'))) {
			*last = '\0';
			s.address = last + 1;
		}
		s.operation = operation;
		if (*n == cap)
			rows = need(realloc(rows, (cap = cap * 2 + 256) * sizeof(*rows)));
		rows[(*n)++] = s;
	}
	for (size_t i = *n; i-- > 0;)
		for (size_t k = i + 1; k < *n && k < i + 2000; k++)
			if (rows[k].who == rows[i].who) {
				rows[i].next = rows[k].step;
				break;
			}
	return rows;
}

/* The last row before `end` in which this access was made; n: none. */
static size_t find_access(
    const Step *rows, size_t n, size_t end, const json_t *finding, size_t access, long until)
{
	const json_t *a = json_array_get(json_object_get(finding, "accesses"), access);
	const json_t *who = json_array_get(json_object_get(finding, "goroutines"),
	    (size_t)json_integer_value(json_object_get(a, "by")));

	for (size_t i = end; i-- > 0;)
		if (rows[i].step <= until && rows[i].who == get_int(who, "id") &&
		    strcmp(rows[i].address, get_text(a, "address")) == 0 &&
		    (strstr(rows[i].operation, get_text(a, "kind")) ||
			strstr(rows[i].operation, "atomic")))
			return i;
	return n;
}

static bool involved(const json_t *finding, json_int_t id)
{
	size_t i;
	json_t *who;

	json_array_foreach(json_object_get(finding, "goroutines"), i,
	    who) if (strcmp(get_text(who, "kind"), "goroutine") == 0 &&
		     get_int(who, "id") == id) return true;
	return id == 1;
}

static json_t *edges_of(const Step *rows, size_t end)
{
	json_t *edges = json_array();

	for (size_t q = 0; q < end; q++) {
		size_t best = end;

		if (rows[q].index < 0)
			continue;
		for (size_t r = 0; r < end && rows[r].step < rows[q].next; r++)
			if (rows[r].index >= 0 && rows[r].who != rows[q].who &&
			    strcmp(rows[r].address, rows[q].address) == 0 &&
			    is_pair(rows[r].operation, rows[q].operation))
				best = r;
		if (best < end)
			json_array_append_new(
			    edges, json_pack("[i,i]", (int)rows[best].index, (int)rows[q].index));
	}
	return edges;
}

json_t *steps_select(char *list, const json_t *finding)
{
	long until = (long)get_int(json_object_get(finding, "schedule"), "step");
	json_t *kept = json_array();
	size_t n, now, then, later = 0;
	Step *rows = read_steps(list, &n);

	now = find_access(rows, n, n, finding, 0, until);
	then = now < n ? find_access(rows, n, now, finding, 1, until) : n;
	if (now == n || then == n || json_array_size(json_object_get(finding, "accesses")) < 2) {
		free(rows);
		json_decref(kept);
		return NULL;
	}
	/* the last ones, and before them the go statements of those involved */
	for (size_t i = now + 1; i-- > 0;) {
		Step *s = &rows[i];
		bool made = strcmp(s->operation, "go") == 0 &&
			    involved(finding, strtoll(s->address, NULL, 10));
		bool access = i == now || i == then;

		if (access ||
		    (involved(finding, s->who) &&
			(made || (orders(s->operation) && strcmp(s->operation, "go") != 0 &&
				     later++ < ROWS_KEPT))))
			s->index = 0;
	}
	for (size_t i = 0; i <= now; i++) {
		json_t *row;

		if (rows[i].index < 0)
			continue;
		rows[i].index = (long)json_array_size(kept);
		row = json_pack("{s:I, s:I, s:s, s:s, s:s}", "step", (json_int_t)rows[i].step,
		    "goroutine", rows[i].who, "operation", rows[i].operation, "address",
		    rows[i].address, "place", rows[i].place);
		if (i == now || i == then)
			json_object_set_new(
			    row, "mark", json_string(i == now ? "current" : "previous"));
		json_array_append_new(kept, row);
	}
	{
		json_t *edges = edges_of(rows, now + 1);

		free(rows);
		return json_pack("{s:o, s:o}", "rows", kept, "edges", edges);
	}
}
