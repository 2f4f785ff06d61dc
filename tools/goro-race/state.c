/*
 * state.c: see state.h.
 */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "dump.h"
#include "util.h"

/* ---- seeds ---- */

static size_t slot_of(const Seeds *s, uint64_t seed)
{
	size_t i = (size_t)((seed + 1) * 0x9e3779b97f4a7c15u >> 20) & (s->cap - 1);

	while (s->slots[i] && s->slots[i] != seed + 1)
		i = (i + 1) & (s->cap - 1);
	return i;
}

bool seeds_has(const Seeds *s, uint64_t seed)
{
	return s->cap && s->slots[slot_of(s, seed)];
}

bool seeds_add(Seeds *s, uint64_t seed)
{
	size_t i;

	if (s->n * 2 >= s->cap) {
		Seeds more = {.cap = s->cap ? s->cap * 2 : 64};

		more.slots = need(calloc(more.cap, sizeof(*more.slots)));
		for (i = 0; i < s->cap; i++)
			if (s->slots[i])
				more.slots[slot_of(&more, s->slots[i] - 1)] = s->slots[i];
		more.n = s->n;
		free(s->slots);
		*s = more;
	}
	i = slot_of(s, seed);
	if (s->slots[i])
		return false;
	s->slots[i] = seed + 1;
	s->n++;
	return true;
}

/* ---- words ---- */

char *quote_words(const json_t *words)
{
	char *text = NULL;
	size_t n = 0, i;
	json_t *word;
	FILE *f = need(open_memstream(&text, &n));

	json_array_foreach((json_t *)(uintptr_t)words, i, word)
	{
		const char *s = json_string_value(word);

		if (i)
			fputc(' ', f);
		if (*s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./=:,+@%^") == strlen(s)) {
			fputs(s, f);
			continue;
		}
		fputc('\'', f);
		for (; *s; s++)
			*s == '\'' ? fputs("'\\''", f) : fputc(*s, f);
		fputc('\'', f);
	}
	fclose(f);
	return text;
}

static json_t *words_of(char *const *argv)
{
	json_t *words = json_array();

	for (; *argv; argv++) {
		size_t n = strlen(*argv);
		char *clean = text_clean(*argv, &n);

		json_array_append_new(words, json_stringn(clean, n));
		free(clean);
	}
	return words;
}

/* ---- reading ---- */

/* Count one outcome more. */
static void add_outcome(Findings *f, const json_t *run, uint64_t seed)
{
	size_t i;
	json_t *o;

	if (!f->outcomes)
		f->outcomes = json_array();
	json_array_foreach(f->outcomes, i, o)
	{
		json_t *least = json_object_get(o, "seed");

		if (get_int(o, "code") != get_int(run, "code") ||
		    strcmp(get_text(o, "signal"), get_text(run, "signal")) != 0 ||
		    strcmp(get_text(o, "output"), get_text(run, "output")) != 0 ||
		    get_true(o, "timeout") != get_true(run, "timeout"))
			continue;
		json_object_set_new(o, "count", json_integer(get_int(o, "count") + 1));
		if (seed != NO_SEED && (json_int_t)seed < json_integer_value(least))
			json_object_set_new(o, "seed", json_integer((json_int_t)seed));
		return;
	}
	if (json_array_size(f->outcomes) >= FINDINGS_MOST)
		return;
	o = json_object();
	for (const char *const *key =
		 (const char *const[]){"code", "signal", "output", "timeout", NULL};
	     *key; key++)
		if (json_object_get(run, *key))
			json_object_set(o, *key, json_object_get(run, *key));
	json_object_set_new(o, "count", json_integer(1));
	if (seed != NO_SEED)
		json_object_set_new(o, "seed", json_integer((json_int_t)seed));
	json_array_append_new(f->outcomes, o);
}

static uint64_t seed_of(const json_t *o)
{
	const json_t *seed = json_object_get(o, "seed");

	return json_is_integer(seed) && json_integer_value(seed) >= 0
		   ? (uint64_t)json_integer_value(seed)
		   : NO_SEED;
}

