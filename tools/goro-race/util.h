/*
 * util.h: what every sub-command needs: ways to fail, text, files, time.
 *
 * All memory that is handed out is malloc's and never NULL: running out of it ends the program with a line.
 * A command lives for one task, so what lasts as long as the process is not freed.
 */
#ifndef GORO_RACE_UTIL_H
#define GORO_RACE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses of goro-race itself; else it ends as the program did. */
enum { EXIT_TROUBLE = 2, EXIT_FINDINGS = 66, EXIT_INTERRUPTED = 130 };

/* "goro-race: ..." on stderr; die ends with EXIT_TROUBLE. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void *need(void *p); /* p, or the end */
char *text_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *text_copy(const char *s);
/* The bytes as UTF-8 that a JSON or XML file can hold: what is no UTF-8 becomes U+FFFD, control characters but
 * tab and newline too. *n: length before and after. */
char *text_clean(const char *s, size_t *n);

/* FNV-1a; begin with HASH_START. */
#define HASH_START 14695981039346656037u
uint64_t hash_bytes(uint64_t h, const void *p, size_t n);
uint64_t hash_text(uint64_t h, const char *s); /* with its end: "ab","c" is not "a","bc" */

long now_ms(void); /* monotonic */

/* A non-negative number within [least, most], the whole text; dies naming `what` otherwise. */
uint64_t number_arg(const char *what, const char *s, uint64_t least, uint64_t most);
/* "90", "90s", "10m", "2h", "500ms" in milliseconds. */
long duration_arg(const char *what, const char *s);

/* ---- files ---- */

bool make_dirs(const char *path); /* with parents; true when it is there in the end; errno else */
void remove_tree(const char *path);
/* Also when the command dies. At most two. */
void remove_at_exit(const char *path);
/* A new folder of our own in `in`, or where that is NULL in $TMPDIR (else /tmp), removed at exit. Dies when there can
 * be none. */
char *own_folder(const char *in);
/* The whole file, at most `most` bytes, NUL-terminated; NULL with errno. */
char *read_whole(const char *path, size_t most, size_t *n);
/* Put it there as one: written beside it, then renamed. False with errno. */
bool replace_file(const char *path, const char *text, size_t n);
bool write_fully(int fd, const void *p, size_t n);
/* Add a line to a file by one write, so that no reader sees half of it. Dies when that fails. */
void append_line(const char *path, const char *line);

/* Where an output goes: "-" is stdout. Dies naming the path. out_close says what could not be written. */
FILE *out_open(const char *path);
void out_close(FILE *f, const char *path);

#endif
