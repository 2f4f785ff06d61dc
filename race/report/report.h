/*
 * report.h: a finding as data, before any text. The core fills a Report; report.c folds equal ones,
 * asks the suppressions, symbolizes, and hands it to the printers (text, JSON, ...). The core reaches
 * this folder by report_emit and report_fini alone; this folder knows no shadow: what it needs of an
 * address or a stack it asks through the functions at the end, which the core implements.
 */
#ifndef GORO_RACE_REPORT_H
#define GORO_RACE_REPORT_H

#include "../race.h"
#include "kinds.h"

#define REPORT_MAX_ACCESSES 64 /* a cycle of 32 locks; all others have one or two */
#define REPORT_MAX_LOCKS    16

/* The kinds, with their words: kinds.h. USE_AFTER_FREE: accesses[0] the use, accesses[1] the free. */
typedef enum ReportKind {
#define KIND_(name, title, id, supp, summary) REPORT_##name,
	REPORT_KINDS_LIST(KIND_)
#undef KIND_
	    REPORT_KINDS
} ReportKind;

typedef enum AccessKind {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_ATOMIC_READ,
	ACCESS_ATOMIC_WRITE,
	ACCESS_FREE,
	/* What else one does; addr is a lock's for these: */
	ACCESS_LOCK,
	ACCESS_READ_LOCK,
	ACCESS_UNLOCK,
	ACCESS_READ_UNLOCK,
	ACCESS_DESTROY,
	/* addr means nothing for these: */
	ACCESS_CREATE,  /* of the thread Report.subject */
	ACCESS_CALL,    /* of Report.what, in a handler of Report.signal */
	ACCESS_HANDLER, /* of Report.signal; innermost frame: the handler */
	ACCESS_CHECK,   /* that nothing is held; what is: `locks`, and the other accesses */
	ACCESS_WAIT /* for ever, Report.what says how; addr is what for, 0: nothing, or several things */
} AccessKind;

static inline bool access_is_lock(AccessKind k)
{
	return k >= ACCESS_LOCK && k <= ACCESS_DESTROY;
}

typedef struct ReportLock {
	uintptr_t addr;
	LockMode mode;
	StackId locked_at;
} ReportLock;

typedef struct ReportAccess {
	AccessKind kind;
	uintptr_t addr; /* first byte of the access, or of the part in question */
	uint32_t size;  /* bytes */
	uint32_t ginfo;
	StackId stack; /* innermost frame: the access itself */
	int nlocks;
	ReportLock locks[REPORT_MAX_LOCKS];
} ReportAccess;

typedef enum LocationKind {
	LOCATION_UNKNOWN,
	LOCATION_GLOBAL,
	LOCATION_HEAP,
	LOCATION_STACK,
	LOCATION_TLS
} LocationKind;

typedef struct ReportLocation {
	LocationKind kind;
	uintptr_t start; /* of the block, variable or frame; 0 unknown */
	size_t size;
	uint32_t
	    ginfo; /* heap: who allocated; stack, tls: whose, or who runs on the thread whose it is */
	StackId allocated_at; /* heap */
	uintptr_t module;     /* tls: an address in the module whose variable it is */
	size_t offset;        /* tls: in that module's thread-local storage */
} ReportLocation;

typedef struct Report {
	ReportKind kind;
	int naccesses; /* [0] is the current access, [1..] the previous ones */
	ReportLocation location;
	uint32_t subject; /* ginfo: whom it is about besides who did something; 0 for nobody */
	int between; /* the last accesses: writers that wait between two readers of the cycle */
	int more; /* of the like that are not shown: locks of a long cycle, threads that leaked */
	int signal;
	const char *what;
	/* LOCK_ORDER: 2i is the locking of lock i + 1 while lock i is held, 2i + 1 that of lock i. */
	ReportAccess accesses[REPORT_MAX_ACCESSES];
} Report;

/* Read the options and the suppressions, saying what is wrong with them. Idempotent; hook_init calls it. */
void report_init(void);

/* Take a finding: fold, suppress, symbolize, print. Runs on whatever stack finds the race: switches
 * to a large one of its own. Serialised; never parks; never re-enters. Ends the process (exit code as
 * GORACE says) under halt_on_error=1. */
void report_emit(const Report *r);

/* A report as __tsan_on_report is told of it, while that runs. */
typedef struct ReportTold {
	const Report *report;
	ReportLocation location; /* found out, globals too */
} ReportTold;
/* The one that this thread tells of now; NULL. */
const ReportTold *report_current(void);

/* Run fn alone, on the report's own stack; false, and nothing is done, from within a report. */
bool report_alone(void (*fn)(void *), void *arg);
/* The program's callback for when a finding ends the process, or makes it fail; NULL: none. */
void report_on_death(void (*fn)(void));

/* ---- ask.c ---- */

/* What lies at addr; a global's name too, unless data is NULL. The caller is inside the detector. */
struct SymData;
void report_locate(uintptr_t addr, ReportLocation *out, struct SymData *data);
const char *report_kind_id(ReportKind k); /* "data-race": kinds.h */

/* Wait for goroutines and threads that still live, as long as atexit_sleep_ms says, once. */
void report_linger(void);

/* The end of the process with `code`: "Found N data race(s)", statistics, unused suppressions; the
 * code to end with. Idempotent. */
int report_fini(int code);
/* In a child of fork: nothing of the parent's findings counts. */
void report_forked(void);

/* ---- asked of the core ---- */

/* The pcs of a stack id, innermost first; [0] is the access or call site, all as return addresses
 * (the instruction before is meant). Returns how many, at most max. */
int context_pcs(StackId id, uintptr_t *pcs, int max);
/* A report showed the stack: its id stays what it is. */
void context_pin(StackId id);
/* Some goroutine or thread but main still lives. */
bool ctx_others_live(void);
/* What lies at addr: heap block (live or freed), stack of a goroutine or thread; the rest is left to
 * symbol.h by the report. */
void location_find(uintptr_t addr, ReportLocation *out);

#endif
