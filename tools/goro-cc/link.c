/*
 * link.c: from what is asked to the host's command line.
 *
 * One host command does all, as it would without goro: no step is split off, so that -MD, -save-temps,
 * -gsplit-dwarf, -o and messages keep their meaning. What that takes:
 *   - Flags for the compilation stand before the user's, so that the user's win (-g0, a
 *     -fno-sanitize=thread for one file); -I stands after them, so that theirs come first, and
 *     -U_FORTIFY_SOURCE too, since the fortified functions are builtins that hide accesses.
 *   - -fsanitize=thread in a command that also links asks for the host's own TSan runtime. clang has
 *     -fno-sanitize-link-runtime. gcc adds libtsan_preinit.o and -ltsan: it finds the empty ones of
 *     lib/goro/no-libtsan. gcc gets the flag in every link, as LTO instruments there.
 *   - A runtime archive comes last, before the libraries it needs, and whole for the race build: the
 *     functions of libc it takes the place of must be there even if only libstdc++ calls them.
 *   - A shared object gets no runtime: the program that loads it has it. Its __tsan_* stay undefined.
 */
#include "link.h"
#include "objects.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Functions that gcc 12 expands in line after or out of sight of its instrumentation: measured at -O0 to
 * -O3 and -Os on a file of one small function per libc call (tests/driver/builtins.c). The rest (strlen,
 * strchr, ...) stays a call or becomes instrumented accesses. clang 14 and 19 need none. */
static const char *const gcc_no_builtin[] = {"memset", "memcpy", "mempcpy", "memmove", "memcmp",
    "bcmp", "bzero", "bcopy", "strcmp", "strncmp", "strcpy", "stpcpy", "strncpy", "stpncpy",
    "strcat", "strncat", "sprintf", "snprintf", NULL};

bool links(const Args *a)
{
	bool link_input = false;

	for (int i = 0; i < a->ninputs; i++)
		link_input |= a->inputs[i].kind != INPUT_HEADER;
	return link_input && !a->no_link && !a->query && !a->relocatable;
}

static bool compiles(const Args *a)
{
	return !a->query && (args_has(a, INPUT_SOURCE) || args_has(a, INPUT_HEADER));
}

static void add_compile(Words *w, const Args *a, const Host *h)
{
	words_add(w, "-fstack-clash-protection");
	if (!a->race)
		return;
	words_add(w, "-fsanitize=thread");
	words_add(w, "-g");
	words_add(w, "-fno-omit-frame-pointer");
	words_add(w, "-fno-optimize-sibling-calls");
	if (h->clang)
		return;
	words_add(w, "-Wno-tsan"); /* goro models the fences it warns of */
	for (const char *const *f = gcc_no_builtin; *f; f++)
		words_addf(w, "-fno-builtin-%s", *f);
	if (a->lto && !links(a))
		words_add(w, "-frecord-gcc-switches"); /* the one trace of -race in an LTO object */
}

/* Linking a program: before the user's words. The only reference to main would come from the archive at
 * the end, too late for a main that lies in an archive of the user's (gtest_main): hence -u. */
static void add_before_link(Words *w, const Args *a, const Host *h, const char *dir)
{
	if (!a->shared)
		words_add(w, "-Wl,-u,main");
	if (!a->race)
		return;
	if (h->clang) {
		if (compiles(a))
			words_add(w, "-fno-sanitize-link-runtime");
		return;
	}
	if (!compiles(a))
		words_add(w, "-fsanitize=thread");
	words_addf(w, "-B%s/lib/goro/no-libtsan/", dir);
	words_addf(w, "-L%s/lib/goro/no-libtsan", dir);
}

