/*
 * flags.c: reading GORACE. Keys are apart by blanks, ':' or ','; a value with those in it stands in
 * single or double quotes. What is wrong is said and skipped; the rest counts.
 */
#include "flags.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/base/fatal.h"
#include "../../runtime/base/lock.h"
#include "../race.h"

#define SHARE_ONE 1000000

Flags flags;

typedef enum FlagType { TYPE_BOOL, TYPE_INT, TYPE_TEXT, TYPE_WORD, TYPE_SHARE } FlagType;

typedef struct FlagInfo {
	const char *name;
	FlagType type;
	void *value;
	int least, most;
	const char *def; /* as text */
	const char *words;
	const char *meaning;
} FlagInfo;

#define TEXT_(x) #x
static const FlagInfo infos[] = {
#define FLAG_BOOL(name, def, meaning)                                                              \
	{#name, TYPE_BOOL, &flags.name, 0, 1, (def) ? "1" : "0", NULL, meaning},
#define FLAG_INT(name, def, least, most, meaning)                                                  \
	{#name, TYPE_INT, &flags.name, least, most, TEXT_(def), NULL, meaning},
#define FLAG_TEXT(name, def, meaning) {#name, TYPE_TEXT, &flags.name, 0, 0, def, NULL, meaning},
#define FLAG_SHARE(name, def, meaning)                                                             \
	{#name, TYPE_SHARE, &flags.name, 0, 0, TEXT_(def), NULL, meaning},
#define FLAG_WORD(name, def, words, meaning)                                                       \
	{#name, TYPE_WORD, &flags.name, 0, 0, def, words, meaning},
#include "flags.def"
#undef FLAG_BOOL
#undef FLAG_INT
#undef FLAG_TEXT
#undef FLAG_SHARE
#undef FLAG_WORD
};
#define INFOS (sizeof infos / sizeof *infos)

/* ---- values ---- */

static bool word_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(s, word, n);
}

static bool set_bool(bool *out, const char *s, size_t n)
{
	if (word_is(s, n, "1") || word_is(s, n, "true") || word_is(s, n, "yes"))
		*out = true;
	else if (word_is(s, n, "0") || word_is(s, n, "false") || word_is(s, n, "no"))
		*out = false;
	else
		return false;
	return true;
}

static bool set_int(int *out, const FlagInfo *f, const char *s, size_t n)
{
	long v = 0;
	bool minus = n && *s == '-';
	size_t i = minus;
	if (i == n)
		return false;
	for (; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || v > INT_MAX)
			return false;
		v = v * 10 + (s[i] - '0');
	}
	v = minus ? -v : v;
	if (v < f->least || v > f->most)
		return false;
	*out = (int)v;
	return true;
}

/* Digits, a point, digits: above 0, at most 1. */
static bool set_share(int *out, const char *s, size_t n)
{
	int64_t v = 0, unit = SHARE_ONE;
	bool point = false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' && !point) {
			point = true;
		} else if (s[i] < '0' || s[i] > '9' || v > SHARE_ONE) {
			return false;
		} else if (point) {
			unit /= 10;
			v += unit * (s[i] - '0');
		} else {
			v = v * 10 + (int64_t)unit * (s[i] - '0');
		}
	}
	if (v <= 0 || v > SHARE_ONE)
		return false;
	*out = (int)v;
	return true;
}

static bool set_text(const char **out, const char *s, size_t n)
{
	char *copy = race_alloc(n + 1);
	memcpy(copy, s, n);
	copy[n] = 0;
	*out = copy;
	return true;
}

static bool set_word(int *out, const char *words, const char *s, size_t n)
{
	int i = 0;
	for (const char *w = words; *w; i++) {
		size_t len = strcspn(w, "|");
		if (len == n && !strncmp(w, s, n)) {
			*out = i;
			return true;
		}
		w += len + (w[len] == '|');
	}
	return false;
}

static bool set(const FlagInfo *f, const char *s, size_t n)
{
	switch (f->type) {
	case TYPE_BOOL:
		return set_bool(f->value, s, n);
	case TYPE_INT:
		return set_int(f->value, f, s, n);
	case TYPE_TEXT:
		return set_text(f->value, s, n);
	case TYPE_WORD:
		return set_word(f->value, f->words, s, n);
	case TYPE_SHARE:
		return set_share(f->value, s, n);
	}
	return false;
}

