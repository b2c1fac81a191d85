/* SPDX-License-Identifier: MIT */
/*
 * test_cpu.c - lists of ids, and maps of machines that are not this one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/os.h"

static const struct cpu_options ask_machine = { 0 };

/* file - what the made-up machine's /sys holds. */
struct file {
	const char *path;
	const char *text;
};

static const struct file *files;

static int read_made_up(const char *path, char *text, size_t bytes)
{
	for (const struct file *file = files; file->path != NULL; file++) {
		if (strcmp(file->path, path) == 0) {
			(void)snprintf(text, bytes, "%s", file->text);
			return 0;
		}
	}
	return -ENOENT;
}

static const struct os made_up_os = { .read_text = read_made_up };

static const struct file two_nodes_with_gaps[] = {
	{ "/sys/devices/system/cpu/possible", "0-3,8\n" },
	{ "/sys/devices/system/node/possible", "1,4\n" },
	{ "/sys/devices/system/node/node1/cpulist", "0-1,8\n" },
	{ "/sys/devices/system/node/node4/cpulist", "2\n" },
	{ NULL, NULL },
};

static const struct file no_files[] = { { NULL, NULL } };

static struct cpu_map map;

static struct id_set parsed(const char *text)
{
	struct id_set set;

	assert_int_equal(id_set_parse(text, CPU_IDS_MAX, &set), 0);
	return set;
}

static void a_list_names_ids_and_ranges(void **state)
{
	const struct id_set set = parsed("0-2,8\n");

	(void)state;
	assert_true(id_set_has(&set, 0));
	assert_true(id_set_has(&set, 2));
	assert_false(id_set_has(&set, 3));
	assert_true(id_set_has(&set, 8));
	assert_int_equal(id_set_count(&set), 4);
	assert_int_equal(id_set_slots(&set), 9);
}

static void ids_of_other_words_are_kept_apart(void **state)
{
	const struct id_set set = parsed("63-64,8191");

	(void)state;
	assert_true(id_set_has(&set, 63));
	assert_true(id_set_has(&set, 64));
	assert_false(id_set_has(&set, 127));
	assert_int_equal(id_set_slots(&set), CPU_IDS_MAX);
	assert_false(id_set_has(&set, CPU_IDS_MAX));
}

static void an_empty_list_is_an_empty_set(void **state)
{
	const struct id_set set = parsed("\n");

	(void)state;
	assert_int_equal(id_set_count(&set), 0);
	assert_int_equal(id_set_slots(&set), 0);
}

static void nonsense_is_refused_and_changes_nothing(void **state)
{
	static const char *const nonsense[] = {
		"x",     "1-",  "-1",   "3-1",    "1,,2",
		"1,",    "1 2", "8192", "0-8192", "99999999999999999999",
		"1-2-3",
	};
	struct id_set set = parsed("5");

	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++)
		assert_int_equal(id_set_parse(nonsense[i], CPU_IDS_MAX, &set),
				 -EINVAL);
	assert_int_equal(id_set_count(&set), 1);
}

static void gaps_make_more_slots_than_cpus(void **state)
{
	(void)state;
	files = two_nodes_with_gaps;
	assert_int_equal(cpu_map_init(&map, &ask_machine, &made_up_os), 0);
	assert_int_equal(map.cpus, 5);
	assert_int_equal(map.cpu_slots, 9);
	assert_int_equal(map.nodes, 2);
	assert_int_equal(map.node_slots, 5);
}

static void a_cpu_lies_on_the_node_that_lists_it(void **state)
{
	(void)state;
	files = two_nodes_with_gaps;
	assert_int_equal(cpu_map_init(&map, &ask_machine, &made_up_os), 0);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 8 }).value, 1);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 2 }).value, 4);
}

static void a_cpu_that_no_node_lists_lies_on_the_first(void **state)
{
	(void)state;
	files = two_nodes_with_gaps;
	assert_int_equal(cpu_map_init(&map, &ask_machine, &made_up_os), 0);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 3 }).value, 1);
}

static void without_sysfs_there_are_cpus_and_one_node(void **state)
{
	(void)state;
	files = no_files;
	assert_int_equal(cpu_map_init(&map, &ask_machine, &made_up_os), 0);
	assert_true(map.cpus >= 1);
	assert_int_equal(map.cpu_slots, map.cpus);
	assert_int_equal(map.nodes, 1);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 0 }).value, 0);
}

