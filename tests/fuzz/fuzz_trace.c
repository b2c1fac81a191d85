/* SPDX-License-Identifier: MIT */
/*
 * fuzz_trace.c - any bytes as a recording, and as the snapshot to it.
 *
 * The input is a recording; a line `--snapshot--` begins the snapshot.  Both
 * go through the readers' files, so compressed input is tried too.  What is
 * accepted must resolve to a program that keeps its invariants; what is
 * refused must have a message.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined.  With
 * fuzz_driver.c: a plain program that runs each file of a corpus once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char separator[] = "\n--snapshot--\n";

/* file_with - a file in memory, read from its beginning. */
static int file_with(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("fuzz", MFD_CLOEXEC);

	require(fd >= 0);
	require(pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

static bool read_trace(const uint8_t *data, size_t size, struct trace *trace)
{
	const int fd = file_with(data, size);
	struct trace_why why = { .text = "" };
	const int error = trace_read_fd(fd, "fuzz", &why, trace);

	(void)close(fd);
	require(!error || why.text[0]);
	require(error <= 0);
	return !error;
}

static bool read_snapshot(const uint8_t *data, size_t size,
			  struct trace_snapshot *snapshot)
{
	const int fd = file_with(data, size);
	struct trace_why why = { .text = "" };
	const int error = trace_snapshot_read_fd(fd, "fuzz", &why, snapshot);

	(void)close(fd);
	require(!error || why.text[0]);
	require(error <= 0);
	return !error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t separator_length = strlen(separator);
	const uint8_t *cut =
		size ? memmem(data, size, separator, separator_length) : NULL;
	const size_t trace_size = cut ? (size_t)(cut - data) + 1 : size;
	struct trace trace = { 0 };
	struct trace_snapshot snapshot = { 0 };
	struct trace_program program = { 0 };
	struct trace_why why = { .text = "" };
	bool has_snapshot = false;

	if (cut) {
		const uint8_t *rest = cut + separator_length;

		has_snapshot = read_snapshot(rest, size - (size_t)(rest - data),
					     &snapshot);
	}
	if (!read_trace(data, trace_size, &trace)) {
		trace_snapshot_fini(&snapshot);
		return 0;
	}
	if (!trace_resolve(&trace, has_snapshot ? &snapshot : NULL, &why,
			   &program)) {
		trace_program_check(&program);
		trace_program_fini(&program);
	} else {
		require(why.text[0]);
	}
	trace_snapshot_fini(&snapshot);
	trace_fini(&trace);
	return 0;
}
