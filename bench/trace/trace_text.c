/* SPDX-License-Identifier: MIT */
/*
 * trace_text.c - numbers and words, without locale and without errno.
 */
#include "trace/trace_text.h"

#include <string.h>

bool text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool text_skip_blanks(const char **at)
{
	const char *from = *at;

	while (text_is_blank(**at))
		(*at)++;
	return *at != from;
}

bool text_take_word(const char **at, const char *word)
{
	const size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

/* text_digit - the value of a digit, or `radix` for what is none. */
static unsigned text_digit(char c, unsigned radix)
{
	unsigned digit = radix;

	if (c >= '0' && c <= '9')
		digit = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		digit = (unsigned)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		digit = (unsigned)(c - 'A') + 10;
	return digit < radix ? digit : radix;
}

enum text_outcome text_take_number(const char **at, enum text_base base,
				   uint64_t *value)
{
	const unsigned radix = base == TEXT_HEX ? 16 : 10;
	const char *c = *at;
	uint64_t sum = 0;

	if (*c == '-' && text_is_digit(c[1]))
		return TEXT_NEGATIVE;
	if (base == TEXT_HEX && !text_take_word(&c, "0x"))
		return TEXT_NO_NUMBER;
	if (text_digit(*c, radix) == radix)
		return TEXT_NO_NUMBER;
	for (; text_digit(*c, radix) < radix; c++) {
		const unsigned digit = text_digit(*c, radix);

		if (__builtin_mul_overflow(sum, radix, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return TEXT_TOO_LARGE;
	}
	*at = c;
	*value = sum;
	return TEXT_TAKEN;
}

const char *text_outcome_says(enum text_outcome outcome)
{
	static const char *const says[] = {
		[TEXT_TAKEN] = "is fine",
		[TEXT_NO_NUMBER] = "is missing",
		[TEXT_NEGATIVE] = "is negative",
		[TEXT_TOO_LARGE] = "does not fit in 64 bits",
	};

	return says[outcome];
}
