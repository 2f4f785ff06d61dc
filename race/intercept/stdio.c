/*
 * stdio.c: streams: the ranges they fill and empty, and the order they make.
 *
 * Order. A stream is a channel of bytes: what went in is before whatever can see it come out. So an
 * output call publishes (release_merge on the FILE), and an input or position call acquires. Two
 * writers do not order each other, although the libc takes a lock for each: neither can tell from
 * its write which came first, and a printf for debugging must not hide a race (Go's runtime draws the
 * same line for files). Who takes the lock by name, flockfile, means it: that is a lock with both edges.
 *
 * The same holds for the file behind the stream: somebody may be at its other end, or use its descriptor.
 *
 * The bytes read and written are said before an output call and after an input call, which only then
 * knows how many there are.
 */
#include "core.h"

#include "../../runtime/os/os.h"

/* fd_order looks the file up by fstat, so a thread remembers its last answer; what may change a
 * descriptor's file tells `changes`. */
static uint32_t changes;
static __thread struct {
	FILE *f;
	uint32_t changes;
	FdOrder order;
} last __attribute__((tls_model("initial-exec")));

void file_changed(void)
{
	add_rlx(&changes,
	    1u); /* relaxed: a thread that uses the stream afterwards is ordered otherwise */
}

static FdOrder file_order(FILE *f)
{
	uint32_t now = load_rlx(&changes);

	if (last.f != f || last.changes != now || last.order.anew) {
		int saved = os_errno();

		last.order = fd_order ? fd_order(fileno_unlocked(f))
				      : (FdOrder){0}; /* none behind a string */
		last.f = f;
		last.changes = now;
		os_set_errno(saved);
	}
	return last.order;
}

void file_out(RaceCtx *g, FILE *f)
{
	FdOrder order;

	if (!g)
		return;
	hook_release_merge(g, f);
	order = file_order(f);
	for (int i = 0; i < FD_OUTS && order.out[i]; i++)
		hook_release_merge(g, order.out[i]);
}

void file_in(RaceCtx *g, FILE *f)
{
	FdOrder order;

	if (!g)
		return;
	hook_acquire(g, f);
	order = file_order(f);
	for (int i = 0; i < FD_INS && order.in[i]; i++)
		hook_acquire(g, order.in[i]);
}

INTERCEPT int dup2(int from, int to)
{
	file_changed();
	return goro_real_dup2(from, to);
}

INTERCEPT int dup3(int from, int to, int flags)
{
	file_changed();
	return goro_real_dup3(from, to, flags);
}

/* ---- blocks ---- */

/* An input call asks for the context once more after the work: reading may block for long, but it
 * stays on its thread, and so with its goroutine. */
static size_t got(FILE *f, void *p, size_t each, size_t n, const void *pc)
{
	RaceCtx *g = self();

	file_in(g, f);
	writes(g, p, each * n, pc);
	return n;
}

INTERCEPT size_t fread(void *restrict p, size_t each, size_t n, FILE *restrict f)
{
	signal_unsafe("fread", CALLER);
	return got(f, p, each, goro_real_fread(p, each, n, f), CALLER);
}

INTERCEPT size_t fread_unlocked(void *restrict p, size_t each, size_t n, FILE *restrict f)
{
	return got(f, p, each, goro_real_fread_unlocked(p, each, n, f), CALLER);
}

size_t __fread_chk(void *, size_t, size_t, size_t, FILE *);
INTERCEPT size_t __fread_chk(void *p, size_t room, size_t each, size_t n, FILE *f)
{
	return got(f, p, each, goro_real___fread_chk(p, room, each, n, f), CALLER);
}

INTERCEPT size_t fwrite(const void *restrict p, size_t each, size_t n, FILE *restrict f)
{
	signal_unsafe("fwrite", CALLER);
	RaceCtx *g = self();

	reads(g, p, each * n, CALLER);
	file_out(g, f);
	return goro_real_fwrite(p, each, n, f);
}

INTERCEPT size_t fwrite_unlocked(const void *restrict p, size_t each, size_t n, FILE *restrict f)
{
	RaceCtx *g = self();

	reads(g, p, each * n, CALLER);
	file_out(g, f);
	return goro_real_fwrite_unlocked(p, each, n, f);
}

/* ---- lines ---- */

static char *got_line(char *line, FILE *f, const void *pc)
{
	RaceCtx *g = self();

	file_in(g, f);
	if (g && line)
		writes(g, line, goro_real_strlen(line) + 1, pc);
	return line;
}

INTERCEPT char *fgets(char *restrict s, int n, FILE *restrict f)
{
	signal_unsafe("fgets", CALLER);
	return got_line(goro_real_fgets(s, n, f), f, CALLER);
}

INTERCEPT char *fgets_unlocked(char *restrict s, int n, FILE *restrict f)
{
	return got_line(goro_real_fgets_unlocked(s, n, f), f, CALLER);
}

char *__fgets_chk(char *, size_t, int, FILE *);
INTERCEPT char *__fgets_chk(char *s, size_t room, int n, FILE *f)
{
	return got_line(goro_real___fgets_chk(s, room, n, f), f, CALLER);
}

