/*
 * schedule.c: the file of a seeded run's decisions (docs/schedules.md, 4): reading one, writing one.
 *
 * What is read lies in a hash table by goroutine and point, constant after the start. What is written goes
 * through a buffer, which is written out when it is full and when the process may end, so that a process
 * that is killed later leaves all but the last.
 */
#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"

#define LINE_MAX_ 4096 /* a longer one is malformed */
#define OUT_FULL  65536

typedef struct Decision {
	uint64_t g, k;
	uint64_t to; /* goroutine, or case + 1; 0: no entry */
	bool is_case;
	bool used; /* its point came */
} Decision;

static struct {
	Decision *at;
	size_t n, cap; /* cap: a power of two */
} table;

static struct {
	int fd;
	Buf text;
	bool started, ended;
} out = {.fd = -1};

/* ---- the table ---- */

static Decision *slot_of(Decision *at, size_t cap, uint64_t g, uint64_t k, bool is_case)
{
	uint64_t h =
	    (g * UINT64_C(0x9e3779b97f4a7c15) ^ k) * UINT64_C(0xbf58476d1ce4e5b9) + is_case;
	size_t i = (h >> 20) & (cap - 1);
	while (at[i].to && !(at[i].g == g && at[i].k == k && at[i].is_case == is_case))
		i = (i + 1) & (cap - 1);
	return &at[i];
}

/* False: it is there already. */
static bool put(Decision d)
{
	if (2 * (table.n + 1) > table.cap) {
		size_t cap = table.cap ? 2 * table.cap : 1024;
		Decision *more = os_map(cap * sizeof *more);
		if (!more)
			throw("no memory for a schedule of %zu decisions", table.n);
		for (size_t i = 0; i < table.cap; i++) {
			Decision *o = &table.at[i];
			if (o->to)
				*slot_of(more, cap, o->g, o->k, o->is_case) = *o;
		}
		if (table.at)
			os_unmap(table.at, table.cap * sizeof *more);
		table.at = more;
		table.cap = cap;
	}
	Decision *s = slot_of(table.at, table.cap, d.g, d.k, d.is_case);
	if (s->to)
		return false;
	*s = d;
	table.n++;
	return true;
}

static uint64_t find(uint64_t g, uint64_t k, bool is_case)
{
	if (!table.n)
		return 0;
	Decision *d = slot_of(table.at, table.cap, g, k, is_case);
	if (d->to)
		d->used = true;
	return d->to;
}

uint64_t schedule_next(uint64_t from, uint64_t k)
{
	return find(from, k, false);
}

uint64_t schedule_unused(void)
{
	uint64_t n = 0;
	for (size_t i = 0; i < table.cap; i++)
		n += table.at[i].to && !table.at[i].used;
	return n;
}

int schedule_case(uint64_t g, uint64_t k)
{
	return (int)find(g, k, true) - 1;
}

/* ---- reading ---- */

static _Noreturn void refuse(const char *path, size_t line, const char *why)
{
	if (line)
		print_fd(2, "goro: GORACE: schedule %s: line %zu: %s\n", path, line, why);
	else
		print_fd(2, "goro: GORACE: schedule %s: %s\n", path, why);
	os_exit(2);
}

/* A number up to `most`, blanks before it. */
static bool number(const char **s, uint64_t most, uint64_t *v)
{
	uint64_t n = 0;
	while (**s == ' ' || **s == '\t')
		++*s;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; ++*s) {
		if (n > (most - (uint64_t)(**s - '0')) / 10)
			return false;
		n = n * 10 + (uint64_t)(**s - '0');
	}
	*v = n;
	return true;
}

static bool at_end(const char *s)
{
	return !s[strspn(s, " \t\r")];
}

static bool word(const char **s, const char *w)
{
	size_t n = strlen(w);
	if (strncmp(*s, w, n) != 0 || ((*s)[n] && (*s)[n] != ' ' && (*s)[n] != '\t'))
		return false;
	*s += n;
	return true;
}

/* One line; NULL, or what is wrong with it. */
static const char *take_line(const char *s)
{
	Decision d = {0};
	uint64_t to;
	s += strspn(s, " \t\r");
	if (!*s || *s == '#' || word(&s, "program") || word(&s, "gorace"))
		return NULL;
	if (word(&s, "end"))
		return NULL;
	d.is_case = word(&s, "choose");
	if (!d.is_case && !word(&s, "switch"))
		return "none of switch, choose, program, gorace, end";
	if (!number(&s, UINT64_MAX - 9, &d.g) || !number(&s, UINT64_MAX - 9, &d.k) ||
	    !number(&s, d.is_case ? INT32_MAX - 1 : UINT64_MAX - 9, &to) || !at_end(s))
		return "three numbers are wanted";
	d.to = to + d.is_case;
	if (!d.to)
		return "there is no goroutine 0";
	return put(d) ? NULL : "the same goroutine and point as a line before";
}

