/*
 * main.c: `main` as main goroutine, for programs linked with --wrap=main (goro-cc does). A file of its
 * own that knows public names only: a program that embeds goro by goro_run links without it.
 */
#include "../goro.h"

int __real_main(int argc, char **argv, char **envp);
GORO_API int __wrap_main(int argc, char **argv, char **envp);
int goro_run_main(
    int (*real_main)(int, char **, char **), int argc, char **argv, char **envp); /* program.c */

int __wrap_main(int argc, char **argv, char **envp)
{
	return goro_run_main(__real_main, argc, argv, envp);
}
