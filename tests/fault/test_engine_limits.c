/* SPDX-License-Identifier: MIT */
/*
 * The limits that a process really has, met by a whole engine.
 *
 * Each is lowered in a child, which says by its exit code which line was not
 * met.  Meeting a limit is an ordinary error that names it; what was made
 * before can be freed and purged, and all works again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault/window_cover.h"
#include "unit/engine_fixture.h"

enum { SKIP_CODE = 255, NOBODY = 65534, AREAS_MAX = 70000 };

#define EXPECT(condition)                                                      \
	do {                                                                   \
		if (!(condition)) {                                            \
			(void)fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__,    \
				      __LINE__, #condition, lfv_last_error()); \
			_exit(1);                                              \
		}                                                              \
	} while (0)

static void run_in_child(void (*body)(void))
{
	const pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIP_CODE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void limit_set(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit limit;

	EXPECT(getrlimit(resource, &limit) == 0);
	limit.rlim_cur = value;
	EXPECT(setrlimit(resource, &limit) == 0);
}

static void limit_lift(__rlimit_resource_t resource)
{
	struct rlimit limit;

	EXPECT(getrlimit(resource, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	EXPECT(setrlimit(resource, &limit) == 0);
}

static bool is_named(const char *name)
{
	return strstr(lfv_last_error(), name) != NULL;
}

static void refused(int error, const char *limit)
{
	const struct lfv_options options = TEST_OPTIONS;

	errno = 0;
	EXPECT(lfv_create(&options) == NULL);
	EXPECT(errno == error);
	EXPECT(is_named(limit));
}

static void works(void)
{
	const struct lfv_options options = TEST_OPTIONS;
	struct lfv *const lfv = lfv_create(&options);

	EXPECT(lfv != NULL);

	unsigned char *const area = lfv_vmalloc(lfv, 3 * PAGE_SIZE);

	EXPECT(area != NULL);
	memset(area, 1, 3 * PAGE_SIZE);
	EXPECT(lfv_vfree(lfv, area) == 0);
	lfv_check(lfv);
	lfv_destroy(lfv);
}

static void meet_open_files(void)
{
	limit_set(RLIMIT_NOFILE, 0);
	refused(EMFILE, "RLIMIT_NOFILE");
	limit_lift(RLIMIT_NOFILE);
	works();
}

static void meet_file_size(void)
{
	limit_set(RLIMIT_FSIZE, MIB);
	refused(EFBIG, "RLIMIT_FSIZE");
	limit_lift(RLIMIT_FSIZE);
	works();
}

/* Every part of the engine is the first that finds no room, one by one. */
static void meet_address_space(void)
{
	const struct lfv_options options = TEST_OPTIONS;
	const uint64_t used = os_linux.address_bytes();
	struct lfv *lfv = NULL;

	for (size_t room = 0; lfv == NULL; room += 16 * PAGE_SIZE) {
		EXPECT(room < 256 * MIB);
		limit_set(RLIMIT_AS, used + room);
		errno = 0;
		lfv = lfv_create(&options);
		if (lfv == NULL)
			EXPECT(errno == ENOMEM && is_named("RLIMIT_AS"));
		/* The jump over the window itself. */
		if (room < 96 * MIB)
			room += 24 * MIB;
	}
	lfv_destroy(lfv);
	limit_lift(RLIMIT_AS);
	works();
}

/* Below what is in use nothing can be mapped, not even bare. */
static void meet_address_space_at_work(void)
{
	const struct lfv_options options = TEST_OPTIONS;
	struct lfv *const lfv = lfv_create(&options);

	EXPECT(lfv != NULL);

	void *const area = lfv_vmalloc(lfv, 3 * PAGE_SIZE);

	EXPECT(area != NULL);
	limit_set(RLIMIT_AS, os_linux.address_bytes() / 2);
	errno = 0;
	EXPECT(lfv_vmalloc(lfv, PAGE_SIZE) == NULL);
	EXPECT(errno == ENOMEM);
	EXPECT(is_named("RLIMIT_AS"));
	EXPECT(lfv_vfree(lfv, area) == 0);
	EXPECT(lfv_purge(lfv) == -ENOMEM);
	EXPECT(is_named("RLIMIT_AS"));
	EXPECT(window_mappings(lfv) > 0);
	limit_lift(RLIMIT_AS);
	EXPECT(lfv_purge(lfv) == 0);
	EXPECT(engine_stats(lfv).lazy_pages == 0);
	lfv_check(lfv);
	lfv_destroy(lfv);
}

/* The administrator's processes have no such limit: be somebody else. */
static void meet_threads(void)
{
	struct lfv_options options = TEST_OPTIONS;

	options.worker = "thread";
	if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
		_exit(SKIP_CODE);
	limit_set(RLIMIT_NPROC, 0);
	errno = 0;
	EXPECT(lfv_create(&options) == NULL);
	EXPECT(errno == EAGAIN);
	EXPECT(is_named("RLIMIT_NPROC"));
	limit_lift(RLIMIT_NPROC);
	works();
}

static void *areas[AREAS_MAX];

/* ioremaps that are read-only never share a kernel mapping. */
static size_t areas_fill(struct lfv *lfv, int fd)
{
	for (size_t count = 0; count < AREAS_MAX; count++) {
		errno = 0;
		areas[count] = lfv_ioremap(lfv, fd, 0, PAGE_SIZE, PROT_READ);
		if (areas[count] == NULL)
			return count;
	}
	return 0;
}

/*
 * Two mappings a time, an area and the hole behind it: how many are left when
 * the next does not fit depends on where that began.
 */
