/*
 * jsonw.h: JSON as text, appended to a Buf: shared by what writes JSON Lines and SARIF. Keys put their own
 * commas; elements of arrays are the caller's.
 */
#ifndef GORO_RACE_JSONW_H
#define GORO_RACE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../runtime/base/buf.h"

/* "s", escaped; bytes that are no UTF-8 (a file name in another encoding) become U+FFFD. */
void jsonw_text(Buf *b, const char *s);
/* The same from pieces, between jsonw_open and jsonw_close: one string. */
void jsonw_open(Buf *b);
void jsonw_piece(Buf *b, const char *s, size_t n);
void jsonw_close(Buf *b);
/* ,"key": without the comma right after '{'. */
void jsonw_key(Buf *b, const char *key);
/* Nothing for NULL. */
void jsonw_pair(Buf *b, const char *key, const char *value);
void jsonw_number(Buf *b, const char *key, uint64_t v);
/* A string "0x...": JSON's numbers are doubles to many readers. */
void jsonw_hex(Buf *b, const char *key, uintptr_t v);
void jsonw_bool(Buf *b, const char *key, bool v);

#endif