static void take_run(void *arg, json_t *o)
{
	State *s = arg;
	uint64_t seed = seed_of(o);
	size_t i;
	json_t *id;

	if (strcmp(get_text(o, "kind"), "run") != 0 ||
	    (seed != NO_SEED && !seeds_add(&s->done, seed)))
		return; /* another shard ran it as well: the same run */
	s->found.runs++;
	s->found.seeded += seed != NO_SEED;
	add_outcome(&s->found, o, seed);
	json_array_foreach(json_object_get(o, "findings"), i, id)
	{
		const char *text = json_string_value(id);
		Finding *f = text ? findings_get(&s->found, text) : NULL;

		if (f) {
			f->count++;
			finding_seed(f, seed);
		}
	}
}

static void take_stored(void *arg, json_t *o)
{
	State *s = arg;

	if (strcmp(get_text(o, "kind"), "stored") == 0)
		(void)findings_add(&s->found, json_object_get(o, "finding"), seed_of(o), 0, NULL);
}

/* The detector's own lines: a file is a process, and counts as a run. */
static void take_raw(void *arg, json_t *o)
{
	State *s = arg;
	uint64_t seed = NO_SEED;
	const json_t *schedule = json_object_get(o, "schedule");

	if (get_int(schedule, "seed") > 0)
		seed = seed_of(schedule);
	if (strcmp(get_text(o, "kind"), "summary") != 0)
		(void)findings_add(&s->found, o, seed, 1, NULL);
}

static void set_once(char **to, const char *value)
{
	if (*to && strcmp(*to, value) != 0)
		value = "";
	free(*to);
	*to = text_copy(value);
}

/* state.json into s; false when there is none. */
static bool read_head(State *s, const char *dir, bool same)
{
	char *path = text_printf("%s/state.json", dir), *command;
	json_error_t error;
	json_t *o = NULL;
	struct stat st;

	if (stat(path, &st) != 0) {
		free(path);
		return false;
	}
	o = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(o) || !*get_text(o, "binary_id") || !*get_text(o, "binary") ||
	    !json_array_size(json_object_get(o, "command")))
		die("%s: damaged (%s)", path, o ? "members are missing" : error.text);
	if (get_int(o, "format") != 1)
		die("%s: of another version of goro-race", path);
	if (same && s->id && strcmp(s->id, get_text(o, "binary_id")) != 0)
		die("%s is of another binary: %s (%s), not %s (%s)", dir, get_text(o, "binary"),
		    get_text(o, "binary_id"), s->binary, s->id);
	if (same && s->command &&
	    (!json_equal(s->command, json_object_get(o, "command")) ||
		strcmp(s->found.gorace, get_text(o, "gorace")) != 0)) {
		char *theirs = quote_words(json_object_get(o, "command"));
		char *ours = quote_words(s->command);

		die("%s is of other runs: GORACE=\"%s\" %s, not GORACE=\"%s\" %s", dir,
		    get_text(o, "gorace"), theirs, s->found.gorace, ours);
	}
	command = quote_words(json_object_get(o, "command"));
	set_once(&s->found.command, command);
	set_once(&s->found.gorace, get_text(o, "gorace"));
	free(command);
	if (!s->id) {
		s->id = text_copy(get_text(o, "binary_id"));
		s->binary = text_copy(get_text(o, "binary"));
		s->command = json_incref(json_object_get(o, "command"));
	}
	json_decref(o);
	free(path);
	return true;
}

static void read_lines(State *s, const char *dir, const char *name, TakeReport *take)
{
	char *path = text_printf("%s/%s", dir, name);

	if (reports_read(path, take, s, &s->found.damaged) < 0 && errno != ENOENT)
		die("cannot read %s: %s", path, strerror(errno));
	free(path);
}

static void read_runs(State *s, const char *dir)
{
	read_lines(s, dir, "findings.jsonl", take_stored);
	read_lines(s, dir, "runs.jsonl", take_run);
	for (size_t i = 0; i < s->found.n; i++)
		if (!s->found.v[i].count)
			s->found.v[i].count = 1; /* its run was lost */
}

