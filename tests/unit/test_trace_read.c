/* SPDX-License-Identifier: MIT */
/*
 * test_trace_read.c - each format, each way in which a recording is broken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

#include "trace_input.h"

static const char alloc_line[] =
	HEAD("17", "001", "12.345678") ALLOC(A_DECIMAL, "8192");

static void accepts(const char *text, struct trace *trace)
{
	struct trace_why why = { .text = "" };
	const int error = input_read(text, &why, trace);

	if (error)
		fail_msg("refused: %s", why.text);
}

/* A refused text leaves the result alone and says this. */
static void refuses(const char *text, int error, const char *part)
{
	struct trace trace = { .lines = 77 };
	struct trace_why why = { .text = "" };

	assert_int_equal(input_read(text, &why, &trace), error);
	assert_says(why, part);
	assert_int_equal(trace.lines, 77);
}

static void tracefs_line_gives_every_value(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts("# tracer: nop\n#\n"
		"  kworker/1:1-13 (   12) [001] d..2. 12.000000345: "
		"alloc_vmap_area: va_start: " A_DECIMAL
		" size=20480 align=16384 " WINDOW " failed=0\n",
		&trace);
	assert_int_equal(trace.format, TRACE_FORMAT_TRACEFS);
	assert_int_equal(trace.event_count, 1);
	const struct trace_event *event = &trace.events[0];

	assert_int_equal(event->time_ns, 12000000345u);
	assert_int_equal(event->op, TRACE_ALLOC);
	assert_int_equal(event->pid, 13);
	assert_int_equal(event->cpu, 1);
	assert_int_equal(event->va_start, WINDOW_START);
	assert_int_equal(event->size, 20480);
	assert_int_equal(event->align, 16384);
	assert_int_equal(event->vstart, WINDOW_START);
	assert_int_equal(event->vend, UINT64_C(0xffffe8ffffffffff));
	trace_fini(&trace);
}

static void perf_script_is_told_by_its_event_names(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts("stress ng 15/26 [001] 13.5: vmalloc:" ALLOC(
			A_DECIMAL,
			"8192") "\tffffffff81234567 alloc_vmap_area+0x1 "
				"([kernel])\n\n"
				"swapper 0 [000] 13.6: PERF_RECORD_LOST lost "
				"9\n"
				"kworker/1:1-eve -1 [000] 14.5: vmalloc:" FREE(
					A_HEX),
		&trace);
	assert_int_equal(trace.format, TRACE_FORMAT_PERF_SCRIPT);
	assert_int_equal(trace.event_count, 3);
	assert_int_equal(trace.events[0].pid, 26);
	assert_int_equal(trace.events[1].op, TRACE_LOST);
	assert_int_equal(trace.events[1].size, 9);
	assert_int_equal(trace.events[2].op, TRACE_FREE);
	assert_int_equal(trace.events[2].va_start, WINDOW_START);
	trace_fini(&trace);
}

static void trace_cmd_report_is_told_by_its_first_lines(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts("version = 7\nCPU 3 is empty\ncpus=4\n"
		"  bash-14 [000] .....  1.000001: alloc_vmap_area:      "
		"va_start: " A_DECIMAL " size=8192 align=1 " WINDOW
		" failed=0\n"
		"CPU:1 [12 EVENTS DROPPED]\n"
		"  bash-14 [000]  1.000002: " FREE(A_HEX),
		&trace);
	assert_int_equal(trace.format, TRACE_FORMAT_TRACE_CMD);
	assert_int_equal(trace.event_count, 3);
	assert_int_equal(trace.events[1].op, TRACE_LOST);
	assert_int_equal(trace.events[1].size, 12);
	assert_int_equal(trace.events[1].cpu, 1);
	trace_fini(&trace);
}

