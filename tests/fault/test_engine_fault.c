/* SPDX-License-Identifier: MIT */
/*
 * Every system call of a whole engine's life fails once, and then with all
 * behind it: on every strategy, and with each other axis moved by itself.
 *
 * A script of operations runs with the k-th call failing, for every k until a
 * run is not hit.  A step that fails says so with an error that a limit makes
 * and a message of its own; whatever failed, every structure is whole after
 * it, every free succeeds, and when the faults are over and all is freed and
 * purged, each figure and each mapping of the process is what it was.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tsan.h"
#include "fault/fault_os.h"
#include "fault/window_cover.h"
#include "unit/engine_fixture.h"
#include "unit/fault_probe.h"

enum {
	AREAS = 8,
	FRAMES_ORDER = 2,
	FRAMES = 1 << FRAMES_ORDER,
	FILE_PAGES = 4,
	DROPS = 2 * AREAS,
	SWEEP_MAX = 200,
};

/* How an engine is made; what is NULL is the default. */
struct way {
	const char *name;
	const char *cache;
	const char *frames;
	const char *mapping;
	const char *flush;
	bool no_markers;
};

static const struct way ways[] = {
	{ .name = "defaults" },
	{ .name = "strict", .mapping = "strict" },
	{ .name = "guard", .flush = "guard" },
	{ .name = "keep", .cache = "percpu", .mapping = "keep" },
	{ .name = "bitmap", .frames = "bitmap" },
	{ .name = "paired", .frames = "paired" },
	{ .name = "no markers", .no_markers = true },
	{ .name = "paired, no markers",
	  .frames = "paired",
	  .no_markers = true },
};

/* has_pages - frames can be had alone. */
static bool has_pages(const struct way *way)
{
	return way->frames == NULL || strcmp(way->frames, "paired") != 0;
}

/* trial - one run of the script, and what it holds. */
struct trial {
	struct lfv *lfv;
	bool has_pages;
	int fd;
	void *areas[AREAS];
	void *dropped[DROPS]; /* freed since the last purge that went well */
	size_t drops;
	struct lfv_page block;
	bool has_block;
};

static int refuse_marker(void *base, size_t bytes)
{
	(void)base;
	(void)bytes;
	return -EINVAL;
}

static const struct os *os_of(const struct way *way)
{
	static struct os os_without_markers;

	if (!way->no_markers)
		return &fault_os;
	os_without_markers = fault_os;
	os_without_markers.guard_install = refuse_marker;
	return &os_without_markers;
}

static void message_clear(void)
{
	(void)error_set(0, "%s", "");
}

static bool is_limit(int error)
{
	return error == ENOMEM || error == EMFILE || error == EFBIG;
}

/* Checks map memory themselves: the faults rest meanwhile. */
static void check_at_rest(const struct trial *trial)
{
	fault_rest(true);
	lfv_check(trial->lfv);
	fault_rest(false);
}

static void failure_check(const struct trial *trial, int error)
{
	assert_true(fault_was_hit());
	assert_true(is_limit(error) || error == EIO || error == EPERM);
	assert_string_not_equal(lfv_last_error(), "");
	check_at_rest(trial);
}

/* keep - what a step made, or that it failed as it may. */
static void keep(struct trial *trial, size_t slot, void *area)
{
	trial->areas[slot] = area;
	if (area == NULL)
		failure_check(trial, errno);
	message_clear();
}

/* drop - a free never fails, whatever the kernel refuses. */
static void drop(struct trial *trial, size_t slot)
{
	if (trial->areas[slot] == NULL)
		return;
	assert_int_equal(lfv_vfree(trial->lfv, trial->areas[slot]), 0);
	assert_int_equal(lfv_vfree(trial->lfv, trial->areas[slot]), -EINVAL);
	trial->dropped[trial->drops++] = trial->areas[slot];
	trial->areas[slot] = NULL;
	check_at_rest(trial);
}

static bool is_live(const struct trial *trial, const void *area)
{
	for (size_t i = 0; i < AREAS; i++) {
		if (trial->areas[i] == area)
			return true;
	}
	return false;
}

/* A purge that says it went well leaves nothing that can be touched. */
static void drops_check(struct trial *trial)
{
	for (size_t i = 0; i < trial->drops; i++)
		assert_true(is_live(trial, trial->dropped[i]) ||
			    faults(trial->dropped[i]));
	trial->drops = 0;
}

static void purge(struct trial *trial)
{
	const int error = lfv_purge(trial->lfv);

	if (error != 0)
		failure_check(trial, -error);
	else
		drops_check(trial);
	message_clear();
}

