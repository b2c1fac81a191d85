/* SPDX-License-Identifier: MIT */
/*
 * test_trace_resolve.c - what becomes of events, and of the recorded files.
 */
#include <errno.h>
#include <stdio.h>

#include "trace_input.h"

#define INFO_A "0xffffc90000000000-0xffffc90000002000    8192 x+0x1/0x2 vmap\n"
#define INFO_C "0xffffc90000010000-0xffffc90000011000    4096 x+0x1/0x2 vmap\n"
#define INFO_MODULE \
	"0xffffffffc0201000-0xffffffffc0203000    8192 x+0x1/0x2 vmalloc\n"

/* Reads, resolves, checks the invariants. */
static struct trace_program program_of(const char *text, const char *info)
{
	struct trace trace = { 0 };
	struct trace_snapshot snapshot = { 0 };
	struct trace_program program = { 0 };
	struct trace_why why = { .text = "" };

	if (input_read(text, &why, &trace) ||
	    (info && input_snapshot(info, &why, &snapshot)) ||
	    trace_resolve(&trace, info ? &snapshot : NULL, &why, &program))
		fail_msg("%s", why.text);
	trace_program_check(&program);
	trace_fini(&trace);
	trace_snapshot_fini(&snapshot);
	return program;
}

/* The steps as letters: p, a, f, each with its slot. */
static void assert_steps(const struct trace_program *program,
			 const char *expected)
{
	char found[256] = "";
	size_t length = 0;

	for (size_t i = 0; i < program->step_count; i++)
		length +=
			(size_t)snprintf(found + length, sizeof(found) - length,
					 "%c%u ", "paf"[program->steps[i].kind],
					 program -> steps[i].slot);
	assert_string_equal(found, expected);
}

static void each_life_of_an_address_has_a_slot(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "5.0") ALLOC(A_DECIMAL, "8192")
			HEAD("2", "003", "6.0") ALLOC(B_DECIMAL, "4096")
				HEAD("1", "000", "7.0") FREE(A_HEX)
					HEAD("1", "000", "7.5")
						ALLOC(A_DECIMAL, "4096"),
		NULL);

	assert_steps(&program, "a0 a1 f0 a2 ");
	assert_int_equal(program.slots, 3);
	assert_int_equal(program.steps[0].time_ns, 0);
	assert_int_equal(program.duration_ns, 2500000000u);
	assert_int_equal(program.steps[1].first_page, 2);
	assert_int_equal(program.steps[1].pages, 1);
	assert_int_equal(program.steps[2].pages, 2);
	assert_int_equal(program.cpu_count, 2);
	assert_int_equal(program.cpu_ids[program.steps[1].cpu], 3);
	assert_int_equal(program.counters.allocs, 3);
	assert_int_equal(program.counters.frees, 1);
	assert_int_equal(program.counters.dropped, 0);
	trace_program_fini(&program);
}

static void late_free_of_another_cpu_is_an_inversion(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.000000") ALLOC(A_DECIMAL, "8192")
			HEAD("2", "001", "1.000010") ALLOC(A_DECIMAL, "8192")
				HEAD("3", "002", "1.000020") FREE(A_HEX)
					HEAD("3", "000", "1.000030")
						FREE(A_HEX),
		NULL);

	assert_steps(&program, "a0 f0 a1 f1 ");
	assert_int_equal(program.counters.inversions, 1);
	assert_int_equal(program.counters.dropped, 0);
	assert_int_equal(program.counters.unknown_frees, 0);
	assert_int_equal(program.cpu_ids[program.steps[1].cpu], 2);
	trace_program_fini(&program);
}

static void inversion_is_found_where_ranges_begin_apart(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.000000") ALLOC(B_DECIMAL, "4096")
			HEAD("2", "001", "1.000010") ALLOC(A_DECIMAL, "65536")
				HEAD("1", "000", "1.000020") FREE(B_HEX),
		NULL);

	assert_steps(&program, "a0 f0 a1 ");
	assert_int_equal(program.counters.inversions, 1);
	trace_program_fini(&program);
}

