/*
 * timeline.c: see timeline.h. Events are put on rows from what the report says, oldest first: each goroutine's
 * creation after its creator's, the memory's allocation, the locks taken, the previous access, the current one.
 * Arrows are the edges that are known to order: a go statement and what it starts. Between the two accesses of a race
 * stands the edge that is missing. Where the run's steps are known (steps.h), they are drawn instead, each with its
 * arrow to what it let go on. Order between rows of different lanes without an arrow means nothing, and the
 * caption says so.
 */
#include "timeline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "xml.h"

enum {
	LANES_MOST = 12,
	EVENTS_MOST = 64,
	LANE = 250,
	ROW = 34,
	TOP = 58,
	LEFT = 24,
	LABEL_MOST = 30
};

typedef enum Look { DOT, HIT } Look;

typedef struct Event {
	int lane;
	Look look;
	char *text, *whole;
} Event;

typedef struct Picture {
	struct {
		char *name;
		const json_t *who; /* NULL: only known as a creator */
		json_int_t id;
		bool thread;
		int first; /* its first row */
	} lanes[LANES_MOST];
	int nlanes;
	Event events[EVENTS_MOST];
	int nevents;
	struct {
		int row, to; /* from the event of that row to lane `to` */
		int at;      /* before the event of that row; -1: at once */
	} edges[EVENTS_MOST];
	int nedges;
} Picture;

static int lane_of(Picture *p, bool thread, json_int_t id, const json_t *who)
{
	for (int i = 0; i < p->nlanes; i++)
		if (p->lanes[i].id == id && p->lanes[i].thread == thread)
			return i;
	if (p->nlanes == LANES_MOST)
		return -1;
	p->lanes[p->nlanes].id = id;
	p->lanes[p->nlanes].thread = thread;
	p->lanes[p->nlanes].who = who;
	p->lanes[p->nlanes].first = -1;
	p->lanes[p->nlanes].name =
	    who ? who_text(who)
	    : id == 1 && !thread
		? text_copy("main goroutine")
		: text_printf("%s %lld", thread ? "thread" : "goroutine", (long long)id);
	return p->nlanes++;
}

static bool is_thread(const json_t *o, const char *key)
{
	return strcmp(get_text(o, key), "thread") == 0;
}

/* text is taken over. */
static int event(Picture *p, int lane, Look look, char *text, const json_t *frame)
{
	char *place = frame ? place_text(frame) : text_copy("");
	Event *e;

	if (p->nevents == EVENTS_MOST || lane < 0) {
		free(text);
		free(place);
		return -1;
	}
	e = &p->events[p->nevents];
	e->lane = lane;
	e->look = look;
	e->whole = text_printf("%s%s%s", text, *place ? "  " : "", place);
	e->text = text;
	if (*place) {
		const char *base = strrchr(place, '/') ? strrchr(place, '/') + 1 : place;

		e->text = text_printf("%s  %s", text, base);
		free(text);
	}
	free(place);
	if (p->lanes[lane].first < 0)
		p->lanes[lane].first = p->nevents;
	return p->nevents++;
}

/* The creator's lane and go statement, before the goroutine's own first event. */
static void create(Picture *p, int lane, int depth)
{
	const json_t *who = p->lanes[lane].who, *made = json_object_get(who, "created_at");
	int parent, row;

	if (p->lanes[lane].first >= 0 || get_true(who, "main") ||
	    !json_object_get(who, "parent_id") || depth > LANES_MOST)
		return;
	parent = lane_of(p, is_thread(who, "parent_kind"), get_int(who, "parent_id"), NULL);
	if (parent < 0 || parent == lane)
		return;
	create(p, parent, depth + 1);
	row = event(p, parent, DOT,
	    text_printf("%s %lld", p->lanes[lane].thread ? "starts thread" : "go",
		(long long)p->lanes[lane].id),
	    frame_shown(made));
	if (row >= 0 && p->nedges < EVENTS_MOST) {
		p->edges[p->nedges].at = -1;
		p->edges[p->nedges].row = row;
		p->edges[p->nedges++].to = lane;
		p->lanes[lane].first = row + 1;
	}
}

static int lane_at(Picture *p, const json_t *people, const json_t *index)
{
	const json_t *who = json_is_integer(index) && json_integer_value(index) >= 0
				? json_array_get(people, (size_t)json_integer_value(index))
				: NULL;

	return who ? lane_of(p, is_thread(who, "kind"), get_int(who, "id"), who) : -1;
}

static void edge(Picture *p, int row, int to, int at)
{
	if (p->nedges == EVENTS_MOST || row < 0 || to < 0)
		return;
	p->edges[p->nedges].row = row;
	p->edges[p->nedges].to = to;
	p->edges[p->nedges++].at = at;
}

