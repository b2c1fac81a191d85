/* SPDX-License-Identifier: MIT */
/*
 * run_account.h - who owns which bits of some words, for allocators that keep a
 * bit for each page or frame.
 *
 *   A1  a bit that one thread took is taken by no other before it is given;
 *   A2  what an owner wrote to a page before he gave it is seen by the next;
 *   A3  a take is refused only if at some instant of the call no run that would
 *       do was free: free by its bits, and in the hands of no give, and of no
 *       take that may yet fail.
 *
 * A3 is judged after each operation of any thread that changes a bit.
 */
#ifndef TESTS_SCHEDULE_RUN_ACCOUNT_H
#define TESTS_SCHEDULE_RUN_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

enum { ACCOUNT_WORD = 64, ACCOUNT_WORDS_MAX = 80 };

/* run_want - what a take asks for: so many bits in [begin, end). */
struct run_want {
	size_t bits;
	size_t align; /* of the first */
	size_t begin;
	size_t end;
};

/* account_begin - of so many words; nobody owns a bit. */
void account_begin(const void *words, size_t count, bool set_is_free);

/* account_settle - begin() is done: the bits are as they are. */
void account_settle(void);

/* account_watch - for struct schedule_case. */
void account_watch(unsigned thread);

/* account_own - [first, end) was given to the caller. */
void account_own(size_t first, size_t end);

/* The calling thread asks; true: it may be refused. */
void account_take_begin(const struct run_want *want);
bool account_take_end(void);

/* The calling thread gives [first, end) back. */
void account_give_begin(size_t first, size_t end);
void account_give_end(void);

/* account_end - the words say what the owners say. */
void account_end(void);

#endif
