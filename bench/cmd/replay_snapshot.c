/* SPDX-License-Identifier: MIT */
#include "cmd/replay_snapshot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char TRACE_ENDING[] = ".trace";
static const char GZIP_ENDING[] = ".gz";

/* How long the text is without this ending; its whole length without one. */
static size_t length_without(const char *text, size_t length,
			     const char *ending)
{
	const size_t letters = strlen(ending);

	if (length < letters ||
	    memcmp(text + length - letters, ending, letters) != 0)
		return length;
	return length - letters;
}

bool replay_snapshot_name(const char *path, bool compressed,
			  char name[PATH_MAX])
{
	const size_t plain = length_without(path, strlen(path), GZIP_ENDING);
	const size_t stem = length_without(path, plain, TRACE_ENDING);

	if (stem == plain || stem == 0 || path[stem - 1] == '/')
		return false;
	return snprintf(name, PATH_MAX, "%.*s.vmallocinfo%s", (int)stem, path,
			compressed ? GZIP_ENDING : "") < PATH_MAX;
}

void replay_snapshot_find(const char *path, char name[PATH_MAX])
{
	for (int compressed = 0; compressed <= 1; compressed++) {
		if (replay_snapshot_name(path, compressed, name) &&
		    access(name, F_OK) == 0)
			return;
	}
	name[0] = '\0';
}
