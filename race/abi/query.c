/*
 * query.c: what a program may ask about a report, from its __tsan_on_report or from a debugger, and about an
 * address: clang's sanitizer/tsan_interface.h. Reads the Report; nothing is computed but locations.
 *
 * Numbers. A "tid" is goro's own: 0 the first goroutine or thread there was, mostly main. "os_id" is what
 * the text shows: the number of the goroutine or thread. Traces are call instructions (return addresses less
 * one), innermost first; trace_size counts entries. Mutexes and threads are each listed once. What is no
 * access of memory (lock, unlock, call, ...) is listed as a stack.
 */
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "../../runtime/symbol/symbol.h"
#include "../report/report.h"
#include "abi.h"

ABI int __tsan_get_report_data(void *report, const char **description, int *count, int *stack_count,
    int *mop_count, int *loc_count, int *mutex_count, int *thread_count, int *unique_tid_count,
    void **sleep_trace, unsigned long trace_size);
ABI int __tsan_get_report_tag(void *report, unsigned long *tag);
ABI int __tsan_get_report_stack(
    void *report, unsigned long idx, void **trace, unsigned long trace_size);
ABI int __tsan_get_report_mop(void *report, unsigned long idx, int *tid, void **addr, int *size,
    int *write, int *atomic, void **trace, unsigned long trace_size);
ABI int __tsan_get_report_loc(void *report, unsigned long idx, const char **type, void **addr,
    void **start, unsigned long *size, int *tid, int *fd, int *suppressable, void **trace,
    unsigned long trace_size);
ABI int __tsan_get_report_loc_object_type(
    void *report, unsigned long idx, const char **object_type);
ABI int __tsan_get_report_mutex(void *report, unsigned long idx, uint64_t *mutex_id, void **addr,
    int *destroyed, void **trace, unsigned long trace_size);
ABI int __tsan_get_report_thread(void *report, unsigned long idx, int *tid, uint64_t *os_id,
    int *running, const char **name, int *parent_tid, void **trace, unsigned long trace_size);
ABI int __tsan_get_report_unique_tid(void *report, unsigned long idx, int *tid);
ABI void *__tsan_get_current_report(void);
ABI const char *__tsan_locate_address(uintptr_t addr, char *name, unsigned long name_size,
    uintptr_t *region_address, unsigned long *region_size);
ABI int __tsan_get_alloc_stack(
    uintptr_t addr, uintptr_t *trace, unsigned long size, int *thread_id, uint64_t *os_id);

static const Report *told(void *report)
{
	return ((const ReportTold *)report)->report;
}

static const ReportLocation *location(void *report)
{
	return &((const ReportTold *)report)->location;
}

static int tid_of(uint32_t ginfo)
{
	return (int)ginfo - 1;
}

/* How many entries of trace were filled. */
static int put_trace(StackId id, void **trace, unsigned long size)
{
	enum { MAX = 64 }; /* at a time: this may be a small stack */
	uintptr_t pcs[MAX];
	int n = id && trace && size ? context_pcs(id, pcs, size < MAX ? (int)size : MAX) : 0;
	for (int i = 0; i < n; i++)
		trace[i] = (void *)(pcs[i] - 1);
	return n;
}

/* ---- lists without repetition ---- */

#define THREADS_MAX (REPORT_MAX_ACCESSES + 1)

static int add_thread(uint32_t *list, int n, uint32_t ginfo)
{
	for (int i = 0; i < n; i++)
		if (list[i] == ginfo)
			return n;
	if (ginfo && n < THREADS_MAX)
		list[n++] = ginfo;
	return n;
}

static int list_threads(void *report, uint32_t list[THREADS_MAX])
{
	const Report *r = told(report);
	int n = 0;
	for (int i = 0; i < r->naccesses; i++)
		n = add_thread(list, n, r->accesses[i].ginfo);
	return add_thread(list, n, location(report)->ginfo);
}

typedef struct Mutex {
	uintptr_t addr;
	StackId locked_at;
} Mutex;

/* The k-th mutex that the report speaks of, repetitions included: what an event is about, and the locks
 * held. False beyond. */