static bool read_raw(State *s, const char *path)
{
	long good = reports_read(path, take_raw, s, &s->found.damaged);

	if (good < 0)
		warn("cannot read %s: %s, skipped", path, strerror(errno));
	s->found.damaged += good < 0;
	s->found.runs += good > 0;
	return good > 0;
}

void state_read(State *s, const char *path, bool same)
{
	struct stat st;
	struct dirent **names;
	int n;

	if (stat(path, &st) != 0)
		die("cannot read %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		(void)read_raw(s, path);
		return;
	}
	if (read_head(s, path, same)) {
		read_runs(s, path);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		die("cannot read %s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		char *full = text_printf("%s/%s", path, names[i]->d_name);

		if (stat(full, &st) == 0 && S_ISREG(st.st_mode))
			(void)read_raw(s, full);
		else if (names[i]->d_name[0] != '.' && S_ISDIR(st.st_mode)) {
			char *head = text_printf("%s/state.json", full);

			if (stat(head, &st) == 0)
				state_read(s, full, same);
			free(head);
		}
		free(full);
		free(names[i]);
	}
	free(names);
}

/* ---- writing ---- */

static void write_head(const State *s, const char *dir)
{
	char *path = text_printf("%s/state.json", dir), *text;
	json_t *o =
	    json_pack("{s:i, s:s, s:s, s:O, s:s}", "format", 1, "binary", s->binary, "binary_id",
		s->id, "command", s->command, "gorace", s->found.gorace ? s->found.gorace : "");

	text = need(json_dumps(o, JSON_INDENT(1)));
	if (!replace_file(path, text, strlen(text)))
		die("cannot write %s: %s", path, strerror(errno));
	free(text);
	free(path);
	json_decref(o);
}

static void add_line(const char *dir, const char *name, json_t *o)
{
	char *path = text_printf("%s/%s", dir, name), *text = need(json_dumps(o, JSON_COMPACT));

	append_line(path, text);
	free(text);
	free(path);
	json_decref(o);
}

void state_open(State *s, const char *dir, const char *binary, char *const *argv,
    const char *gorace, bool resume)
{
	if (!make_dirs(dir))
		die("cannot write %s: %s", dir, strerror(errno));
	*s = (State){.dir = text_copy(dir), .binary = text_copy(binary), .id = binary_id(binary)};
	s->command = words_of(argv);
	s->found.gorace = text_copy(gorace);
	s->found.command = quote_words(s->command);
	if (flock(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), LOCK_EX | LOCK_NB) != 0 &&
	    errno == EWOULDBLOCK)
		die("%s is in use by another goro-race", dir);
	if (!read_head(s, dir, true)) {
		write_head(s, dir);
		return;
	}
	if (!resume)
		die("%s holds runs already: choose another folder, or remove it", dir);
	read_runs(s, dir);
}

static void store(const char *dir, const Finding *f)
{
	json_t *o = json_pack("{s:s, s:O}", "kind", "stored", "finding", f->data);

	if (f->seed != NO_SEED)
		json_object_set_new(o, "seed", json_integer((json_int_t)f->seed));
	add_line(dir, "findings.jsonl", o);
}

void state_again(State *s, const Finding *f)
{
	store(s->dir, f);
}

void state_add(State *s, const Ended *e, uint64_t seed, json_t *findings)
{
	json_t *run = json_pack("{s:s, s:I}", "kind", "run", "ms", (json_int_t)e->ms),
	       *ids = json_array();
	char output[17];
	size_t i;
	json_t *data;

	json_array_foreach(findings, i, data)
	{
		Finding *known = findings_get(&s->found, get_text(data, "fingerprint")), *f;
		uint64_t before = known ? known->seed : NO_SEED;
		bool fresh;

		f = findings_add(&s->found, data, seed, 1, &fresh);
		if (!f)
			continue;
		if (fresh || f->seed < before)
			store(s->dir, f);
		json_array_append_new(ids, json_string(f->fingerprint));
	}
	if (seed != NO_SEED)
		json_object_set_new(run, "seed", json_integer((json_int_t)seed));
	if (WIFSIGNALED(e->status))
		json_object_set_new(run, "signal", json_string(signal_word(WTERMSIG(e->status))));
	else
		json_object_set_new(run, "code", json_integer(WEXITSTATUS(e->status)));
	if (e->timed_out)
		json_object_set_new(run, "timeout", json_true());
	if (seed != NO_SEED) {
		snprintf(output, sizeof(output), "%016llx", (unsigned long long)e->output);
		json_object_set_new(run, "output", json_string(output));
	}
	json_object_set_new(run, "findings", ids);
	s->found.runs++;
	s->found.seeded += seed != NO_SEED;
	if (seed != NO_SEED)
		seeds_add(&s->done, seed);
	add_outcome(&s->found, run, seed);
	add_line(s->dir, "runs.jsonl", run);
}

