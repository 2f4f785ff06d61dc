/*
 * steps.h: of a seeded run's list of steps (docs/schedules.md, section 5), those that tell how a race came about.
 */
#ifndef GORO_RACE_STEPS_H
#define GORO_RACE_STEPS_H

#include <jansson.h>

/* For a race between two accesses: {"rows": [{"step", "goroutine", "operation", "address", "place", "mark"}], "edges":
 * [[from, to], ...]}: what the goroutines involved did to order each other, up to the two accesses ("mark": "previous",
 * "current"), and which row came before which because of it. NULL when the list does not show both accesses. */
json_t *steps_select(char *list, const json_t *finding);

#endif
