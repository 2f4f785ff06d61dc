/*
 * flags_test.c: reading GORACE: every type of value, every way to write the line, and what is said of
 * mistakes.
 */
#include "../../race/options/flags.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What flags_parse says on stderr. */
static const char *said(const char *text)
{
	static char out[4096];
	FILE *tmp = tmpfile();
	int saved = dup(2);
	dup2(fileno(tmp), 2);
	flags_parse(text, "GORACE");
	dup2(saved, 2);
	close(saved);
	rewind(tmp);
	out[fread(out, 1, sizeof out - 1, tmp)] = 0;
	fclose(tmp);
	return out;
}

static void fresh(void)
{
	flags_defaults();
}

TestSuite(flags, .init = fresh);

Test(flags, defaults_are_go_s)
{
	cr_assert_str_eq(flags.log_path, "stderr");
	cr_assert_eq(flags.exitcode, 66);
	cr_assert_str_eq(flags.strip_path_prefix, "");
	cr_assert_eq(flags.atexit_sleep_ms, 1000);
	cr_assert_not(flags.halt_on_error);
	cr_assert(flags.suppress_equal_stacks && flags.suppress_equal_addresses && flags.report_bugs);
	cr_assert_eq(flags.format, FORMAT_TEXT);
}

Test(flags, every_type_is_read)
{
	cr_assert_str_eq(said("exitcode=3 halt_on_error=1 log_path=/tmp/x format=json"), "");
	cr_assert_eq(flags.exitcode, 3);
	cr_assert(flags.halt_on_error);
	cr_assert_str_eq(flags.log_path, "/tmp/x");
	cr_assert_eq(flags.format, FORMAT_JSON);
}

Test(flags, a_share_is_above_0_and_at_most_1)
{
	cr_assert_eq(flags.sample, 1000000);
	cr_assert_str_eq(said("sample=0.01"), "");
	cr_assert_eq(flags.sample, 10000);
	cr_assert_str_eq(said("sample=.5 sample=1.0 sample=0.000001"), "");
	cr_assert_eq(flags.sample, 1);
	static const char *const bad[] = {"0", "0.0", "1.000001", "2", "-0.5", "1e-2", "0.0000001", ".", "0.1.1", "\"\""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[64];
		flags_defaults();
		snprintf(text, sizeof text, "sample=%s", bad[i]);
		cr_assert(strstr(said(text), "for sample, using 1\n"), "%s", bad[i]);
		cr_assert_eq(flags.sample, 1000000, "%s", bad[i]);
	}
}

Test(flags, blank_colon_comma_and_newline_separate)
{
	cr_assert_str_eq(said("exitcode=1:stats=1,max_reports=2\n halt_on_error=yes\t"), "");
	cr_assert_eq(flags.exitcode, 1);
	cr_assert(flags.stats);
	cr_assert_eq(flags.max_reports, 2);
	cr_assert(flags.halt_on_error);
}

Test(flags, quotes_keep_separators)
{
	cr_assert_str_eq(said("log_path=\"/tmp/a b:c,d\" strip_path_prefix='/x y' exitcode=4"), "");
	cr_assert_str_eq(flags.log_path, "/tmp/a b:c,d");
	cr_assert_str_eq(flags.strip_path_prefix, "/x y");
	cr_assert_eq(flags.exitcode, 4);
}

Test(flags, open_quote_is_said_and_the_value_taken)
{
	cr_assert_str_eq(said("log_path='/tmp/a b"), "goro: GORACE: no closing ' after 'log_path='\n");
	cr_assert_str_eq(flags.log_path, "/tmp/a b");
}

Test(flags, unknown_key_is_named_and_the_rest_applies)
{
	cr_assert_str_eq(said("foo=1 exitcode=5"), "goro: GORACE: unknown key 'foo'\n");
	cr_assert_eq(flags.exitcode, 5);
}

Test(flags, bad_values_are_named_and_keep_what_was)
{
	cr_assert_str_eq(said("exitcode=x"), "goro: GORACE: bad value 'x' for exitcode, using 66\n");
	cr_assert_str_eq(said("exitcode="), "goro: GORACE: bad value '' for exitcode, using 66\n");
	cr_assert_str_eq(said("exitcode=256"), "goro: GORACE: bad value '256' for exitcode, using 66\n");
	cr_assert_str_eq(said("exitcode=-1"), "goro: GORACE: bad value '-1' for exitcode, using 66\n");
	cr_assert_str_eq(said("max_reports=99999999999999999999"),
	    "goro: GORACE: bad value '99999999999999999999' for max_reports, using 0\n");
	cr_assert_str_eq(said("halt_on_error=2"), "goro: GORACE: bad value '2' for halt_on_error, using 0\n");
	cr_assert_str_eq(said("format=xml"), "goro: GORACE: bad value 'xml' for format, using text\n");
	cr_assert_eq(flags.exitcode, 66);
	cr_assert_eq(flags.max_reports, 0);
}

Test(flags, key_without_value_is_said)
{
	cr_assert_str_eq(said("halt_on_error exitcode=7"), "goro: GORACE: no value for 'halt_on_error'\n");
	cr_assert_eq(flags.exitcode, 7);
}

Test(flags, empty_lines_say_nothing)
{
	cr_assert_str_eq(said(""), "");
	cr_assert_str_eq(said(" ,: \n"), "");
}

Test(flags, last_value_wins)
{
	said("exitcode=1 exitcode=2");
	cr_assert_eq(flags.exitcode, 2);
}

Test(flags, help_names_every_key_once)
{
	static char out[8192];
	FILE *tmp = tmpfile();
	flags_help(fileno(tmp));
	rewind(tmp);
	out[fread(out, 1, sizeof out - 1, tmp)] = 0;
	fclose(tmp);
#define FLAG_BOOL(name, def, meaning)             cr_assert(strstr(out, "  " #name "="), "%s", #name);
#define FLAG_INT(name, def, least, most, meaning) FLAG_BOOL(name, def, meaning)
#define FLAG_TEXT(name, def, meaning)             FLAG_BOOL(name, def, meaning)
#define FLAG_SHARE(name, def, meaning)            FLAG_BOOL(name, def, meaning)
#define FLAG_WORD(name, def, words, meaning)      FLAG_BOOL(name, def, meaning)
#include "../../race/options/flags.def"
}

/* docs/race.md's table says what flags.def says. */
Test(flags, documentation_lists_every_key_with_its_default)
{
	static char doc[1 << 16];
	FILE *f = fopen(GORO_SOURCE_DIR "/docs/race.md", "r");
	cr_assert_not_null(f);
	doc[fread(doc, 1, sizeof doc - 1, f)] = 0;
	fclose(f);
	char row[512];
#undef FLAG_BOOL
#undef FLAG_INT
#undef FLAG_TEXT
#undef FLAG_SHARE
#undef FLAG_WORD
#define ROW(name, def, meaning)                                                                    \
	snprintf(row, sizeof row, "| `%s` | %s | %s |", #name, *def ? def : "empty", meaning);        \
	cr_assert(strstr(doc, row), "docs/race.md lacks the row\n%s", row);
#define FLAG_BOOL(name, def, meaning)             ROW(name, ((def) ? "1" : "0"), meaning)
#define FLAG_INT(name, def, least, most, meaning) ROW(name, #def, meaning)
#define FLAG_TEXT(name, def, meaning)             ROW(name, def, meaning)
#define FLAG_SHARE(name, def, meaning)            ROW(name, #def, meaning)
#define FLAG_WORD(name, def, words, meaning)      ROW(name, def, meaning)
#include "../../race/options/flags.def"
}
