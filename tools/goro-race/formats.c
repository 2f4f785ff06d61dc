/*
 * formats.c: which formats are written where: see formats.h.
 */
#include "formats.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static WriteFindings *const writers[] = {
    write_text, write_json, write_sarif, write_junit, write_github, write_html};

enum { FORMATS = 6, KEY = 0x200, KEY_ROOT = KEY + FORMATS };

static const struct argp_option options[] = {
    {0, 0, 0, 0, "Reports (FILE may be -, the standard output):", 10},
    {"text", KEY + 0, "FILE", 0, "Write the findings as text", 10},
    {"json", KEY + 1, "FILE", 0, "Write the findings as one JSON document", 10},
    {"sarif", KEY + 2, "FILE", 0, "Write SARIF 2.1.0, for code scanning", 10},
    {"junit", KEY + 3, "FILE", 0, "Write JUnit XML, for test reports", 10},
    {"github", KEY + 4, "FILE", 0, "Write GitHub annotations (workflow commands)", 10},
    {"html", KEY + 5, "FILE", 0, "Write one HTML page to look at", 10},
    {"root", KEY_ROOT, "DIR", 0,
	"The project's folder: names in reports are relative to it (default: .)", 10},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	Outputs *o = state->input;

	if (key >= KEY && key < KEY + FORMATS) {
		o->files[key - KEY] = arg;
		o->chosen++;
		return 0;
	}
	if (key == KEY_ROOT) {
		o->root = realpath(arg, NULL);
		if (!o->root)
			argp_error(state, "--root: there is no folder %s", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp outputs_argp = {.options = options, .parser = parse};

void outputs_write(const Outputs *o, const Findings *f)
{
	const char *root = o->root ? o->root : need(realpath(".", NULL));

	for (int i = 0; i < FORMATS; i++) {
		FILE *out;

		if (!o->files[i])
			continue;
		out = out_open(o->files[i]);
		writers[i](out, f, root);
		out_close(out, o->files[i]);
	}
}

char *shown_path(const char *root, const json_t *frame)
{
	const char *file = get_text(frame, "file"), *dir = get_text(frame, "directory");
	char *whole;
	const char *under;

	if (file[0] == '/' || !*dir)
		return text_copy(below(root, file));
	whole = text_printf("%s/%s", dir, below(root, file));
	under = below(root, whole);
	/* outside of the project the name as the compiler was given it says more */
	if (under == whole)
		under = file;
	under = text_copy(below(root, under));
	free(whole);
	return (char *)(uintptr_t)under;
}

const char *below(const char *root, const char *path)
{
	size_t n = strlen(root);

	if (n > 1 && strncmp(path, root, n) == 0 && path[n] == '/') {
		for (path += n; *path == '/'; path++)
			;
		return path;
	}
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	return path;
}
