/*
 * main.c: goro-race COMMAND ...: which command is meant.
 */
#include <argp.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "util.h"

static const struct {
	const char *name;
	int (*run)(int, char **);
	const char *what;
} commands[] = {
    {"run", command_run, "run a program once, collect what all its processes find"},
    {"explore", command_explore, "run it under many seeded schedules, fold the findings"},
    {"replay", command_replay, "run it again under the schedule of a seed"},
    {"shrink", command_shrink, "find the fewest decisions of a schedule that show its finding"},
    {"report", command_report,
	"write findings as text, JSON, SARIF, JUnit, GitHub annotations, HTML"},
    {"merge", command_merge, "join the state folders of shards"},
    {"check", command_check, "tell what of a binary is instrumented"},
    {"trace", command_trace, "sum up an execution trace: where goroutines' time went"},
};

static void usage(FILE *out)
{
	fputs("usage: goro-race COMMAND [OPTION...] [-- PROGRAM [ARGUMENT...]]\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].what);
	fputs(
	    "\n'goro-race COMMAND --help' lists a command's options; goro-race(1) tells the rest.\n"
	    "PROGRAM is built with goro-cc -race; traces are made by any goro program.\n",
	    out);
}

int main(int argc, char **argv)
{
	setlocale(LC_NUMERIC, "C");
	signal(SIGPIPE, SIG_IGN); /* a reader that left is an error in writing, said like others */
	argp_err_exit_status = EXIT_TROUBLE;
	if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0) {
		usage(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_TROUBLE : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("goro-race " GORO_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			argv[1] = text_printf("goro-race %s", commands[i].name);
			program_invocation_name = program_invocation_short_name = argv[1];
			return commands[i].run(argc - 1, argv + 1);
		}
	fprintf(stderr, "goro-race: there is no command '%s'\n\n", argv[1]);
	usage(stderr);
	return EXIT_TROUBLE;
}
