/* SPDX-License-Identifier: MIT */
/*
 * verb_replay.c - lfv-bench replay: recorded traffic of a kernel, on every
 * strategy.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/replay_options.h"
#include "cmd/replay_report.h"
#include "cmd/replay_sample.h"
#include "cmd/replay_session.h"
#include "cmd/say.h"
#include "cmd/verb.h"

enum { SIGNAL_END = 128 }; /* what shells add to a signal's number */

static int path_check(const char *path)
{
	const int err = path ? result_try_path(path) : 0;

	if (err)
		say("replay: -o %s cannot be written: %s", path,
		    result_path_why(err));
	return err;
}

static void print_result(const struct replay_session *session)
{
	if (session->options->json) {
		json_dumpf(session->result.root, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (replay_report_print(session, stdout) != 0) {
		say("replay: no memory for the tables");
	}
	fflush(stdout);
}

static int session_end(const struct replay_session *session, int err)
{
	if (session->failed_count > 0)
		say("replay: %zu sample%s failed", session->failed_count,
		    session->failed_count == 1 ? "" : "s");
	if (err == -EINTR) {
		say("replay: broken off after %zu samples%s",
		    session->sample_count,
		    session->options->output ? ", which are kept" : "");
		return SIGNAL_END + session->interrupt.signal;
	}
	return err || session->failed_count > 0 ? VERB_FAILED : VERB_OK;
}

static int replay(const struct replay_options *options, int argc, char **argv)
{
	struct replay_session session;

	if (path_check(options->output) != 0)
		return VERB_USAGE;

	int err = replay_session_init(&session, options, argc, argv);

	if (err)
		return err == -ENODATA ? VERB_NOTHING : VERB_USAGE;
	err = replay_session_run(&session);
	print_result(&session);

	const int end = session_end(&session, err);

	replay_session_fini(&session);
	return end;
}

int verb_replay(int argc, char **argv)
{
	struct replay_options options;
	const int read = replay_options_read(&options, argc, argv);

	if (read != 0)
		return read < 0 ? VERB_USAGE : VERB_OK;

	const int end = options.sample_fd >= 0
				? replay_sample_make(options.sample_fd)
				: replay(&options, argc, argv);

	replay_options_fini(&options);
	return end;
}
