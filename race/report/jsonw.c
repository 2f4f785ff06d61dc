/*
 * jsonw.c: see jsonw.h.
 */
#include "jsonw.h"

#include <string.h>

/* Bytes of one valid UTF-8 sequence at s, of which n are there; 0 when it is none. */
static int utf8(const unsigned char *s, size_t left)
{
	int n = s[0] < 0x80       ? 1
		: s[0] >> 5 == 6  ? 2
		: s[0] >> 4 == 14 ? 3
		: s[0] >> 3 == 30 ? 4
				  : 0;
	if ((size_t)n > left)
		return 0;
	for (int i = 1; i < n; i++)
		if (s[i] >> 6 != 2)
			return 0;
	if ((n == 2 && s[0] < 0xc2) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (n == 3 && s[0] == 0xed && s[1] > 0x9f) || (n == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
	    (n == 4 && (s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f))))
		return 0;
	return n;
}

void jsonw_open(Buf *b)
{
	buf_str(b, "\"");
}

void jsonw_close(Buf *b)
{
	buf_str(b, "\"");
}

void jsonw_piece(Buf *b, const char *s, size_t left)
{
	while (left) {
		int n = utf8((const unsigned char *)s, left);
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			buf_fmt(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_fmt(b, "\\u%04x", c);
		else if (!n)
			buf_str(b, "\\ufffd");
		else
			buf_add(b, s, (size_t)n);
		s += n ? n : 1;
		left -= (size_t)(n ? n : 1);
	}
}

void jsonw_text(Buf *b, const char *s)
{
	jsonw_open(b);
	jsonw_piece(b, s, strlen(s));
	jsonw_close(b);
}

void jsonw_key(Buf *b, const char *key)
{
	if (b->n && b->p[b->n - 1] != '{')
		buf_str(b, ",");
	buf_fmt(b, "\"%s\":", key);
}

void jsonw_pair(Buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	jsonw_key(b, key);
	jsonw_text(b, value);
}

void jsonw_number(Buf *b, const char *key, uint64_t v)
{
	jsonw_key(b, key);
	buf_fmt(b, "%llu", (unsigned long long)v);
}

void jsonw_hex(Buf *b, const char *key, uintptr_t v)
{
	jsonw_key(b, key);
	buf_fmt(b, "\"0x%zx\"", (size_t)v);
}

void jsonw_bool(Buf *b, const char *key, bool v)
{
	jsonw_key(b, key);
	buf_str(b, v ? "true" : "false");
}
