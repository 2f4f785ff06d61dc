/*
 * replay.c: goro-race replay: a seed's schedule again. goro-race becomes the program (or gdb), so that terminal,
 * signals and exit status are its own; reports are text on stderr unless GORACE says otherwise.
 *
 * Under --gdb the program stops where the detector has a finding in hand, still on the goroutine that made the
 * access, and the access's frame is selected.
 */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "binary.h"
#include "commands.h"
#include "policy.h"
#include "util.h"

typedef struct Options {
	const char *gorace;
	char *seed, *keys;
	bool gdb;
	char **program;
} Options;

enum { KEY_GORACE = 0x100, KEY_STRATEGY, KEY_DEPTH, KEY_PREEMPT, KEY_GDB };

static const struct argp_option options[] = {
    {"gdb", KEY_GDB, 0, 0, "Under gdb, stop at the access that completes a race", 0},
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
	case KEY_GDB:
		o->gdb = true;
		break;
	case KEY_STRATEGY:
	case KEY_DEPTH:
	case KEY_PREEMPT:
		o->keys = text_printf("%s %s=%s", o->keys, name, arg);
		break;
	case KEY_GORACE:
		o->gorace = arg;
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
    "Run PROGRAM, built with goro-cc -race, again under the schedule of SEED: the same steps, the "
    "same report.\v"
    "The strategy, its depth and the share of preemption belong to the schedule: give those that "
    "the finding was "
    "made with. Its Replay line has them all.\n\nExit status: the program's own.",
    0, 0, 0};

/* The frame to select: the first, from the innermost, that is neither the detector's nor the compiler's call. */
static const char select_frame[] =
    "python\n"
    "f = gdb.newest_frame()\n"
    "while f.older() and (str(f.name()).startswith(('__tsan', '__interceptor', '__sanitizer')) or\n"
    "        not f.find_sal().symtab or f.find_sal().symtab.filename.startswith(('race/', "
    "'runtime/'))):\n"
    "    f = f.older()\n"
    "f.select()\n"
    "gdb.execute('frame')\n"
    "end\n";

static _Noreturn void under_gdb(const Options *o, const char *gorace)
{
	char script[] = "/tmp/goro-race-gdb-XXXXXX", *text;
	int fd = mkstemp(script);
	size_t n = 0;
	char **argv;

	text = text_printf("shell rm -f %s\n"
			   "set confirm off\nset pagination off\nset breakpoint pending on\n"
			   "handle SIGURG SIGQUIT nostop noprint pass\n"
			   "break race/report/report.c:report_emit\n"
			   "commands\nsilent\n%send\nrun\n",
	    script, select_frame);
	if (fd < 0 || !write_fully(fd, text, strlen(text)) || close(fd) != 0)
		die("cannot write %s: %s", script, strerror(errno));
	while (o->program[n])
		n++;
	argv = need(calloc(n + 8, sizeof(*argv)));
	memcpy(argv, (char *[]){"gdb", "-q", "-x", script, "--args"}, 5 * sizeof(*argv));
	memcpy(argv + 5, o->program, n * sizeof(*argv));
	setenv("GORACE", gorace, 1);
	execvp("gdb", argv);
	unlink(script);
	die("cannot run gdb: %s", strerror(errno));
}

int command_replay(int argc, char **argv)
{
	Options o = {.gorace = "", .keys = text_copy("")};
	const char *user = getenv("GORACE");
	char *gorace;
	int now;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	free(binary_for_races(o.program[0], NULL));
	gorace = text_printf("%s%sseed=%s%s", join_keys(user ? user : "", o.gorace),
	    (user && *user) || *o.gorace ? " " : "", o.seed, o.keys);
	if (o.gdb)
		under_gdb(&o, gorace);
	setenv("GORACE", gorace, 1);
	now = personality(0xffffffff);
	if (now != -1)
		(void)personality((unsigned long)now | ADDR_NO_RANDOMIZE);
	execvp(o.program[0], o.program);
	die("cannot run %s: %s", o.program[0], strerror(errno));
}
