/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine_fixture.h"

/* printed - the list as one string; the caller frees it. */
static char *printed(struct lfv *lfv, enum lfv_format format)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	assert_int_equal(lfv_vmallocinfo(lfv, stream, format), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void every_kind_is_printed_on(struct lfv *lfv)
{
	struct lfv_page page;
	const int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 2 * PAGE_SIZE), 0);
	assert_non_null(lfv_vmalloc(lfv, 3 * PAGE_SIZE));
	assert_int_equal(lfv_alloc_pages(lfv, 0, &page), 0);
	assert_non_null(lfv_vmap(lfv, &page, 1));
	assert_non_null(lfv_ioremap(lfv, fd, PAGE_SIZE, PAGE_SIZE, PROT_READ));
	(void)close(fd);

	char *text = printed(lfv, LFV_TEXT);

	assert_non_null(strstr(text, " pages=3 vmalloc"));
	assert_non_null(strstr(text, " pages=1 vmap"));
	assert_non_null(strstr(text, " phys=0x0000000000001000 ioremap"));
	free(text);

	char *json = printed(lfv, LFV_JSON);

	assert_non_null(strstr(json, "\"kind\":\"vmalloc\""));
	assert_non_null(strstr(json, "\"pages\":3"));
	free(json);
}

static void every_kind_of_area_is_printed(void **state)
{
	(void)state;
	for_each_strategy(every_kind_is_printed_on);
}

static void a_line_reads_as_the_kernels(void **state)
{
	struct lfv *lfv = engine_default();
	unsigned char *area = lfv_vmalloc(lfv, 4 * PAGE_SIZE);
	char expected[64];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "0x%016zx-0x%016zx   20480 ",
		       (size_t)(uintptr_t)area,
		       (size_t)(uintptr_t)(area + 5 * PAGE_SIZE));

	char *text = printed(lfv, LFV_TEXT);

	assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
	free(text);
	lfv_destroy(lfv);
}

static void a_freed_area_is_lazy_until_the_purge(void **state)
{
	struct lfv *lfv = engine_default();
	void *area = lfv_vmalloc(lfv, PAGE_SIZE);

	(void)state;
	assert_int_equal(lfv_vfree(lfv, area), 0);

	char *lazy = printed(lfv, LFV_TEXT);

	assert_non_null(strstr(lazy, "unpurged vm_area lazy"));
	free(lazy);
	assert_int_equal(lfv_purge(lfv), 0);

	char *empty = printed(lfv, LFV_TEXT);

	assert_string_equal(empty, "");
	free(empty);
	lfv_destroy(lfv);
}

static void a_stream_that_cannot_be_written_is_an_error(void **state)
{
	struct lfv *lfv = engine_default();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	(void)setvbuf(full, NULL, _IONBF, 0);
	assert_non_null(lfv_vmalloc(lfv, PAGE_SIZE));
	assert_int_equal(lfv_vmallocinfo(lfv, full, LFV_TEXT), -ENOSPC);
	assert_int_equal(lfv_vmallocinfo(lfv, stdout, (enum lfv_format)99),
			 -EINVAL);
	(void)fclose(full);
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_area_is_printed),
		cmocka_unit_test(a_line_reads_as_the_kernels),
		cmocka_unit_test(a_freed_area_is_lazy_until_the_purge),
		cmocka_unit_test(a_stream_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
