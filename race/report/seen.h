/*
 * seen.h: each report once. The report lock is held.
 */
#ifndef GORO_RACE_SEEN_H
#define GORO_RACE_SEEN_H

#include "report.h"

/* Of memory: what reports on one address have in common is that variable. */
static inline bool report_is_of_memory(ReportKind k)
{
	return k <= REPORT_VPTR_RACE;
}

/* Whether r was told or suppressed already, and is not to be told again. *supp: the number of the suppression that it
 * matched, 0: none. */
bool seen_is_known(const Report *r, int *supp);
/* r is suppressed by its stacks. */
void seen_suppressed(const Report *r, int supp);
void seen_printed(const Report *r);

#endif
