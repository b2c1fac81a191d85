/* SPDX-License-Identifier: MIT */
/*
 * verb.h - what lfv-bench can be asked to do.
 *
 * A verb is one word after the program's name, with flags of its own.  It
 * gets the arguments from its own name on, prints its result on stdout and
 * everything else on stderr, and returns how it ended.  A word that is no verb
 * here may be a program beside this one or in PATH: lfv-bench-WORD.
 */
#ifndef LFV_BENCH_VERB_H
#define LFV_BENCH_VERB_H

#include <stddef.h>

/* How lfv-bench ends; "slower" and "did not run" never share a number. */
enum verb_end {
	VERB_OK = 0,
	VERB_USAGE = 2,   /* a flag or a word that is not understood */
	VERB_FAILED = 3,  /* a wrong answer, a crash, a hang, no output */
	VERB_NOTHING = 5, /* nothing could be measured */
};

struct verb {
	const char *name;
	const char *summary; /* one line, for --help */
	int (*run)(int argc, char **argv);
};

int verb_list(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_replay(int argc, char **argv);

#endif