static ssize_t delimited(char **line, size_t *room, int end, FILE *f, const void *pc)
{
	RaceCtx *g = self();
	ssize_t n;

	reads(g, line, sizeof *line, pc);
	reads(g, room, sizeof *room, pc);
	heap_caller = pc;
	n = goro_real_getdelim(line, room, end, f);
	heap_caller = NULL;
	file_in(g, f);
	if (n >= 0) {
		writes(g, line, sizeof *line, pc);
		writes(g, room, sizeof *room, pc);
		writes(g, *line, (size_t)n + 1, pc);
	}
	return n;
}

INTERCEPT ssize_t getdelim(char **restrict line, size_t *restrict room, int end, FILE *restrict f)
{
	return delimited(line, room, end, f, CALLER);
}

ssize_t __getdelim(char **, size_t *, int, FILE *);
INTERCEPT ssize_t __getdelim(char **line, size_t *room, int end, FILE *f)
{
	return delimited(line, room, end, f, CALLER);
}

INTERCEPT ssize_t getline(char **restrict line, size_t *restrict room, FILE *restrict f)
{
	return delimited(line, room, '\n', f, CALLER);
}

static void puts_out(const char *s, FILE *f, const void *pc)
{
	RaceCtx *g = self();

	if (g) {
		reads(g, s, goro_real_strlen(s) + 1, pc);
		file_out(g, f);
	}
}

INTERCEPT int fputs(const char *restrict s, FILE *restrict f)
{
	signal_unsafe("fputs", CALLER);
	puts_out(s, f, CALLER);
	return goro_real_fputs(s, f);
}

INTERCEPT int fputs_unlocked(const char *restrict s, FILE *restrict f)
{
	puts_out(s, f, CALLER);
	return goro_real_fputs_unlocked(s, f);
}

INTERCEPT int puts(const char *s)
{
	signal_unsafe("puts", CALLER);
	puts_out(s, stdout, CALLER);
	return goro_real_puts(s);
}

/* ---- characters and positions: order alone ---- */

INTERCEPT int fputc(int c, FILE *f)
{
	signal_unsafe("fputc", CALLER);
	file_out(self(), f);
	return goro_real_fputc(c, f);
}

INTERCEPT int putc(int c, FILE *f)
{
	signal_unsafe("putc", CALLER);
	file_out(self(), f);
	return goro_real_putc(c, f);
}

INTERCEPT int putchar(int c)
{
	signal_unsafe("putchar", CALLER);
	file_out(self(), stdout);
	return goro_real_putchar(c);
}

INTERCEPT int fgetc(FILE *f)
{
	signal_unsafe("fgetc", CALLER);
	int c = goro_real_fgetc(f);

	file_in(self(), f);
	return c;
}

INTERCEPT int getc(FILE *f)
{
	signal_unsafe("getc", CALLER);
	int c = goro_real_getc(f);

	file_in(self(), f);
	return c;
}

INTERCEPT int getchar(void)
{
	int c = goro_real_getchar();

	file_in(self(), stdin);
	return c;
}

INTERCEPT int ungetc(int c, FILE *f)
{
	file_out(self(), f);
	return goro_real_ungetc(c, f);
}

INTERCEPT int fseek(FILE *f, long off, int whence)
{
	file_out(self(), f);
	return goro_real_fseek(f, off, whence);
}

INTERCEPT int fseeko(FILE *f, off_t off, int whence)
{
	file_out(self(), f);
	return goro_real_fseeko(f, off, whence);
}

INTERCEPT void rewind(FILE *f)
{
	file_out(self(), f);
	goro_real_rewind(f);
}

INTERCEPT long ftell(FILE *f)
{
	long at = goro_real_ftell(f);

	file_in(self(), f);
	return at;
}

INTERCEPT off_t ftello(FILE *f)
{
	off_t at = goro_real_ftello(f);

	file_in(self(), f);
	return at;
}

INTERCEPT int fflush(FILE *f)
{
	signal_unsafe("fflush", CALLER);
	if (f)
		file_out(self(), f);
	return goro_real_fflush(f);
}

/* The last user of the stream sees all others done; the FILE itself is freed in the libc. */
INTERCEPT int fclose(FILE *f)
{
	file_in(self(), f);
	file_changed();
	return goro_real_fclose(f);
}

/* ---- the lock by name ---- */

INTERCEPT void flockfile(FILE *f)
{
	goro_real_flockfile(f);
	took(self(), f, LOCK_WRITE, CALLER);
}

INTERCEPT int ftrylockfile(FILE *f)
{
	int r = goro_real_ftrylockfile(f);

	if (r == 0)
		took(self(), f, LOCK_WRITE, CALLER);
	return r;
}

/* Merges: what others put into the stream meanwhile stays ordered before its reader. */
INTERCEPT void funlockfile(FILE *f)
{
	RaceCtx *g = self();

	if (g) {
		hook_unlock(g, f, LOCK_WRITE, CALLER);
		hook_release_merge(g, f);
	}
	goro_real_funlockfile(f);
}