/* ... and after them. */
static void add_after_link(Words *w, const Args *a, const char *dir)
{
	if (a->shared) {
		if (a->race && a->no_undefined)
			words_add(w, "-Wl,-z,undefs");
		return;
	}
	if (a->language)
		words_add(w, "-xnone");
	words_add(w, "-Wl,--wrap=main");
	words_add(w, "-Wl,--export-dynamic-symbol=goro_*"); /* for what dlopen brings in */
	if (a->race) {
		words_add(w, "-Wl,--export-dynamic-symbol=__tsan_*");
		words_add(w, "-Wl,--whole-archive");
		words_addf(w, "%s/lib/libgoro-race.a", dir);
		words_add(w, "-Wl,--no-whole-archive");
	} else {
		words_addf(w, "%s/lib/libgoro.a", dir);
	}
	words_split(w, a->is_static ? GORO_STATIC_LIBS : GORO_LIBS);
}

void command_build(Words *w, const Args *a, const Host *h, const char *dir)
{
	bool program = links(a) && !a->bare;

	words_append(w, &h->words);
	if (compiles(a))
		add_compile(w, a, h);
	if (program)
		add_before_link(w, a, h, dir);
	words_append(w, &a->host);
	if (compiles(a) && a->race)
		words_add(w, "-U_FORTIFY_SOURCE");
	if (compiles(a) || args_has(a, INPUT_CPP_ASM)) {
		if (a->race)
			words_add(w, "-D__GORO_RACE__=1");
		words_addf(w, "-I%s/include", dir);
	}
	if (program)
		add_after_link(w, a, dir);
}

void check_flags(const Args *a)
{
	if (!a->race || a->query)
		return;
	if (a->sanitizer)
		die("-race and -fsanitize=%s exclude each other", a->sanitizer);
	if (a->is_static && links(a) && !a->shared)
		die("-race needs a dynamically linked libc, whose functions the detector takes the "
		    "place of: "
		    "leave out -static");
}

static bool language_is_checked(const Args *a)
{
	return args_has(a, INPUT_SOURCE);
}

void check_link(const Args *a, const char *dir)
{
	const char *archive = a->race ? "libgoro-race.a" : "libgoro.a";
	const char *first_unchecked = NULL, *first_instrumented = NULL;
	int seen = 0;

	if (!links(a) || a->bare)
		return;
	if (!a->shared && access(text_printf("%s/lib/%s", dir, archive), R_OK) != 0)
		die("no %s/lib/%s (build goro with make; --goro-dir=DIR or GORO_DIR names another "
		    "place)",
		    dir, archive);
	for (int i = 0; i < a->ninputs; i++) {
		const char *path = a->inputs[i].path;

		if (a->inputs[i].kind != INPUT_LINK)
			continue;
		switch (object_kind(path)) {
		case OBJECT_INSTRUMENTED:
			seen++;
			if (!first_instrumented && !ends_with(path, ".a"))
				first_instrumented = path;
			if (a->race && !first_instrumented)
				first_instrumented = path;
			break;
		case OBJECT_LTO:
			seen++;
			if (a->race)
				first_instrumented = path;
			break;
		case OBJECT_UNCHECKED:
			seen++;
			if (!first_unchecked)
				first_unchecked = path;
			break;
		case OBJECT_NEUTRAL:
			seen++;
			break;
		case OBJECT_NONE:
		case OBJECT_SHARED:
			break;
		}
	}
	if (!a->race) {
		if (first_instrumented && !a->sanitize_thread)
			die("%s was compiled with -race: link with -race too, or compile it again "
			    "without",
			    first_instrumented);
		return;
	}
	if (seen > 0 && !first_instrumented && !language_is_checked(a))
		die("-race: nothing here was compiled with -race, so nothing would be checked%s%s",
		    first_unchecked ? ": compile with -race too: " : "",
		    first_unchecked ? first_unchecked : "");
	if (first_unchecked && !a->allow_mixed)
		die("%s was compiled without -race: races in it would be missed (compile it with "
		    "-race, or "
		    "allow it by --goro-allow-mixed)",
		    first_unchecked);
}
