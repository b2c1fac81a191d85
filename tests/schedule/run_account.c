/* SPDX-License-Identifier: MIT */
/*
 * run_account.c - the account, a bit for each of theirs.
 */
#include "schedule/run_account.h"

#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "schedule/schedule.h"

/* One of so many bits has contents, to see A2 by. */
enum { CONTENTS_STEP = 16 };

/* call - what a thread is in the middle of. */
struct call {
	const struct run_want *want; /* of a take, or NULL */
	bool had_none;
	uint64_t holds[ACCOUNT_WORDS_MAX]; /* claimed, or being given */
};

static struct {
	const unsigned char *words;
	size_t count;
	bool set_is_free;
	uint64_t owned[ACCOUNT_WORDS_MAX]; /* by somebody, at rest */
	uint64_t seen[ACCOUNT_WORDS_MAX];  /* the words, after the last look */
	struct call calls[SCHEDULE_THREADS_MAX];
	unsigned char
		contents[ACCOUNT_WORDS_MAX * ACCOUNT_WORD / CONTENTS_STEP];
} account;

/* taken_of - of a word as it lies there. */
static uint64_t taken_of(uint64_t word)
{
	return account.set_is_free ? ~word : word;
}

static uint64_t word_now(size_t word)
{
	uint64_t value;

	memcpy(&value, account.words + word * sizeof(value), sizeof(value));
	return value;
}

/* unavailable - what nobody can have now. */
static uint64_t unavailable(size_t word)
{
	uint64_t taken = taken_of(word_now(word));

	for (unsigned i = 0; i < SCHEDULE_THREADS_MAX; i++)
		taken |= account.calls[i].holds[word];
	return taken;
}

/* free_from - how many bits from this one to the end of its word are free. */
static size_t free_from(size_t bit)
{
	const uint64_t taken =
		unavailable(bit / ACCOUNT_WORD) >> bit % ACCOUNT_WORD;

	return taken != 0 ? (size_t)__builtin_ctzll(taken)
			  : ACCOUNT_WORD - bit % ACCOUNT_WORD;
}

static bool is_there(const struct run_want *want)
{
	size_t begin = want->begin;
	size_t bit = want->begin;

	while (bit < want->end) {
		const size_t free = free_from(bit);
		const bool goes_on =
			(bit + free) % ACCOUNT_WORD == 0 && free > 0;
		const size_t end =
			bit + free < want->end ? bit + free : want->end;
		const size_t first =
			(begin + want->align - 1) / want->align * want->align;

		if (first + want->bits <= end)
			return true;
		bit = goes_on ? end : end + 1;
		begin = goes_on ? begin : bit;
	}
	return false;
}

static void judge(void)
{
	for (unsigned i = 0; i < SCHEDULE_THREADS_MAX; i++) {
		struct call *const call = &account.calls[i];

		if (call->want != NULL && !call->had_none)
			call->had_none = !is_there(call->want);
	}
}

void account_begin(const void *words, size_t count, bool set_is_free)
{
	require(count <= ACCOUNT_WORDS_MAX);
	account.words = words;
	account.count = count;
	account.set_is_free = set_is_free;
	memset(account.owned, 0, sizeof(account.owned));
	memset(account.calls, 0, sizeof(account.calls));
}

void account_settle(void)
{
	memcpy(account.seen, account.words, account.count * sizeof(uint64_t));
}

void account_watch(unsigned thread)
{
	struct call *const call = &account.calls[thread];

	/* Most operations change no bit. */
	if (memcmp(account.seen, account.words,
		   account.count * sizeof(uint64_t)) == 0)
		return;
	for (size_t word = 0; word < account.count; word++)
		call->holds[word] |= taken_of(word_now(word)) &
				     ~taken_of(account.seen[word]);
	account_settle();
	judge();
}

/* part_of - the bits of [first, end) in a word. */
static uint64_t part_of(size_t word, size_t first, size_t end)
{
	const size_t low = word * ACCOUNT_WORD;
	const size_t from = first > low ? first - low : 0;
	const size_t to = end < low + ACCOUNT_WORD ? end - low : ACCOUNT_WORD;

	return UINT64_MAX >> (ACCOUNT_WORD - (to - from)) << from;
}

static void write_contents(size_t first, size_t end)
{
	size_t bit = (first + CONTENTS_STEP - 1) / CONTENTS_STEP;

	for (; bit * CONTENTS_STEP < end; bit++)
		schedule_write(&account.contents[bit]); /* A2 */
}

void account_own(size_t first, size_t end)
{
	for (size_t word = first / ACCOUNT_WORD; word * ACCOUNT_WORD < end;
	     word++) {
		const uint64_t part = part_of(word, first, end);

		schedule_require((account.owned[word] & part) == 0); /* A1 */
		account.owned[word] |= part;
	}
	write_contents(first, end);
}

void account_take_begin(const struct run_want *want)
{
	struct call *const call = &account.calls[schedule_thread()];

	*call = (struct call){ .want = want, .had_none = !is_there(want) };
}

bool account_take_end(void)
{
	struct call *const call = &account.calls[schedule_thread()];
	const bool had_none = call->had_none;

	*call = (struct call){ 0 };
	return had_none;
}

void account_give_begin(size_t first, size_t end)
{
	struct call *const call = &account.calls[schedule_thread()];

	write_contents(first, end);
	for (size_t word = first / ACCOUNT_WORD; word * ACCOUNT_WORD < end;
	     word++) {
		const uint64_t part = part_of(word, first, end);

		schedule_require((account.owned[word] & part) == part);
		account.owned[word] &= ~part;
		call->holds[word] |= part;
	}
	judge();
}

void account_give_end(void)
{
	account.calls[schedule_thread()] = (struct call){ 0 };
}

void account_end(void)
{
	for (size_t word = 0; word < account.count; word++)
		schedule_require(taken_of(word_now(word)) ==
				 account.owned[word]);
}
