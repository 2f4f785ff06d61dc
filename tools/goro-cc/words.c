/*
 * words.c: command lines as lists of words, and small text helpers.
 */
#include "words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *driver_name = "goro-cc";

_Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s: error: ", driver_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *alloc(size_t n)
{
	void *p = calloc(1, n);

	if (!p)
		die("out of memory");
	return p;
}

static char *text_vprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	return s;
}

char *text_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = text_vprintf(fmt, ap);
	va_end(ap);
	return s;
}

bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void words_add(Words *w, const char *word)
{
	if (w->n + 1 >= w->room) {
		w->room = w->room ? 2 * w->room : 64;
		w->v = realloc(w->v, (size_t)w->room * sizeof(*w->v));
		if (!w->v)
			die("out of memory");
	}
	w->v[w->n++] = word;
	w->v[w->n] = NULL;
}

void words_addf(Words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	words_add(w, text_vprintf(fmt, ap));
	va_end(ap);
}

void words_append(Words *w, const Words *more)
{
	for (int i = 0; i < more->n; i++)
		words_add(w, more->v[i]);
}

void words_split(Words *w, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " \t\n");

		if (n)
			words_addf(w, "%.*s", (int)n, text);
		text += n;
		text += strspn(text, " \t\n");
	}
}

void words_unquote(Words *w, const char *text)
{
	while (*(text += strspn(text, " \t\n\r\f\v"))) {
		char *word = alloc(strlen(text) + 1), *to = word, quote = 0;

		for (; *text; text++) {
			if (*text == '\\' && text[1])
				*to++ = *++text;
			else if (quote ? *text == quote : *text == '\'' || *text == '"')
				quote = quote ? 0 : *text;
			else if (!quote && isspace((unsigned char)*text))
				break;
			else
				*to++ = *text;
		}
		words_add(w, word);
	}
}

static void show(const char *word)
{
	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-_=+./,:@%^")]) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	putchar('\'');
}

void words_show(const Words *w)
{
	for (int i = 0; i < w->n; i++) {
		if (i)
			putchar(' ');
		show(w->v[i]);
	}
	putchar('\n');
}
