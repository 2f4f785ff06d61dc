/*
 * timeline.h: the picture of a finding: a lane for each goroutine, time going down, what orders them as arrows, and
 * where an arrow is missing.
 */
#ifndef GORO_RACE_TIMELINE_H
#define GORO_RACE_TIMELINE_H

#include <stdio.h>

#include "findings.h"

/* An inline SVG; nothing where there is nothing to draw. id: unique in the page. */
void timeline_write(FILE *out, const Finding *f, const char *id);

#endif
