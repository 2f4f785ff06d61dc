/*
 * list.h: an intrusive, circular, doubly linked list. The head is a List of its own; an element
 * embeds a List. Removal needs no head, insertion no allocation. Guarded by whatever guards its owner.
 */
#ifndef GORO_BASE_LIST_H
#define GORO_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct List {
	struct List *next, *prev;
} List;

#define list_entry(l, type, field) ((type *)((char *)(l)-offsetof(type, field)))

static inline void list_init(List *h)
{
	h->next = h->prev = h;
}

static inline bool list_empty(const List *h)
{
	return h->next == h;
}

static inline void list_push_back(List *h, List *e)
{
	e->prev = h->prev;
	e->next = h;
	h->prev->next = e;
	h->prev = e;
}

static inline void list_push_front(List *h, List *e)
{
	e->next = h->next;
	e->prev = h;
	h->next->prev = e;
	h->next = e;
}

static inline void list_remove(List *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	e->next = e->prev = e;
}

/* NULL when empty. */
static inline List *list_pop_front(List *h)
{
	List *e = h->next;
	if (e == h)
		return NULL;
	list_remove(e);
	return e;
}

#endif
