/* SPDX-License-Identifier: MIT */
#include "cmd/beside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/say.h"

int beside_find(const char *name, char path[PATH_MAX])
{
	char self[PATH_MAX];
	char found[PATH_MAX];
	const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));

	if (length < 0)
		return -errno;
	if ((size_t)length >= sizeof(self))
		return -ENAMETOOLONG;
	self[length] = '\0';

	const char *slash = strrchr(self, '/');
	const int folder = slash ? (int)(slash - self) : 0;
	const int bytes =
		snprintf(found, sizeof(found), "%.*s/%s", folder, self, name);

	if (bytes < 0 || (size_t)bytes >= sizeof(found))
		return -ENAMETOOLONG;
	if (access(found, X_OK) != 0)
		return -errno;
	memcpy(path, found, (size_t)bytes + 1);
	return 0;
}

int beside_gbench(char path[PATH_MAX])
{
	const char *given = getenv("LFV_GBENCH");

	if (!given) {
		const int err = beside_find("lfv-gbench", path);

		if (err)
			say("lfv-gbench is not beside this program (%s); "
			    "LFV_GBENCH=PATH names another",
			    strerror(-err));
		return err ? -ENOENT : 0;
	}
	if (access(given, X_OK) != 0 || strlen(given) >= PATH_MAX) {
		say("LFV_GBENCH=%s: %s", given, strerror(errno));
		return -ENOENT;
	}
	strcpy(path, given);
	return 0;
}
