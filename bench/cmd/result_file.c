/* SPDX-License-Identifier: MIT */
/*
 * result_file.c - how a result reaches its file (R1).
 *
 * FILE.tmp lies beside FILE, for rename(2) only replaces within a file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/result.h"

enum { FILE_MODE = 0666 };

static int aside_open(const char *path, char aside[PATH_MAX])
{
	const int bytes = snprintf(aside, PATH_MAX, "%s.tmp", path);

	if (bytes < 0 || bytes >= PATH_MAX)
		return -ENAMETOOLONG;

	const int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			    FILE_MODE);

	return fd < 0 ? -errno : fd;
}

/* The name becomes durable with its folder. */
static void folder_sync(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const int length = slash ? (int)(slash - path) + 1 : 0;

	if (snprintf(folder, sizeof(folder), "%.*s.", length, path) >=
	    (int)sizeof(folder))
		return;

	const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int result_try_path(const char *path)
{
	char aside[PATH_MAX];
	struct stat there;

	/* FILE.tmp could be made, and not be renamed. */
	if (path[0] == '\0')
		return -ENOENT;
	/* A device or a pipe would be replaced by a file. */
	if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
		return S_ISDIR(there.st_mode) ? -EISDIR : -EINVAL;

	const int fd = aside_open(path, aside);

	if (fd < 0)
		return fd;
	close(fd);
	unlink(aside);
	return 0;
}

const char *result_path_why(int err)
{
	return err == -EINVAL ? "it is not a regular file; --json writes the "
				"result to stdout"
			      : strerror(-err);
}

static int text_write(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		const ssize_t done = write(fd, text, left);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			text += done;
			left -= (size_t)done;
		}
	}
	return 0;
}

static int aside_write(int fd, const char *text)
{
	int err = text_write(fd, text);

	if (!err && fsync(fd) != 0)
		err = -errno;
	if (close(fd) != 0 && !err)
		err = -errno;
	return err;
}

int result_write(const struct result *result, const char *path)
{
	char aside[PATH_MAX];
	char *text = json_dumps(result->root, RESULT_FORMAT);

	if (!text)
		return -ENOMEM;

	const int fd = aside_open(path, aside);
	int err = fd < 0 ? fd : aside_write(fd, text);

	free(text);
	if (fd < 0)
		return err;
	if (!err && rename(aside, path) != 0)
		err = -errno;
	if (err)
		unlink(aside);
	else
		folder_sync(path);
	return err;
}
