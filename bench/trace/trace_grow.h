/* SPDX-License-Identifier: MIT */
/*
 * trace_grow.h - arrays that grow by doubling.
 *
 *   G1  count <= room; the array has space for `room` elements.
 */
#ifndef LFV_TRACE_GROW_H
#define LFV_TRACE_GROW_H

#include <errno.h>
#include <stdlib.h>

#define GROW_ROOM_MIN 64u

/*
 * grow_room - make space for one element more.
 *
 * Returns the array, moved perhaps, with *room adjusted; or NULL, with the
 * old array untouched, when memory or the range of size_t is used up.
 */
__attribute__((warn_unused_result)) static inline void *
grow_room(void *array, size_t *room, size_t count, size_t element_bytes)
{
	if (count < *room)
		return array;

	const size_t wanted = *room ? *room : GROW_ROOM_MIN / 2;
	size_t doubled = 0;

	if (__builtin_mul_overflow(wanted, 2, &doubled))
		return NULL;
	void *moved = reallocarray(array, doubled, element_bytes);
	if (moved)
		*room = doubled;
	return moved;
}

#endif
