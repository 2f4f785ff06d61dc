/*
 * shrink.c: goro-race shrink: of a seed's schedule, the fewest decisions that still show the finding.
 *
 * The run of the seed is recorded (docs/schedules.md: a line for each decision that differs from the plain rule), and
 * decisions are left out by delta debugging (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input,
 * IEEE TSE 2002: ddmin) as long as the same fingerprint comes. The result is one from which no single line can be
 * taken. What a line is about is not looked at: the scheduler passes over lines that find no use.
 */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary.h"
#include "commands.h"
#include "formats.h"
#include "launch.h"
#include "policy.h"
#include "util.h"

enum { INTERLEAVING_MOST = 400, SCHEDULE_MOST = 64 << 20 };

typedef struct Options {
	const char *gorace, *fingerprint, *out, *seed, *list;
	char *keys;
	long timeout_ms, time_ms;
	char **program;
} Options;

enum {
	KEY_GORACE = 0x100,
	KEY_STRATEGY,
	KEY_DEPTH,
	KEY_PREEMPT,
	KEY_TIMEOUT,
	KEY_TIME,
	KEY_FINDING,
	KEY_LIST
};

static const struct argp_option options[] = {
    {"finding", KEY_FINDING, "FINGERPRINT", 0,
	"Keep this finding (default: the first that the seed shows)", 0},
    {"output", 'o', "FILE", 0, "Where the schedule goes (default: shrunk.schedule)", 0},
    {"interleaving", KEY_LIST, "FILE", 0,
	"Where its steps go as a list (default: the standard output)", 0},
    {"time", KEY_TIME, "TIME", 0, "Stop after TIME (default 10m) with what is reached then", 0},
    {"timeout", KEY_TIMEOUT, "TIME", 0, "End a run after TIME (default 60s)", 0},
    {"strategy", KEY_STRATEGY, "NAME", 0, "As for explore", 0},
    {"depth", KEY_DEPTH, "D", 0, "As for explore", 0},
    {"preempt", KEY_PREEMPT, "P", 0, "As for explore", 0},
    {"gorace", KEY_GORACE, "KEYS", 0, "More keys of GORACE, behind those of the environment", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	Options *o = state->input;
	const char *name = key == KEY_STRATEGY ? "strategy"
			   : key == KEY_DEPTH  ? "depth"
					       : "preempt";

	switch (key) {
	case KEY_STRATEGY:
	case KEY_DEPTH:
	case KEY_PREEMPT:
		o->keys = text_printf("%s %s=%s", o->keys, name, arg);
		break;
	case KEY_GORACE:
		o->gorace = arg;
		break;
	case KEY_FINDING:
		o->fingerprint = arg;
		break;
	case 'o':
		o->out = arg;
		break;
	case KEY_LIST:
		o->list = arg;
		break;
	case KEY_TIME:
		o->time_ms = duration_arg("--time", arg);
		break;
	case KEY_TIMEOUT:
		o->timeout_ms = duration_arg("--timeout", arg);
		break;
	case ARGP_KEY_ARG:
		if (!o->seed) {
			(void)number_arg("the seed", arg, 1, INT_MAX);
			o->seed = arg;
			break;
		}
		o->program = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_END:
		if (!o->program)
			argp_error(state, o->seed ? "which program?" : "which seed?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {options, parse, "SEED [--] PROGRAM [ARGUMENT...]",
    "Shrink the schedule of SEED to the fewest decisions that still show its finding, and print "
    "the run that is left, "
    "step by step.\v"
    "GORACE=schedule=FILE has that run again.\n\nExit status: 0, or 2 when the seed shows nothing.",
    0, 0, 0};

typedef struct Shrink {
	const Options *o;
	Crew *crew;
	char *folder, *user, *schedule;
	char *fingerprint; /* of the finding that is kept; NULL: whichever comes first */
	char *title;
	char **lines; /* decisions */
	size_t n;
	long runs, until;
	bool interrupted;
} Shrink;

/* Run it with these keys; is the finding there? */
static bool shows(Shrink *s, const char *more)
{
	char *reports = text_printf("%s/run", s->folder);
	char *gorace;
	json_t *findings = json_array(), *o;
	bool found = false;
	int asked = 0;
	size_t i;
	Ended e;

	if (!make_dirs(reports))
		die("cannot write %s: %s", reports, strerror(errno));
	gorace = policy_gorace(s->user, more, reports);
	crew_launch(s->crew, &(Launch){.argv = s->o->program,
				 .gorace = gorace,
				 .timeout_ms = s->o->timeout_ms,
				 .fixed = true});
	while (!crew_wait(s->crew, 0, &e, &asked)) {
		s->interrupted = true;
		crew_signal(s->crew, SIGKILL);
	}
	s->runs++;
	(void)policy_collect(reports, &e, s->o->timeout_ms, findings);
	json_array_foreach(findings, i, o)
	{
		if (e.stopped ||
		    (s->fingerprint && strcmp(s->fingerprint, get_text(o, "fingerprint")) != 0))
			continue;
		found = true;
		if (!s->title) {
			Findings f = {0};

			s->fingerprint = text_copy(get_text(o, "fingerprint"));
			s->title = finding_title(findings_add(&f, o, NO_SEED, 1, NULL));
		}
	}
	json_decref(findings);
	remove_tree(reports);
	ended_free(&e);
	free(reports);
	free(gorace);
	return found;
}

/* Write a schedule of the decisions that are kept. */
static void write_schedule(const char *path, char *const *lines, size_t n)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = need(open_memstream(&text, &len));

	fputs("goro-schedule 1\n", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\n", lines[i]);
	fclose(f);
	if (!replace_file(path, text, len))
		die("cannot write %s: %s", path, strerror(errno));
	free(text);
}

static bool still_shows(Shrink *s, char *const *lines, size_t n)
{
	char *keys = text_printf("%s schedule=%s", s->o->gorace, s->schedule);
	bool found;

	write_schedule(s->schedule, lines, n);
	found = shows(s, keys);
	free(keys);
	return found;
}

static bool over(const Shrink *s)
{
	return s->interrupted || now_ms() >= s->until;
}

/* ddmin: leave out one of `parts` parts at a time, finer and finer. */
static void shrink(Shrink *s)
{
	size_t parts = 2;
	char **rest = need(calloc(s->n + 1, sizeof(*rest)));

	if (s->n && still_shows(s, NULL, 0)) {
		s->n = 0;
		free(rest);
		return;
	}
	while (s->n && !over(s)) {
		bool smaller = false;

		if (parts > s->n)
			parts = s->n;
		for (size_t p = 0; p < parts && !over(s); p++) {
			size_t from = s->n * p / parts, to = s->n * (p + 1) / parts, n = 0;

			for (size_t i = 0; i < s->n; i++)
				if (i < from || i >= to)
					rest[n++] = s->lines[i];
			if (n == s->n || !still_shows(s, rest, n))
				continue;
			memcpy(s->lines, rest, n * sizeof(*rest));
			s->n = n;
			smaller = true;
			parts = parts > 2 ? parts - 1 : 2;
			p = p ? p - 1 : SIZE_MAX; /* the part that stands there now is another */
			if (parts > s->n)
				break;
		}
		if (!smaller) {
			if (parts >= s->n)
				break;
			parts *= 2;
		}
	}
	free(rest);
}

static void read_decisions(Shrink *s, const char *path)
{
	size_t n;
	char *text = read_whole(path, SCHEDULE_MOST, &n), *line, *next = NULL;

	if (!text)
		die("the run was not recorded: is %s built by this version of goro?",
		    s->o->program[0]);
	s->lines = need(calloc(n + 1, sizeof(*s->lines)));
	for (line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		if (strncmp(line, "switch ", 7) == 0 || strncmp(line, "choose ", 7) == 0)
			s->lines[s->n++] = line;
}

static void print_list(const char *path, const char *to)
{
	size_t n;
	char *text = read_whole(path, SCHEDULE_MOST, &n), empty[] = "";
	FILE *out = out_open(to ? to : "-");
	long lines = 0;

	for (char *s = text ? text : empty; *s && (to || lines < INTERLEAVING_MOST); lines++) {
		char *end = strchr(s, '\n');

		end = end ? end + 1 : s + strlen(s);
		fwrite(s, 1, (size_t)(end - s), out);
		s = end;
		if (!to && lines == INTERLEAVING_MOST - 1 && *s)
			fputs("... (--interleaving FILE has all)\n", out);
	}
	out_close(out, to ? to : "-");
	free(text);
}

int command_shrink(int argc, char **argv)
{
	Options o = {.gorace = "",
	    .keys = text_copy(""),
	    .out = "shrunk.schedule",
	    .timeout_ms = 60000,
	    .time_ms = 600000};
	Shrink s = {.o = &o};
	char *keys, *record, *list;
	size_t before;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	free(binary_for_races(o.program[0], NULL));
	s.user = text_copy(getenv("GORACE") ? getenv("GORACE") : "");
	s.folder = own_folder(NULL);
	s.schedule = text_printf("%s/schedule", s.folder);
	s.fingerprint = o.fingerprint ? text_copy(o.fingerprint) : NULL;
	s.crew = crew_start();
	record = text_printf("%s/record", s.folder);
	keys = text_printf("%s seed=%s%s record=%s", o.gorace, o.seed, o.keys, record);
	if (!shows(&s, keys)) {
		remove_tree(s.folder);
		die("seed %s does not show %s%s", o.seed,
		    s.fingerprint ? "the finding " : "any finding",
		    s.fingerprint ? s.fingerprint : "");
	}
	fprintf(stderr, "goro-race: %s\n", s.title);
	read_decisions(&s, record);
	before = s.n;
	if (!still_shows(&s, s.lines, s.n)) {
		remove_tree(s.folder);
		die("the recorded schedule does not show the finding again: something else than "
		    "the schedule decides "
		    "(docs/schedules.md, section 2)");
	}
	s.until = now_ms() + o.time_ms;
	shrink(&s);
	write_schedule(o.out, s.lines, s.n);
	fprintf(stderr, "goro-race: %zu of %zu decisions are left after %ld runs%s: %s\n", s.n,
	    before, s.runs, over(&s) ? " (not finished)" : "", o.out);
	list = text_printf("%s/list", s.folder);
	free(keys);
	keys = text_printf("%s schedule=%s interleaving=%s", o.gorace, s.schedule, list);
	write_schedule(s.schedule, s.lines, s.n);
	s.interrupted = false;
	(void)shows(&s, keys);
	print_list(list, o.list);
	remove_tree(s.folder);
	return 0;
}
