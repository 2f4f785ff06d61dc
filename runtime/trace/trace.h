/*
 * trace.h: between the files of this folder: rings.c (events in), copy.c (events out), timeline.c (from events to
 * states), json.c (states as Trace Event JSON), names.c (texts by number), trace.c (when all this happens), user.c
 * (the program's own events).
 */
#ifndef GORO_TRACE_TRACE_H
#define GORO_TRACE_TRACE_H

#include "../base/buf.h"
#include "../sched/runtime.h"
#include "../sched/trace.h"

#define TRACE_LOG_MAX 240 /* bytes of a message; a multiple of 16 */

static inline TraceType trace_type(const TraceEvent *e)
{
	return (TraceType)(e->w[1] & 0xff);
}
static inline uint32_t trace_why(const TraceEvent *e)
{
	return (uint32_t)(e->w[1] >> 8) & 0xff;
}
static inline uint64_t trace_g(const TraceEvent *e)
{
	return e->w[1] >> 16;
}

/* ---- rings.c ---- */
void rings_init(size_t bytes);
/* A ring to write several events into, one after the other. p as in trace_put. */
TraceRing *ring_begin(P *p);
void ring_put(TraceRing *r, uint64_t at, uint64_t head, uint64_t a, uint64_t b);
void ring_end(P *p);
static inline uint64_t trace_head(TraceType type, uint32_t why, uint64_t g)
{
	return (uint64_t)type | (uint64_t)(why & 0xff) << 8 | g << 16;
}
extern TraceRing trace_outside; /* of threads without a P */
uint64_t trace_clock(void);
const char *trace_clock_name(void);
/* How clock readings become nanoseconds since the start, as known now. */
typedef struct TraceScale {
	uint64_t zero;
	double ns;
} TraceScale;
TraceScale trace_scale(void);
static inline int64_t trace_ns(const TraceScale *s, uint64_t at)
{
	return at < s->zero ? 0 : (int64_t)((double)(at - s->zero) * s->ns);
}

/* ---- names.c ---- */
/* The number of a text, cut at 127 bytes; 0 when there are too many. From any thread. */
uint32_t name_number(const char *text);
const char *name_text(uint64_t number);

/* ---- copy.c ---- */
typedef struct TraceCopy {
	struct CopiedRing {
		TraceEvent *ev;
		uint64_t n, at;
		size_t bytes;
		int p; /* -1: outside */
	} * ring;
	uint32_t nrings, nheap;
	uint32_t *heap; /* rings that have events left, by the time of the next */
	uint64_t from;  /* everything from here on is known; 0: from the start */
	uint64_t to;
	uint64_t lost; /* events overwritten */
} TraceCopy;
/* 0 or -ENOMEM; then nothing is to be freed. */
int copy_take(TraceCopy *c);
/* The next event by time, and its ring; NULL: that was the last. */
const TraceEvent *copy_next(TraceCopy *c, const struct CopiedRing **ring);
/* The text behind a TRACE_LOG that copy_next gave just now, into at least TRACE_LOG_MAX + 1 bytes. */
void copy_text(TraceCopy *c, const struct CopiedRing *ring, const TraceEvent *log, char *to);
void copy_free(TraceCopy *c);

/* ---- timeline.c ---- */
/* All that the rings hold, to fd. 0 or negative errno. Needs a stack of 64 KiB, and time. */
int timeline_write(int fd);

/* ---- json.c ---- */
typedef struct Json {
	Buf b;
	int fd;
	int error; /* negative errno of a write; nothing is written from then on */
	bool more; /* an event has been written */
} Json;
typedef enum Track { TRACK_PROCS = 1, TRACK_GOROUTINES = 2, TRACK_REGIONS = 3 } Track;
void json_begin(Json *j, const TraceCopy *c, const TraceScale *s);
/* args: what stands between the braces, as JSON; NULL: none. name is any text. Times in ns. */
void json_slice(Json *j, Track t, uint64_t id, int64_t from, int64_t to, const char *cat,
    const char *name, const char *args);
void json_instant(
    Json *j, Track t, uint64_t id, int64_t at, const char *cat, const char *name, const char *args);
void json_counter(Json *j, int64_t at, const char *name, const char *args);
/* From the slice of goroutine a at `at` to that of goroutine b at `to`. */
void json_flow(Json *j, uint64_t number, uint64_t a, int64_t at, uint64_t b, int64_t to);
void json_track(Json *j, Track t, uint64_t id, const char *name);
/* 0 or what went wrong; frees. */
int json_end(Json *j);
/* text as a JSON string, quotes included; at most size - 1 bytes. */
void json_quote(char *to, size_t size, const char *text);

#endif