static void show(const FlagInfo *f, char *out, size_t size)
{
	out[0] = 0;
	switch (f->type) {
	case TYPE_BOOL:
		strcpy(out, *(bool *)f->value ? "1" : "0");
		break;
	case TYPE_INT: {
		char digits[16];
		int v = *(int *)f->value, n = 0, k = 0; /* never negative: see flags.def */
		do
			digits[n++] = (char)('0' + v % 10);
		while ((v /= 10) > 0);
		while (n > 0)
			out[k++] = digits[--n];
		out[k] = 0;
		break;
	}
	case TYPE_SHARE: {
		int v = *(int *)f->value, k = 0, unit = SHARE_ONE;
		out[k++] = (char)('0' + v / unit);
		for (v %= unit; v; v %= unit) {
			if (unit == SHARE_ONE)
				out[k++] = '.';
			unit /= 10;
			out[k++] = (char)('0' + v / unit);
		}
		out[k] = 0;
		break;
	}
	case TYPE_TEXT:
		strncat(out, *(const char **)f->value, size - 1);
		break;
	case TYPE_WORD: {
		const char *w = f->words;
		for (int i = *(int *)f->value; i > 0; i--)
			w += strcspn(w, "|") + 1;
		strncat(out, w, strcspn(w, "|") < size - 1 ? strcspn(w, "|") : size - 1);
		break;
	}
	}
}

/* ---- the line ---- */

static bool separates(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ':' || c == ',';
}

static void assign(
    const char *source, const char *key, size_t nkey, const char *value, size_t nvalue)
{
	for (size_t i = 0; i < INFOS; i++) {
		if (!word_is(key, nkey, infos[i].name))
			continue;
		char now[128];
		if (set(&infos[i], value, nvalue))
			return;
		show(&infos[i], now, sizeof now);
		print_fd(2, "goro: %s: bad value '%.*s' for %s, using %s\n", source, (int)nvalue,
		    value, infos[i].name, now);
		return;
	}
	print_fd(2, "goro: %s: unknown key '%.*s'\n", source, (int)nkey, key);
}

void flags_parse(const char *s, const char *source)
{
	for (;;) {
		while (separates(*s))
			s++;
		if (!*s)
			return;
		const char *key = s;
		while (*s && *s != '=' && !separates(*s))
			s++;
		size_t nkey = (size_t)(s - key);
		if (*s != '=') {
			print_fd(2, "goro: %s: no value for '%.*s'\n", source, (int)nkey, key);
			continue;
		}
		s++;
		const char *value = s;
		size_t nvalue;
		if (*s == '"' || *s == '\'') {
			char quote = *s;
			value = ++s;
			while (*s && *s != quote)
				s++;
			nvalue = (size_t)(s - value);
			if (*s)
				s++;
			else
				print_fd(2, "goro: %s: no closing %c after '%.*s='\n", source,
				    quote, (int)nkey, key);
		} else {
			while (*s && !separates(*s))
				s++;
			nvalue = (size_t)(s - value);
		}
		assign(source, key, nkey, value, nvalue);
	}
}

void flags_defaults(void)
{
	for (size_t i = 0; i < INFOS; i++)
		set(&infos[i], infos[i].def, strlen(infos[i].def));
}

void flags_help(int fd)
{
	print_fd(fd, "goro: keys of GORACE (key=value, apart by blanks, ':' or ','), with their "
		     "values now:\n");
	for (size_t i = 0; i < INFOS; i++) {
		char now[128];
		show(&infos[i], now, sizeof now);
		print_fd(fd, "  %s=%s\n      %s\n", infos[i].name,
		    infos[i].type == TYPE_TEXT && !*now ? "\"\"" : now, infos[i].meaning);
	}
}

/* A program may bring its own defaults, as with TSan. */
extern const char *__tsan_default_options(void) __attribute__((weak));

void flags_init(void)
{
	static Lock once = LOCK_INIT(NONE);
	static bool done; /* once */
	lock(&once);
	if (!done) {
		flags_defaults();
		const char *own = __tsan_default_options ? __tsan_default_options() : NULL;
		if (own)
			flags_parse(own, "__tsan_default_options");
		const char *env = getenv("GORACE");
		if (env)
			flags_parse(env, "GORACE");
		if (flags.help)
			flags_help(2);
		done = true;
	}
	unlock(&once);
}