static void free_by_the_allocating_thread_is_never_an_inversion(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.000000") ALLOC(A_DECIMAL, "8192")
			HEAD("2", "001", "1.000010") ALLOC(A_DECIMAL, "8192")
				HEAD("2", "001", "1.000020") FREE(A_HEX),
		NULL);

	assert_steps(&program, "a0 f0 a1 f1 ");
	assert_int_equal(program.counters.inversions, 0);
	assert_int_equal(program.counters.dropped, 1);
	trace_program_fini(&program);
}

static void free_after_the_window_ends_the_new_area(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.000000") ALLOC(A_DECIMAL, "8192")
			HEAD("2", "001", "1.000010") ALLOC(A_DECIMAL, "8192")
				HEAD("3", "000", "1.000111") FREE(A_HEX),
		NULL);

	assert_steps(&program, "a0 f0 a1 f1 ");
	assert_int_equal(program.counters.inversions, 0);
	assert_int_equal(program.counters.dropped, 1);
	trace_program_fini(&program);
}

static void lost_events_put_older_areas_in_doubt(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.000000") ALLOC(
			A_DECIMAL,
			"8192") "CPU:0 [LOST 12 EVENTS]\n" HEAD("2", "001",
								"1.000010")
			ALLOC(A_DECIMAL, "8192") HEAD("3", "000", "1.000020")
				FREE(A_HEX),
		NULL);

	assert_steps(&program, "a0 f0 a1 f1 ");
	assert_int_equal(program.counters.inversions, 0);
	assert_int_equal(program.counters.dropped, 1);
	assert_int_equal(program.counters.lost_marks, 1);
	assert_int_equal(program.counters.lost_events, 12);
	assert_int_equal(program.counters.events, 3);
	trace_program_fini(&program);
}

static void loss_before_the_first_event_does_not_move_time(void **state)
{
	(void)state;
	struct trace_program program =
		program_of("CPU:0 [LOST 12 EVENTS]\n" HEAD("1", "000", "9.0")
				   ALLOC(A_DECIMAL, "8192"),
			   NULL);

	assert_int_equal(program.steps[0].time_ns, 0);
	trace_program_fini(&program);
}

static void failed_attempt_makes_no_step_and_its_retry_one(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.0") ALLOC_FAIL("8192")
			HEAD("1", "000", "1.1") ALLOC(A_DECIMAL, "8192"),
		NULL);

	assert_steps(&program, "a0 ");
	assert_int_equal(program.counters.failed, 1);
	assert_int_equal(program.counters.allocs, 1);
	trace_program_fini(&program);
}

static void unknown_free_is_counted_and_interior_ones_too(void **state)
{
	(void)state;
	struct trace_program program =
		program_of(HEAD("1", "000", "1.0") ALLOC(A_DECIMAL, "16384")
				   HEAD("1", "000", "1.1") FREE(B_HEX)
					   HEAD("1", "000", "1.2") FREE(C_HEX),
			   NULL);

	assert_steps(&program, "a0 ");
	assert_int_equal(program.counters.unknown_frees, 2);
	trace_program_fini(&program);
}

static void snapshot_resolves_frees_and_gives_places(void **state)
{
	(void)state;
	struct trace_program program =
		program_of(HEAD("1", "000", "1.0") ALLOC(B_DECIMAL, "4096")
				   HEAD("1", "000", "1.1") FREE(C_HEX)
					   HEAD("1", "000", "1.2")
						   ALLOC(A_DECIMAL, "4096"),
			   INFO_C INFO_A);

	assert_steps(&program, "p0 p1 a2 f1 f0 a3 ");
	assert_int_equal(program.steps[0].first_page, 0);
	assert_int_equal(program.steps[0].pages, 2);
	assert_int_equal(program.steps[1].first_page, 16);
	assert_int_equal(program.counters.preloads, 2);
	assert_int_equal(program.counters.unknown_frees, 0);
	assert_int_equal(program.counters.dropped, 1);
	trace_program_fini(&program);
}

static void contradicting_ranges_of_a_snapshot_are_counted(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.0") ALLOC(C_DECIMAL, "4096"),
		INFO_A "0xffffc90000001000-0xffffc90000002000 4096 x\n");

	assert_steps(&program, "p0 a1 ");
	assert_int_equal(program.counters.snapshot_overlaps, 1);
	trace_program_fini(&program);
}

