/*
 * policy.c: see policy.h.
 */
#include "policy.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "findings.h"
#include "util.h"

char *join_keys(const char *a, const char *b)
{
	return text_printf("%s%s%s", a, *a && *b ? " " : "", b);
}

char *policy_gorace(const char *user, const char *more, const char *folder)
{
	char *keys = join_keys(user, more);
	char quote = strchr(folder, '"') ? '\'' : '"';
	char *all = text_printf("leaks=1 %s%slog_path=%c%s/report%c format=json exitcode=0", keys,
	    *keys ? " " : "", quote, folder, quote);

	free(keys);
	return all;
}

static void take(void *arg, json_t *o)
{
	json_t *findings = arg, *known;
	size_t i;

	if (strcmp(get_text(o, "kind"), "summary") == 0 || !is_finding(o))
		return;
	json_array_foreach(findings, i, known) if (strcmp(get_text(known, "fingerprint"),
						       get_text(o, "fingerprint")) == 0) return;
	json_array_append(findings, o);
}

long policy_collect(const char *folder, const Ended *e, long limit_ms, json_t *findings)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	long processes = 0, damaged = 0;
	json_t *how;

	for (int i = 0; i < n; i++) {
		char *path = text_printf("%s/%s", folder, names[i]->d_name);

		if (strncmp(names[i]->d_name, "report.", 7) == 0 &&
		    reports_read(path, take, findings, &damaged) >= 0)
			processes++;
		free(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	how = dump_finding(e, limit_ms);
	if (how)
		json_array_append_new(findings, how);
	return processes;
}
