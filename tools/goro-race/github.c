/*
 * github.c: findings as workflow commands, which GitHub shows beside the lines of a pull request. It keeps ten
 * errors of a step: the eleventh and following are printed as plain lines, and a notice says so.
 */
#include "formats.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util.h"

enum { ERRORS_KEPT = 10 };

/* As the runner decodes it; a property has two characters more that end it. */
static void escaped(FILE *out, const char *s, bool property)
{
	for (; *s; s++)
		switch (*s) {
		case '%':
			fputs("%25", out);
			break;
		case '\r':
			fputs("%0D", out);
			break;
		case '\n':
			fputs("%0A", out);
			break;
		case ':':
			fputs(property ? "%3A" : ":", out);
			break;
		case ',':
			fputs(property ? "%2C" : ",", out);
			break;
		default:
			fputc(*s, out);
		}
}

void write_github(FILE *out, const Findings *f, const char *root)
{
	size_t shown = 0, fresh = findings_new(f);

	for (size_t i = 0; i < f->n; i++) {
		const Finding *one = &f->v[i];
		const json_t *frame = finding_frame(one);
		char *path = shown_path(root, frame);
		char *title = finding_title(one), *replay = finding_replay(f, one);
		char *message = text_printf("%s\nfingerprint %s%s%s", title, one->fingerprint,
		    replay ? "\nreplay: " : "", replay ? replay : "");

		if (one->known) {
		} else if (shown++ >= ERRORS_KEPT) {
			fprintf(out, " ");
			escaped(out, message, false);
			fputc('\n', out);
		} else {
			fputs("::error ", out);
			if (*get_text(frame, "file")) {
				fputs("file=", out);
				escaped(out, path, true);
				if (get_int(frame, "line") > 0)
					fprintf(
					    out, ",line=%lld", (long long)get_int(frame, "line"));
				if (get_int(frame, "column") > 0)
					fprintf(
					    out, ",col=%lld", (long long)get_int(frame, "column"));
				fputc(',', out);
			}
			fputs("title=", out);
			escaped(out, kind_words(one->kind), true);
			fputs("::", out);
			escaped(out, message, false);
			fputc('\n', out);
		}
		free(path);
		free(title);
		free(replay);
		free(message);
	}
	if (fresh > ERRORS_KEPT)
		fprintf(out,
		    "::notice title=goro-race::%zu findings; GitHub shows the first %d, the log "
		    "has all\n",
		    fresh, ERRORS_KEPT);
}
