/* SPDX-License-Identifier: MIT */
/*
 * consumer.c - the smallest program that uses an installed lfv.
 */
#include <lfv/lfv.h>

#include <stdio.h>
#include <string.h>

enum { AREA_BYTES = 3 * 4096, PATTERN = 0x5a };

static int complain(const char *what)
{
	fprintf(stderr, "consumer: %s: %s\n", what, lfv_last_error());
	return 1;
}

static int use(struct lfv *lfv)
{
	unsigned char *const area = lfv_vmalloc(lfv, AREA_BYTES);

	if (area == NULL)
		return complain("vmalloc");
	memset(area, PATTERN, AREA_BYTES);
	if (area[0] != PATTERN || area[AREA_BYTES - 1] != PATTERN)
		return complain("the area does not keep what is written");
	if (lfv_vfree(lfv, area) != 0)
		return complain("vfree");
	return 0;
}

int main(void)
{
	struct lfv *const lfv = lfv_create(NULL);

	if (lfv == NULL)
		return complain("create");

	const int status = use(lfv);

	lfv_destroy(lfv);
	if (status == 0)
		printf("lfv %s works\n", lfv_version());
	return status;
}
