/*
 * util.c: see util.h.
 */
#include "util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- failing ---- */

static void say(const char *fmt, va_list ap)
{
	fflush(stdout);
	flockfile(stderr);
	fputs("goro-race: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(EXIT_TROUBLE);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void *need(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

/* ---- text ---- */

char *text_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	return s;
}

char *text_copy(const char *s)
{
	return need(strdup(s));
}

/* Bytes of one valid UTF-8 sequence at s, of which n are there; 0 when it is none. */
static size_t utf8(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80       ? 1
		     : s[0] >> 5 == 6  ? 2
		     : s[0] >> 4 == 14 ? 3
		     : s[0] >> 3 == 30 ? 4
				       : 0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (s[i] >> 6 != 2)
			return 0;
	if ((len == 2 && s[0] < 0xc2) || (len == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (len == 3 && s[0] == 0xed && s[1] > 0x9f) ||
	    (len == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] > 0xbd) ||
	    (len == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
	    (len == 4 && (s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f))))
		return 0;
	return len;
}

char *text_clean(const char *s, size_t *n)
{
	char *out = need(malloc(*n * 3 + 1)), *to = out;

	for (size_t i = 0; i < *n;) {
		unsigned char c = (unsigned char)s[i];
		size_t len = utf8((const unsigned char *)s + i, *n - i);

		if (!len || (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f) {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
			i++;
			continue;
		}
		memcpy(to, s + i, len);
		to += len;
		i += len;
	}
	*to = '\0';
	*n = (size_t)(to - out);
	return out;
}

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 1099511628211u;
	return h;
}

uint64_t hash_text(uint64_t h, const char *s)
{
	return (hash_bytes(h, s, strlen(s)) ^ 0xff) * 1099511628211u;
}

long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

uint64_t number_arg(const char *what, const char *s, uint64_t least, uint64_t most)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			break;
		v = v * 10 + digit;
	}
	if (p == s || *p || v < least || v > most)
		die("%s: '%s' is no number from %llu to %llu", what, s, (unsigned long long)least,
		    (unsigned long long)most);
	return v;
}

long duration_arg(const char *what, const char *s)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"", 1e3}, {"s", 1e3}, {"ms", 1}, {"m", 60e3}, {"h", 3600e3}};
	char *end;
	double v = strtod(s, &end);

	for (size_t i = 0; end != s && i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(end, units[i].unit) == 0 && v >= 0 && v * units[i].ms <= 1e12)
			return (long)(v * units[i].ms);
	die("%s: '%s' is no duration such as 90s, 10m or 2h", what, s);
}

/* ---- files ---- */

bool make_dirs(const char *path)
{
	char *copy = text_copy(path);
	struct stat st;
	bool ok;

	for (char *s = copy + 1; *copy && *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		(void)mkdir(copy, 0777);
		*s = '/';
	}
	ok = mkdir(copy, 0777) == 0 || errno == EEXIST;
	if (ok && (stat(copy, &st) != 0 || !S_ISDIR(st.st_mode))) {
		errno = ENOTDIR;
		ok = false;
	}
	free(copy);
	return ok;
}

void remove_tree(const char *path)
{
	struct dirent *e;
	DIR *d;

	if (unlink(path) == 0 || errno == ENOENT || !(d = opendir(path)))
		return;
	while ((e = readdir(d))) {
		char *full;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		full = text_printf("%s/%s", path, e->d_name);
		remove_tree(full);
		free(full);
	}
	closedir(d);
	(void)rmdir(path);
}

static const char *at_exit[2];

static void remove_all(void)
{
	for (int i = 0; i < 2; i++)
		if (at_exit[i])
			remove_tree(at_exit[i]);
}

void remove_at_exit(const char *path)
{
	if (!at_exit[0])
		atexit(remove_all);
	at_exit[at_exit[0] ? 1 : 0] = text_copy(path);
}

char *own_folder(const char *in)
{
	const char *tmp = getenv("TMPDIR");
	const char *base = in ? in : tmp && *tmp == '/' ? tmp : "/tmp";
	char *path = text_printf("%s/goro-race-XXXXXX", base);

	if (!mkdtemp(path))
		die("cannot write %s: %s", base, strerror(errno));
	remove_at_exit(path);
	return path;
}

char *read_whole(const char *path, size_t most, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t cap = 1 << 16;
	char *text;
	ssize_t got;

	if (fd < 0)
		return NULL;
	text = need(malloc(cap + 1));
	for (*n = 0; *n < most; *n += (size_t)got) {
		if (*n == cap)
			text = need(realloc(text, (cap *= 2) + 1));
		got = read(fd, text + *n, cap - *n < most - *n ? cap - *n : most - *n);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0) {
			int error = errno;

			close(fd);
			free(text);
			errno = error;
			return NULL;
		} else if (got == 0)
			break;
	}
	close(fd);
	text[*n] = '\0';
	return text;
}

bool write_fully(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n) {
		ssize_t did = write(fd, s, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return false;
		s += did;
		n -= (size_t)did;
	}
	return true;
}

bool replace_file(const char *path, const char *text, size_t n)
{
	char *beside = text_printf("%s.%d.tmp", path, (int)getpid());
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), error;
	bool ok = fd >= 0 && write_fully(fd, text, n);

	error = errno;
	if (fd >= 0 && close(fd) != 0 && ok) {
		error = errno;
		ok = false;
	}
	if (ok && rename(beside, path) != 0) {
		error = errno;
		ok = false;
	}
	if (!ok && fd >= 0)
		unlink(beside);
	free(beside);
	errno = error;
	return ok;
}

void append_line(const char *path, const char *line)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	struct stat st;
	char last = '\n';
	char *text;
	bool ok;

	if (fd < 0)
		die("cannot write %s: %s", path, strerror(errno));
	/* Behind a line that was cut short when somebody was killed, ours begins anew. */
	if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	text = text_printf("%s%s\n", last == '\n' ? "" : "\n", line);
	ok = write_fully(fd, text, strlen(text));
	if (close(fd) != 0 || !ok)
		die("cannot write %s: %s", path, strerror(errno));
	free(text);
}

FILE *out_open(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (!f)
		die("cannot write %s: %s", path, strerror(errno));
	return f;
}

void out_close(FILE *f, const char *path)
{
	bool bad = ferror(f);

	if (f == stdout ? fflush(f) != 0 : fclose(f) != 0)
		bad = true;
	if (bad)
		die("cannot write %s: %s", path, strerror(errno));
}