static void sixty_four_cpus_can_be_made_up(void **state)
{
	const struct cpu_options options = { .cpus = 64, .nodes = 4 };

	(void)state;
	files = no_files;
	assert_int_equal(cpu_map_init(&map, &options, &made_up_os), 0);
	assert_int_equal(map.cpus, 64);
	assert_int_equal(map.nodes, 4);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 15 }).value, 0);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 16 }).value, 1);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 63 }).value, 3);
}

static void made_up_cpus_do_not_take_the_machines_nodes(void **state)
{
	const struct cpu_options options = { .cpus = 2 };

	(void)state;
	files = two_nodes_with_gaps;
	assert_int_equal(cpu_map_init(&map, &options, &made_up_os), 0);
	assert_int_equal(map.nodes, 1);
	assert_int_equal(cpu_node(&map, (struct cpu_id){ 1 }).value, 0);
}

static void an_id_past_the_slots_is_folded(void **state)
{
	const struct cpu_options options = { .cpus = 3 };

	(void)state;
	assert_int_equal(cpu_map_init(&map, &options, &made_up_os), 0);
	assert_int_equal(cpu_slot(&map, (struct cpu_id){ 2 }), 2);
	assert_int_equal(cpu_slot(&map, (struct cpu_id){ 7 }), 1);
}

static void fewer_slots_than_the_machine_s_are_folded(void **state)
{
	struct cpu_options options = { .cpus = 8 };

	(void)state;
	files = two_nodes_with_gaps;
	assert_int_equal(cpu_map_init(&map, &options, &made_up_os), 0);
	assert_true(map.is_folded);
	options.cpus = 9; /* the machine's ids end at 8 */
	assert_int_equal(cpu_map_init(&map, &options, &made_up_os), 0);
	assert_false(map.is_folded);
	assert_int_equal(cpu_map_init(&map, &ask_machine, &made_up_os), 0);
	assert_false(map.is_folded);
}

static void too_many_are_refused(void **state)
{
	const struct cpu_options cpus = { .cpus = CPU_IDS_MAX + 1 };
	const struct cpu_options nodes = { .nodes = NODE_IDS_MAX + 1 };

	(void)state;
	assert_int_equal(cpu_map_init(&map, &cpus, &made_up_os), -EINVAL);
	assert_int_equal(cpu_map_init(&map, &nodes, &made_up_os), -EINVAL);
}

static void this_machine_has_cpus_that_cover_where_we_run(void **state)
{
	(void)state;
	assert_int_equal(cpu_map_init(&map, &ask_machine, &os_linux), 0);
	assert_true(cpu_current().value < map.cpu_slots);
	assert_true(cpu_node(&map, cpu_current()).value < map.node_slots);
}

/* Pinned to each allowed CPU in turn, we are told that very one. */
static void a_pinned_thread_is_told_its_cpu(void **state)
{
	cpu_set_t before;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t only;

		if (!CPU_ISSET(cpu, &before))
			continue;
		CPU_ZERO(&only);
		CPU_SET(cpu, &only);
		assert_int_equal(sched_setaffinity(0, sizeof(only), &only), 0);
		wrong += cpu_current().value != cpu;
	}
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_names_ids_and_ranges),
		cmocka_unit_test(ids_of_other_words_are_kept_apart),
		cmocka_unit_test(an_empty_list_is_an_empty_set),
		cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
		cmocka_unit_test(gaps_make_more_slots_than_cpus),
		cmocka_unit_test(a_cpu_lies_on_the_node_that_lists_it),
		cmocka_unit_test(a_cpu_that_no_node_lists_lies_on_the_first),
		cmocka_unit_test(without_sysfs_there_are_cpus_and_one_node),
		cmocka_unit_test(sixty_four_cpus_can_be_made_up),
		cmocka_unit_test(made_up_cpus_do_not_take_the_machines_nodes),
		cmocka_unit_test(an_id_past_the_slots_is_folded),
		cmocka_unit_test(fewer_slots_than_the_machine_s_are_folded),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(this_machine_has_cpus_that_cover_where_we_run),
		cmocka_unit_test(a_pinned_thread_is_told_its_cpu),
	};

	return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
