/*
 * parts.c: reading a finding, and its words for people: the second half of findings.h.
 */
#include "findings.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

const char *get_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

json_int_t get_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool get_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const json_t *frame_shown(const json_t *stack)
{
	size_t i;
	json_t *frame;

	json_array_foreach(
	    (json_t *)(uintptr_t)stack, i, frame) if (*get_text(frame, "file")) return frame;
	return json_array_get(stack, 0);
}

const json_t *finding_frame(const Finding *f)
{
	const json_t *frame = frame_shown(
	    json_object_get(json_array_get(json_object_get(f->data, "accesses"), 0), "stack"));
	const json_t *first = json_array_get(json_object_get(f->data, "goroutines"), 0);

	if (!frame)
		frame = frame_shown(json_object_get(f->data, "stack"));
	if (!frame)
		frame = frame_shown(json_object_get(first, "stack"));
	return frame ? frame : frame_shown(json_object_get(first, "created_at"));
}

const json_t *access_by(const Finding *f, const json_t *access)
{
	const json_t *by = json_object_get(access, "by");

	return json_is_integer(by) && json_integer_value(by) >= 0
		   ? json_array_get(
			 json_object_get(f->data, "goroutines"), (size_t)json_integer_value(by))
		   : NULL;
}

char *who_text(const json_t *who)
{
	const char *kind = *get_text(who, "kind") ? get_text(who, "kind") : "goroutine";
	const char *name = get_text(who, "name");

	if (!who)
		return text_copy("an unknown goroutine");
	if (get_true(who, "main"))
		return text_printf("main %s", kind);
	return *name ? text_printf("%s %lld \"%s\"", kind, (long long)get_int(who, "id"), name)
		     : text_printf("%s %lld", kind, (long long)get_int(who, "id"));
}

char *access_word(const json_t *access)
{
	const char *kind = get_text(access, "kind");

	return text_printf(
	    "%s%s", get_true(access, "atomic") ? "atomic " : "", *kind ? kind : "access");
}

bool access_memory(const json_t *access)
{
	const char *kind = get_text(access, "kind");

	return strcmp(kind, "read") == 0 || strcmp(kind, "write") == 0 || strcmp(kind, "free") == 0;
}

char *access_what(const json_t *access)
{
	const char *mutex = get_text(access, "mutex"), *address = get_text(access, "address");

	if (access_memory(access))
		return text_printf(
		    "of size %lld at %s", (long long)get_int(access, "size"), address);
	if (*mutex)
		return text_printf("of mutex '%s' at %s", mutex, address);
	return *address ? text_printf("at %s", address) : text_copy("");
}

char *place_text(const json_t *frame)
{
	const char *file = get_text(frame, "file"), *module = get_text(frame, "module");

	if (*file)
		return text_printf("%s:%lld", file, (long long)get_int(frame, "line"));
	if (*module)
		return text_printf("%s+%s", module, get_text(frame, "module_offset"));
	return text_copy("?");
}

const char *kind_words(const char *kind)
{
	static const char *const words[][2] = {
	    {"data-race", "DATA RACE"},
	    {"use-after-free", "HEAP USE AFTER FREE"},
	    {"deadlock", "DEADLOCK"},
	    {"fatal", "FATAL ERROR"},
	    {"outcome", "DIFFERENT OUTCOMES"},
	    {"goroutine-leak", "GOROUTINE LEAK"},
	    {"lock-order-inversion", "LOCK ORDER INVERSION (POTENTIAL DEADLOCK)"},
	    {"recursive-read-lock", "RECURSIVE READ LOCK (POTENTIAL DEADLOCK)"},
	};
	static char made[64];
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(kind, words[i][0]) == 0)
			return words[i][1];
	for (i = 0; i < sizeof(made) - 1 && kind[i]; i++)
		made[i] = kind[i] == '-'                     ? ' '
			  : kind[i] >= 'a' && kind[i] <= 'z' ? (char)(kind[i] - 'a' + 'A')
							     : kind[i];
	made[i] = '\0';
	return made;
}

static char *lower_words(const char *kind)
{
	char *s = text_copy(kind);

	for (char *p = s; *p; p++)
		if (*p == '-')
			*p = ' ';
	return s;
}

char *finding_title(const Finding *f)
{
	const json_t *accesses = json_object_get(f->data, "accesses");
	const json_t *location = json_object_get(f->data, "location");
	const char *variable = get_text(location, "field");
	const char *message = get_text(f->data, "message");
	char *text = NULL, *kind = lower_words(f->kind);
	size_t n = 0, i;
	json_t *a;
	FILE *out = need(open_memstream(&text, &n));

	if (!*variable)
		variable = get_text(location, "name");
	fputs(kind, out);
	if (*variable)
		fprintf(out, " on '%s'", variable);
	if (*get_text(f->data, "call"))
		fprintf(out, " (%s)", get_text(f->data, "call"));
	if (*message)
		fprintf(out, ": %s", message);
	json_array_foreach((json_t *)(uintptr_t)accesses, i, a)
	{
		const json_t *frame = frame_shown(json_object_get(a, "stack"));
		char *word = access_word(a), *place = place_text(frame);
		const char *function = get_text(frame, "function");

		fprintf(out, "%s %s in %s (%s)", i ? "," : ":", word, *function ? function : "?",
		    place);
		free(word);
		free(place);
	}
	if (!json_array_size(accesses)) {
		const json_t *frame = finding_frame(f);
		char *place = place_text(frame);

		if (frame && *get_text(frame, "function"))
			fprintf(out, ", in %s (%s)", get_text(frame, "function"), place);
		free(place);
	}
	fclose(out);
	free(kind);
	return text;
}

char *finding_replay(const Findings *all, const Finding *f)
{
	const char *more = all->gorace ? all->gorace : "";

	if (f->seed == NO_SEED)
		return NULL;
	return text_printf("GORACE=\"seed=%llu%s%s\" %s", (unsigned long long)f->seed,
	    *more ? " " : "", more, all->command ? all->command : "./program");
}
