/*
 * goro-cc, goro-c++: the host compiler, with goro.
 *
 * A drop-in cc: reads the command line (args.c), finds the host compiler (host.c), adds what goro needs
 * (link.c) and becomes the host by exec, without a shell: its messages, its exit status and its answers
 * to questions come back unchanged.
 */
#include "args.h"
#include "host.h"
#include "link.h"
#include "objects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "goro-cc, goro-c++: compile and link C and C++ programs with goroutines and channels.\n"
    "Every flag but these goes to the host compiler as it is:\n"
    "  -race               instrument, and link with the race detector (compile and link with it)\n"
    "  -norace             take back an earlier -race\n"
    "  --goro-cc=COMPILER  the host compiler, a gcc or clang (environment: GORO_CC, for C++ "
    "GORO_CXX)\n"
    "  --goro-dir=DIR      where goro's include/ and lib/ are (GORO_DIR; default: beside this "
    "program)\n"
    "  --goro-allow-mixed  link objects compiled without -race into a -race program\n"
    "  --goro-show         print the host's command instead of running it\n"
    "  --goro-version      print goro's version\n"
    "  --goro-help         print this\n"
    "  --check FILE        tell which build FILE is; status 0: race, 1: not race, 2: cannot tell\n";

/* --check: an executable by its note, an object by its code. */
static int check_file(const char *path)
{
	switch (build_kind(path)) {
	case BUILD_RACE:
		printf("%s: race build\n", path);
		return 0;
	case BUILD_PLAIN:
		printf("%s: plain build, no race detector in it\n", path);
		return 1;
	case BUILD_UNREADABLE:
	case BUILD_FOREIGN:
		break;
	}
	switch (object_kind(path)) {
	case OBJECT_INSTRUMENTED:
		printf("%s: instrumented (compiled with -race)\n", path);
		return 0;
	case OBJECT_UNCHECKED:
	case OBJECT_NEUTRAL:
		printf("%s: not instrumented\n", path);
		return 1;
	case OBJECT_LTO:
		printf("%s: LTO object, instrumented or not at the link\n", path);
		return 2;
	case OBJECT_SHARED:
		printf("%s: not a race build\n", path);
		return 1;
	case OBJECT_NONE:
		break;
	}
	if (access(path, R_OK) != 0)
		fprintf(stderr, "%s: error: %s: %s\n", driver_name, path, strerror(errno));
	else
		fprintf(stderr, "%s: error: %s: not an ELF file, archive or bitcode\n", driver_name,
		    path);
	return 2;
}

int main(int argc, char **argv)
{
	Args a = {0};
	Host h = {0};
	Words w = {0};
	const char *dir;

	driver_name = argc > 0 ? base_name(argv[0]) : driver_name;
	a.cxx = strstr(driver_name, "++") != NULL;
	args_parse(&a, argc, argv);
	if (a.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (a.version) {
		printf("goro %s\n", GORO_VERSION);
		return 0;
	}
	if (a.check)
		return check_file(a.check);

	check_flags(&a);
	host_find(&h, &a);
	if (a.race && !a.query)
		host_probe(&h);
	dir = host_goro_dir(&a);
	if (!a.show)
		check_link(&a, dir);
	command_build(&w, &a, &h, dir);
	if (a.show) {
		words_show(&w);
		return 0;
	}
	fflush(stdout);
	execv(w.v[0], (char *const *)w.v);
	die("cannot run %s: %s", w.v[0], strerror(errno));
}
