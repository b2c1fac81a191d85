/* SPDX-License-Identifier: MIT */
/*
 * lfv-bench - the command that people use.
 *
 * It finds the verb and hands over.  As with git, a verb may be a program of
 * its own: lfv-bench-VERB beside this binary, else in PATH.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/beside.h"
#include "cmd/say.h"
#include "cmd/verb.h"
#include "common/nearest.h"

static const struct verb verbs[] = {
	{ "list", "what can be compared, one line each", verb_list },
	{ "run", "measure and compare; alone: a useful default", verb_run },
	{ "replay", "recorded traffic of a kernel, on every strategy",
	  verb_replay },
};

enum {
	VERBS = sizeof(verbs) / sizeof(verbs[0]),
	HINT_BYTES = 96,
};

static void print_help(void)
{
	printf("lfv-bench compares ways to manage one address space.\n\n"
	       "usage: lfv-bench VERB [FLAGS]\n\n");
	for (size_t i = 0; i < VERBS; i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].summary);
	printf("\n`lfv-bench VERB --help` explains a verb.  A verb that is not "
	       "listed is\nlooked up as a program: lfv-bench-VERB.\n\n"
	       "exit codes: %d fine, %d not understood, %d a sample failed or "
	       "the output\n            could not be written, %d nothing could "
	       "be measured,\n            128 + N broken off by signal N\n",
	       VERB_OK, VERB_USAGE, VERB_FAILED, VERB_NOTHING);
}

static void say_unknown(const char *word)
{
	char hint[HINT_BYTES];
	struct nearest nearest;

	nearest_begin(&nearest, word);
	for (size_t i = 0; i < VERBS; i++)
		nearest_offer(&nearest, verbs[i].name);
	say("there is no verb '%s', and no program lfv-bench-%s beside this "
	    "one or in PATH%s",
	    word, word, nearest_hint(&nearest, hint, sizeof(hint)));
}

/* Becomes the program of that verb; returns when there is none. */
static int verb_exec(char **argv)
{
	char name[NAME_MAX];
	char path[PATH_MAX];

	snprintf(name, sizeof(name), "lfv-bench-%s", argv[0]);
	if (beside_find(name, path) == 0)
		execv(path, argv);
	if (strchr(name, '/') == NULL)
		execvp(name, argv);
	if (errno != ENOENT) {
		say("%s: %s", name, strerror(errno));
		return VERB_USAGE;
	}
	say_unknown(argv[0]);
	return VERB_USAGE;
}

static int word_run(int argc, char **argv)
{
	if (argc < 2) {
		print_help();
		return VERB_USAGE;
	}

	const char *word = argv[1];

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	    strcmp(word, "help") == 0) {
		print_help();
		return VERB_OK;
	}
	if (strcmp(word, "--version") == 0) {
		printf("lfv-bench %s\n", LFV_VERSION);
		return VERB_OK;
	}
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(word, verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	}
	return verb_exec(argv + 1);
}

/* A full disk or a closed pipe must not look like a short answer. */
static int output_end(int end)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return end;
	say("stdout could not be written: the output is not whole");
	return end == VERB_OK ? VERB_FAILED : end;
}

int main(int argc, char **argv)
{
	return output_end(word_run(argc, argv));
}
