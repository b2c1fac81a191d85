/* SPDX-License-Identifier: MIT */
#include <sched.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worker_drains_what_passes_the_limit),
		cmocka_unit_test(an_idle_worker_ends_with_its_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
