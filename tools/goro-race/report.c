/*
 * report.c: goro-race report and goro-race merge: what folders hold, written out or joined.
 */
#include <argp.h>
#include <stdlib.h>

#include "commands.h"
#include "formats.h"
#include "state.h"
#include "util.h"

typedef struct Options {
	const char *baseline, *out;
	bool any, fail;
	char **dirs;
	Outputs outputs;
} Options;

enum { KEY_ANY = 0x100, KEY_FAIL };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	Options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		if (state->child_inputs)
			state->child_inputs[0] = &o->outputs;
		break;
	case 'b':
		o->baseline = arg;
		break;
	case 'o':
		o->out = arg;
		break;
	case KEY_ANY:
		o->any = true;
		break;
	case KEY_FAIL:
		o->fail = true;
		break;
	case ARGP_KEY_ARGS:
		o->dirs = &state->argv[state->next];
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which folder?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {{&outputs_argp, 0, 0, 10}, {0}};

static const struct argp_option report_options[] = {
    {"baseline", 'b', "FILE", 0, "Mark the findings that FILE names as known", 0},
    {"any-binary", KEY_ANY, 0, 0, "Take state folders of different programs together", 0},
    {"fail", KEY_FAIL, 0, 0, "End with 66 when a finding is not known", 0},
    {0},
};
static const struct argp report_argp = {report_options, parse, "DIR|FILE...",
    "Write out what is in folders: those of run and explore --state, and the detector's own JSON "
    "Lines "
    "(GORACE=\"format=json log_path=DIR/report\").\v"
    "Without an option for a format, text goes to the standard output. Damaged lines and files are "
    "named and "
    "skipped.",
    children, 0, 0};

int command_report(int argc, char **argv)
{
	Options o = {0};
	State s = {0};

	argp_parse(&report_argp, argc, argv, 0, NULL, &o);
	for (char **dir = o.dirs; *dir; dir++)
		state_read(&s, *dir, !o.any);
	state_judge(&s);
	findings_sort(&s.found);
	if (o.baseline)
		baseline_read(&s.found, o.baseline, false);
	if (!o.outputs.chosen)
		o.outputs.files[0] = "-";
	outputs_write(&o.outputs, &s.found);
	return o.fail && findings_new(&s.found) ? EXIT_FINDINGS : 0;
}

static const struct argp_option merge_options[] = {
    {"output", 'o', "DIR", 0, "Where the joined state goes: a folder that holds none yet", 0},
    {0},
};
static const struct argp merge_argp = {merge_options, parse, "-o DIR SHARD...",
    "Join the state folders that 'goro-race explore --shard I/N --state SHARD' left, of one "
    "program and "
    "command line. Seeds that several have count once.",
    0, 0, 0};

int command_merge(int argc, char **argv)
{
	Options o = {0};
	State s = {0};

	argp_parse(&merge_argp, argc, argv, 0, NULL, &o);
	if (!o.out)
		die("merge: -o DIR is missing");
	for (char **dir = o.dirs; *dir; dir++)
		state_join(&s, *dir, o.out);
	printf("goro-race: %ld runs, %zu findings in %s\n", s.found.runs, s.found.n, o.out);
	return 0;
}
