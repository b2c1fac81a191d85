/* SPDX-License-Identifier: MIT */
/*
 * test_trace_snapshot.c - /proc/vmallocinfo, shown and hidden.
 */
#include <errno.h>

#include "trace_input.h"

#define LIVE_A "0xffffc90000000000-0xffffc90000002000    8192 x+0x1/0x2 vmap\n"
#define LIVE_B "0xffffc90000004000-0xffffc90000005000    4096 vm_map_ram\n"
#define LAZY   "0xffffc90000008000-0xffffc90000009000    4096 unpurged vm_area\n"
#define HASHED "0x00000000a5b1c2d3-0x000000001234abcd    8192 x+0x1/0x2 vmap\n"
#define ZERO   "0x0000000000000000-0x0000000000000000    8192 x+0x1/0x2 vmap\n"

static void refuses(const char *text, int error, const char *part)
{
	struct trace_snapshot snapshot = { .range_count = 77 };
	struct trace_why why = { .text = "" };

	assert_int_equal(input_snapshot(text, &why, &snapshot), error);
	assert_says(why, part);
	assert_int_equal(snapshot.range_count, 77);
}

static void live_areas_come_in_order_and_lazy_ones_are_counted(void **state)
{
	(void)state;
	struct trace_snapshot snapshot = { 0 };
	struct trace_why why = { .text = "" };

	assert_int_equal(input_snapshot(LIVE_B LAZY LIVE_A, &why, &snapshot),
			 0);
	assert_int_equal(snapshot.range_count, 2);
	assert_int_equal(snapshot.lazy_areas, 1);
	assert_int_equal(snapshot.ranges[0].start, WINDOW_START);
	assert_int_equal(snapshot.ranges[0].end, WINDOW_START + 0x2000);
	assert_int_equal(snapshot.ranges[1].start, WINDOW_START + 0x4000);
	trace_snapshot_fini(&snapshot);
}

static void hidden_addresses_are_refused_by_name(void **state)
{
	(void)state;
	refuses(HASHED HASHED, -EACCES, "info: addresses are hashed");
	refuses(HASHED, -EACCES, "read it as root");
	refuses("0x(____ptrval____)-0x(____ptrval____) 8192 x\n", -EACCES,
		"addresses are hashed");
	refuses(ZERO ZERO, -EACCES, "info: all addresses are zero");
	refuses(ZERO, -EACCES, "kernel.kptr_restrict=1 (0 hashes addresses)");
	refuses(HASHED, -EACCES, "or boot with no_hash_pointers");
}

static void damaged_lines_are_refused_with_their_place(void **state)
{
	(void)state;
	refuses(LIVE_A HASHED, -EINVAL, "info:2: addresses do not fit");
	refuses(LIVE_A "0xffffc90000004000-0xffffc90000005000 8192 x\n",
		-EINVAL, "info:2: addresses do not fit");
	refuses(LIVE_A ZERO, -EINVAL, "1 of 2 areas have the address zero");
	refuses(LIVE_A "nonsense\n" LIVE_B, -EINVAL,
		"info:2: 'nonsense': expected a line of /proc/vmallocinfo");
	refuses("0xfffffffffffffffff-0x0 8192 x\n", -EINVAL, "info:1:");
	refuses("", -ENODATA, "is empty");
}

static void cut_last_line_is_counted(void **state)
{
	(void)state;
	struct trace_snapshot snapshot = { 0 };
	struct trace_why why = { .text = "" };

	assert_int_equal(
		input_snapshot(LIVE_A "0xffffc900000", &why, &snapshot), 0);
	assert_int_equal(snapshot.range_count, 1);
	assert_int_equal(snapshot.cut_lines, 1);
	trace_snapshot_fini(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			live_areas_come_in_order_and_lazy_ones_are_counted),
		cmocka_unit_test(hidden_addresses_are_refused_by_name),
		cmocka_unit_test(damaged_lines_are_refused_with_their_place),
		cmocka_unit_test(cut_last_line_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
