/*
 * json.c: Trace Event JSON (the Trace Event Format of chrome://tracing, which Perfetto opens too), as an object
 * {"displayTimeUnit", "otherData", "traceEvents"}. One event a line, so that a reader may take it line by line
 * (goro-race trace does).
 *
 * The format's "processes" group the tracks: Track, its "threads" are Ps and goroutines. Times are microseconds with
 * three digits behind the point, from the start of the program. Written by hand: the program's heap must not be
 * touched, it may be what broke.
 */
#include "../debug/debug.h"
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FLUSH_AT ((size_t)64 << 10)

static void flush(Json *j)
{
	if (j->error == 0 && j->b.n) {
		long n = os_write(j->fd, j->b.p, j->b.n);
		if (n < 0)
			j->error = (int)n;
		else if ((size_t)n < j->b.n)
			j->error = -EIO;
	}
	j->b.n = 0;
	trace_progress++; /* who watches over the end of the process sees that it goes on */
}

/* Bytes of the UTF-8 character at s; 0: it is none. */
static int utf8(const unsigned char *s)
{
	int n = s[0] < 0x80       ? 1
		: s[0] >> 5 == 6  ? 2
		: s[0] >> 4 == 14 ? 3
		: s[0] >> 3 == 30 ? 4
				  : 0;
	for (int i = 1; i < n; i++)
		if (s[i] >> 6 != 2)
			return 0;
	if ((n == 2 && s[0] < 0xc2) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (n == 3 && s[0] == 0xed && s[1] > 0x9f) || (n == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
	    (n == 4 && (s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f))))
		return 0; /* overlong, a surrogate, or beyond the last */
	return n;
}

void json_quote(char *to, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)text;
	size_t n = 0;
	to[n++] = '"';
	while (*s && n + 8 < size) {
		int len = utf8(s);
		if (len == 0) {
			memcpy(to + n, "\\ufffd", 6);
			n += 6;
			s++;
		} else if (len == 1 && (*s == '"' || *s == '\\')) {
			to[n++] = '\\';
			to[n++] = (char)*s++;
		} else if (len == 1 && (*s < 0x20 || *s == 0x7f)) {
			memcpy(to + n, "\\u00", 4);
			to[n + 4] = hex[*s >> 4];
			to[n + 5] = hex[*s & 15];
			n += 6;
			s++;
		} else {
			memcpy(to + n, s, (size_t)len);
			n += (size_t)len;
			s += len;
		}
	}
	to[n++] = '"';
	to[n] = 0;
}

/* A quoted text of at most TRACE_LOG_MAX bytes, each of which may become six. */
#define QUOTED (TRACE_LOG_MAX * 6 + 16)

static void begin(Json *j, char phase, Track t, uint64_t id, int64_t at, const char *cat)
{
	if (j->b.n >= FLUSH_AT)
		flush(j);
	buf_fmt(&j->b, "%s{\"ph\":\"%c\",\"pid\":%d,\"tid\":%llu,\"ts\":%lld.%03d,\"cat\":\"%s\"",
	    j->more ? ",\n" : "", phase, (int)t, (unsigned long long)id, (long long)(at / 1000),
	    (int)(at % 1000), cat);
	j->more = true;
}

static void name_and_args(Json *j, const char *name, const char *args)
{
	char quoted[QUOTED];
	json_quote(quoted, sizeof quoted, name);
	buf_str(&j->b, ",\"name\":");
	buf_str(&j->b, quoted);
	if (args && *args)
		buf_fmt(&j->b, ",\"args\":{%s}", args);
	buf_str(&j->b, "}");
}

void json_slice(Json *j, Track t, uint64_t id, int64_t from, int64_t to, const char *cat,
    const char *name, const char *args)
{
	begin(j, 'X', t, id, from, cat);
	buf_fmt(&j->b, ",\"dur\":%lld.%03d", (long long)((to - from) / 1000),
	    (int)((to - from) % 1000));
	name_and_args(j, name, args);
}

void json_instant(
    Json *j, Track t, uint64_t id, int64_t at, const char *cat, const char *name, const char *args)
{
	begin(j, 'i', t, id, at, cat);
	buf_str(&j->b, ",\"s\":\"t\"");
	name_and_args(j, name, args);
}

void json_counter(Json *j, int64_t at, const char *name, const char *args)
{
	begin(j, 'C', TRACK_PROCS, 0, at, "counter");
	name_and_args(j, name, args);
}

void json_flow(Json *j, uint64_t number, uint64_t a, int64_t at, uint64_t b, int64_t to)
{
	begin(j, 's', TRACK_GOROUTINES, a, at, "flow");
	buf_fmt(&j->b, ",\"id\":%llu", (unsigned long long)number);
	name_and_args(j, "unblock", NULL);
	begin(j, 'f', TRACK_GOROUTINES, b, to, "flow");
	buf_fmt(&j->b, ",\"id\":%llu,\"bp\":\"e\"", (unsigned long long)number);
	name_and_args(j, "unblock", NULL);
}

static void metadata(Json *j, Track t, uint64_t id, const char *what, const char *args)
{
	begin(j, 'M', t, id, 0, "__metadata");
	name_and_args(j, what, args);
}

void json_track(Json *j, Track t, uint64_t id, const char *name)
{
	char quoted[QUOTED], args[QUOTED + 16];
	json_quote(quoted, sizeof quoted, name);
	snprintf(args, sizeof args, "\"name\":%s", quoted);
	metadata(j, t, id, "thread_name", args);
	snprintf(args, sizeof args, "\"sort_index\":%llu", (unsigned long long)id);
	metadata(j, t, id, "thread_sort_index", args);
}

void json_begin(Json *j, const TraceCopy *c, const TraceScale *s)
{
	static const char *const tracks[] = {[TRACK_PROCS] = "Processors",
	    [TRACK_GOROUTINES] = "Goroutines",
	    [TRACK_REGIONS] = "Regions"};
	char program[QUOTED];
	json_quote(program, sizeof program, program_invocation_short_name);
	buf_fmt(&j->b,
	    "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"goro\":\"%s\",\"program\":%s,\"pid\":%d,"
	    "\"clock\":\"%s\",\"gomaxprocs\":%u,\"from_ns\":%lld,\"to_ns\":%lld,\"lost\":%llu},"
	    "\n\"traceEvents\":["
	    "\n",
	    GORO_VERSION, program, os_process_id(), trace_clock_name(), load_rlx(&sched.procs),
	    (long long)(c->from ? trace_ns(s, c->from) : 0), (long long)trace_ns(s, c->to),
	    (unsigned long long)c->lost);
	for (Track t = TRACK_PROCS; t <= TRACK_REGIONS; t++) {
		char args[64];
		snprintf(args, sizeof args, "\"name\":\"%s\"", tracks[t]);
		metadata(j, t, 0, "process_name", args);
		snprintf(args, sizeof args, "\"sort_index\":%d", (int)t);
		metadata(j, t, 0, "process_sort_index", args);
	}
}

int json_end(Json *j)
{
	buf_str(&j->b, "\n]}\n");
	flush(j);
	buf_free(&j->b);
	return j->error;
}