static void command_name_may_look_like_a_line(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts(" a [7] 1.5 b-21 [003] 2.5: " FREE(
			A_HEX) "#x-22 [003] 2.6: " FREE(A_HEX),
		&trace);
	assert_int_equal(trace.event_count, 2);
	assert_int_equal(trace.events[0].cpu, 3);
	assert_int_equal(trace.events[0].pid, 21);
	assert_int_equal(trace.events[1].pid, 22);
	trace_fini(&trace);
}

static void failed_attempt_carries_its_errno(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts(HEAD("1", "000", "1.0") ALLOC_FAIL("8192"), &trace);
	assert_int_equal(trace.events[0].op, TRACE_ALLOC_FAILED);
	assert_int_equal(trace.events[0].error, ENOMEM);
	assert_int_equal(trace.events[0].va_start, 0);
	trace_fini(&trace);
}

static void purge_of_nothing_is_an_event(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts(HEAD("1", "000",
		     "1.0") "purge_vmap_area_lazy: "
			    "start=0xffffffffffffffff end=0x0 num_purged=0\n",
		&trace);
	assert_int_equal(trace.events[0].op, TRACE_PURGE);
	assert_int_equal(trace.events[0].size, 0);
	trace_fini(&trace);
}

static void other_events_are_counted_and_skipped(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts(HEAD("1", "000", "1.0") "sched_switch: prev=x\n" HEAD(
			"1", "000",
			"1.1") "vfree <-module_memfree\n" HEAD("1", "000",
							       "1.2")
			FREE(A_HEX) " => free_vmap_area_noflush\n",
		&trace);
	assert_int_equal(trace.event_count, 1);
	assert_int_equal(trace.other_events, 2);
	trace_fini(&trace);
}

static void lost_events_are_marked_where_they_are_missing(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts("CPU:1 [LOST 77 EVENTS]\n" HEAD("1", "000", "1.5")
			FREE(A_HEX) "CPU:0 [LOST EVENTS]\n",
		&trace);
	assert_int_equal(trace.event_count, 3);
	assert_int_equal(trace.events[0].size, 77);
	assert_int_equal(trace.events[2].op, TRACE_LOST);
	assert_int_equal(trace.events[2].size, 0);
	assert_int_equal(trace.events[2].time_ns, 1500000000u);
	trace_fini(&trace);
}

static void events_are_put_in_order_of_time(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts(HEAD("1", "000", "2.0") FREE(A_HEX) HEAD("1", "001", "1.0")
			FREE(B_HEX) HEAD("1", "000", "2.0") FREE(C_HEX),
		&trace);
	assert_int_equal(trace.out_of_order, 1);
	assert_int_equal(trace.events[0].va_start, WINDOW_START + 0x2000);
	assert_int_equal(trace.events[1].va_start, WINDOW_START);
	assert_int_equal(trace.events[2].va_start, WINDOW_START + 0x10000);
	trace_fini(&trace);
}

static void cut_last_line_is_counted_and_skipped(void **state)
{
	(void)state;
	struct trace trace = { 0 };

	accepts(HEAD("1", "000", "2.0") FREE(A_HEX)
			HEAD("1", "000",
			     "3.0") "free_vmap_area_noflush: va_start=0xff",
		&trace);
	assert_int_equal(trace.event_count, 1);
	assert_int_equal(trace.cut_lines, 1);
	trace_fini(&trace);
}

static void line_without_head_is_refused_with_its_place(void **state)
{
	(void)state;
	refuses(HEAD("1", "000", "1.0") FREE(A_HEX) "what is this\nx\n",
		-EINVAL, "input:2: 'what is this': expected 'task-pid [cpu] ");
	refuses(HEAD("1", "9000", "1.0") FREE(A_HEX), -EINVAL, "CPU number");
	refuses(HEAD("1", "000", "1234") FREE(A_HEX), -EINVAL, "clock");
	refuses(HEAD("1", "000", "99999999999.5") FREE(A_HEX), -EINVAL,
		"time does not fit");
	refuses("task [000] 1.5: " FREE(A_HEX), -EINVAL, "process id");
	refuses("t-2147483648 [000] 1.5: " FREE(A_HEX), -EINVAL, "process id");
}

