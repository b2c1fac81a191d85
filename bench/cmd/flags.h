/* SPDX-License-Identifier: MIT */
/*
 * flags.h - the flags of a verb, walked one by one against a constant table.
 *
 * Three spellings of one thing: `--name value`, `--name=value`, and the kernel
 * module's `name=value`.  `-o` is the one short flag.  A word that is none of
 * these is a plain argument.  After `--` everything is.
 */
#ifndef LFV_BENCH_FLAGS_H
#define LFV_BENCH_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

struct flag {
	const char *name;  /* without dashes; NULL ends a table */
	const char *value; /* what its value is called; NULL: it has none */
	const char *help;  /* NULL: another spelling, not shown */
};

struct flags {
	/* constant after init */
	const char *verb;
	const struct flag *table;
	int argc;
	char **argv;
	/* where the walk is */
	int at;
	bool plain_only;
};

/* flags_init - walk argv from the word after the verb's own name. */
void flags_init(struct flags *flags, const struct flag *table, int argc,
		char **argv);

/*
 * flags_next - 1 with the next flag and its value (NULL where it has none), or
 * with *flag NULL and a plain argument; 0 at the end; -EINVAL after saying
 * what is wrong and, for a misspelt flag, which is nearest.
 */
int flags_next(struct flags *flags, const struct flag **flag,
	       const char **value);

/* flags_help - one line for each flag of the table that has a help text. */
void flags_help(const struct flag *table);

#endif
