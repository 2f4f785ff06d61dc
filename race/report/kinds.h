/*
 * kinds.h: every kind of finding, once: its words in each format.
 *
 *	KIND(name, title, id, supp, summary)
 *	  name     REPORT_name (report.h)
 *	  title    in text, after "WARNING: "
 *	  id       in JSON ("kind") and SARIF (rule goro/id): stands in people's files, never changes
 *	  supp     the types of suppression rules that may silence it: words of suppress.c, '|' between
 *	  summary  one sentence for people who meet it for the first time: SARIF's rule
 */
#ifndef GORO_RACE_KINDS_H
#define GORO_RACE_KINDS_H

/* clang-format off */
#define REPORT_KINDS_LIST(KIND)                                                                                        \
	KIND(RACE, "DATA RACE", "data-race", "race",                                                                   \
	     "Two accesses to the same memory, at least one of them a write, which nothing orders.")                   \
	KIND(USE_AFTER_FREE, "HEAP USE AFTER FREE", "use-after-free", "race",                                          \
	     "A block of memory was accessed after it had been freed.")                                                \
	KIND(DOUBLE_FREE, "DOUBLE FREE", "double-free", "race",                                                        \
	     "A block of memory was freed twice.")
/* clang-format on */

#endif