static void wrong_field_is_refused_with_what_was_expected(void **state)
{
	(void)state;
	refuses(HEAD("1", "000", "1.0") "alloc_vmap_area: va_start: 4096 "
					"siz=1\n",
		-EINVAL,
		"input:1: alloc_vmap_area: found 'siz=1', expected 'size='");
	refuses(HEAD("1", "000", "1.0") FREE("4096"), -EINVAL,
		"expected a hexadecimal number");
	refuses(HEAD("1", "000", "1.0")
			ALLOC("99999999999999999999999", "8192"),
		-EINVAL, "does not fit in 64 bits");
	refuses(HEAD("1", "000", "1.0") ALLOC(A_DECIMAL, "-4096"), -EINVAL,
		"is negative");
	refuses(HEAD("1", "000", "1.0") FREE(A_HEX "x"), -EINVAL,
		"expected a blank");
	refuses(HEAD("1", "000", "1.0") "purge_vmap_area_lazy: start=0x0 "
					"end=0x0 num_purged=0 more\n",
		-EINVAL, "expected the end of the line");
}

static void impossible_values_are_refused(void **state)
{
	(void)state;
	refuses(HEAD("1", "000", "1.0") ALLOC(A_DECIMAL, "8191"), -EINVAL,
		"size is not a multiple of the page");
	refuses(HEAD("1", "000", "1.0") ALLOC(A_DECIMAL, "0"), -EINVAL,
		"size is not a multiple of the page");
	refuses(HEAD("1", "000", "1.0") ALLOC("18446683600570023937", "8192"),
		-EINVAL, "va_start is not a page's address");
	refuses(HEAD("1", "000", "1.0") ALLOC("4096", "8192"), -EINVAL,
		"outside of its window");
	refuses(HEAD("1", "000", "1.0")
			ALLOC(A_DECIMAL, "18446744073709547520"),
		-EINVAL, "outside of its window");
	refuses(HEAD("1", "000", "1.0")
			ALLOC_IN("vstart=0x2000 vend=0x2000", "8192", "4096"),
		-EINVAL, "window is empty");
	refuses(HEAD("1", "000", "1.0")
			ALLOC_IN("vstart=0x2000 vend=0x3fff", "8192", "8192"),
		-EINVAL, "outside of its window");
	refuses(HEAD("1", "000", "1.0") FREE("0xffffc90000000010"), -EINVAL,
		"va_start is not a page's address");
	refuses(HEAD("1", "000", "1.0") "alloc_vmap_area: va_start: 0 "
					"size=4096 align=3 " WINDOW
					" failed=0\n",
		-EINVAL, "align is not a power of two");
	refuses(HEAD("1", "000", "1.0") "alloc_vmap_area: va_start: 0 "
					"size=4096 align=1 " WINDOW
					" failed=2\n",
		-EINVAL, "neither 0 nor 1");
}

static void recordings_without_vmalloc_events_are_refused(void **state)
{
	(void)state;
	refuses("", -ENODATA, "is empty");
	refuses("# tracer: nop\n" HEAD("1", "000", "1.0") "sched_switch: x\n",
		-ENODATA, "no vmalloc event in 2 lines (1 other events)");
}

static void recordings_that_are_no_text_are_refused(void **state)
{
	(void)state;
	static const char zeros[] = "abc\0def\n";
	struct trace trace = { 0 };
	struct trace_why why = { .text = "" };

	assert_int_equal(input_read_bytes(zeros, sizeof(zeros), &why, &trace),
			 -EINVAL);
	assert_says(why, "input:1: binary data");
	refuses("PERFILE2xxxxxxxx", -EINVAL, "perf script -i FILE");
	refuses("\x17\x08\x44tracing6", -EINVAL, "trace-cmd report FILE");
}