/* The picture of the steps; false when the finding has none. */
static bool fill_steps(Picture *p, const Finding *f, int *older, int *newer)
{
	const json_t *steps = json_object_get(f->data, "steps"),
		     *people = json_object_get(f->data, "goroutines");
	const json_t *rows = json_object_get(steps, "rows");
	size_t i, k;
	json_t *row, *pair, *who;

	*older = *newer = -1;
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		const char *operation = get_text(row, "operation"), *mark = get_text(row, "mark");
		const char *address = get_text(row, "address"), *place = get_text(row, "place");
		const char *file = strrchr(place, ' ');
		const json_t *known = NULL;
		int lane, at;

		json_array_foreach((json_t *)(uintptr_t)people, k,
		    who) if (get_int(who, "id") == get_int(row, "goroutine")) known = who;
		lane = lane_of(p, false, get_int(row, "goroutine"), known);
		file = file ? file + 1 : place;
		at = event(p, lane, *mark ? HIT : DOT,
		    text_printf("%s%s%s  %s", operation, strcmp(operation, "go") == 0 ? " " : "",
			strcmp(operation, "go") == 0 ? address : "",
			strrchr(file, '/') ? strrchr(file, '/') + 1 : file),
		    NULL);
		if (at < 0 || at != (int)i)
			return false;
		free(p->events[at].whole);
		p->events[at].whole = text_printf("step %lld: %s %s, %s",
		    (long long)get_int(row, "step"), operation, address, place);
		if (*mark)
			*(mark[0] == 'c' ? newer : older) = at;
		if (strcmp(operation, "go") == 0) {
			json_int_t id = strtoll(address, NULL, 10);
			const json_t *made = NULL;

			json_array_foreach((json_t *)(uintptr_t)people, k,
			    who) if (get_int(who, "id") == id) made = who;
			lane = lane_of(p, false, id, made);
			edge(p, at, lane, -1);
			if (lane >= 0)
				p->lanes[lane].first = at + 1;
		}
	}
	json_array_foreach(json_object_get(steps, "edges"), i, pair)
	{
		int from = (int)json_integer_value(json_array_get(pair, 0));
		int to = (int)json_integer_value(json_array_get(pair, 1));

		if (from >= 0 && from < p->nevents && to >= 0 && to < p->nevents)
			edge(p, from, p->events[to].lane, to > from ? to : -1);
	}
	return p->nevents > 0;
}

/* Answers the row of the first and of the last access, or -1. */
static void fill(Picture *p, const Finding *f, int *older, int *newer)
{
	const json_t *people = json_object_get(f->data, "goroutines");
	const json_t *accesses = json_object_get(f->data, "accesses");
	const json_t *place = json_object_get(f->data, "location");
	size_t i, k, n = json_array_size(accesses);
	json_t *who, *lock;
	int lane;

	*older = *newer = -1;
	/* creators first, so that they stand at the left; main before all */
	json_array_foreach((json_t *)(uintptr_t)people, i, who) if (get_true(who, "main"))(void)
	    lane_of(p, is_thread(who, "kind"), get_int(who, "id"), who);
	json_array_foreach((json_t *)(uintptr_t)people, i,
	    who) if (json_object_get(who, "parent_id") && get_int(who, "parent_id") == 1 &&
		     !p->nlanes)(void) lane_of(p, is_thread(who, "parent_kind"), 1, NULL);
	json_array_foreach((json_t *)(uintptr_t)people, i, who) if (json_is_object(who))(void)
	    lane_of(p, is_thread(who, "kind"), get_int(who, "id"), who);
	lane = lane_at(p, people, json_object_get(place, "allocated_by"));
	if (lane >= 0) {
		create(p, lane, 0);
		(void)event(p, lane, DOT, text_copy("allocates"),
		    frame_shown(json_object_get(place, "allocated_at")));
	}
	for (int l = 0; l < p->nlanes; l++)
		create(p, l, 0);
	if (!n) { /* a dump: where each stands */
		json_array_foreach((json_t *)(uintptr_t)people, i, who)
		{
			lane = lane_of(p, is_thread(who, "kind"), get_int(who, "id"), who);
			if (*get_text(who, "state"))
				(void)event(p, lane, HIT, text_copy(get_text(who, "state")),
				    frame_shown(json_object_get(who, "stack")));
		}
		return;
	}
	for (i = n; i-- > 0;) {
		const json_t *a = json_array_get(accesses, i);
		char *word = access_word(a);
		int row;

		lane = lane_at(p, people, json_object_get(a, "by"));
		json_array_foreach(json_object_get(a, "locks"), k, lock) if (k < 4)(void) event(p,
		    lane, DOT,
		    text_printf("%s %s", strcmp(get_text(lock, "mode"), "read") ? "lock" : "rlock",
			get_text(lock, "address")),
		    json_object_get(lock, "locked_at"));
		row = event(p, lane, HIT, word, frame_shown(json_object_get(a, "stack")));
		if (i == 0)
			*newer = row;
		else if (*older < 0)
			*older = row;
	}
}