static bool each_mutex(const Report *r, int k, Mutex *out)
{
	for (int i = 0; i < r->naccesses; i++) {
		const ReportAccess *a = &r->accesses[i];
		if (access_is_lock(a->kind) && k-- == 0) {
			*out = (Mutex){a->addr, a->stack};
			return true;
		}
		if (k < a->nlocks) {
			*out = (Mutex){a->locks[k].addr, a->locks[k].locked_at};
			return true;
		}
		k -= a->nlocks;
	}
	return false;
}

/* The idx-th mutex without repetition; false beyond, *n says how many there are. */
static bool find_mutex(const Report *r, unsigned long idx, Mutex *out, int *n)
{
	Mutex before;
	*n = 0;
	for (int k = 0; each_mutex(r, k, out); k++) {
		bool again = false;
		for (int j = 0; j < k && each_mutex(r, j, &before); j++)
			again |= before.addr == out->addr;
		if (!again && (unsigned long)(*n)++ == idx)
			return true;
	}
	return false;
}

/* The idx-th access that is one of memory, or that is none; NULL beyond. *n: how many. */
static const ReportAccess *find_access(const Report *r, bool memory, unsigned long idx, int *n)
{
	*n = 0;
	for (int i = 0; i < r->naccesses; i++)
		if ((r->accesses[i].kind <= ACCESS_FREE) == memory && (unsigned long)(*n)++ == idx)
			return &r->accesses[i];
	return NULL;
}

/* ---- the report ---- */

/* TSan's word for a kind, where it is not goro's own. */
static const char *description_of(ReportKind kind)
{
	static const char *const words[][2] = {
	    {"use-after-free", "heap-use-after-free"},
	    {"vptr-race", "data-race-vptr"},
	    {"double-lock", "mutex-double-lock"},
	    {"read-lock-of-write-locked", "mutex-bad-read-lock"},
	    {"unlock-of-unlocked", "mutex-bad-unlock"},
	    {"unlock-by-wrong-thread", "mutex-bad-unlock"},
	    {"read-unlock-of-write-locked", "mutex-bad-read-unlock"},
	    {"write-unlock-of-read-locked", "mutex-bad-unlock"},
	    {"mutex-held", "mutex-held-wrong-context"},
	    {"destroy-of-locked", "locked-mutex-destroy"},
	    {"use-of-destroyed", "mutex-invalid-access"},
	    {"signal-errno", "errno-in-signal-handler"},
	};
	const char *id = report_kind_id(kind);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i][0], id))
			return words[i][1];
	return id;
}

ABI int __tsan_get_report_data(void *report, const char **description, int *count, int *stack_count,
    int *mop_count, int *loc_count, int *mutex_count, int *thread_count, int *unique_tid_count,
    void **sleep_trace, unsigned long trace_size)
{
	uint32_t list[THREADS_MAX];
	Mutex m;
	*description = description_of(told(report)->kind);
	*count = 1;
	find_access(told(report), false, ULONG_MAX, stack_count);
	find_access(told(report), true, ULONG_MAX, mop_count);
	*loc_count = location(report)->kind != LOCATION_UNKNOWN;
	find_mutex(told(report), ULONG_MAX, &m, mutex_count);
	*thread_count = list_threads(report, list);
	*unique_tid_count = 0;
	if (sleep_trace && trace_size)
		sleep_trace[0] = NULL;
	return 1;
}

ABI int __tsan_get_report_tag(void *report, unsigned long *tag)
{
	(void)report;
	*tag = 0;
	return 1;
}

ABI int __tsan_get_report_stack(
    void *report, unsigned long idx, void **trace, unsigned long trace_size)
{
	int n;
	const ReportAccess *a = find_access(told(report), false, idx, &n);
	if (a)
		put_trace(a->stack, trace, trace_size);
	return a != NULL;
}

ABI int __tsan_get_report_mop(void *report, unsigned long idx, int *tid, void **addr, int *size,
    int *write, int *atomic, void **trace, unsigned long trace_size)
{
	int n;
	const ReportAccess *a = find_access(told(report), true, idx, &n);
	if (!a)
		return 0;
	*tid = tid_of(a->ginfo);
	*addr = (void *)a->addr;
	*size = (int)a->size;
	*write = a->kind != ACCESS_READ && a->kind != ACCESS_ATOMIC_READ;
	*atomic = a->kind == ACCESS_ATOMIC_READ || a->kind == ACCESS_ATOMIC_WRITE;
	put_trace(a->stack, trace, trace_size);
	return 1;
}