static void endless_line_is_refused(void **state)
{
	(void)state;
	const size_t size = 1 << 20;
	char *text = malloc(size);
	struct trace trace = { 0 };
	struct trace_why why = { .text = "" };

	assert_non_null(text);
	memset(text, 'x', size);
	assert_int_equal(input_read_bytes(text, size, &why, &trace), -EINVAL);
	assert_says(why, "input:1: line is too long");
	free(text);
}

/* Compressed text of many lines; its length. */
static size_t compress_lines(unsigned char *out, size_t room)
{
	z_stream stream = { 0 };

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	stream.next_out = out;
	stream.avail_out = (unsigned)room;
	for (unsigned i = 0; i < 5000; i++) {
		char line[256];
		const int length =
			snprintf(line, sizeof(line), " t-%u [000] %u.5: %s", i,
				 i, FREE(A_HEX));

		stream.next_in = (unsigned char *)line;
		stream.avail_in = (unsigned)length;
		assert_int_equal(deflate(&stream, Z_NO_FLUSH), Z_OK);
	}
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&stream), Z_OK);
	return room - stream.avail_out;
}

static void compressed_recording_is_read_and_a_cut_one_refused(void **state)
{
	(void)state;
	static unsigned char packed[1 << 19];
	const size_t size = compress_lines(packed, sizeof(packed));
	struct trace trace = { 0 };
	struct trace_why why = { .text = "" };

	assert_int_equal(input_read_bytes(packed, size, &why, &trace), 0);
	assert_int_equal(trace.event_count, 5000);
	trace_fini(&trace);
	assert_int_equal(input_read_bytes(packed, size / 2, &why, &trace),
			 -EINVAL);
	assert_says(why, "compressed data ends too early");
	packed[size - 6] ^= 0x55;
	assert_int_equal(input_read_bytes(packed, size, &why, &trace), -EINVAL);
	assert_says(why, "compressed data is damaged");
}

static void dash_is_the_standard_input(void **state)
{
	(void)state;
	const int fd = input_file(alloc_line, strlen(alloc_line));
	const int saved = dup(STDIN_FILENO);
	struct trace trace = { 0 };
	struct trace_why why = { .text = "" };

	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	const int error = trace_read("-", &why, &trace);

	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	close(fd);
	assert_int_equal(error, 0);
	assert_int_equal(trace.event_count, 1);
	trace_fini(&trace);
}

static void missing_file_is_named(void **state)
{
	(void)state;
	struct trace trace = { 0 };
	struct trace_why why = { .text = "" };

	assert_int_equal(trace_read("/nowhere/trace", &why, &trace), -ENOENT);
	assert_says(why, "/nowhere/trace: cannot open");
	assert_int_equal(trace_read("/", &why, &trace), -EISDIR);
	assert_says(why, "/: cannot read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tracefs_line_gives_every_value),
		cmocka_unit_test(perf_script_is_told_by_its_event_names),
		cmocka_unit_test(trace_cmd_report_is_told_by_its_first_lines),
		cmocka_unit_test(command_name_may_look_like_a_line),
		cmocka_unit_test(failed_attempt_carries_its_errno),
		cmocka_unit_test(purge_of_nothing_is_an_event),
		cmocka_unit_test(other_events_are_counted_and_skipped),
		cmocka_unit_test(lost_events_are_marked_where_they_are_missing),
		cmocka_unit_test(events_are_put_in_order_of_time),
		cmocka_unit_test(cut_last_line_is_counted_and_skipped),
		cmocka_unit_test(line_without_head_is_refused_with_its_place),
		cmocka_unit_test(wrong_field_is_refused_with_what_was_expected),
		cmocka_unit_test(impossible_values_are_refused),
		cmocka_unit_test(recordings_without_vmalloc_events_are_refused),
		cmocka_unit_test(recordings_that_are_no_text_are_refused),
		cmocka_unit_test(endless_line_is_refused),
		cmocka_unit_test(
			compressed_recording_is_read_and_a_cut_one_refused),
		cmocka_unit_test(dash_is_the_standard_input),
		cmocka_unit_test(missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
