/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine_fixture.h"

static long outstanding; /* anonymous mappings and reservations */
static unsigned fail_at; /* 0: never */
static unsigned calls;

static bool is_failing(void)
{
	return ++calls == fail_at;
}

static void *counted_mmap(size_t bytes)
{
	void *base = is_failing() ? NULL : os_linux.mmap_anon(bytes);

	outstanding += base != NULL;
	return base;
}

static void counted_munmap(void *base, size_t bytes)
{
	outstanding--;
	os_linux.munmap_anon(base, bytes);
}

static int counted_reserve(void *base, size_t bytes)
{
	const int error =
		is_failing() ? -ENOMEM : os_linux.reserve(base, bytes);

	outstanding += error == 0;
	return error;
}

static int counted_unreserve(void *base, size_t bytes)
{
	outstanding--;
	return os_linux.unreserve(base, bytes);
}

static int counted_memfd(const char *name)
{
	const int fd = is_failing() ? -EMFILE : os_linux.memfd_create(name);

	outstanding += fd >= 0;
	return fd;
}

static int counted_close(int fd)
{
	outstanding--;
	return os_linux.close(fd);
}

static int counted_ftruncate(int fd, off_t bytes)
{
	return is_failing() ? -ENOMEM : os_linux.ftruncate(fd, bytes);
}

static int counted_seal(int fd)
{
	return is_failing() ? -EPERM : os_linux.seal(fd);
}

static int counted_random(void *buffer, size_t bytes)
{
	return is_failing() ? -EAGAIN : os_linux.random(buffer, bytes);
}

static struct os counted_os(void)
{
	struct os os = os_linux;

	os.mmap_anon = counted_mmap;
	os.munmap_anon = counted_munmap;
	os.reserve = counted_reserve;
	os.unreserve = counted_unreserve;
	os.memfd_create = counted_memfd;
	os.close = counted_close;
	os.ftruncate = counted_ftruncate;
	os.seal = counted_seal;
	os.random = counted_random;
	return os;
}

/* Fail every call of creation in turn: nothing may be left behind. */
static void create_with_each_call_failing(struct lfv_options options)
{
	static struct os os;
	struct lfv *lfv = NULL;

	os = counted_os();
	/* Slabs keep their chunks for good: warm them first. */
	fail_at = 0;
	lfv_destroy(engine_create(&options, &os));
	for (fail_at = 1; lfv == NULL; fail_at++) {
		const long before = outstanding;

		calls = 0;
		errno = 0;
		(void)error_set(0, "nothing was said");
		lfv = engine_create(&options, &os);
		if (calls < fail_at)
			break;
		if (lfv != NULL) {
			/* A call that may fail: a guard probe, a retry. */
			lfv_destroy(lfv);
			lfv = NULL;
		} else {
			assert_int_not_equal(errno, 0);
			assert_string_not_equal(lfv_last_error(),
						"nothing was said");
		}
		assert_int_equal(outstanding, before);
	}
	assert_non_null(lfv);
	fail_at = 0;
	lfv_destroy(lfv);
}

static void a_creation_that_fails_leaves_nothing_behind(void **state)
{
	struct lfv_choice choice;

	(void)state;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		struct lfv_options options = TEST_OPTIONS;

		options.strategy = choice.name;
		create_with_each_call_failing(options);
	}
	for (size_t i = 0; i < CACHED_ENGINES; i++)
		create_with_each_call_failing(cached_options(i));
}

/* Live areas, lazy ones, and what lies in a cache. */
static void use_a_little(struct lfv *lfv)
{
	void *const freed = lfv_vmalloc(lfv, 5 * PAGE_SIZE);

	assert_non_null(lfv_vmalloc(lfv, 3 * PAGE_SIZE));
	assert_non_null(lfv_vmalloc(lfv, 700 * PAGE_SIZE));
	assert_non_null(lfv_get_vm_area(lfv, PAGE_SIZE, 0));
	assert_int_equal(lfv_vfree(lfv, freed), 0);
}

static void gives_everything_back(const struct lfv_options *options)
{
	static struct os os;
	struct lfv *lfv;

	os = counted_os();
	fail_at = 0;
	/* Slabs keep their chunks for good: warm them first. */
	lfv = engine_create(options, &os);
	assert_non_null(lfv);
	use_a_little(lfv);
	lfv_destroy(lfv);

	const long before = outstanding;

	lfv = engine_create(options, &os);
	assert_non_null(lfv);
	use_a_little(lfv);
	lfv_destroy(lfv);
	assert_int_equal(outstanding, before);
}

static void an_engine_gives_everything_back(void **state)
{
	const struct lfv_options options = TEST_OPTIONS;

	(void)state;
	gives_everything_back(&options);
	for (size_t i = 0; i < CACHED_ENGINES; i++) {
		const struct lfv_options cached = cached_options(i);

		gives_everything_back(&cached);
	}
}

static void the_window_is_as_large_as_asked(void **state)
{
	struct lfv *lfv = engine_default();

	(void)state;
	assert_int_equal(lfv_vmalloc_end(lfv) - lfv_vmalloc_start(lfv),
			 128 * MIB);
	lfv_destroy(lfv);
}

static void destroying_no_engine_does_nothing(void **state)
{
	(void)state;
	lfv_destroy(NULL);
}

static void default_options_make_a_working_engine(void **state)
{
	struct lfv *lfv = lfv_create(NULL);

	(void)state;
	if (lfv == NULL)
		print_error("%s\n", lfv_last_error());
	assert_non_null(lfv);

	char *area = lfv_vmalloc(lfv, 10000);

	assert_non_null(area);
	strcpy(area, "written");
	assert_int_equal(lfv_vfree(lfv, area), 0);
	lfv_check(lfv);
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_creation_that_fails_leaves_nothing_behind),
		cmocka_unit_test(an_engine_gives_everything_back),
		cmocka_unit_test(the_window_is_as_large_as_asked),
		cmocka_unit_test(destroying_no_engine_does_nothing),
		cmocka_unit_test(default_options_make_a_working_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