static void other_spaces_are_other_arenas(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.0") ALLOC_IN(MODULES,
						 "18446744072635809792", "4096")
			HEAD("1", "000", "1.1") ALLOC(A_DECIMAL, "4096"),
		NULL);

	assert_int_equal(program.arena_count, 2);
	assert_int_equal(program.windows[0].arena, 0);
	assert_int_equal(program.arenas[0].start, WINDOW_START);
	assert_int_equal(program.steps[0].window, 1);
	assert_int_equal(program.steps[1].window, 0);
	assert_int_equal(program.steps[0].first_page, 0x20000);
	assert_true(program.arenas[1].traced);
	trace_program_fini(&program);
}

static void snapshot_outside_of_all_windows_is_an_untraced_arena(void **state)
{
	(void)state;
	struct trace_program program =
		program_of(HEAD("1", "000", "1.0") ALLOC(B_DECIMAL, "4096"),
			   INFO_A INFO_MODULE);

	assert_int_equal(program.arena_count, 2);
	assert_false(program.arenas[1].traced);
	assert_int_equal(program.arenas[1].pages, 2);
	assert_int_equal(program.steps[1].window, 1);
	assert_int_equal(program.steps[1].first_page, 0);
	trace_program_fini(&program);
}

static void overlapping_windows_share_an_arena(void **state)
{
	(void)state;
	struct trace_program program = program_of(
		HEAD("1", "000", "1.0") ALLOC_IN("vstart=0x10000 vend=0x30000",
						 "65536", "4096")
			HEAD("1", "000", "1.1") ALLOC_IN(
				"vstart=0x20000 vend=0x50000", "131072", "4096")
				HEAD("1", "000", "1.2")
					ALLOC_IN("vstart=0x60000 vend=0x61000",
						 "393216", "4096"),
		NULL);

	assert_int_equal(program.arena_count, 2);
	assert_int_equal(program.arenas[0].start, 0x10000);
	assert_int_equal(program.arenas[0].pages, 0x40);
	assert_int_equal(program.windows[0].first_page, 0x10);
	assert_int_equal(program.windows[0].pages, 0x30);
	assert_int_equal(program.windows[1].first_page, 0);
	assert_int_equal(program.steps[1].first_page, 0x10);
	trace_program_fini(&program);
}

static void too_many_windows_are_refused(void **state)
{
	(void)state;
	char text[16384] = "";
	size_t length = 0;
	struct trace trace = { 0 };
	struct trace_program program = { 0 };
	struct trace_why why = { .text = "" };

	for (unsigned i = 1; i <= TRACE_WINDOWS_MAX + 1; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length,
			" t-1 [0] %u.0: alloc_vmap_area: va_start: 0 size=4096 "
			"align=1 vstart=0x0 vend=0x%x000 failed=0\n",
			i, i);
	assert_int_equal(input_read(text, &why, &trace), 0);
	assert_int_equal(trace_resolve(&trace, NULL, &why, &program), -E2BIG);
	assert_says(why, "more than 64 windows");
	trace_fini(&trace);
}

/* A recorded file of this tree, with its snapshot when `info` is one. */
static struct trace_program fixture(const char *name, const char *info)
{
	char path[4096];
	struct trace trace = { 0 };
	struct trace_snapshot snapshot = { 0 };
	struct trace_program program = { 0 };
	struct trace_why why = { .text = "" };

	(void)snprintf(path, sizeof(path), "%s/%s", LFV_FIXTURES, name);
	if (trace_read(path, &why, &trace))
		fail_msg("%s", why.text);
	(void)snprintf(path, sizeof(path), "%s/%s", LFV_FIXTURES,
		       info ? info : "");
	if (info && trace_snapshot_read(path, &why, &snapshot))
		fail_msg("%s", why.text);
	if (trace_resolve(&trace, info ? &snapshot : NULL, &why, &program))
		fail_msg("%s", why.text);
	trace_program_check(&program);
	trace_fini(&trace);
	trace_snapshot_fini(&snapshot);
	return program;
}

