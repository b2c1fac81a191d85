/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <unistd.h>

#include "engine_fixture.h"

static void the_worker_drains_what_passes_the_limit(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.worker = "thread";
	options.address_plane = true;

	struct lfv *lfv = engine_make(&options);

	for (int i = 0; i < 64; i++) {
		void *area = lfv_get_vm_area(lfv, 255 * PAGE_SIZE, 0);

		assert_non_null(area);
		assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	}
	/* The test's time limit ends this if the worker never comes. */
	while (engine_stats(lfv).purges == 0)
		(void)sched_yield();
	lfv_destroy(lfv);
}

static void an_idle_worker_ends_with_its_engine(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.worker = "thread";
	for (int i = 0; i < 20; i++)
		lfv_destroy(engine_make(&options));
}

/* A purge of the worker's that is long: it says when it is in, and when out. */
static _Atomic(int) purge_stage;

static int long_remap(void *base, size_t bytes)
{
	const int error = os_linux.remap_none(base, bytes);

	if (purge_stage == 1) {
		purge_stage = 2;
		for (int i = 0; i < 200; i++)
			(void)sched_yield();
		(void)usleep(20 * 1000);
		purge_stage = 3;
	}
	return error;
}

static void check_waits(const char *strategy)
{
	struct lfv_options options = TEST_OPTIONS;
	struct os os = os_linux;

	os.remap_none = long_remap;
	options.strategy = strategy;
	options.worker = "thread";
	purge_stage = 0;

	struct lfv *lfv = engine_create(&options, &os);

	assert_non_null(lfv);
	assert_int_equal(lfv_vfree(lfv, lfv_vmalloc(lfv, 4 * PAGE_SIZE)), 0);
	purge_stage = 1;
	worker_wake(&lfv->worker);
	while (purge_stage < 2)
		(void)sched_yield();
	lfv_check(lfv);
	assert_int_equal(purge_stage, 3);
	lfv_destroy(lfv);
}

static void a_check_does_not_meet_the_worker_in_a_purge(void **state)
{
	(void)state;
	check_waits("augmented");
	check_waits("lockfree");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worker_drains_what_passes_the_limit),
		cmocka_unit_test(an_idle_worker_ends_with_its_engine),
		cmocka_unit_test(a_check_does_not_meet_the_worker_in_a_purge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
