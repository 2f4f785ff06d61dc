/*
 * xml.h: text inside XML, HTML and workflow commands. Writers of markup use these and nothing else for what
 * comes from a program: names of functions, files and variables may hold any character.
 */
#ifndef GORO_RACE_XML_H
#define GORO_RACE_XML_H

#include <stdio.h>

/* Fit for content and for attributes in either quotes; characters that XML 1.0 cannot hold become U+FFFD. */
void xml_text(FILE *out, const char *s);
/* printf, and the result as xml_text. */
void xml_printf(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