static void process_storm_has_its_counts(void **state)
{
	(void)state;
	struct trace_program program = fixture("process-storm.trace.gz",
					       "process-storm.vmallocinfo.gz");
	const struct trace_counters *counters = &program.counters;

	assert_int_equal(counters->events, 21766);
	assert_int_equal(counters->allocs, 10885);
	assert_int_equal(counters->frees, 10878);
	assert_int_equal(counters->purges, 3);
	assert_int_equal(counters->purged_areas, 3291 + 3632 + 3281);
	assert_int_equal(counters->preloads, 247);
	assert_int_equal(counters->unknown_frees, 0);
	assert_int_equal(counters->failed, 0);
	assert_int_equal(counters->inversions, 0);
	assert_int_equal(counters->snapshot_overlaps, 0);
	assert_int_equal(program.cpu_count, 2);
	assert_int_equal(program.slots, 10885 + 247);
	assert_int_equal(program.step_count,
			 10885 + 10878 + 247 + counters->dropped);
	trace_program_fini(&program);
}

static void bpf_filters_have_their_counts(void **state)
{
	(void)state;
	struct trace_program program =
		fixture("bpf-filters.trace.gz", "bpf-filters.vmallocinfo.gz");

	assert_int_equal(program.counters.events, 12000);
	assert_int_equal(program.counters.allocs, 6008);
	assert_int_equal(program.counters.frees, 5989);
	assert_int_equal(program.counters.purges, 3);
	assert_int_equal(program.counters.unknown_frees, 0);
	assert_int_equal(program.counters.inversions, 0);
	assert_int_equal(program.arena_count, 2);
	trace_program_fini(&program);
}

static void namespaces_have_their_counts(void **state)
{
	(void)state;
	struct trace_program program =
		fixture("namespaces.trace.gz", "namespaces.vmallocinfo.gz");

	assert_int_equal(program.counters.allocs, 84);
	assert_int_equal(program.counters.frees, 80);
	assert_int_equal(program.counters.unknown_frees, 0);
	assert_int_equal(program.counters.dropped, 0);
	trace_program_fini(&program);
}

static void frees_are_unknown_without_a_snapshot(void **state)
{
	(void)state;
	struct trace_program program = fixture("process-storm.trace.gz", NULL);

	assert_int_equal(program.counters.allocs, 10885);
	assert_true(program.counters.unknown_frees > 0);
	assert_int_equal(program.counters.dropped, 0);
	assert_int_equal(program.step_count,
			 10885 + 10878 - program.counters.unknown_frees);
	trace_program_fini(&program);
}

static void perf_script_fixture_has_its_counts(void **state)
{
	(void)state;
	struct trace_program program =
		fixture("bpf-filters.perf-script.gz", NULL);

	assert_int_equal(program.counters.events, 600);
	assert_int_equal(program.counters.allocs, 306);
	assert_int_equal(program.counters.frees, 294);
	trace_program_fini(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_life_of_an_address_has_a_slot),
		cmocka_unit_test(late_free_of_another_cpu_is_an_inversion),
		cmocka_unit_test(inversion_is_found_where_ranges_begin_apart),
		cmocka_unit_test(
			free_by_the_allocating_thread_is_never_an_inversion),
		cmocka_unit_test(free_after_the_window_ends_the_new_area),
		cmocka_unit_test(lost_events_put_older_areas_in_doubt),
		cmocka_unit_test(
			loss_before_the_first_event_does_not_move_time),
		cmocka_unit_test(
			failed_attempt_makes_no_step_and_its_retry_one),
		cmocka_unit_test(unknown_free_is_counted_and_interior_ones_too),
		cmocka_unit_test(snapshot_resolves_frees_and_gives_places),
		cmocka_unit_test(
			contradicting_ranges_of_a_snapshot_are_counted),
		cmocka_unit_test(other_spaces_are_other_arenas),
		cmocka_unit_test(
			snapshot_outside_of_all_windows_is_an_untraced_arena),
		cmocka_unit_test(overlapping_windows_share_an_arena),
		cmocka_unit_test(too_many_windows_are_refused),
		cmocka_unit_test(process_storm_has_its_counts),
		cmocka_unit_test(bpf_filters_have_their_counts),
		cmocka_unit_test(namespaces_have_their_counts),
		cmocka_unit_test(frees_are_unknown_without_a_snapshot),
		cmocka_unit_test(perf_script_fixture_has_its_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
