/* SPDX-License-Identifier: MIT */
/*
 * va_range.h - a run of addresses, guard page included: what a strategy hands
 * out.
 */
#ifndef LFV_VA_VA_RANGE_H
#define LFV_VA_VA_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct va_range {
	uintptr_t start;
	uintptr_t end;
	bool mapped; /* all pages but the guard still have their frames */
};

#endif
