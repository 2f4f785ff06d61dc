/*
 * junit.c: findings as JUnit XML, as Jenkins and GitLab read it: a test case for each finding, failed unless the
 * baseline knows it (then skipped); a passed one when nothing was found, or there would be nothing to show. The form
 * is docs/junit.xsd.
 */
#include "formats.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"
#include "xml.h"

void write_junit(FILE *out, const Findings *f, const char *root)
{
	size_t fresh = findings_new(f);
	char host[256] = "localhost", when[32];
	time_t now = time(NULL);
	struct tm tm;

	if (gethostname(host, sizeof(host) - 1) != 0 || !*host)
		strcpy(host, "localhost");
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &tm));
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
	fprintf(out,
	    "<testsuite name=\"goro-race\" package=\"goro\" id=\"0\" timestamp=\"%s\" hostname=\"",
	    when);
	xml_text(out, host);
	fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"0\">\n",
	    f->n ? f->n : 1, fresh, f->n - fresh);
	fputs("<properties>\n<property name=\"command\" value=\"", out);
	xml_text(out, f->command ? f->command : "");
	fprintf(out, "\"/>\n<property name=\"runs\" value=\"%ld\"/>\n</properties>\n", f->runs);
	if (!f->n)
		fputs("<testcase classname=\"goro\" name=\"no findings\" time=\"0\"/>\n", out);
	for (size_t i = 0; i < f->n; i++) {
		const Finding *one = &f->v[i];
		const json_t *frame = finding_frame(one);
		char *path = shown_path(root, frame);
		char *title = finding_title(one), *text = NULL;
		size_t n = 0;
		FILE *body = need(open_memstream(&text, &n));

		write_one(body, f, one);
		fclose(body);
		fputs("<testcase classname=\"goro.", out);
		xml_text(out, one->kind);
		fputs("\" name=\"", out);
		xml_printf(out, "%s [%s]", title, one->fingerprint);
		if (*get_text(frame, "file")) {
			fputs("\" file=\"", out);
			xml_text(out, path);
		}
		fputs("\" time=\"0\">\n", out);
		if (one->known) {
			fputs("<skipped message=\"known: the baseline names it\"/>\n", out);
		} else {
			fputs("<failure type=\"", out);
			xml_text(out, one->kind);
			fputs("\" message=\"", out);
			xml_text(out, title);
			fputs("\">", out);
			xml_text(out, text);
			fputs("</failure>\n", out);
		}
		fputs("</testcase>\n", out);
		free(path);
		free(title);
		free(text);
	}
	fputs("<system-out></system-out>\n<system-err></system-err>\n</testsuite>\n</testsuites>\n",
	    out);
}
