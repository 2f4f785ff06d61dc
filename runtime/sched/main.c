/*
 * main.c: what -Wl,--wrap=main calls in place of main. A member of its own in the archives: a program that
 * embeds goro by goro_run, and is linked without --wrap=main, has no __real_main and must not pull this
 * file in. It uses nothing but exported names, as the rest of the archive is one object with its hidden
 * names made local.
 */
int __real_main(int argc, char **argv, char **envp);
int __wrap_main(int argc, char **argv, char **envp) __attribute__((visibility("default")));
int goro_run_main(int (*real_main)(int, char **, char **), int argc, char **argv, char **envp);

int __wrap_main(int argc, char **argv, char **envp)
{
	return goro_run_main(__real_main, argc, argv, envp);
}
