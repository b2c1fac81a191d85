/* SPDX-License-Identifier: MIT */
#include "cmd/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/placement.h"
#include "lfv_commit.h"

enum { LINE_BYTES = 4096 };

static const char GOVERNOR[] =
	"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";

/*
 * The rest of the first line of a file that begins with `key`, from its first
 * letter on; a key of "" takes the first line.
 */
static bool line_find(const char *path, const char *key, char line[LINE_BYTES])
{
	FILE *file = fopen(path, "re");
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, LINE_BYTES, file))
		found = strncmp(line, key, strlen(key)) == 0;
	fclose(file);
	if (!found)
		return false;

	const size_t skip = strlen(key) + strspn(line + strlen(key), ": \t");

	memmove(line, line + skip, strlen(line + skip) + 1);
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static json_t *text_or_null(const char *path, const char *key)
{
	char line[LINE_BYTES];

	return line_find(path, key, line) ? json_string(line) : json_null();
}

static json_t *number_or_null(const char *path)
{
	char line[LINE_BYTES];

	return line_find(path, "", line) ? json_integer(strtoll(line, NULL, 10))
					 : json_null();
}

static json_t *kernel_describe(void)
{
	struct utsname name;

	if (uname(&name) != 0)
		return json_null();
	return json_sprintf("%s %s %s", name.sysname, name.release,
			    name.machine);
}

static json_t *memory_describe(void)
{
	struct sysinfo info;

	if (sysinfo(&info) != 0)
		return json_null();
	return json_integer((json_int_t)info.totalram * info.mem_unit);
}

json_t *machine_describe(void)
{
	const char *commit = LFV_COMMIT;

	return json_pack(
		"{s:o, s:i, s:o, s:i, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o}",
		"cpu_model", text_or_null("/proc/cpuinfo", "model name"),
		"cpus_allowed", (int)placement_allowed_cpus(),
		"cpus_allowed_list",
		text_or_null("/proc/self/status", "Cpus_allowed_list"),
		"cpus_online", (int)sysconf(_SC_NPROCESSORS_ONLN), "kernel",
		kernel_describe(), "compiler", LFV_COMPILER, "build_type",
		LFV_BUILD_TYPE, "version", LFV_VERSION, "commit",
		*commit ? json_string(commit) : json_null(), "governor",
		text_or_null(GOVERNOR, ""), "max_map_count",
		number_or_null("/proc/sys/vm/max_map_count"), "memory_bytes",
		memory_describe());
}
