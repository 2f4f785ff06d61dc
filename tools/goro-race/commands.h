/*
 * commands.h: the sub-commands. Each takes its own command line, argv[0] being "goro-race NAME", and answers the
 * exit status: that of the program, or one of util.h.
 */
#ifndef GORO_RACE_COMMANDS_H
#define GORO_RACE_COMMANDS_H

int command_run(int argc, char **argv);
int command_explore(int argc, char **argv);
int command_report(int argc, char **argv);
int command_merge(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_shrink(int argc, char **argv);
int command_check(int argc, char **argv);
int command_trace(int argc, char **argv);

#endif
