/*
 * host.c: find the host compiler, and goro's own folder.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self_path(void)
{
	static char path[PATH_MAX];
	ssize_t n;

	if (!path[0]) {
		n = readlink("/proc/self/exe", path, sizeof(path) - 1);
		if (n <= 0)
			die("cannot read /proc/self/exe: %s", strerror(errno));
		path[n] = '\0';
	}
	return path;
}

/* A program to run that is not this one: a `cc` in PATH may well be a link to goro-cc. */
static bool runnable(const char *path)
{
	struct stat st, self;

	if (access(path, X_OK) != 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	return stat(self_path(), &self) != 0 || st.st_dev != self.st_dev ||
	       st.st_ino != self.st_ino;
}

static const char *search(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return runnable(name) ? name : NULL;
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		size_t n = strcspn(path, ":");
		char *full =
		    n ? text_printf("%.*s/%s", (int)n, path, name) : text_printf("./%s", name);

		if (runnable(full))
			return full;
		if (!path[n])
			return NULL;
		path += n + 1;
	}
}

/* "gcc-12" -> "g++-12", "clang" -> "clang++", "cc" -> "c++"; a C++ compiler's name stays. */
static const char *cxx_name(const char *name)
{
	static const struct {
		const char *c, *cxx;
	} table[] = {{"clang", "clang++"}, {"gcc", "g++"}, {"cc", "c++"}};
	const char *base = base_name(name);

	if (strstr(base, "++"))
		return name;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *at = strstr(base, table[i].c);

		if (at)
			return text_printf("%.*s%s%s", (int)(at - name), name, table[i].cxx,
			    at + strlen(table[i].c));
	}
	return name;
}

static void find_named(Host *h, const char *name, const char *given_by, bool cxx)
{
	Words w = {0};
	const char *found;
	int compiler;

	if (search(name))
		words_add(&w, name);
	else
		words_split(&w, name); /* "ccache gcc", "gcc -m64" */
	if (w.n == 0)
		die("%s names no compiler", given_by);
	/* The compiler is the last word before the flags. */
	for (compiler = 0; compiler + 1 < w.n && w.v[compiler + 1][0] != '-'; compiler++)
		;
	if (cxx)
		w.v[compiler] = cxx_name(w.v[compiler]);
	found = search(w.v[0]);
	if (!found)
		die("host compiler '%s' (%s) not found", w.v[0], given_by);
	if (compiler > 0 && !search(w.v[compiler]))
		die("host compiler '%s' (%s) not found", w.v[compiler], given_by);
	w.v[0] = found;
	h->words = w;
}

void host_find(Host *h, const Args *a)
{
	static const char *const names[] = {"gcc", "cc", "clang"};
	const char *env;

	if (a->host_name) {
		find_named(h, a->host_name, "--goro-cc", a->cxx);
		return;
	}
	if (a->cxx && (env = getenv("GORO_CXX")) && *env) {
		find_named(h, env, "GORO_CXX", false);
		return;
	}
	if ((env = getenv("GORO_CC")) && *env) {
		find_named(h, env, "GORO_CC", a->cxx);
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *found = search(a->cxx ? cxx_name(names[i]) : names[i]);

		if (found) {
			words_add(&h->words, found);
			return;
		}
	}
	die("no host compiler: none of %s in PATH (--goro-cc=PATH or GORO_CC names one)",
	    a->cxx ? "g++, c++, clang++" : "gcc, cc, clang");
}

/* Ask: a clang defines __clang__. Whatever else there is, is treated as a gcc. */
static bool asked_is_clang(const Host *h)
{
	Words w = {0};
	char text[8192];
	size_t n = 0;
	ssize_t got;
	int fd[2], status;
	pid_t pid;

	words_append(&w, &h->words);
	words_add(&w, "-E");
	words_add(&w, "-P");
	words_add(&w, "-xc");
	words_add(&w, "-");
	if (pipe2(fd, O_CLOEXEC) != 0)
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		int in[2];
		static const char program[] = "__clang__\n";

		if (pipe(in) != 0 || write(in[1], program, sizeof(program) - 1) < 0)
			_exit(127);
		close(in[1]);
		dup2(in[0], 0);
		dup2(fd[1], 1);
		dup2(open("/dev/null", O_WRONLY), 2);
		execv(w.v[0], (char *const *)w.v);
		_exit(127);
	}
	close(fd[1]);
	while (n < sizeof(text) - 1 && ((got = read(fd[0], text + n, sizeof(text) - 1 - n)) > 0 ||
					   (got < 0 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	text[n] = '\0';
	close(fd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return n > 0 && !strstr(text, "__clang__");
}

void host_probe(Host *h)
{
	for (int i = 0; i < h->words.n; i++) {
		const char *base = base_name(h->words.v[i]);

		if (strstr(base, "clang")) {
			h->clang = true;
			return;
		}
		if (strstr(base, "gcc") || strstr(base, "g++"))
			return;
	}
	h->clang = asked_is_clang(h);
}

const char *host_goro_dir(const Args *a)
{
	const char *env = getenv("GORO_DIR");
	char *dir, *slash;

	if (a->dir || (env && *env)) {
		const char *given = a->dir ? a->dir : env;
		char *full = realpath(given, NULL);

		return full ? full : given;
	}
	dir = text_printf("%s", self_path());
	for (int up = 0; up < 2; up++) {
		slash = strrchr(dir, '/');
		if (slash && slash != dir)
			*slash = '\0';
	}
	return dir;
}
