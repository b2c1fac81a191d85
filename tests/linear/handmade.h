/* SPDX-License-Identifier: MIT */
/*
 * handmade.h - operations with answers, for histories that never were.
 *
 * Allocs ask for what they were given, anywhere in the first HAND_PAGES pages;
 * their tag is their first stamp.
 */
#ifndef LFV_TESTS_HANDMADE_H
#define LFV_TESTS_HANDMADE_H

#include "linear/history.h"

enum { HAND_PAGES = 8 };

static inline struct op given(uint64_t invoked, uint64_t returned,
			      uint32_t first, uint32_t end)
{
	return (struct op){
		.invoked = invoked,
		.returned = returned,
		.kind = OP_ALLOC,
		.tag = (uint16_t)invoked,
		.pages = end - first,
		.align = 1,
		.within = { 0, HAND_PAGES },
		.area = { first, end },
	};
}

static inline struct op refused(uint64_t invoked, uint64_t returned,
				uint32_t pages)
{
	return (struct op){
		.invoked = invoked,
		.returned = returned,
		.kind = OP_ALLOC,
		.answer = ANSWER_NO,
		.pages = pages,
		.align = 1,
		.within = { 0, HAND_PAGES },
	};
}

static inline struct op freed(uint64_t invoked, uint64_t returned,
			      uint32_t page)
{
	return (struct op){
		.invoked = invoked,
		.returned = returned,
		.kind = OP_FREE,
		.page = page,
	};
}

static inline struct op not_freed(uint64_t invoked, uint64_t returned,
				  uint32_t page)
{
	struct op op = freed(invoked, returned, page);

	op.answer = ANSWER_NO;
	return op;
}

/* met - a lookup of `page` that was answered with the area of an alloc. */
static inline struct op met(uint64_t invoked, uint64_t returned, uint32_t page,
			    struct op alloc)
{
	return (struct op){
		.invoked = invoked,
		.returned = returned,
		.kind = OP_LOOKUP,
		.tag = alloc.tag,
		.page = page,
		.area = alloc.area,
	};
}

static inline struct op missed(uint64_t invoked, uint64_t returned,
			       uint32_t page)
{
	return (struct op){
		.invoked = invoked,
		.returned = returned,
		.kind = OP_LOOKUP,
		.answer = ANSWER_NO,
		.page = page,
	};
}

static inline struct op purged(uint64_t invoked, uint64_t returned)
{
	return (struct op){
		.invoked = invoked,
		.returned = returned,
		.kind = OP_PURGE,
	};
}

#endif
