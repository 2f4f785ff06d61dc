/*
 * schedule.c: a seeded run in words: the options of GORACE for it, and how to have it again.
 */
#include "schedule.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/os/os.h"
#include "../options/flags.h"
#include "jsonw.h"

static const char *const strategies[] = {"random", "pct", "pos"};

const SeedOptions *schedule_options(void)
{
	static SeedOptions o; /* written at the start, by one thread */
	if (!flags.seed && !*flags.schedule && !*flags.record)
		return NULL;
	o = (SeedOptions){.seed = *flags.schedule ? 0 : (uint32_t)flags.seed,
	    .strategy = (uint32_t)flags.strategy,
	    .depth = (uint32_t)flags.depth,
	    .steps = (uint32_t)flags.steps,
	    .preempt = (uint32_t)flags.preempt,
	    .schedule = flags.schedule,
	    .record = flags.record,
	    .interleaving = flags.interleaving,
	    .linger_ns = (int64_t)flags.atexit_sleep_ms * 1000000};
	return &o;
}

/* ---- the command that has it again ---- */

/* One word of a shell's line. */
static void add_word(Buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";
	if (*s && !s[strspn(s, plain)]) {
		buf_str(b, s);
		return;
	}
	buf_str(b, "'");
	for (; *s; s++) {
		if (*s == '\'')
			buf_str(b, "'\\''");
		else
			buf_add(b, s, 1);
	}
	buf_str(b, "'");
}

static void add_command(Buf *b)
{
	static char line[65536]; /* the report's lock, or the end of the process */
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = 0;
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(line + i) + 1) {
		buf_str(b, " ");
		add_word(b, line + i);
	}
}

/* A value inside GORACE="...": in single quotes where it has what separates keys. */
static void add_value(Buf *b, const char *s)
{
	const char *quote = s[strcspn(s, " \t:,")] ? "'" : "";
	buf_fmt(b, "%s%s%s", quote, s, quote);
}

static void add_replay(Buf *b)
{
	buf_str(b, "GORACE=\"");
	if (*flags.schedule) {
		buf_str(b, "schedule=");
		add_value(b, flags.schedule);
	} else {
		buf_fmt(b, "seed=%d", flags.seed);
		if (flags.strategy)
			buf_fmt(b, " strategy=%s", strategies[flags.strategy]);
		if (flags.strategy == 1 && flags.depth != 3)
			buf_fmt(b, " depth=%d", flags.depth);
		if (flags.strategy == 1 && flags.steps)
			buf_fmt(b, " steps=%d", flags.steps);
		if (flags.preempt != 10)
			buf_fmt(b, " preempt=%d", flags.preempt);
	}
	if (flags.atexit_sleep_ms != 1000)
		buf_fmt(b, " atexit_sleep_ms=%d", flags.atexit_sleep_ms);
	buf_str(b, "\"");
	add_command(b);
}

/* ---- what was not decided ---- */

static const char *const words[] = {"threads", "syscalls", "descriptors", "signals"};
#define WORDS (sizeof words / sizeof *words)

void schedule_text(Buf *b)
{
	SeedState s;
	if (!race_seed)
		return;
	race_seed->state(&s);
	buf_str(b, "\n");
	if (s.uncontrolled) {
		buf_str(b, "Not controlled by the seed:");
		const char *between = " ";
		for (size_t i = 0; i < WORDS; i++)
			if (s.uncontrolled & 1u << i) {
				buf_fmt(b, "%s%s", between, words[i]);
				between = ", ";
			}
		buf_str(b, "\n");
	}
	buf_str(b, "Replay: ");
	add_replay(b);
	buf_str(b, "\n");
}

void schedule_json(Buf *b)
{
	SeedState s;
	if (!race_seed)
		return;
	race_seed->state(&s);
	jsonw_key(b, "schedule");
	buf_str(b, "{");
	jsonw_number(b, "seed", *flags.schedule ? 0 : (uint64_t)flags.seed);
	if (*flags.schedule)
		jsonw_pair(b, "file", flags.schedule);
	jsonw_pair(b, "strategy", strategies[flags.strategy]);
	jsonw_number(b, "depth", (uint64_t)flags.depth);
	jsonw_number(b, "steps", (uint64_t)flags.steps);
	jsonw_number(b, "preempt", (uint64_t)flags.preempt);
	jsonw_number(b, "step", s.step);
	jsonw_number(b, "switches", s.switches);
	jsonw_number(b, "time_ns", s.time_ns > 0 ? (uint64_t)s.time_ns : 0);
	jsonw_key(b, "uncontrolled");
	buf_str(b, "[");
	const char *between = "";
	for (size_t i = 0; i < WORDS; i++)
		if (s.uncontrolled & 1u << i) {
			buf_fmt(b, "%s\"%s\"", between, words[i]);
			between = ",";
		}
	buf_str(b, "]");
	jsonw_number(b, "diverged", s.diverged);
	Buf line = {0};
	add_replay(&line);
	jsonw_pair(b, "replay", buf_text(&line));
	buf_free(&line);
	buf_str(b, "}");
}
