/*
 * args.c: read a command line of gcc or clang, and take goro's own flags out of it.
 *
 * The host compiler judges the flags; here they are only told apart. The one thing that must be right
 * for that is which flags take the next word (`takes_next`), or a file name would be seen where there
 * is none.
 */
#include "args.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEST_MAX                                                                                   \
	20 /* @files inside @files; gcc's own bound is 2000, and its purpose the same: loops */

/* Flags whose value is the next word when it is not joined on. */
static const char *const takes_next[] = {"-o", "-D", "-U", "-I", "-L", "-T", "-u", "-z", "-e", "-B",
    "-A", "-G", "-J", "-MF", "-MT", "-MQ", "-MJ", "-include", "-imacros", "-isystem", "-iquote",
    "-idirafter", "-iprefix", "-iwithprefix", "-iwithprefixbefore", "-isysroot", "-imultilib",
    "-imultiarch", "-include-pch", "-ivfsoverlay", "-cxx-isystem", "-Xlinker", "-Xassembler",
    "-Xpreprocessor", "-Xclang", "-Xanalyzer", "-Xopenmp-target", "-mllvm", "-target", "-arch",
    "-framework", "--param", "-aux-info", "-dumpbase", "-dumpbase-ext", "-dumpdir", "-auxbase",
    "-wrapper", "-specs", "--sysroot", "-gcc-toolchain", "-rpath", "--serialize-diagnostics",
    "-serialize-diagnostics", "-working-directory", NULL};

/* Flags that end before the link. */
static const char *const stops[] = {"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "--compile",
    "--assemble", "--preprocess", "-emit-ast", "--analyze", "--precompile", "-emit-interface-stubs",
    "--dependencies", "--user-dependencies", NULL};

/* Flags that only ask; a trailing '*' stands for any ending. */
static const char *const queries[] = {"--version", "--help", "--help=*", "--help-hidden",
    "--target-help", "-help", "-dumpversion", "-dumpfullversion", "-dumpmachine", "-dumpspecs",
    "-print-*", "--print-*", NULL};

static const char *const source_suffixes[] = {"c", "i", "cc", "cp", "cxx", "cpp", "CPP", "c++", "C",
    "ii", "m", "mi", "mm", "M", "mii", "f", "for", "ftn", "F", "f90", "f95", "f03", "f08", "F90",
    "cppm", "ixx", NULL};
static const char *const header_suffixes[] = {
    "h", "H", "hh", "hp", "hpp", "hxx", "h++", "HPP", "tcc", NULL};

static bool listed(const char *const *list, const char *word)
{
	for (; *list; list++) {
		size_t n = strlen(*list);

		if ((*list)[n - 1] == '*' ? strncmp(word, *list, n - 1) == 0
					  : strcmp(word, *list) == 0)
			return true;
	}
	return false;
}

static InputKind kind_of(const char *path, const char *language)
{
	const char *dot;

	if (language) {
		if (strcmp(language, "assembler") == 0)
			return INPUT_ASM;
		if (strcmp(language, "assembler-with-cpp") == 0)
			return INPUT_CPP_ASM;
		return ends_with(language, "-header") ? INPUT_HEADER : INPUT_SOURCE;
	}
	if (strcmp(path, "-") == 0)
		return INPUT_SOURCE;
	dot = strrchr(base_name(path), '.');
	if (!dot)
		return INPUT_LINK;
	if (strcmp(dot, ".s") == 0)
		return INPUT_ASM;
	if (strcmp(dot, ".S") == 0 || strcmp(dot, ".sx") == 0)
		return INPUT_CPP_ASM;
	if (listed(source_suffixes, dot + 1))
		return INPUT_SOURCE;
	return listed(header_suffixes, dot + 1) ? INPUT_HEADER : INPUT_LINK;
}

static void add_input(Args *a, const char *path, InputKind kind)
{
	if ((a->ninputs & (a->ninputs - 1)) == 0) {
		size_t room = a->ninputs ? 2 * (size_t)a->ninputs : 1;

		a->inputs = realloc(a->inputs, room * sizeof(*a->inputs));
		if (!a->inputs)
			die("out of memory");
	}
	a->inputs[a->ninputs++] = (Input){path, kind};
}