static const char *location_word(LocationKind kind)
{
	return kind == LOCATION_GLOBAL  ? "global"
	       : kind == LOCATION_HEAP  ? "heap"
	       : kind == LOCATION_STACK ? "stack"
	       : kind == LOCATION_TLS   ? "tls"
					: "";
}

ABI int __tsan_get_report_loc(void *report, unsigned long idx, const char **type, void **addr,
    void **start, unsigned long *size, int *tid, int *fd, int *suppressable, void **trace,
    unsigned long trace_size)
{
	const ReportLocation *l = location(report);
	if (idx || l->kind == LOCATION_UNKNOWN)
		return 0;
	*type = location_word(l->kind);
	*addr = (void *)told(report)->accesses[0].addr;
	*start = (void *)l->start;
	*size = l->size;
	*tid = tid_of(l->ginfo);
	*fd = 0;
	*suppressable = 0;
	put_trace(l->allocated_at, trace, trace_size);
	return 1;
}

ABI int __tsan_get_report_loc_object_type(void *report, unsigned long idx, const char **object_type)
{
	if (idx || location(report)->kind == LOCATION_UNKNOWN)
		return 0;
	*object_type = "";
	return 1;
}

ABI int __tsan_get_report_mutex(void *report, unsigned long idx, uint64_t *mutex_id, void **addr,
    int *destroyed, void **trace, unsigned long trace_size)
{
	int n;
	Mutex m;
	if (!find_mutex(told(report), idx, &m, &n))
		return 0;
	*mutex_id = idx;
	*addr = (void *)m.addr;
	*destroyed = told(report)->kind == REPORT_DEAD_MUTEX;
	put_trace(m.locked_at, trace, trace_size);
	return 1;
}

ABI int __tsan_get_report_thread(void *report, unsigned long idx, int *tid, uint64_t *os_id,
    int *running, const char **name, int *parent_tid, void **trace, unsigned long trace_size)
{
	uint32_t list[THREADS_MAX];
	if (idx >= (unsigned long)list_threads(report, list))
		return 0;
	const GInfo *g = race_ginfo(list[idx]);
	*tid = tid_of(list[idx]);
	*os_id = g->id;
	*running = !load_rlx(&g->finished); /* relaxed: a word in a report */
	*name = g->name;
	*parent_tid = tid_of(g->parent);
	put_trace(g->created_at, trace, trace_size);
	return 1;
}

ABI int __tsan_get_report_unique_tid(void *report, unsigned long idx, int *tid)
{
	(void)report, (void)idx, (void)tid;
	return 0;
}

ABI void *__tsan_get_current_report(void)
{
	return (void *)(uintptr_t)report_current();
}

/* ---- an address ---- */

/* Into the detector, where ids stay what they are; within __tsan_on_report we are there already, and
 * false says that there is nothing to leave. */
static bool enter(void)
{
	RaceThread *t = &race_thread;
	return !load_rlx(&t->busy) && race_enter(t); /* relaxed: this thread's own */
}

static void leave(bool entered)
{
	if (entered)
		race_leave(&race_thread);
}

ABI const char *__tsan_locate_address(uintptr_t addr, char *name, unsigned long name_size,
    uintptr_t *region_address, unsigned long *region_size)
{
	ReportLocation l;
	SymData data = {.name = NULL};
	bool entered = enter();
	report_locate(addr, &l, &data);
	leave(entered);
	if (name && name_size) {
		const char *s = data.name ? data.name : "";
		size_t n = strlen(s) < name_size ? strlen(s) : name_size - 1;
		memcpy(name, s, n);
		name[n] = 0;
	}
	*region_address = l.start;
	*region_size = l.size;
	return location_word(l.kind);
}

ABI int __tsan_get_alloc_stack(
    uintptr_t addr, uintptr_t *trace, unsigned long size, int *thread_id, uint64_t *os_id)
{
	ReportLocation l;
	int n = 0;
	bool entered = enter();
	report_locate(addr, &l, NULL);
	if (l.kind == LOCATION_HEAP) {
		*thread_id = tid_of(l.ginfo);
		*os_id = l.ginfo ? race_ginfo(l.ginfo)->id : 0;
		n = put_trace(l.allocated_at, (void **)trace, size);
	}
	leave(entered);
	return n;
}
