/*
 * string.c: memory and string functions of libc read and write ranges on the caller's behalf. All of the
 * range, and not a byte more. The compiler may not swallow them: the length is hidden from it.
 */
#include "case.h"

#include <ctype.h>
#include <goro_race.h>
#include <wchar.h>

char text[64];
char copy[64];
wchar_t wide[16];
size_t length = 20;

static void prepare(void)
{
	strcpy(text, "a text of some length");
	strcpy(copy, "another");
	wcscpy(wide, L"12 wide");
}

ACCESS(write_byte_19, text[19] = 'x')
ACCESS(write_byte_20, text[20] = 'x')
ACCESS(read_byte_19, USE(text[19]))
ACCESS(read_byte_4, USE(text[4]))
ACCESS(write_wide, wide[0] = L'3')
ACCESS(read_byte_25, USE(text[25]))
ACCESS(write_first, text[0] = 'x')
ACCESS(read_first, USE(text[0]))
ACCESS(call_memset, memset(text, 'm', length))
ACCESS(call_memset_small, memset(text, 'm', 8))
ACCESS(call_memcpy_from, memcpy(copy, text, length))
ACCESS(call_memcpy_to, memcpy(text, copy, length))
ACCESS(call_memmove_from, memmove(copy, text, length))
ACCESS(call_memmove_to, memmove(text, copy, length))
ACCESS(call_memcmp, USE(memcmp(text, "a text of some lengt", length)))
ACCESS(call_memchr, USE(memchr(text, '#', length)))
ACCESS(call_strlen, USE(strlen(text)))
ACCESS(call_strcpy_from, strcpy(copy, text))
ACCESS(call_strcpy_to, strcpy(text, copy))
ACCESS(call_strncpy_to, strncpy(text, copy, 20))
ACCESS(call_strcat_to, strcat(copy, text))
ACCESS(call_strcmp, USE(strcmp(text, "a text of some length")))
ACCESS(call_strncmp, USE(strncmp(text, "a text of some length", length)))
ACCESS(call_strchr, USE(strchr(text, '#')))
ACCESS(call_strstr, USE(strstr(text, "length")))
ACCESS(call_strdup, char *s = strdup(text); USE(s); free(s))
ACCESS(call_snprintf_to, snprintf(text, sizeof text, "%d", (int)length))
ACCESS(call_snprintf_from, snprintf(copy, sizeof copy, "%s", text))
ACCESS(call_strtol, USE(strtol(text, NULL, 10)))
ACCESS(call_sscanf, int n; USE(sscanf(text, "%d", &n)))
ACCESS(call_swscanf_from, int n; USE(swscanf(wide, L"%d", &n)))
ACCESS(call_swscanf_to, USE(swscanf(L"abc d", L"%3s", text)))

/* Both words by one line: one record, in two granules. */
static long words[2];
ACCESS(write_words, for (volatile int i = 0; i < 2; i++) words[i] = 1)
ACCESS(call_memset_words, memset(words, 2, sizeof words - 20 + length))

static void first(void (*f)(void))
{
	f();
	step(1);
}
static void second(void (*f)(void))
{
	after(1);
	f();
	step(2);
}
#define PAIR(case_, a, b)                                                                          \
	static void case_(void)                                                                    \
	{                                                                                          \
		prepare();                                                                         \
		go(first, a);                                                                      \
		go(second, b);                                                                     \
		after(2);                                                                          \
	}