/* Sanitizers with a shadow or a runtime of their own that cannot share a process with the detector. */
static bool excludes_race(const char *name, size_t n)
{
	static const char *const list[] = {"address", "kernel-address", "hwaddress",
	    "kernel-hwaddress", "memory", "kernel-memory", "leak", "thread", "dataflow",
	    "safe-stack", "realtime", "type", "memtag", NULL};

	for (const char *const *l = list; *l; l++)
		if (strlen(*l) == n && memcmp(*l, name, n) == 0)
			return true;
	return false;
}

static void read_sanitizers(Args *a, const char *names, bool on)
{
	while (*names) {
		size_t n = strcspn(names, ",");

		if (on && excludes_race(names, n)) {
			a->sanitizer = text_printf("%.*s", (int)n, names);
		} else if (!on && a->sanitizer &&
			   ((strlen(a->sanitizer) == n && memcmp(a->sanitizer, names, n) == 0) ||
			       (n == 3 && memcmp(names, "all", 3) == 0))) {
			a->sanitizer = NULL;
		}
		names += n + (names[n] == ',');
	}
	a->sanitize_thread = a->sanitizer && strcmp(a->sanitizer, "thread") == 0;
}

/* One word for the linker, from -Wl,A,B or -Xlinker A or -z A. */
static void read_linker_word(Args *a, const char *word, size_t n)
{
#define IS(s) (n == sizeof(s) - 1 && memcmp(word, s, n) == 0)
	if (IS("--no-undefined") || IS("-no-undefined") || IS("defs") || IS("-zdefs"))
		a->no_undefined = true;
	else if (IS("-r") || IS("--relocatable"))
		a->relocatable = true;
	else if (IS("-shared"))
		a->shared = true;
#undef IS
}

static void read_linker_words(Args *a, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, ",");

		read_linker_word(a, words, n);
		words += n + (words[n] == ',');
	}
}

/* Goro's own flags: taken, true. `next` is the following word, used up when *used becomes true. */
static bool own_flag(Args *a, const char *word, const char *next, bool *used)
{
	if (strcmp(word, "-race") == 0 || strcmp(word, "--race") == 0)
		a->race = true;
	else if (strcmp(word, "-norace") == 0 || strcmp(word, "--norace") == 0)
		a->race = false;
	else if (starts_with(word, "--goro-cc="))
		a->host_name = word + strlen("--goro-cc=");
	else if (starts_with(word, "--goro-dir="))
		a->dir = word + strlen("--goro-dir=");
	else if (strcmp(word, "--goro-show") == 0)
		a->show = true;
	else if (strcmp(word, "--goro-version") == 0)
		a->version = true;
	else if (strcmp(word, "--goro-help") == 0)
		a->help = true;
	else if (strcmp(word, "--goro-allow-mixed") == 0)
		a->allow_mixed = true;
	else if (starts_with(word, "--goro-"))
		die("unknown flag %s (see %s --goro-help)", word, driver_name);
	else if (strcmp(word, "--check") == 0) {
		if (!next)
			die("--check needs a file");
		a->check = next;
		*used = true;
	} else
		return false;
	return true;
}

/* A flag that is the host's: note what it means here. */
static void read_flag(Args *a, const char *word)
{
	if (listed(queries, word))
		a->query = true;
	else if (listed(stops, word))
		a->no_link = true;
	else if (strcmp(word, "-r") == 0)
		a->relocatable = true;
	else if (strcmp(word, "-shared") == 0 || strcmp(word, "--shared") == 0)
		a->shared = true;
	else if (strcmp(word, "-static") == 0 || strcmp(word, "--static") == 0 ||
		 strcmp(word, "-static-pie") == 0)
		a->is_static = true;
	else if (strcmp(word, "-nostdlib") == 0 || strcmp(word, "-nodefaultlibs") == 0 ||
		 strcmp(word, "-nolibc") == 0)
		a->bare = true;
	else if (starts_with(word, "-Wl,"))
		read_linker_words(a, word + 4);
	else if (starts_with(word, "-z") && word[2])
		read_linker_word(a, word + 2, strlen(word + 2));
	else if (strcmp(word, "-flto") == 0 || starts_with(word, "-flto="))
		a->lto = true;
	else if (strcmp(word, "-fno-lto") == 0)
		a->lto = false;
	else if (starts_with(word, "-fsanitize="))
		read_sanitizers(a, word + strlen("-fsanitize="), true);
	else if (starts_with(word, "-fno-sanitize="))
		read_sanitizers(a, word + strlen("-fno-sanitize="), false);
	else if (starts_with(word, "-l") && word[2])
		add_input(a, word, INPUT_LIBRARY);
}

