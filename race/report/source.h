/*
 * source.h: lines of source, for reports.
 */
#ifndef GORO_RACE_SOURCE_H
#define GORO_RACE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../runtime/symbol/symbol.h"

#define SOURCE_MAX 200 /* bytes of a line that are quoted */

/* The line of source of frame f, without the blanks at its ends, control characters replaced; "" where the
 * file is not there, or was changed after the program was built (then the line would be another). */
void source_line(const SymFrame *f, char out[SOURCE_MAX]);

#endif
