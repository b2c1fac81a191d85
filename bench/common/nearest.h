/* SPDX-License-Identifier: MIT */
/*
 * nearest.h - the word that a misspelt one was probably meant to be.
 *
 * Offer all that were possible; the nearest by letters added, dropped, changed
 * or swapped wins, if it is near enough to be a misspelling at all.
 */
#ifndef LFV_BENCH_NEAREST_H
#define LFV_BENCH_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_BYTES = 48 };

struct nearest {
	const char *given;
	size_t distance;
	char best[NEAREST_WORD_BYTES]; /* "" when nothing is near */
};

void nearest_begin(struct nearest *nearest, const char *given);
void nearest_offer(struct nearest *nearest, const char *word);

/* nearest_hint - "; did you mean WORD?", or "". */
const char *nearest_hint(const struct nearest *nearest, char *text,
			 size_t text_bytes);

#endif
