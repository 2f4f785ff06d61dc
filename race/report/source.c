/*
 * source.c: see source.h. Files are opened anew for each report: reports are few, and a descriptor kept
 * would be one that the program misses. Never waits: what is no regular file is left alone.
 */
#include "source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((off_t)64 << 20) /* larger ones are generated, and slow to count lines in */

/* A relative name is relative to where the compiler ran. */
static int open_source(const SymFrame *f)
{
	char path[4096];
	const char *name = f->file;
	if (f->file[0] != '/' && f->dir) {
		if (snprintf(path, sizeof path, "%s/%s", f->dir, f->file) >= (int)sizeof path)
			return -1;
		name = path;
	}
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st, module;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX ||
	    (f->module && stat(f->module, &module) == 0 &&
		st.st_mtim.tv_sec > module.st_mtim.tv_sec)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The bytes of line n, at most max; how many. */
static size_t read_line(int fd, int n, char *out, size_t max)
{
	char block[4096];
	ssize_t got;
	size_t len = 0;
	int line = 1;
	while ((got = read(fd, block, sizeof block)) > 0)
		for (char *p = block, *end = block + got; p < end; p++) {
			if (line < n) { /* find the next line's beginning */
				p = memchr(p, '\n', (size_t)(end - p));
				if (!p)
					break;
				line++;
				continue;
			}
			if (*p == '\n' || len == max)
				return len;
			out[len++] = *p;
		}
	return len;
}

void source_line(const SymFrame *f, char out[SOURCE_MAX])
{
	char line[SOURCE_MAX + 100]; /* the indent does not count */
	out[0] = 0;
	if (!f->file || f->line < 1)
		return;
	int fd = open_source(f);
	if (fd < 0)
		return;
	size_t n = read_line(fd, f->line, line, sizeof line), from = 0;
	close(fd);
	while (from < n && (line[from] == ' ' || line[from] == '\t'))
		from++;
	bool cut = n - from >= SOURCE_MAX;
	if (cut) {
		n = from + SOURCE_MAX - 4;
		while (n > from && (line[n] & 0xc0) == 0x80) /* not within a UTF-8 sequence */
			n--;
	}
	while (n > from && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	for (size_t i = from; i < n; i++)
		out[i - from] = line[i] == '\t'                                    ? ' '
				: (unsigned char)line[i] < 0x20 || line[i] == 0x7f ? '?'
										   : line[i];
	strcpy(out + (n - from), cut ? "..." : "");
}
