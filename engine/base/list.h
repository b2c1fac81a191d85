/* SPDX-License-Identifier: MIT */
/*
 * list.h - a circular doubly linked list inside its elements.
 *
 * A list head and an element's link are the same type; a head linked to itself
 * is an empty list.  Nothing here is atomic: the caller holds whatever guards
 * the list.
 */
#ifndef LFV_BASE_LIST_H
#define LFV_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

/* container_of - the object of `type` whose `member` is at `pointer`. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define list_for_each(link, head)                              \
	for (struct list *link = (head)->next; link != (head); \
	     link = link->next)

/* The element may be removed, or its memory reused, inside the body. */
#define list_for_each_safe(link, head)                                    \
	for (struct list *link = (head)->next, *link##_next = link->next; \
	     link != (head); link = link##_next, link##_next = link->next)

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* list_add - put `link` behind `position`, which may be the head. */
static inline void list_add(struct list *position, struct list *link)
{
	link->prev = position;
	link->next = position->next;
	position->next->prev = link;
	position->next = link;
}

static inline void list_add_tail(struct list *head, struct list *link)
{
	list_add(head->prev, link);
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
}

/* list_take_all - move every element of `from` to the end of `to`. */
static inline void list_take_all(struct list *from, struct list *to)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#endif
