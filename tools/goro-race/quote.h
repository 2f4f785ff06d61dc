/*
 * quote.h: lines of source around a frame.
 */
#ifndef GORO_RACE_QUOTE_H
#define GORO_RACE_QUOTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* The lines as an HTML <pre> with the frame's marked; false when the file is not to be found, or has no such line. A
 * relative name is looked for in the folder of its compilation, below root, beside the frame's module; where there is
 * no file, the line that the report quotes stands alone. */
bool quote_write(FILE *out, const json_t *frame, const char *root);

#endif
