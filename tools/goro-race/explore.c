/*
 * explore.c: goro-race explore: one program under many seeds, several processes at a time.
 *
 * A seed is a schedule (docs/schedules.md), so each needs to run once only: a state folder remembers which have.
 * Shard i of n takes the seeds that leave i - 1 when divided by n, so that shards never meet and any n may be used.
 * Only runs that ended by themselves, or at their limit, are recorded: what Ctrl-C ended is run again next time.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "formats.h"
#include "policy.h"
#include "state.h"
#include "steps.h"
#include "util.h"

enum {
	SEED_MOST = 2147483647,
	JOBS_MOST = 1024,
	LINE_MS = 10000,
	BAR_MS = 100,
	TRACES_MOST = 20,
	STEPS_MOST = 64 << 20
};

typedef struct Options {
	const char *state, *gorace, *baseline, *strategy;
	char *keys; /* strategy, depth, preempt */
	uint64_t n, from, shard, shards;
	int jobs;
	long time_ms, timeout_ms;
	bool first, quiet, update;
	char **program;
	Outputs outputs;
} Options;

enum {
	KEY_STATE = 0x100,
	KEY_GORACE,
	KEY_TIMEOUT,
	KEY_TIME,
	KEY_STRATEGY,
	KEY_DEPTH,
	KEY_PREEMPT,
	KEY_UNTIL,
	KEY_SHARD,
	KEY_FROM,
	KEY_UPDATE
};

static const struct argp_option options[] = {
    {0, 'n', "N", 0, "How many seeds (default 100)", 0},
    {"jobs", 'j', "J", 0, "How many processes at a time (default: the processors)", 0},
    {"from", KEY_FROM, "SEED", 0, "The first seed (default 1)", 0},
    {"strategy", KEY_STRATEGY, "NAME", 0, "How a seed is used: random, pct or pos", 0},
    {"depth", KEY_DEPTH, "D", 0, "pct: how many ordering constraints a bug may need", 0},
    {"preempt", KEY_PREEMPT, "P", 0,
	"Of a hundred memory accesses, how many are points of preemption", 0},
    {"time", KEY_TIME, "TIME", 0, "Start no more runs after TIME (90s, 10m, 2h)", 0},
    {"until", KEY_UNTIL, "first|all", 0,
	"Stop at the first finding, or run all seeds (the default)", 0},
    {"timeout", KEY_TIMEOUT, "TIME", 0,
	"A run of more than TIME (default 60s, 0: never) hangs: its goroutines are dumped, it is "
	"ended, and that "
	"is a finding",
	0},
    {"shard", KEY_SHARD, "I/N", 0, "Run part I of N only; goro-race merge joins the parts", 0},
    {"state", KEY_STATE, "DIR", 0, "Keep runs and findings in DIR, and go on with what is there",
	0},
    {"gorace", KEY_GORACE, "KEYS", 0, "More keys of GORACE, behind those of the environment", 0},
    {"baseline", 'b', "FILE", 0, "Findings named in FILE are known: they are no failure", 0},
    {"update-baseline", KEY_UPDATE, 0, 0, "Add what is found to the baseline's file", 0},
    {"quiet", 'q', 0, 0, "Print no findings, only the sum", 0},
    {0},
};