PAIR(race_string_memset, call_memset, read_byte_19)
PAIR(race_string_memset_small, call_memset_small, read_first)
static void race_string_memset_beside_benign(void)
{
	ANNOTATE_BENIGN_RACE(&words[0], "of words[1] alone is to be told");
	go(first, write_words);
	go(second, call_memset_words);
	after(2);
}
PAIR(norace_string_memset_beyond, call_memset, write_byte_20)
PAIR(race_string_memcpy_reads, write_byte_19, call_memcpy_from)
PAIR(norace_string_memcpy_beyond, write_byte_20, call_memcpy_from)
PAIR(race_string_memcpy_writes, read_byte_19, call_memcpy_to)
PAIR(race_string_memmove_reads, write_byte_19, call_memmove_from)
PAIR(race_string_memmove_writes, read_byte_19, call_memmove_to)
PAIR(race_string_memcmp, write_byte_19, call_memcmp)
PAIR(race_string_memchr, write_byte_19, call_memchr)
PAIR(race_string_strlen, write_byte_19, call_strlen)
PAIR(race_string_strcpy_reads, write_byte_19, call_strcpy_from)
PAIR(race_string_strcpy_writes, read_first, call_strcpy_to)
PAIR(norace_string_strcpy_writes_no_more, read_byte_19, call_strcpy_to)
PAIR(race_string_strncpy_pads, read_byte_19, call_strncpy_to)
PAIR(race_string_strcat, write_byte_19, call_strcat_to)
PAIR(race_string_strcmp, write_first, call_strcmp)
PAIR(race_string_strncmp, write_first, call_strncmp)
PAIR(race_string_strchr, write_byte_19, call_strchr)
PAIR(race_string_strstr, write_first, call_strstr)
PAIR(race_string_strdup, write_byte_19, call_strdup)
PAIR(race_string_snprintf_writes, read_first, call_snprintf_to)
PAIR(norace_string_snprintf_writes_no_more, read_byte_25, call_snprintf_to)
PAIR(race_string_snprintf_reads, write_byte_19, call_snprintf_from)
PAIR(race_string_strtol, write_first, call_strtol)
PAIR(race_string_sscanf, write_first, call_sscanf)
PAIR(race_string_swscanf_reads, write_wide, call_swscanf_from)
PAIR(race_string_swscanf_writes, read_first, call_swscanf_to)
PAIR(norace_string_swscanf_writes_no_more, read_byte_4, call_swscanf_to)
PAIR(norace_string_readers, call_strlen, call_strdup)

/* Locale tables and their like are libc's affair. */
static void use_ctype(void)
{
	for (int i = 0; i < 256; i++)
		USE(isalpha(i) + toupper(i));
	char own[64];
	snprintf(own, sizeof own, "%5.2f %s %d", 3.25, "text", 42);
	USE(strtod("3.5", NULL) > 0 ? own[3] : 0);
	arrive();
}
static void norace_string_in_parallel(void)
{
	for (int i = 0; i < 8; i++)
		go(use_ctype);
	arrived(8);
}

#define S(current, previous) current "<second / " previous "<first / global text"
CASES(
    RACE(race_string_memset, S("read read_byte_19", "write call_memset"))
    RACE(race_string_memset_beside_benign, "write call_memset_words<second / write write_words<first / global words")
    RACE(race_string_memset_small, S("read read_first", "write call_memset_small"))
    NORACE(norace_string_memset_beyond)
    RACE(race_string_memcpy_reads, S("read call_memcpy_from", "write write_byte_19"))
    NORACE(norace_string_memcpy_beyond)
    RACE(race_string_memcpy_writes, S("write call_memcpy_to", "read read_byte_19"))
    RACE(race_string_memmove_reads, S("read call_memmove_from", "write write_byte_19"))
    RACE(race_string_memmove_writes, S("write call_memmove_to", "read read_byte_19"))
    RACE(race_string_memcmp, S("read call_memcmp", "write write_byte_19"))
    RACE(race_string_memchr, S("read call_memchr", "write write_byte_19"))
    RACE(race_string_strlen, S("read call_strlen", "write write_byte_19"))
    RACE(race_string_strcpy_reads, S("read call_strcpy_from", "write write_byte_19"))
    RACE(race_string_strcpy_writes, S("write call_strcpy_to", "read read_first"))
    NORACE(norace_string_strcpy_writes_no_more)
    RACE(race_string_strncpy_pads, S("write call_strncpy_to", "read read_byte_19"))
    RACE(race_string_strcat, S("read call_strcat_to", "write write_byte_19"))
    RACE(race_string_strcmp, S("read call_strcmp", "write write_first"))
    RACE(race_string_strncmp, S("read call_strncmp", "write write_first"))
    RACE(race_string_strchr, S("read call_strchr", "write write_byte_19"))
    RACE(race_string_strstr, S("read call_strstr", "write write_first"))
    RACE(race_string_strdup, S("read call_strdup", "write write_byte_19"))
    RACE(race_string_snprintf_writes, S("write call_snprintf_to", "read read_first"))
    NORACE(norace_string_snprintf_writes_no_more)
    RACE(race_string_snprintf_reads, S("read call_snprintf_from", "write write_byte_19"))
    RACE(race_string_strtol, S("read call_strtol", "write write_first"))
    RACE(race_string_sscanf, S("read call_sscanf", "write write_first"))
    RACE(race_string_swscanf_reads, "read call_swscanf_from<second / write write_wide<first / global wide")
    RACE(race_string_swscanf_writes, S("write call_swscanf_to", "read read_first"))
    NORACE(norace_string_swscanf_writes_no_more)
    NORACE(norace_string_readers)
    NORACE(norace_string_in_parallel)
)
