/* SPDX-License-Identifier: MIT */
/*
 * trace_text.h - numbers and fields in the text of an event.
 *
 * All functions read from *at, and move *at behind what they took only when
 * they took it.
 */
#ifndef LFV_TRACE_TEXT_H
#define LFV_TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_base {
	TEXT_DECIMAL, /* 42 */
	TEXT_HEX,     /* 0x2a */
};

enum text_outcome {
	TEXT_TAKEN,
	TEXT_NO_NUMBER,
	TEXT_NEGATIVE,
	TEXT_TOO_LARGE, /* more than 64 bits */
};

__attribute__((warn_unused_result)) enum text_outcome
text_take_number(const char **at, enum text_base base, uint64_t *value);

/* text_take_word - true when `word` stands at *at. */
__attribute__((warn_unused_result)) bool text_take_word(const char **at,
							const char *word);

/* text_skip_blanks - true when there was at least one. */
bool text_skip_blanks(const char **at);

bool text_is_blank(char c);
bool text_is_digit(char c);

/* text_outcome_says - "is negative" and the like, for messages. */
const char *text_outcome_says(enum text_outcome outcome);

#endif
