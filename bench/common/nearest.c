/* SPDX-License-Identifier: MIT */
#include "common/nearest.h"

#include <stdio.h>
#include <string.h>

/* Further apart than half of the letters, or four, is another word. */
enum { NEAREST_LETTERS_MAX = 4 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t letters_between(const char *a, const char *b)
{
	const size_t rows = least(strlen(a), NEAREST_WORD_BYTES);
	const size_t columns = least(strlen(b), NEAREST_WORD_BYTES);
	size_t d[NEAREST_WORD_BYTES + 1][NEAREST_WORD_BYTES + 1];

	for (size_t i = 0; i <= rows; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= columns; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= rows; i++) {
		for (size_t j = 1; j <= columns; j++) {
			const size_t differs = a[i - 1] != b[j - 1];
			size_t best = d[i - 1][j - 1] + differs;

			best = least(best, d[i - 1][j] + 1);
			best = least(best, d[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				best = least(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[rows][columns];
}

void nearest_begin(struct nearest *nearest, const char *given)
{
	*nearest = (struct nearest){
		.given = given,
		.distance = least(NEAREST_LETTERS_MAX, strlen(given) / 2) + 1,
	};
}

void nearest_offer(struct nearest *nearest, const char *word)
{
	const size_t distance = letters_between(nearest->given, word);

	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	(void)snprintf(nearest->best, sizeof(nearest->best), "%s", word);
}

const char *nearest_hint(const struct nearest *nearest, char *text,
			 size_t text_bytes)
{
	if (nearest->best[0])
		(void)snprintf(text, text_bytes, "; did you mean %s?",
			       nearest->best);
	else
		text[0] = '\0';
	return text;
}
