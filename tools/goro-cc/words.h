/*
 * words.h: a growing list of words (a command line), and the one way to fail.
 *
 * A Words is always NULL-terminated, so that w.v goes to exec as it is. Memory is never given back: the
 * driver ends in exec. Words are kept by pointer, not copied, but for words_addf.
 */
#ifndef GORO_CC_WORDS_H
#define GORO_CC_WORDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Words {
	const char **v;
	int n, room;
} Words;

void words_add(Words *w, const char *word);
void words_addf(Words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void words_append(Words *w, const Words *more);
/* Cut text at blanks and add the pieces. */
void words_split(Words *w, const char *text);

/* Cut text as gcc and clang cut an @file: blanks separate, '...' and "..." keep together, a backslash
 * takes the next character as it is. */
void words_unquote(Words *w, const char *text);
/* Print as a line that a shell reads back as the same words. */
void words_show(const Words *w);

/* The name the driver was called by, for messages. */
extern const char *driver_name;
/* "goro-cc: error: TEXT" and exit 1. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *alloc(size_t n);
char *text_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);
/* The part after the last slash. */
const char *base_name(const char *path);

#endif
