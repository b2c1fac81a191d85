/* SPDX-License-Identifier: MIT */
#include "common/quota.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1024, LINE_BYTES = 1024 };

#define CGROUP_ROOT "/sys/fs/cgroup"

/* cgroup - where the process is: one path of version 2, or of version 1. */
struct cgroup {
	char path[PATH_BYTES]; /* under CGROUP_ROOT, begins with a slash */
	bool version_one;
	bool known;
};

static bool names_cpu(const char *controllers)
{
	return strncmp(controllers, "cpu:", 4) == 0 ||
	       strncmp(controllers, "cpu,", 4) == 0 ||
	       strstr(controllers, ",cpu:") || strstr(controllers, ",cpu,");
}

/* Lines are "0::/path" (version 2) and "N:cpu,cpuacct:/path" (version 1). */
static void cgroup_line(struct cgroup *group, char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return;
	controllers++;
	path++;
	path[strcspn(path, "\n")] = '\0';

	const bool version_one = names_cpu(controllers);

	if (!version_one && (*controllers != ':' || group->known))
		return;
	group->known = true;
	group->version_one = version_one;
	(void)snprintf(group->path, sizeof(group->path), "%s%.*s",
		       version_one ? "/cpu" : "", PATH_BYTES / 2, path);
}

static struct cgroup cgroup_find(void)
{
	struct cgroup group = { .known = false };
	char line[LINE_BYTES];
	FILE *file = fopen("/proc/self/cgroup", "re");

	if (!file)
		return group;
	while (fgets(line, sizeof(line), file))
		cgroup_line(&group, line);
	fclose(file);
	return group;
}

static bool file_read(const struct cgroup *group, const char *name, char *text,
		      size_t bytes)
{
	char path[PATH_BYTES + sizeof(CGROUP_ROOT) + 64];

	(void)snprintf(path, sizeof(path), CGROUP_ROOT "%s/%s", group->path,
		       name);

	FILE *file = fopen(path, "re");

	if (!file)
		return false;

	const size_t got = fread(text, 1, bytes - 1, file);

	text[got] = '\0';
	fclose(file);
	return got > 0;
}

double quota_read(const char *text)
{
	double most;
	double period;

	if (sscanf(text, "%lf %lf", &most, &period) != 2 || most <= 0 ||
	    period <= 0)
		return 0;
	return most / period;
}

static double quota_here(const struct cgroup *group)
{
	char most[LINE_BYTES];
	char period[LINE_BYTES];
	char both[2 * LINE_BYTES];

	if (!group->version_one)
		return file_read(group, "cpu.max", most, sizeof(most))
			       ? quota_read(most)
			       : 0;
	if (!file_read(group, "cpu.cfs_quota_us", most, sizeof(most)) ||
	    !file_read(group, "cpu.cfs_period_us", period, sizeof(period)))
		return 0;
	most[strcspn(most, "\n")] = '\0';
	(void)snprintf(both, sizeof(both), "%s %s", most, period);
	return quota_read(both);
}

double quota_cpus(void)
{
	struct cgroup group = cgroup_find();
	double least = 0;

	if (!group.known)
		return 0;
	for (;;) {
		const double here = quota_here(&group);
		char *slash = strrchr(group.path, '/');

		if (here > 0 && (least == 0 || here < least))
			least = here;
		if (!slash)
			return least;
		*slash = '\0';
	}
}

bool quota_throttled(uint64_t *times)
{
	static const char key[] = "nr_throttled ";
	const struct cgroup group = cgroup_find();
	char text[LINE_BYTES];

	if (!group.known || !file_read(&group, "cpu.stat", text, sizeof(text)))
		return false;

	const char *found = strstr(text, key);

	if (!found)
		return false;
	*times = strtoull(found + sizeof(key) - 1, NULL, 10);
	return true;
}
