/*
 * schedule.h: what reports say of a seeded run (docs/schedules.md, 6), and what GORACE asks of it.
 */
#ifndef GORO_RACE_SCHEDULE_H
#define GORO_RACE_SCHEDULE_H

#include "../../runtime/base/buf.h"
#include "../race.h"

/* NULL: the run is not to be seeded. Constant. */
const SeedOptions *schedule_options(void);

/* Nothing where the run is not seeded: */

/* The lines that end a report: what the seed did not decide; how to have the run again. */
void schedule_text(Buf *b);
/* "schedule":{...} */
void schedule_json(Buf *b);

#endif
