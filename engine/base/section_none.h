/* SPDX-License-Identifier: MIT */
/*
 * section_none.h - an architecture, or a build, without sections.
 *
 * percpu_choose() never chooses them here; if it did, all would be refused.
 */
#ifndef LFV_BASE_SECTION_NONE_H
#define LFV_BASE_SECTION_NONE_H

#define SECTIONS_EXIST false

static inline int section_push(const struct percpu_slots *slots, uint64_t value)
{
	(void)slots;
	(void)value;
	return SECTION_REFUSED;
}

static inline int section_take(const struct percpu_slots *slots,
			       uint64_t *value)
{
	(void)slots;
	*value = 0;
	return SECTION_REFUSED;
}

static inline int section_push_many(const struct percpu_slots *slots,
				    const uint64_t *values, unsigned count)
{
	(void)slots;
	(void)values;
	(void)count;
	return SECTION_REFUSED;
}

static inline int section_take_many(const struct percpu_slots *slots,
				    uint64_t *values, unsigned count)
{
	(void)slots;
	(void)values;
	(void)count;
	return SECTION_REFUSED;
}

static inline int section_wait(ptrdiff_t offset, struct section_probe *probe,
			       uint32_t number, unsigned turns)
{
	(void)offset;
	(void)probe;
	(void)number;
	(void)turns;
	return SECTION_REFUSED;
}

#endif