static void parse(const char *path, char *text, size_t size)
{
	size_t line = 0;
	char *end = text + size;
	for (char *s = text, *next; s < end; s = next) {
		char *nl = memchr(s, '\n', (size_t)(end - s));
		next = nl ? nl + 1 : end;
		if (nl)
			*nl = 0;
		line++;
		size_t n = strlen(s);
		if (n > LINE_MAX_ || s + n != (nl ? nl : end))
			refuse(path, line, "not a text");
		const char *first = s;
		if (line == 1) {
			if (!word(&first, "goro-schedule"))
				refuse(path, line, "not a schedule: goro-schedule is wanted");
			if (!word(&first, " 1") || !at_end(first))
				refuse(path, line, "not format 1");
			continue;
		}
		const char *why = take_line(s);
		if (why)
			refuse(path, line, why);
	}
	if (!line)
		refuse(path, 0, "empty");
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (size < 0)
		refuse(path, 0, strerror(errno));
	char *text = os_map((size_t)size + 1); /* ends in a NUL */
	if (!text)
		refuse(path, 0, strerror(ENOMEM));
	size_t n = 0;
	while (n < (size_t)size) {
		ssize_t r = pread(fd, text + n, (size_t)size - n, (off_t)n);
		if (r < 0)
			refuse(path, 0, strerror(errno));
		if (r == 0)
			break;
		n += (size_t)r;
	}
	close(fd);
	parse(path, text, n);
	os_unmap(text, (size_t)size + 1);
}

/* ---- writing ---- */

bool schedule_path(const char *path, char *to, size_t size)
{
	size_t n = 0;
	for (; *path; path++) {
		char digits[16];
		const char *s = path;
		size_t len = 1;
		if (path[0] == '%' && path[1] == 'p') {
			int i = sizeof digits;
			for (int pid = os_process_id(); i == sizeof digits || pid; pid /= 10)
				digits[--i] = (char)('0' + pid % 10);
			s = digits + i;
			len = sizeof digits - (size_t)i;
			path++;
		}
		if (n + len >= size)
			return false;
		memcpy(to + n, s, len);
		n += len;
	}
	to[n] = 0;
	return true;
}

static void flush(void)
{
	if (out.fd >= 0 && out.text.n)
		buf_write(&out.text, out.fd);
}

static void add_program(Buf *b)
{
	char args[LINE_MAX_ / 2];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, args, sizeof args);
	if (fd >= 0)
		close(fd);
	buf_str(b, "program");
	for (ssize_t i = 0; i < n; i += (ssize_t)strnlen(args + i, (size_t)(n - i)) + 1) {
		buf_str(b, " ");
		for (ssize_t j = i; j < n && args[j]; j++)
			buf_add(b, args[j] == '\n' ? " " : &args[j], 1);
	}
	buf_str(b, "\n");
}

static void begin(const char *name)
{
	static const char *const strategies[] = {"random", "pct", "pos"};
	char path[4096];
	int fd = schedule_path(name, path, sizeof path)
		     ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
		     : -1;
	if (fd < 0) {
		print_fd(2, "goro: GORACE: cannot write %s: the run is not recorded\n", name);
		seed.o.record = "";
		return;
	}
	out.fd = fd;
	buf_str(&out.text, "goro-schedule 1\n");
	add_program(&out.text);
	if (seed.follows)
		buf_fmt(&out.text, "gorace schedule=%s\n", seed.o.schedule);
	else
		buf_fmt(&out.text, "gorace seed=%u strategy=%s depth=%u steps=%u preempt=%u\n",
		    seed.o.seed, strategies[seed.o.strategy], seed.o.depth, seed.o.steps,
		    seed.o.preempt);
	flush();
}

void schedule_init(void)
{
	seed.follows = *seed.o.schedule || !seed.o.seed;
	if (*seed.o.schedule) {
		char path[4096];
		if (!schedule_path(seed.o.schedule, path, sizeof path))
			refuse(seed.o.schedule, 0, strerror(ENAMETOOLONG));
		load(path);
	}
	if (*seed.o.record)
		begin(seed.o.record);
}

void schedule_switched(uint64_t from, uint64_t k, uint64_t to)
{
	if (!from && out.started) /* from outside, once it is not the seed's run alone */
		return;
	out.started = true;
	buf_fmt(&out.text, "switch %llu %llu %llu\n", (unsigned long long)from,
	    (unsigned long long)k, (unsigned long long)to);
	if (out.text.n >= OUT_FULL)
		flush();
}

void schedule_chose(uint64_t g, uint64_t k, int which)
{
	buf_fmt(&out.text, "choose %llu %llu %d\n", (unsigned long long)g, (unsigned long long)k,
	    which);
	if (out.text.n >= OUT_FULL)
		flush();
}

void schedule_end(bool last)
{
	if (last && out.fd >= 0 && !out.ended) {
		out.ended = true;
		buf_fmt(&out.text, "end %llu %llu\n", (unsigned long long)seed.step,
		    (unsigned long long)seed.switches);
	}
	flush();
}
