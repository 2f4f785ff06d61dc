/*
 * output.c: see output.h.
 *
 * Lines (text, JSON Lines, annotations) leave at once, one write(2) a finding: reports of several
 * processes into one file do not mix, and none is half.
 *
 * SARIF is one document a process. In a file it is whole after each finding: the finding and the end of
 * the document are written over the document's former end by one pwrite(2), so that a process that is
 * killed leaves a valid one, which says that its run did not end. Where that cannot be (stderr, a pipe) it
 * is kept and written once, at the end.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/base/fatal.h"
#include "../../runtime/os/os.h"
#include "../options/flags.h"
#include "sarif.h"

static struct {
	int fd;
	pid_t pid;   /* a forked child has a file of its own */
	bool opened; /* by us: a file */
	bool given;  /* the descriptor, by the program */
	bool failed; /* said so */
} out = {.fd = -1};

#define RESULTS_MAX 25000 /* as many as GitHub accepts in one run */

static struct {
	Buf text; /* in a file: head or result that has not been written; else: all but the tail */
	off_t at; /* file: where the next result goes */
	int n;    /* results */
	int left; /* left out: no room */
	bool begun; /* the head is there */
} doc;

/* TSan's: told of all that is printed. */
extern void __sanitizer_on_print(const char *text) __attribute__((weak));

static int open_log(char *path, size_t size)
{
	int n = snprintf(path, size, "%s.%d", flags.log_path, (int)out.pid);
	int append = flags.format == FORMAT_SARIF ? 0 : O_APPEND;
	if (n >= (int)size)
		return -1;
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | append, 0666);
}

static int out_fd(void)
{
	char path[4096];
	if (out.fd >= 0 && (out.given || out.pid == getpid()))
		return out.fd;
	out.pid = getpid();
	out.opened = false;
	if (!*flags.log_path || !strcmp(flags.log_path, "stderr"))
		return out.fd = 2;
	if (!strcmp(flags.log_path, "stdout"))
		return out.fd = 1;
	out.fd = open_log(path, sizeof path);
	out.opened = out.fd >= 0;
	if (!out.opened) {
		print_fd(2, "goro: cannot write %s: reports go to stderr\n", path);
		out.fd = 2;
	}
	return out.fd;
}

void output_moved(int fd)
{
	if (out.opened)
		close(out.fd);
	out.fd = fd;
	out.pid = getpid();
	out.opened = out.failed = false;
	out.given = fd >= 0;
	doc.begun = false; /* SARIF: another document */
	doc.at = 0;
	doc.n = doc.left = 0;
	buf_free(&doc.text);
}

void output_path(char *path, size_t size)
{
	int fd = out_fd();
	if (out.opened)
		snprintf(path, size, "%s.%d", flags.log_path, (int)out.pid);
	else
		snprintf(path, size, "%s", fd == 1 ? "stdout" : "stderr");
}

/* The text, which is kept: on stderr too where the file takes no more. */
static void put(Buf *b)
{
	int fd = out_fd();
	if (b->n && __sanitizer_on_print)
		__sanitizer_on_print(buf_text(b));
	if (b->n && os_write(fd, b->p, b->n) < 0 && out.opened) {
		if (!out.failed)
			print_fd(2, "goro: cannot write to %s.%d: reports go to stderr\n",
			    flags.log_path, (int)out.pid);
		out.failed = true;
		os_write(2, b->p, b->n);
	}
	buf_free(b);
}

/* ---- SARIF ---- */

/* Write text and `end` at doc.at; the former end is cut where it was longer. */
static bool write_file(const Buf *end)
{
	Buf all = {0};
	buf_add(&all, doc.text.p, doc.text.n);
	buf_add(&all, end->p, end->n);
	size_t done = 0;
	while (done < all.n) {
		ssize_t n = pwrite(out.fd, all.p + done, all.n - done, doc.at + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	bool whole = done == all.n && all.n == doc.text.n + end->n &&
		     ftruncate(out.fd, doc.at + (off_t)all.n) == 0;
	buf_free(&all);
	if (whole) {
		doc.at += (off_t)doc.text.n;
		doc.text.n = 0;
	}
	return whole;
}

static bool in_file(void)
{
	return out_fd() >= 0 && out.opened && !out.failed;
}

static void begin_doc(void)
{
	if (!doc.begun)
		sarif_head(&doc.text);
	doc.begun = true;
}

static void write_doc(const SarifEnd *end)
{
	Buf tail = {0};
	sarif_tail(&tail, end);
	if (in_file()) {
		if (!write_file(&tail)) {
			print_fd(2,
			    "goro: cannot write to %s.%d: the SARIF document is not whole\n",
			    flags.log_path, (int)out.pid);
			out.failed = true;
		}
	} else if (end->ended) {
		buf_add(&doc.text, tail.p, tail.n);
		put(&doc.text);
	}
	buf_free(&tail);
}

static void add_result(const Finding *f)
{
	Buf one = {0};
	begin_doc();
	size_t was = doc.text.n;
	if (doc.n >= RESULTS_MAX) {
		doc.left++;
		return;
	}
	buf_str(&one, doc.n ? ",\n" : "\n");
	sarif_result(&one, f);
	buf_add(&doc.text, one.p, one.n);
	if (doc.text.n == was + one.n) {
		doc.n++;
	} else { /* no memory: the document stays whole */
		doc.text.n = was;
		doc.left++;
	}
	buf_free(&one);
	write_doc(&(SarifEnd){.left_out = doc.left});
}

/* ---- the formats ---- */

void output_finding(const Finding *f)
{
	Buf b = {0};
	switch (flags.format) {
	case FORMAT_SARIF:
		add_result(f);
		return;
	case FORMAT_JSON:
		json_report(&b, f);
		break;
	case FORMAT_GITHUB:
		text_report(&b, f);
		github_report(&b, f);
		break;
	default:
		text_report(&b, f);
	}
	put(&b);
}

void output_end(const Totals *t, bool brief)
{
	Buf b = {0};
	if (flags.format == FORMAT_SARIF) {
		begin_doc();
		write_doc(&(SarifEnd){.ended = true, .code = t->code, .left_out = doc.left});
		return;
	}
	if (brief)
		return;
	if (flags.format == FORMAT_JSON)
		json_summary(&b, t->races, t->heap + t->misuses, t->suppressed, t->code);
	else
		text_summary(&b, t->races, t->heap, t->misuses);
	put(&b);
}

void output_forked(void)
{
	buf_free(&doc.text);
	doc.at = 0;
	doc.n = doc.left = 0;
	doc.begun = false;
	out.failed = false;
}