static int x_of(int lane)
{
	return LEFT + lane * LANE;
}

static int y_of(int row)
{
	return TOP + row * ROW;
}

static void label(FILE *out, int x, int y, const char *class, const char *s)
{
	size_t n = strlen(s), cut = n;

	fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	if (n > LABEL_MOST) {
		cut = LABEL_MOST - 1;
		while (cut && ((unsigned char)s[cut] & 0xc0) == 0x80)
			cut--;
	}
	xml_printf(out, "%.*s%s", (int)cut, s, cut < n ? "\xe2\x80\xa6" : "");
	fputs("</text>", out);
}

void timeline_write(FILE *out, const Finding *f, const char *id)
{
	Picture *p = need(calloc(1, sizeof(*p)));
	int older, newer, width, height;

	if (!fill_steps(p, f, &older, &newer)) {
		memset(p, 0, sizeof(*p));
		fill(p, f, &older, &newer);
	}
	/* Only of a race is it said that nothing orders the two. */
	if (strcmp(f->kind, "data-race") != 0 && strcmp(f->kind, "vptr-race") != 0)
		older = newer = -1;
	if (!p->nlanes || !p->nevents)
		return;
	width = LEFT + p->nlanes * LANE;
	height = y_of(p->nevents) + 10;
	fprintf(out,
	    "<figure tabindex=\"0\" aria-label=\"timeline\"><svg role=\"img\" "
	    "aria-labelledby=\"t-%s\" width=\"%d\" "
	    "height=\"%d\" viewBox=\"0 0 %d %d\"><title id=\"t-%s\">",
	    id, width, height, width, height, id);
	xml_printf(out, "Timeline of %d goroutines%s", p->nlanes,
	    older >= 0 && newer >= 0 ? "; nothing orders the two accesses" : "");
	fputs("</title>\n", out);
	for (int i = 0; i < p->nlanes; i++) {
		int first = p->lanes[i].first < 0 ? 0 : p->lanes[i].first;

		label(out, x_of(i) - 8, TOP - 34, "who", p->lanes[i].name);
		fprintf(out, "<line class=\"lane\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
		    x_of(i), first ? y_of(first) - ROW / 2 : TOP - 22, x_of(i), height - 8);
	}
	/* Lines run between the rows, so that they cross no words. */
	for (int i = 0; i < p->nedges; i++) {
		int x1 = x_of(p->events[p->edges[i].row].lane), y1 = y_of(p->edges[i].row);
		int x2 = x_of(p->edges[i].to), back = x2 > x1 ? -1 : 1;
		int y2 = (p->edges[i].at < 0 ? y1 : y_of(p->edges[i].at - 1)) + ROW / 2;

		fprintf(
		    out, "<path class=\"edge\" d=\"M%d %d V%d H%d\"/>", x1, y1, y2, x2 + back * 8);
		fprintf(
		    out, "<path class=\"head\" d=\"M%d %d l%d -5 v10 z\"/>\n", x2, y2, back * 10);
	}
	if (older >= 0 && newer >= 0) {
		int x1 = x_of(p->events[older].lane), x2 = x_of(p->events[newer].lane);
		int y1 = y_of(older), y2 = y_of(newer), middle = y1 + ROW / 2;

		if (x1 == x2)
			fprintf(out, "<path class=\"gap\" d=\"M%d %d Q%d %d %d %d\"/>", x1, y1,
			    x1 - 24, (y1 + y2) / 2, x2, y2);
		else
			fprintf(out, "<path class=\"gap\" d=\"M%d %d V%d H%d V%d\"/>", x1, y1,
			    middle, x2, y2);
		/* beside the line where the words of neither access are */
		fprintf(out, "<text class=\"bad\" x=\"%d\" y=\"%d\">no order</text>\n",
		    x1 == x2 ? x1 + 13 : (x1 > x2 ? x1 : x2) - 80,
		    x2 < x1 ? middle - 5 : middle + 14);
	}
	for (int i = 0; i < p->nevents; i++) {
		const Event *e = &p->events[i];

		fputs("<g><title>", out);
		xml_text(out, e->whole);
		fprintf(out, "</title><circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>",
		    e->look == HIT ? "hit" : "dot", x_of(e->lane), y_of(i), e->look == HIT ? 7 : 5);
		label(out, x_of(e->lane) + 13, y_of(i) + 4, e->look == HIT ? "bad" : "", e->text);
		fputs("</g>\n", out);
	}
	fputs("</svg><figcaption>Time goes down. Arrows order: what stands before one's tail comes "
	      "before what stands "
	      "behind its head. "
	      "Rows of different lanes without an arrow between them may come in any "
	      "order.</figcaption></figure>\n",
	    out);
	for (int i = 0; i < p->nevents; i++) {
		free(p->events[i].text);
		free(p->events[i].whole);
	}
	for (int i = 0; i < p->nlanes; i++)
		free(p->lanes[i].name);
	free(p);
}