/* The text of an @file, or NULL when it is none to read (then the host says so, or takes it as a name). */
static char *read_text(const char *path)
{
	struct stat st;
	char *text;
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return NULL;
	}
	text = alloc((size_t)st.st_size + 1);
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, text + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	text[n] = '\0';
	return text;
}

/* Goro's flags in the words, at any depth of @files? */
static bool has_own(const Words *w, int depth)
{
	for (int i = 0; i < w->n; i++) {
		const char *s = w->v[i];

		if (strcmp(s, "-race") == 0 || strcmp(s, "--race") == 0 ||
		    strcmp(s, "-norace") == 0 || strcmp(s, "--norace") == 0 ||
		    starts_with(s, "--goro-") || strcmp(s, "--check") == 0)
			return true;
		if (s[0] == '@' && depth < NEST_MAX) {
			char *text = read_text(s + 1);
			Words more = {0};

			if (!text)
				continue;
			words_unquote(&more, text);
			if (has_own(&more, depth + 1))
				return true;
		}
	}
	return false;
}

/* `keep`: the words themselves go to the host; not so inside an @file that is passed on whole. */
static void read_words(Args *a, const Words *w, bool keep, int depth, const char **language)
{
	for (int i = 0; i < w->n; i++) {
		const char *word = w->v[i], *next = w->v[i + 1];
		bool used = false;

		if (own_flag(a, word, next, &used)) {
			i += used;
			continue;
		}
		if (word[0] == '@' && depth < NEST_MAX) {
			char *text = read_text(word + 1);
			Words more = {0};

			if (text) {
				bool open_it;

				words_unquote(&more, text);
				open_it = keep && has_own(&more, depth + 1);
				if (keep && !open_it)
					words_add(&a->host, word);
				read_words(a, &more, open_it, depth + 1, language);
				continue;
			}
		}
		if (keep)
			words_add(&a->host, word);
		if (word[0] != '-' || !word[1]) {
			add_input(a, word, kind_of(word, *language));
			continue;
		}
		if (starts_with(word, "-x") || starts_with(word, "--language=")) {
			const char *value = word[1] == 'x' ? word + 2 : strchr(word, '=') + 1;

			if (!*value && next) {
				value = next;
				i++;
				if (keep)
					words_add(&a->host, next);
			}
			*language = strcmp(value, "none") == 0 ? NULL : value;
			continue;
		}
		if ((listed(takes_next, word) || strcmp(word, "-l") == 0) && next) {
			if (strcmp(word, "-Xlinker") == 0 || strcmp(word, "-z") == 0)
				read_linker_word(a, next, strlen(next));
			else if (strcmp(word, "-l") == 0)
				add_input(a, next, INPUT_LIBRARY);
			i++;
			if (keep)
				words_add(&a->host, next);
			continue;
		}
		read_flag(a, word);
	}
}

void args_parse(Args *a, int argc, char **argv)
{
	Words w = {0};
	const char *language = NULL;
	int headers = 0, others = 0;

	for (int i = 1; i < argc; i++)
		words_add(&w, argv[i]);
	if (w.n)
		read_words(a, &w, true, 0, &language);
	a->language = language != NULL;
	for (int i = 0; i < a->ninputs; i++)
		a->inputs[i].kind == INPUT_HEADER ? headers++ : others++;
	if (headers && !others)
		a->no_link = true;
}

bool args_has(const Args *a, InputKind kind)
{
	for (int i = 0; i < a->ninputs; i++)
		if (a->inputs[i].kind == kind)
			return true;
	return false;
}
