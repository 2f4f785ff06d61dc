/*
 * external.c: accesses and questions of programs that no compiler makes.
 *
 *	__tsan_external_*   a library without instrumentation says that its object at addr is read or
 *	                    written by the caller at pc; a race of two such is a race on that object. The
 *	                    type of the object ("tag") is kept for its owner, and not shown.
 *	goro_race_*         what goro_race.h has beyond names of TSan
 */
#include <string.h>

#include "abi.h"

ABI void *__tsan_external_register_tag(const char *object_type);
ABI void __tsan_external_register_header(void *tag, const char *header);
ABI void __tsan_external_assign_tag(void *addr, void *tag);
ABI void __tsan_external_read(void *addr, void *caller_pc, void *tag);
ABI void __tsan_external_write(void *addr, void *caller_pc, void *tag);
ABI int goro_race_errors(void);

typedef struct Tag {
	struct Tag *next;
	const char *type;
} Tag;

static struct {
	Lock lock;
	Tag *first;
} tags;

/* The same type has the same tag. */
ABI void *__tsan_external_register_tag(const char *object_type)
{
	lock(&tags.lock);
	Tag *t = tags.first;
	while (t && strcmp(t->type, object_type) != 0)
		t = t->next;
	if (!t) {
		size_t n = strlen(object_type) + 1;
		char *copy = race_alloc(n);
		memcpy(copy, object_type, n);
		t = race_alloc(sizeof *t);
		*t = (Tag){tags.first, copy};
		tags.first = t;
	}
	unlock(&tags.lock);
	return t;
}

ABI void __tsan_external_register_header(void *tag, const char *header)
{
	(void)tag, (void)header; /* reports have goro's own heads */
}

ABI void __tsan_external_assign_tag(void *addr, void *tag)
{
	(void)addr, (void)tag;
}

ABI void __tsan_external_read(void *addr, void *caller_pc, void *tag)
{
	(void)tag;
	hook_read(hook_self(), addr, 1, caller_pc);
}

ABI void __tsan_external_write(void *addr, void *caller_pc, void *tag)
{
	(void)tag;
	hook_write(hook_self(), addr, 1, caller_pc);
}

ABI int goro_race_errors(void)
{
	return (int)load_rlx(&race_stats.reports); /* relaxed: a count */
}