static void join_finding(void *arg, json_t *o)
{
	State *s = arg;
	json_t *data = json_object_get(o, "finding");
	Finding *known = findings_get(&s->found, get_text(data, "fingerprint")), *f;
	uint64_t before = known ? known->seed : NO_SEED;
	bool fresh;

	if (strcmp(get_text(o, "kind"), "stored") != 0)
		return;
	f = findings_add(&s->found, data, seed_of(o), 0, &fresh);
	if (f && (fresh || f->seed < before || (f->data == data && f->seed == before)))
		store(s->dir, f);
}

static void join_run(void *arg, json_t *o)
{
	State *s = arg;
	uint64_t seed = seed_of(o);
	bool there = seed != NO_SEED && seeds_has(&s->done, seed);

	take_run(s, o);
	if (!there && strcmp(get_text(o, "kind"), "run") == 0)
		add_line(s->dir, "runs.jsonl", json_incref(o));
}

void state_join(State *s, const char *from, const char *dir)
{
	bool first = !s->dir;

	if (!read_head(s, from, true))
		die("%s is no state folder of goro-race: it has no state.json", from);
	if (first) {
		char *head = text_printf("%s/state.json", dir);
		struct stat st;

		if (stat(head, &st) == 0)
			die("%s holds runs already: choose another folder, or remove it", dir);
		if (!make_dirs(dir))
			die("cannot write %s: %s", dir, strerror(errno));
		free(head);
		s->dir = text_copy(dir);
		write_head(s, dir);
	}
	read_lines(s, from, "findings.jsonl", join_finding);
	read_lines(s, from, "runs.jsonl", join_run);
}

void state_judge(State *s)
{
	Findings *f = &s->found;
	uint64_t h = hash_text(HASH_START, "outcome");
	long counts[256] = {0};
	uint64_t seeds[256] = {0};
	int rarest = -1, kinds = 0;
	char *text = NULL, id[17];
	size_t len = 0, i;
	json_t *o, *data;
	FILE *out;

	/* Of runs that ended by themselves: a hang or a crash is a finding of its own. */
	json_array_foreach(f->outcomes, i, o)
	{
		json_int_t c = get_int(o, "code");

		if (get_true(o, "timeout") || *get_text(o, "signal") || c < 0 || c > 255)
			continue;
		if (!counts[c] || seed_of(o) < seeds[c])
			seeds[c] = seed_of(o);
		counts[c] += (long)get_int(o, "count");
	}
	out = need(open_memstream(&text, &len));
	for (int c = 0; c < 256; c++) {
		if (!counts[c])
			continue;
		h = hash_bytes(h, &c, sizeof(c));
		fprintf(out, "%sexit status %d in %ld run%s", kinds++ ? ", " : "", c, counts[c],
		    counts[c] == 1 ? "" : "s");
		if (seeds[c] != NO_SEED)
			fprintf(out, " (seed %llu)", (unsigned long long)seeds[c]);
		if (rarest < 0 || counts[c] < counts[rarest])
			rarest = c;
	}
	fclose(out);
	if (kinds < 2) {
		free(text);
		return;
	}
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)h);
	data = json_pack("{s:s, s:s, s:s, s:O}", "kind", "outcome", "fingerprint", id, "message",
	    text, "outcomes", f->outcomes);
	(void)findings_add(f, data, seeds[rarest], counts[rarest], NULL);
	json_decref(data);
	free(text);
}
