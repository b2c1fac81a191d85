/* SPDX-License-Identifier: MIT */
#include "fault/window_cover.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lfv/lfv.h"

size_t window_mappings(const struct lfv *lfv)
{
	const uintptr_t end = lfv_vmalloc_end(lfv);
	uintptr_t covered = lfv_vmalloc_start(lfv);
	size_t mappings = 0;
	char line[512];
	FILE *const maps = fopen("/proc/self/maps", "re");

	if (maps == NULL)
		return 0;
	while (covered < end && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long first = 0;
		unsigned long behind = 0;

		if (sscanf(line, "%lx-%lx", &first, &behind) != 2 ||
		    behind <= covered)
			continue;
		if (first > covered)
			break;
		covered = behind;
		mappings++;
	}
	(void)fclose(maps);
	return covered >= end ? mappings : 0;
}
