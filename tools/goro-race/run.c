/*
 * run.c: goro-race run: a program once, as it would run without us, and what all its processes found.
 *
 * stdin, stdout and stderr are the program's own; the reports go to files, and are printed behind it on stderr.
 */
#include <argp.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "commands.h"
#include "formats.h"
#include "policy.h"
#include "state.h"
#include "util.h"

typedef struct Options {
	const char *baseline, *state, *gorace;
	bool update, quiet;
	long timeout_ms;
	char **program;
	Outputs outputs;
} Options;

enum { KEY_UPDATE = 0x100, KEY_STATE, KEY_GORACE, KEY_TIMEOUT };

static const struct argp_option options[] = {
    {"baseline", 'b', "FILE", 0, "Findings named in FILE are known: they are no failure", 0},
    {"update-baseline", KEY_UPDATE, 0, 0, "Add what is found to the baseline's file", 0},
    {"timeout", KEY_TIMEOUT, "TIME", 0,
	"After TIME (90s, 10m, 0: never; default 10m) the program hangs: its goroutines are "
	"dumped, it is "
	"ended, and that is a finding",
	0},
    {"gorace", KEY_GORACE, "KEYS", 0, "More keys of GORACE, behind those of the environment", 0},
    {"state", KEY_STATE, "DIR", 0, "Keep the findings in DIR, for goro-race report", 0},
    {"quiet", 'q', 0, 0, "Print no findings, only the sum", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	Options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->outputs;
		break;
	case 'b':
		o->baseline = arg;
		break;
	case KEY_UPDATE:
		o->update = true;
		break;
	case KEY_TIMEOUT:
		o->timeout_ms = duration_arg("--timeout", arg);
		break;
	case KEY_GORACE:
		o->gorace = arg;
		break;
	case KEY_STATE:
		o->state = arg;
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
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {{&outputs_argp, 0, 0, 10}, {0}};
static const struct argp argp = {options, parse, "[--] PROGRAM [ARGUMENT...]",
    "Run PROGRAM, built with goro-cc -race, and collect what all its processes find.\v"
    "Exit status: 66 when something was found that the baseline does not name; else the program's "
    "own "
    "(128 and the signal's number when a signal ended it); 2 for trouble of goro-race's own.",
    children, 0, 0};

int command_run(int argc, char **argv)
{
	Options o = {.timeout_ms = 600000, .gorace = ""};
	const char *user = getenv("GORACE");
	json_t *findings = json_array();
	State s = {0};
	Ended e;
	char *binary, *keys, *folder, *gorace;
	BinaryKind kind;
	Crew *crew;
	long processes;
	int asked = 0, code;
	size_t fresh;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	binary = binary_for_races(o.program[0], &kind);
	keys = join_keys(user ? user : "", o.gorace);
	if (o.state)
		state_open(&s, o.state, binary, o.program, keys, true);
	folder = own_folder(o.state ? need(realpath(o.state, NULL)) : NULL);
	if (!o.state)
		state_open(&s, text_printf("%s/state", folder), binary, o.program, keys, true);
	gorace = policy_gorace(user ? user : "", o.gorace, folder);

	crew = crew_start();
	crew_launch(crew,
	    &(Launch){
		.argv = o.program, .gorace = gorace, .timeout_ms = o.timeout_ms, .shown = true});
	while (!crew_wait(crew, 0, &e, &asked))
		crew_signal(crew, asked);

	processes = policy_collect(folder, &e, o.timeout_ms, findings);
	state_add(&s, &e, NO_SEED, findings);
	s.found.runs = 1;
	findings_sort(&s.found);
	if (o.baseline)
		baseline_read(&s.found, o.baseline, o.update);
	for (size_t i = 0; i < s.found.n && !o.quiet; i++)
		if (!s.found.v[i].known)
			write_one(stderr, &s.found, &s.found.v[i]);
	if (o.update)
		baseline_write(&s.found, o.baseline);
	outputs_write(&o.outputs, &s.found);
	fresh = findings_new(&s.found);
	write_totals(stderr, &s.found);
	remove_tree(folder);
	code = WIFSIGNALED(e.status) ? 128 + WTERMSIG(e.status) : WEXITSTATUS(e.status);
	if (o.update) {
		fprintf(stderr, "goro-race: %zu added to %s\n", fresh, o.baseline);
		return code;
	}
	if (fresh)
		return EXIT_FINDINGS;
	if (!processes && kind != BINARY_RACE)
		binary_none_raced(o.program[0]);
	return code;
}
