/*
 * quote.c: see quote.h. The file may be newer than the program: nobody can tell, so the page says it is as it was
 * when the page was made.
 */
#include "quote.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "findings.h"
#include "util.h"
#include "xml.h"

enum { AROUND = 3, FILE_MOST = 8 << 20, LINE_MOST = 400 };

static char *load(const char *path, size_t *n)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? read_whole(path, FILE_MOST, n) : NULL;
}

static char *find(const json_t *frame, const char *root, size_t *n)
{
	const char *dir = get_text(frame, "directory");
	const char *file = get_text(frame, "file"), *module = get_text(frame, "module");
	const char *slash = strrchr(module, '/');
	char *path, *text;

	if (!*file)
		return NULL;
	if (file[0] == '/')
		return load(file, n);
	path = text_printf("%s/%s", *dir ? dir : root, file);
	text = load(path, n);
	free(path);
	if (!text && *dir) {
		path = text_printf("%s/%s", root, file);
		text = load(path, n);
		free(path);
	}
	if (!text && slash) {
		path = text_printf("%.*s/%s", (int)(slash - module), module, file);
		text = load(path, n);
		free(path);
	}
	return text;
}

bool quote_write(FILE *out, const json_t *frame, const char *root)
{
	json_int_t line = get_int(frame, "line"), at = 1;
	size_t n;
	char *text = line > 0 ? find(frame, root, &n) : NULL;
	const char *s = text, *end;
	bool found = false;

	if (!text && line > 0 && *get_text(frame, "source")) {
		/* the one line that the detector saw */
		fprintf(
		    out, "<pre tabindex=\"0\"><span class=\"here\"><i>%lld</i>", (long long)line);
		xml_text(out, get_text(frame, "source"));
		fputs("</span></pre>\n", out);
		return true;
	}
	if (!text)
		return false;
	end = text + n;
	for (; s < end && at < line - AROUND; at++) {
		s = memchr(s, '\n', (size_t)(end - s));
		s = s ? s + 1 : end;
	}
	for (; s < end && at <= line + AROUND; at++) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((stop ? stop : end) - s);
		char *one = need(strndup(s, len < LINE_MOST ? len : LINE_MOST));

		if (!found)
			fputs("<pre tabindex=\"0\">", out);
		found = true;
		fprintf(
		    out, "<span%s><i>%lld</i>", at == line ? " class=\"here\"" : "", (long long)at);
		if (len && one[strlen(one) ? strlen(one) - 1 : 0] == '\r')
			one[strlen(one) - 1] = '\0';
		xml_text(out, one);
		fputs("</span>", out);
		free(one);
		s = stop ? stop + 1 : end;
	}
	if (found)
		fputs("</pre>\n", out);
	free(text);
	return found;
}