static void add_key(Options *o, const char *key, const char *value)
{
	char *more = text_printf("%s%s%s=%s", o->keys, *o->keys ? " " : "", key, value);

	free(o->keys);
	o->keys = more;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	Options *o = state->input;
	char *slash;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->outputs;
		break;
	case 'n':
		o->n = number_arg("-n", arg, 1, SEED_MOST);
		break;
	case 'j':
		o->jobs = (int)number_arg("--jobs", arg, 1, JOBS_MOST);
		break;
	case KEY_FROM:
		o->from = number_arg("--from", arg, 1, SEED_MOST);
		break;
	case KEY_STRATEGY:
		if (strcmp(arg, "random") != 0 && strcmp(arg, "pct") != 0 &&
		    strcmp(arg, "pos") != 0)
			argp_error(state, "--strategy: '%s' is none of random, pct, pos", arg);
		add_key(o, "strategy", arg);
		break;
	case KEY_DEPTH:
		(void)number_arg("--depth", arg, 1, 100);
		add_key(o, "depth", arg);
		break;
	case KEY_PREEMPT:
		(void)number_arg("--preempt", arg, 0, 100);
		add_key(o, "preempt", arg);
		break;
	case KEY_TIME:
		o->time_ms = duration_arg("--time", arg);
		break;
	case KEY_TIMEOUT:
		o->timeout_ms = duration_arg("--timeout", arg);
		break;
	case KEY_UNTIL:
		if (strcmp(arg, "first") != 0 && strcmp(arg, "all") != 0)
			argp_error(state, "--until: '%s' is neither first nor all", arg);
		o->first = arg[0] == 'f';
		break;
	case KEY_SHARD:
		slash = strchr(arg, '/');
		if (!slash)
			argp_error(state, "--shard: '%s' is not I/N", arg);
		*slash = '\0';
		o->shards = number_arg("--shard", slash + 1, 1, SEED_MOST);
		o->shard = number_arg("--shard", arg, 1, o->shards);
		break;
	case KEY_STATE:
		o->state = arg;
		break;
	case KEY_GORACE:
		o->gorace = arg;
		break;
	case 'b':
		o->baseline = arg;
		break;
	case KEY_UPDATE:
		o->update = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case ARGP_KEY_ARG:
		o->program = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which program?");
		break;
	case ARGP_KEY_END:
		if (o->update && !o->baseline)
			argp_error(state, "--update-baseline needs --baseline");
		if (o->from + o->n - 1 > SEED_MOST)
			argp_error(state, "seeds go up to %d: --from %llu -n %llu goes beyond",
			    SEED_MOST, (unsigned long long)o->from, (unsigned long long)o->n);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {{&outputs_argp, 0, 0, 10}, {0}};
static const struct argp argp = {options, parse, "[--] PROGRAM [ARGUMENT...]",
    "Run PROGRAM, built with goro-cc -race, under many seeded schedules; fold what they find.\v"
    "Races, deadlocks, panics, crashes, hangs and exit statuses that differ between schedules are "
    "findings. "
    "'goro-race replay SEED -- PROGRAM' shows one again.\n\n"
    "Exit status: 66 when something was found that the baseline does not name; 130 when "
    "interrupted before; "
    "else 0; 2 for trouble of goro-race's own.",
    children, 0, 0};

/* ---- progress ---- */

typedef struct Progress {
	uint64_t total, done;
	long start, last;
	bool bar; /* a terminal */
	bool drawn;
} Progress;

static void wipe(Progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static void show(Progress *p, const Findings *f, bool now)
{
	long ms = now_ms();
	double seconds = (double)(ms - p->start) / 1000,
	       rate = seconds > 0 ? (double)p->done / seconds : 0;

	if (!now && ms - p->last < (p->bar ? BAR_MS : LINE_MS))
		return;
	p->last = ms;
	if (!p->bar) {
		fprintf(stderr, "goro-race: %llu of %llu seeds, %zu findings, %.0f s\n",
		    (unsigned long long)p->done, (unsigned long long)p->total, f->n, seconds);
		return;
	}
	{
		struct winsize w;
		int width = ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col > 60 ? w.ws_col - 56 : 0;
		int full = p->total ? (int)((double)width * (double)p->done / (double)p->total) : 0;

		fputs("\r\033[K", stderr);
		if (width > 0) {
			fputc('[', stderr);
			for (int i = 0; i < width; i++)
				fputc(i < full ? '#' : '.', stderr);
			fputs("] ", stderr);
		}
		fprintf(stderr, "%llu/%llu seeds, %zu findings, %.0f/s",
		    (unsigned long long)p->done, (unsigned long long)p->total, f->n, rate);
		if (rate > 0)
			fprintf(stderr, ", %.0f s left", (double)(p->total - p->done) / rate);
		fflush(stderr);
		p->drawn = true;
	}
}

/* ---- the walk ---- */

typedef struct Walk {
	const Options *o;
	State s;
	Progress progress;
	char *folder, *user;
	BinaryKind kind;
	uint64_t next, end;
	bool stop, seen_any;
} Walk;

static bool ours(const Walk *w, uint64_t seed)
{
	return seed % w->o->shards == w->o->shard - 1 && !seeds_has(&w->s.done, seed);
}

static char *run_folder(const Walk *w, uint64_t seed)
{
	return text_printf("%s/%llu", w->folder, (unsigned long long)seed);
}

static void start_one(Walk *w, Crew *crew)
{
	uint64_t seed = w->next++;
	char *folder = run_folder(w, seed);
	char *ours_keys = text_printf("%s%s%s%sseed=%llu", w->o->gorace, *w->o->gorace ? " " : "",
	    w->o->keys, *w->o->keys ? " " : "", (unsigned long long)seed);
	char *gorace = policy_gorace(w->user, ours_keys, folder);

	if (!make_dirs(folder))
		die("cannot write %s: %s", folder, strerror(errno));
	crew_launch(crew, &(Launch){.argv = w->o->program,
			      .gorace = gorace,
			      .timeout_ms = w->o->timeout_ms,
			      .fixed = true,
			      .tag = seed});
	free(folder);
	free(ours_keys);
	free(gorace);
}

static void end_one(Walk *w, Ended *e)
{
	char *folder = run_folder(w, e->tag);

	if (!e->stopped) {
		json_t *findings = json_array(), *data;
		long processes = policy_collect(folder, e, w->o->timeout_ms, findings);
		size_t before = w->s.found.n, i;

		w->seen_any = w->seen_any || processes || w->kind == BINARY_RACE;
		if (!w->seen_any)
			binary_none_raced(w->o->program[0]);
		state_add(&w->s, e, e->tag, findings);
		w->progress.done++;
		for (i = before; i < w->s.found.n; i++) {
			char *title = finding_title(&w->s.found.v[i]);

			wipe(&w->progress);
			fprintf(stderr, "goro-race: seed %llu: %s\n", (unsigned long long)e->tag,
			    title);
			free(title);
		}
		if (w->o->first && json_array_size(findings)) {
			if (w->o->baseline)
				baseline_read(&w->s.found, w->o->baseline, true);
			json_array_foreach(findings, i, data)
			{
				Finding *f =
				    findings_get(&w->s.found, get_text(data, "fingerprint"));

				w->stop = w->stop || (f && !f->known);
			}
		}
		json_decref(findings);
	}
	remove_tree(folder);
	free(folder);
	ended_free(e);
}

/* Each race's smallest seed once more, for the list of its steps, out of which the picture is made. */
static void trace(Walk *w, Crew *crew)
{
	int traced = 0;

	for (size_t i = 0; i < w->s.found.n && traced < TRACES_MOST; i++) {
		Finding *f = &w->s.found.v[i];
		char *folder, *keys, *gorace, *path, *list;
		int asked = 0;
		size_t n;
		json_t *steps;
		Ended e;

		if (f->seed == NO_SEED || strcmp(f->kind, "data-race") != 0 ||
		    json_object_get(f->data, "steps"))
			continue;
		traced++;
		folder = run_folder(w, f->seed);
		keys = text_printf("%s%s%s%sseed=%llu interleaving=%s/steps.%%p", w->o->gorace,
		    *w->o->gorace ? " " : "", w->o->keys, *w->o->keys ? " " : "",
		    (unsigned long long)f->seed, folder);
		gorace = policy_gorace(w->user, keys, folder);
		if (!make_dirs(folder))
			die("cannot write %s: %s", folder, strerror(errno));
		crew_launch(crew, &(Launch){.argv = w->o->program,
				      .gorace = gorace,
				      .timeout_ms = w->o->timeout_ms,
				      .fixed = true,
				      .tag = f->seed});
		while (!crew_wait(crew, 0, &e, &asked))
			crew_signal(crew, SIGKILL);
		path = text_printf("%s/steps.%d", folder, (int)e.pid);
		list = read_whole(path, STEPS_MOST, &n);
		steps = list ? steps_select(list, f->data) : NULL;
		if (steps) {
			json_object_set_new(f->data, "steps", steps);
			state_again(&w->s, f);
		}
		remove_tree(folder);
		ended_free(&e);
		free(folder);
		free(keys);
		free(gorace);
		free(path);
		free(list);
	}
}

/* True when a signal asked us to end. */
static bool walk(Walk *w)
{
	Crew *crew = crew_start();
	long until = w->o->time_ms ? now_ms() + w->o->time_ms : 0;
	bool asked_to_end = false;
	Ended e;
	int asked;

	for (;;) {
		if (until && now_ms() >= until)
			w->stop = true;
		/* the first alone: what is no race build is known after it */
		while (!w->stop && w->next < w->end && crew_busy(crew) < w->o->jobs &&
		       (w->seen_any || w->kind == BINARY_RACE || !crew_busy(crew))) {
			if (ours(w, w->next))
				start_one(w, crew);
			else
				w->next++;
		}
		if (!crew_busy(crew))
			break;
		show(&w->progress, &w->s.found, false);
		if (crew_wait(crew, now_ms() + (w->progress.bar ? BAR_MS : 1000), &e, &asked))
			end_one(w, &e);
		else if (asked) {
			asked_to_end = w->stop = true;
			crew_signal(crew, SIGKILL);
		}
		if (w->stop && w->o->first && !asked_to_end && crew_busy(crew)) {
			crew_signal(crew, SIGKILL);
		}
	}
	show(&w->progress, &w->s.found, w->progress.bar);
	wipe(&w->progress);
	if (!asked_to_end)
		trace(w, crew);
	return asked_to_end;
}

static int processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

int command_explore(int argc, char **argv)
{
	Options o = {
	    .n = 100, .from = 1, .shard = 1, .shards = 1, .timeout_ms = 60000, .gorace = ""};
	Walk w = {.o = &o};
	char *binary, *keys, *state;
	bool interrupted;
	size_t fresh;

	o.keys = text_copy("");
	o.jobs = processors();
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	binary = binary_for_races(o.program[0], &w.kind);
	w.user = text_copy(getenv("GORACE") ? getenv("GORACE") : "");
	keys = join_keys(w.user, join_keys(o.gorace, o.keys));
	if (o.state) {
		state_open(&w.s, o.state, binary, o.program, keys, true);
		state = need(realpath(o.state, NULL));
	} else {
		state = own_folder(NULL);
		state_open(&w.s, state, binary, o.program, keys, true);
	}
	w.folder = text_printf("%s/running.%d", state, (int)getpid());
	remove_at_exit(w.folder);
	w.next = o.from;
	w.end = o.from + o.n;
	w.progress = (Progress){.start = now_ms(), .last = now_ms(), .bar = isatty(2)};
	for (uint64_t seed = w.next; seed < w.end; seed++)
		w.progress.total += ours(&w, seed);
	if (w.s.found.runs)
		fprintf(stderr, "goro-race: %ld runs are in %s already\n", w.s.found.runs, o.state);

	interrupted = walk(&w);

	remove_tree(w.folder);
	state_judge(&w.s);
	findings_sort(&w.s.found);
	if (o.baseline)
		baseline_read(&w.s.found, o.baseline, o.update);
	fresh = findings_new(&w.s.found);
	for (size_t i = 0; i < w.s.found.n && !o.quiet; i++)
		if (!w.s.found.v[i].known)
			write_one(stdout, &w.s.found, &w.s.found.v[i]);
	if (o.update)
		baseline_write(&w.s.found, o.baseline);
	outputs_write(&o.outputs, &w.s.found);
	write_totals(stdout, &w.s.found);
	if (interrupted)
		printf("goro-race: interrupted after %llu of %llu seeds; %s\n",
		    (unsigned long long)w.progress.done, (unsigned long long)w.progress.total,
		    o.state ? "the same command goes on"
			    : "with --state DIR they could be gone on with");
	fflush(stdout);
	if (!o.state)
		remove_tree(state);
	if (fresh && !o.update)
		return EXIT_FINDINGS;
	return interrupted ? EXIT_INTERRUPTED : 0;
}