static void mappings_add(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		EXPECT(mmap(NULL, PAGE_SIZE, PROT_READ,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void mappings_used_up(const char *strategy, const char *flush,
			     const char *mapping)
{
	struct lfv_options options = TEST_OPTIONS;
	const size_t max = os_linux.max_map_count();
	const int fd = memfd_create("file", MFD_CLOEXEC);

	if (max == 0 || max > AREAS_MAX)
		_exit(SKIP_CODE);
	options.strategy = strategy;
	options.flush = flush;
	options.mapping = mapping;
	options.window_bytes = GIB;
	EXPECT(ftruncate(fd, PAGE_SIZE) == 0);

	struct lfv *const lfv = lfv_create(&options);

	EXPECT(lfv != NULL);

	const size_t count = areas_fill(lfv, fd);

	EXPECT(count > max / 3);
	EXPECT(errno == ENOMEM);
	EXPECT(is_named("vm.max_map_count"));
	EXPECT(window_mappings(lfv) > 0);
	errno = 0;
	EXPECT(lfv_vmalloc(lfv, 64 * MIB) == NULL);
	EXPECT(errno == ENOMEM);
	EXPECT(is_named("vm.max_map_count"));
	for (size_t i = 0; i < count; i++)
		EXPECT(lfv_iounmap(lfv, areas[i]) == 0);
	EXPECT(lfv_purge(lfv) == 0);
	EXPECT(engine_stats(lfv).lazy_pages == 0);
	EXPECT(engine_stats(lfv).live_areas == 0);
	EXPECT(window_mappings(lfv) == engine_stats(lfv).mappings);
	lfv_check(lfv);

	void *const area = lfv_vmalloc(lfv, 64 * PAGE_SIZE);

	EXPECT(area != NULL);
	memset(area, 1, 64 * PAGE_SIZE);
	lfv_destroy(lfv);
}

static void meet_mappings(void)
{
	mappings_used_up("nodes", "remap", "lazy");
}

static void meet_mappings_oddly(void)
{
	mappings_add(1);
	meet_mappings();
}

static void meet_mappings_with_markers(void)
{
	mappings_used_up("augmented", "guard", "lazy");
}

static void meet_mappings_strictly(void)
{
	mappings_used_up("rbtree", "remap", "strict");
}

/*
 * Where areas share one mapping, each that is unmapped between two others cuts
 * it: purges alone go up to the limit, and have to come back from there.
 */
static void mappings_cut_up(const char *strategy)
{
	struct lfv_options options = TEST_OPTIONS;
	const size_t max = os_linux.max_map_count();
	size_t count = 0;

	if (max == 0 || max > AREAS_MAX)
		_exit(SKIP_CODE);
	options.strategy = strategy;
	options.window_bytes = GIB;
	options.memory_bytes = GIB;

	struct lfv *const lfv = lfv_create(&options);

	EXPECT(lfv != NULL);
	while (count < AREAS_MAX &&
	       (areas[count] = lfv_vmalloc(lfv, PAGE_SIZE)) != NULL)
		count++;
	for (size_t i = 0; i < count; i += 2)
		EXPECT(lfv_vfree(lfv, areas[i]) == 0);
	EXPECT(lfv_purge(lfv) == 0 || is_named("vm.max_map_count"));
	EXPECT(window_mappings(lfv) > max / 2 - 8);
	for (size_t i = 1; i < count; i += 2)
		EXPECT(lfv_vfree(lfv, areas[i]) == 0);
	EXPECT(lfv_purge(lfv) == 0);
	EXPECT(engine_stats(lfv).lazy_pages == 0);
	EXPECT(window_mappings(lfv) == 1);
	lfv_check(lfv);
	lfv_destroy(lfv);
}

static void cut_up_mappings(void)
{
	mappings_cut_up("augmented");
}

static void cut_up_mappings_without_a_lock(void)
{
	mappings_cut_up("lockfree");
}

static void purges_come_back_from_the_limit(void **state)
{
	(void)state;
	run_in_child(cut_up_mappings);
	run_in_child(cut_up_mappings_without_a_lock);
}

static void a_full_table_of_files_is_an_ordinary_error(void **state)
{
	(void)state;
	run_in_child(meet_open_files);
}

static void a_file_size_limit_is_an_error_and_no_signal(void **state)
{
	(void)state;
	run_in_child(meet_file_size);
}

static void whichever_part_finds_no_addresses_says_so(void **state)
{
	(void)state;
	run_in_child(meet_address_space);
}

static void what_cannot_be_unmapped_waits_for_the_limit_to_go(void **state)
{
	(void)state;
	run_in_child(meet_address_space_at_work);
}

static void a_worker_that_cannot_start_is_an_ordinary_error(void **state)
{
	(void)state;
	run_in_child(meet_threads);
}

static void the_last_kernel_mapping_is_an_ordinary_error(void **state)
{
	(void)state;
	run_in_child(meet_mappings);
	run_in_child(meet_mappings_oddly);
	run_in_child(meet_mappings_with_markers);
	run_in_child(meet_mappings_strictly);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_table_of_files_is_an_ordinary_error),
		cmocka_unit_test(a_file_size_limit_is_an_error_and_no_signal),
		cmocka_unit_test(whichever_part_finds_no_addresses_says_so),
		cmocka_unit_test(
			what_cannot_be_unmapped_waits_for_the_limit_to_go),
		cmocka_unit_test(
			a_worker_that_cannot_start_is_an_ordinary_error),
		cmocka_unit_test(the_last_kernel_mapping_is_an_ordinary_error),
		cmocka_unit_test(purges_come_back_from_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