static void step_areas(struct trial *trial)
{
	struct lfv *const lfv = trial->lfv;

	keep(trial, 0, lfv_vmalloc(lfv, 1));
	keep(trial, 1, lfv_vmalloc(lfv, 5 * PAGE_SIZE));
	keep(trial, 2, lfv_vzalloc(lfv, 3 * PAGE_SIZE));
	keep(trial, 3, lfv_get_vm_area(lfv, 2 * PAGE_SIZE, 0));
}

static void step_frames(struct trial *trial)
{
	struct lfv *const lfv = trial->lfv;
	struct lfv_page pages[FRAMES];

	if (!trial->has_pages)
		return;
	assert_int_equal(lfv_alloc_pages(lfv, FRAMES_ORDER, &trial->block), 0);
	trial->has_block = true;
	for (uint32_t i = 0; i < FRAMES; i++)
		pages[i].frame = trial->block.frame + FRAMES - 1 - i;
	keep(trial, 4, lfv_vmap(lfv, pages, FRAMES));
	if (lfv_page_address(lfv, trial->block) == NULL)
		failure_check(trial, errno);
	message_clear();
}

static void step_file(struct trial *trial)
{
	keep(trial, 5,
	     lfv_ioremap(trial->lfv, trial->fd, 0, FILE_PAGES * PAGE_SIZE,
			 PROT_READ));
}

static int visit_count(void *context, const struct lfv_vm_info *info)
{
	(void)info;
	*(size_t *)context += 1;
	return 0;
}

/* Lookups and walks meet what is live, faults or none. */
static void step_lookups(struct trial *trial)
{
	size_t live = 0;
	size_t met = 0;

	for (size_t i = 0; i < AREAS; i++) {
		struct lfv_vm_info info;

		if (trial->areas[i] == NULL)
			continue;
		live++;
		assert_int_equal(
			lfv_find_vm_area(trial->lfv, trial->areas[i], &info),
			0);
		assert_int_equal(info.va_start, (uintptr_t)trial->areas[i]);
	}
	assert_int_equal(lfv_for_each_vm_area(trial->lfv, visit_count, &met),
			 0);
	assert_int_equal(met, live);
}

static void step_reuse(struct trial *trial)
{
	drop(trial, 1);
	drop(trial, 5);
	purge(trial);
	keep(trial, 1, lfv_vmalloc(trial->lfv, 4 * PAGE_SIZE));
	keep(trial, 6, lfv_vmalloc_align(trial->lfv, PAGE_SIZE, MIB));
	if (trial->areas[6] != NULL)
		memset(trial->areas[6], 6, PAGE_SIZE);
}

static void step_end(struct trial *trial)
{
	for (size_t i = AREAS; i > 0; i--)
		drop(trial, i - 1);
	purge(trial);
}

static void script(struct trial *trial)
{
	step_areas(trial);
	step_frames(trial);
	step_file(trial);
	step_lookups(trial);
	step_reuse(trial);
	step_lookups(trial);
	step_end(trial);
}

/* aftermath - without faults everything comes back, and all works. */
static void aftermath(struct trial *trial)
{
	struct lfv *const lfv = trial->lfv;
	const size_t pages =
		(lfv_vmalloc_end(lfv) - lfv_vmalloc_start(lfv)) >> PAGE_SHIFT;

	assert_int_equal(lfv_purge(lfv), 0);
	drops_check(trial);
	if (trial->has_block)
		assert_int_equal(
			lfv_free_pages(lfv, trial->block, FRAMES_ORDER), 0);

	const struct lfv_stats stats = engine_stats(lfv);

	assert_int_equal(stats.live_areas, 0);
	assert_int_equal(stats.lazy_pages, 0);
	assert_int_equal(stats.hole_pages + stats.pool_pages, pages);
	assert_int_equal(stats.frames_free, stats.frames);
	assert_int_equal(stats.mappings, window_mappings(lfv));

	unsigned char *const area = lfv_vmalloc(lfv, 7 * PAGE_SIZE);

	assert_non_null(area);
	memset(area, 7, 7 * PAGE_SIZE);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(lfv_purge(lfv), 0);
	lfv_check(lfv);
}

/* next_fd - the descriptor that the next open would get. */
static int next_fd(void)
{
	const int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	return fd;
}

/* footprint - what of the process an engine may take, and has to give back. */
struct footprint {
	int fd;
	size_t bytes;
};

static struct footprint footprint_now(void)
{
	return (struct footprint){ next_fd(), os_linux.address_bytes() };
}

