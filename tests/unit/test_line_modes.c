/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cmd/line_modes.h"

enum { SAMPLES_MAX = 8 };

/* world - samples at two threads whose lines took these ns; 0: not known. */
struct world {
	struct sample samples[SAMPLES_MAX];
	size_t count;
	bool is_changed[SAMPLES_MAX];
};

static void sample_add(struct world *world, int ns)
{
	struct sample *sample = &world->samples[world->count++];

	sample->cell.threads = 2;
	snprintf(sample->cell.pin, sizeof(sample->cell.pin), "compact");
	sample->counters = json_object();
	if (ns)
		json_object_set_new(sample->counters, "line_transfer_ns",
				    json_integer(ns));
}

static void judge(struct world *world)
{
	memset(world->is_changed, 0, sizeof(world->is_changed));
	assert_int_equal(line_modes_judge(&world->samples[0].cell,
					  world->samples, world->count,
					  world->is_changed),
			 0);
}

/* One letter a sample: v valid, - not. */
static const char *outcomes(const struct world *world)
{
	static char text[SAMPLES_MAX + 1];

	for (size_t i = 0; i < world->count; i++)
		text[i] = world->samples[i].outcome == SAMPLE_MEASURED ? 'v'
								       : '-';
	text[world->count] = '\0';
	return text;
}

static struct world *world_of(const int *ns, size_t count)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	for (size_t i = 0; i < count; i++)
		sample_add(&world, ns[i]);
	judge(&world);
	return &world;
}

static void world_fini(struct world *world)
{
	for (size_t i = 0; i < world->count; i++)
		json_decref(world->samples[i].counters);
}

#define WORLD(...)                             \
	world_of((const int[]){ __VA_ARGS__ }, \
		 sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

static void of_two_modes_the_longer_counts(void **state)
{
	struct world *world = WORLD(80, 410, 82, 400, 79);

	(void)state;
	assert_string_equal(outcomes(world), "v-v-v");
	assert_string_equal(world->samples[1].why,
			    "a cache line between the CPUs took 410 ns, the "
			    "median is 82 ns: the host had moved them");
	assert_true(world->is_changed[1]);
	assert_false(world->is_changed[0]);
	world_fini(world);
}

static void both_modes_are_told(void **state)
{
	struct world *world = WORLD(80, 410, 82, 400, 79);
	struct line_mode mode;

	(void)state;
	assert_int_equal(line_mode_of(&world->samples[0].cell, world->samples,
				      world->count, &mode),
			 0);
	assert_int_equal(mode.reference_ns, 82);
	assert_int_equal(mode.apart_ns, 400);
	assert_int_equal(mode.known, 5);
	assert_int_equal(mode.apart, 2);
	world_fini(world);
}

static void samples_of_one_mode_are_all_valid(void **state)
{
	struct world *world = WORLD(80, 95, 110, 120, 75);

	(void)state;
	assert_string_equal(outcomes(world), "vvvvv");
	world_fini(world);
}

static void what_is_not_known_is_not_judged_and_does_not_count(void **state)
{
	struct world *world = WORLD(0, 0, 0, 410, 400, 80);

	(void)state;
	assert_string_equal(outcomes(world), "vvvvv-");
	world_fini(world);
}

/* A middle between the modes would be of neither. */
static void of_two_samples_one_stays(void **state)
{
	struct world *world = WORLD(410, 80);

	(void)state;
	assert_string_equal(outcomes(world), "-v");
	world_fini(world);
}

static void one_sample_is_valid(void **state)
{
	struct world *world = WORLD(410);

	(void)state;
	assert_string_equal(outcomes(world), "v");
	world_fini(world);
}

static void what_is_apart_no_more_is_valid_again(void **state)
{
	struct world *world = WORLD(410, 80);

	(void)state;
	sample_add(world, 400);
	judge(world);
	assert_string_equal(outcomes(world), "v-v");
	assert_string_equal(world->samples[0].why, "");
	assert_true(world->is_changed[0]);
	world_fini(world);
}

static void what_else_spoilt_a_sample_stays(void **state)
{
	struct world *world = WORLD(80, 82);

	(void)state;
	sample_add(world, 410);
	snprintf(world->samples[2].why, SAMPLE_WHY_BYTES, "moved");
	world->samples[2].outcome = SAMPLE_INVALID;
	judge(world);
	assert_string_equal(outcomes(world), "vv-");
	assert_string_equal(world->samples[2].why, "moved");
	assert_false(world->samples[2].is_off_mode);
	world_fini(world);
}

static void other_cpus_are_judged_by_themselves(void **state)
{
	struct world *world = WORLD(80, 82);

	(void)state;
	sample_add(world, 410);
	world->samples[2].cell.threads = 4;
	sample_add(world, 410);
	snprintf(world->samples[3].cell.pin, sizeof(world->samples[3].cell.pin),
		 "scatter");
	judge(world);
	assert_string_equal(outcomes(world), "vvvv");
	world_fini(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_modes_the_longer_counts),
		cmocka_unit_test(both_modes_are_told),
		cmocka_unit_test(samples_of_one_mode_are_all_valid),
		cmocka_unit_test(
			what_is_not_known_is_not_judged_and_does_not_count),
		cmocka_unit_test(of_two_samples_one_stays),
		cmocka_unit_test(one_sample_is_valid),
		cmocka_unit_test(what_is_apart_no_more_is_valid_again),
		cmocka_unit_test(what_else_spoilt_a_sample_stays),
		cmocka_unit_test(other_cpus_are_judged_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
