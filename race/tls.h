/*
 * tls.h: thread-local variables, for reports. See tls.c.
 */
#ifndef GORO_RACE_TLS_H
#define GORO_RACE_TLS_H

#include "ctx.h"
#include "report/report.h"

/* addr lies in thread-local variables of a thread that lives: whose, and in which module's. */
bool race_tls_find(uintptr_t addr, ReportLocation *out);

#endif