/* try_once - true when the nth call was reached. */
static bool try_once(const struct lfv_options *options, const struct way *way,
		     uint64_t nth, enum fault_mode mode)
{
	struct trial trial = {
		.has_pages = has_pages(way),
		.fd = memfd_create("file", MFD_CLOEXEC),
	};
	const struct footprint before = footprint_now();

	assert_int_equal(ftruncate(trial.fd, FILE_PAGES * PAGE_SIZE), 0);
	message_clear();
	fault_arm(FAULT_ANY, nth, mode, 0);
	trial.lfv = engine_create(options, os_of(way));
	if (trial.lfv == NULL) {
		assert_true(fault_was_hit());
		assert_int_not_equal(errno, 0);
		assert_string_not_equal(lfv_last_error(), "");
	} else {
		script(&trial);
	}

	const bool was_hit = fault_was_hit();

	fault_disarm();
	if (trial.lfv != NULL) {
		aftermath(&trial);
		lfv_destroy(trial.lfv);
	}
	/*
	 * A window that cannot be given back keeps its bare addresses; and the
	 * thread sanitizer maps memory of its own at any time.
	 */
	if (!TSAN_ENABLED && (mode == FAULT_ONCE || trial.lfv != NULL))
		assert_in_range(footprint_now().bytes, 0, before.bytes);
	assert_int_equal(footprint_now().fd, before.fd);
	assert_int_equal(close(trial.fd), 0);
	return was_hit;
}

static struct lfv_options options_of(const char *strategy,
				     const struct way *way)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = strategy;
	options.memory_bytes = 4 * MIB;
	options.cache = way->cache;
	options.frames = way->frames;
	options.mapping = way->mapping;
	options.flush = way->flush;
	return options;
}

/*
 * There is one thread at a time: the thread sanitizer, which takes six times as
 * long, gets the ways of the strategy that has no lock around them.
 */
static size_t ways_of(const char *strategy)
{
	if (TSAN_ENABLED && strcmp(strategy, "lockfree") != 0)
		return 1;
	return sizeof(ways) / sizeof(ways[0]);
}

/* Run `body` for each strategy, with each way to make an engine of it. */
static void for_each_way(void (*body)(const char *strategy,
				      const struct way *way))
{
	const struct lfv_options options = options_of("nodes", &ways[0]);
	struct lfv_choice choice;

	/* Slabs keep their chunks for good: have them made first. */
	lfv_destroy(engine_make(&options));
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		if (choice.busted)
			continue;
		for (size_t j = 0; j < ways_of(choice.name); j++)
			body(choice.name, &ways[j]);
	}
}

static void sweep(const char *strategy, const struct way *way,
		  enum fault_mode mode)
{
	const struct lfv_options options = options_of(strategy, way);
	uint64_t nth = 1;

	while (try_once(&options, way, nth, mode))
		nth++;
	assert_in_range(nth, 20, SWEEP_MAX);
}

static void sweep_once(const char *strategy, const struct way *way)
{
	sweep(strategy, way, FAULT_ONCE);
}

static void sweep_from_then_on(const char *strategy, const struct way *way)
{
	sweep(strategy, way, FAULT_FROM_THEN_ON);
}

/* step - one step of a script, and whether the window is whole after it. */
static void covered_step(struct trial *trial, void (*step)(struct trial *trial))
{
	step(trial);
	assert_in_range(window_mappings(trial->lfv), 1, SWEEP_MAX);
	assert_int_equal(window_mappings(trial->lfv),
			 engine_stats(trial->lfv).mappings);
}

static void covered_script(const char *strategy, const struct way *way)
{
	void (*const steps[])(struct trial * trial) = {
		step_areas, step_frames, step_file, step_reuse, step_end,
	};
	struct trial trial = {
		.has_pages = has_pages(way),
		.fd = memfd_create("file", MFD_CLOEXEC),
	};
	const struct lfv_options options = options_of(strategy, way);

	assert_int_equal(ftruncate(trial.fd, FILE_PAGES * PAGE_SIZE), 0);
	trial.lfv = engine_create(&options, os_of(way));
	assert_non_null(trial.lfv);
	assert_int_equal(window_mappings(trial.lfv), 1);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		covered_step(&trial, steps[i]);
	aftermath(&trial);
	lfv_destroy(trial.lfv);
	assert_int_equal(close(trial.fd), 0);
}

static void the_window_is_covered_at_every_step(void **state)
{
	(void)state;
	fault_disarm();
	for_each_way(covered_script);
}

static void any_one_call_of_an_engines_life_may_fail(void **state)
{
	(void)state;
	for_each_way(sweep_once);
}

static void all_calls_may_fail_from_any_on(void **state)
{
	(void)state;
	for_each_way(sweep_from_then_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_is_covered_at_every_step),
		cmocka_unit_test(any_one_call_of_an_engines_life_may_fail),
		cmocka_unit_test(all_calls_may_fail_from_any_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
